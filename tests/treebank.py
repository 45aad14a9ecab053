"""Text -> Penn Treebank tokens on a line, as stories are published: the other direction of tasks/stories/detokenise.

By the rules of the Treebank's own tokenizer.sed, but that every full stop that ends a word is taken off.
"""

from __future__ import annotations

import re

_RULES = (
    (r'(^|[\s(\[{])"', r"\1`` "),
    (r'"', " '' "),
    (r"(^|\s)'(?=\w)(?!t(?:is|was)\b)", r"\1` "),
    (r"(\.\.\.+)", r" \1 "),
    (r"([,;:@#$%&?!])(?!\d)", r" \1 "),
    (r"\$(?=\d)", "$ "),
    (r"(?<=[^\s.])\.(?=\s|$|[\])}']| '')", " ."),
    (r"([\[\](){}<>])", r" \1 "),
    (r"(?<=\w)'(?=\s|$)", " '"),
    (r"(?<=[.,!?])'(?=\s|$)", " '"),
    (r"(?i)\b(can)(not)\b", r"\1 \2"),
    (r"(?i)\b(gon|wan)(na)\b", r"\1 \2"),
    (r"(?i)(\w)('(?:s|m|d|ll|re|ve))\b", r"\1 \2"),
    (r"(?i)(\w)(n't)\b", r"\1 \2"),
)
_BRACKETS = {"(": "-LRB-", ")": "-RRB-", "[": "-LSB-", "]": "-RSB-"}


def tokenise(text: str, *, brackets: bool = False) -> str:
    """Return a text as one line of tokens; breaks of lines become <newline>, those of paragraphs two."""
    lines = (" ".join(_tokens(line, brackets)) for line in text.split("\n"))
    return " <newline> ".join(lines).replace("  ", " ").strip()


def _tokens(line: str, brackets: bool) -> list[str]:
    for pattern, put in _RULES:
        line = re.sub(pattern, put, line)
    return [_BRACKETS.get(token, token) if brackets else token for token in line.split()]
