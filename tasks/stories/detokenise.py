"""Penn Treebank tokens -> text as people write it.

WritingPrompts is published so: "`` Do n't , '' she said ." with `<newline>` between lines. White space cannot all be
known again ("--" and "&" keep theirs), and double quotes become straight ones.
"""

from __future__ import annotations

import re

NEWLINE = "<newline>"
_BREAKS = re.compile(rf"[ \t]*(?:{re.escape(NEWLINE)}[ \t]*)+")
_PLAIN = {
    "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}",
    "``": '"', "''": '"', "`": "'",
}  # fmt: skip
_OPENING = frozenset(("``", "`", "-LRB-", "-LSB-", "-LCB-", "(", "[", "{", "“", "‘"))
_CLOSING = re.compile(r"(?:''|-R[RSC]B-|[)\]}”’]|[,;:!?%]+|\.+|…|[!?.…]+)")
_CLITIC = re.compile(r"(?i)(?:n['’]t|['’](?:s|re|ve|ll|d|m))")
_JOINED = {  # words that the Treebank takes apart (tokenizer.sed of the Penn Treebank)
    ("can", "not"), ("gon", "na"), ("wan", "na"), ("got", "ta"), ("lem", "me"), ("gim", "me"), ("more", "'n"),
    ("d", "'ye"), ("'t", "is"), ("'t", "was"),
}  # fmt: skip


def restore_text(line: str) -> str:
    """Return a tokenised line as text: `<newline>` is a line break, several in a row are a break of paragraphs."""
    parts = _BREAKS.split(line)
    breaks = ["\n" if found.count(NEWLINE) == 1 else "\n\n" for found in _BREAKS.findall(line)]
    lines = [join_tokens(part.split()) for part in parts]
    return "".join(text + gap for text, gap in zip(lines, [*breaks, ""], strict=True))


def join_tokens(tokens: list[str]) -> str:
    """Put the tokens of one line together: each with a blank before it, unless it or the one before holds on."""
    out: list[str] = []
    quotes = _Quotes()
    before = ""
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        opens = quotes.opens(token, before)
        if out and not (_holds_right(before, quotes.was_opening, token) or _holds_left(token, before, opens)):
            out.append(" ")
        out.append(_PLAIN.get(token, token))
        quotes.note(token, opens)
        before = _merge_dollar(token, following)
    return "".join(out)


class _Quotes:
    """Which straight quotation marks of a line are open: a lone `"` opens or closes by turns."""

    def __init__(self) -> None:
        self._double, self._single = False, False
        self.was_opening = False  # whether the last token was a mark that opened

    def opens(self, token: str, before: str) -> bool:
        if token in _OPENING:
            return True
        if token == '"':
            return not self._double
        # after a letter it closes, or ends a plural: boys '
        return token == "'" and not self._single and not before[-1:].isalnum()

    def note(self, token: str, opened: bool) -> None:
        if token in ('"', "``", "''"):
            self._double = opened
        if token in ("'", "`"):
            self._single = opened
        self.was_opening = opened


def _holds_left(token: str, before: str, opens: bool) -> bool:
    """Tell whether a token stands right after the one before it."""
    if opens:
        return False
    if token in ('"', "'") or _CLOSING.fullmatch(token):
        return True
    if _CLITIC.fullmatch(token):
        return before[-1:].isalnum() or before[-1:] in "*_)"
    if token.startswith("//") and before == ":":
        return True
    return (before.lower(), token.lower()) in _JOINED


def _holds_right(before: str, was_opening: bool, token: str) -> bool:
    """Tell whether the token before stands right before this one: an opening mark, or $ and # before a number."""
    return was_opening or (before in ("$", "£", "€", "#") and token[:1].isdigit())


def _merge_dollar(token: str, following: str) -> str:
    """Return what the next token is told of this one: PTB writes US$ and C$ as one token, which holds a number."""
    return "$" if token.endswith("$") and following[:1].isdigit() else token
