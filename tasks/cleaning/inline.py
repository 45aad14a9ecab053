"""A paragraph -> the same without what the page and its makers left within its lines: tags, page marks, emphasis."""

from __future__ import annotations

import re
from typing import Literal

from tasks.cleaning.page_residue import PAGE_NUMBER
from tasks.cleaning.traced import Segment, Traced

Emphasis = Literal["keep", "strip"]

RESIDUE_SIGNS = ("[", "{", "<", "|", "```")  # a line without any of them holds no residue
EMPHASIS_SIGNS = ("_", "=", "+", "~")
TAG = re.compile(
    r"</?(?:a|b|i|em|p|br|hr|div|span|sup|sub|img|h\d|pre|center|font|small|big|strong|u|tt|table|t[drh]|[uo]l|li"
    r"|blockquote|cite)\b[^<>]{0,200}>|<!--[^<>]{0,200}-->",
    re.IGNORECASE,
)
NOTE_LINK = re.compile(  # the label of a note, in a link to it
    r"<a\b[^<>]{0,200}\bhref\s*=\s*[\"']?#[^<>]{0,200}>\s*[\[({]?(?:\d{1,4}|[a-z]|[*†‡]{1,3})[\])}]?\s*</a>",
    re.IGNORECASE,
)
INLINE_NOTE = re.compile(
    r"\s*\[(?:_?(?:tr\. note|illustration|picture)[^\[\]]*|[^\[\]]*\b(?:transcribers?|e-?text)\b[^\[\]]*)\]",
    re.IGNORECASE,
)
PAGE_MARK = re.compile(
    rf"\[(?:pg|pp?|page)[. ]{{0,2}}{PAGE_NUMBER}\]|(?<=\S )\{{(?:(?:pg|page|p)[. ]{{0,2}})?\d{{1,4}}[a-z]?\}}"
    r"|(?<=\S)\{(?:p\. ?)?\d{1,4}[a-z]?\}|\{p\. ?[\divxlc]{1,7}[a-z]?\}",
    re.IGNORECASE,
)
INITIAL_PIPE = re.compile(r"^[\"'“‘]?(\|)(?=[A-Z])")
FENCE = re.compile(r"^\s*(```)", re.MULTILINE)  # would close the fence of a trajectory's prose
RULES: tuple[tuple[str, re.Pattern[str], str, int], ...] = (  # rule, what it takes out, signs of it, group
    ("note-link", NOTE_LINK, "<", 0),
    ("tag", TAG, "<", 0),
    ("inline-note", INLINE_NOTE, "[", 0),
    ("page-mark", PAGE_MARK, "[{", 0),
    ("initial-pipe", INITIAL_PIPE, "|", 1),
)
EMPHASIS = re.compile(
    r"(?<![_\w])(?P<outer>[_=+~])(?=[^\s_=+~])(?P<inside>[^_=+~]{1,600}?)(?<!\s)(?P=outer)(?![_\w])"
    r"|(?P<part>_)(?=[^\s_])[^_]{1,600}?(?<![\s_])_"
)


def drop_residue(trace: Traced, emphasis: Emphasis) -> None:
    """Take tags, page marks and notes of the producers out of a paragraph, and marks of emphasis by setting."""
    for rule, pattern, signs, group in RULES:
        if any(sign in trace.text for sign in signs):
            trace.sub(pattern, "", rule, group)
    if "```" in trace.text:
        trace.sub(FENCE, "'''", "fence", group=1)
    if emphasis == "strip":
        marks = []
        for found in EMPHASIS.finditer(trace.text):
            marks += [found.start(), found.end() - 1]
        trace.replace([Segment(at, at + 1, "", "emphasis") for at in marks])
