"""Lines of a book -> the same without what the page left in them: illustrations, page marks, HTML."""

from __future__ import annotations

import re
from collections.abc import MutableSequence

from schemas.books import Removed
from tasks.cleaning.producer_notes import blank, closing_line

PICTURE = re.compile(r"\s*\[\s*_?(?:illustrations?|picture|image|plate|frontispiece|decoration|map)\b", re.IGNORECASE)
PICTURE_LINES = 60
PICTURE_WORDS = frozenset({"cover", "enlarge", "titlepage", "frontispiece"})  # alternative texts of images
CAPTION_HEADING = re.compile(
    r"\W*((?:chapter|book|part|volume|letter) [\divxlc]+|preface|introduction|epilogue|prologue)\b[.:]?\W*$",
    re.IGNORECASE,
)
PAGE_MARK = re.compile(
    r"\[(?:pg|page|p)\.? ?\d{1,4}\]|(?<=\S )\{(?:pg |page )?\d{1,4}[a-z]?\}|(?<=\S)\{\d{1,4}[a-z]?\}", re.IGNORECASE
)
PAGE_LINE = re.compile(r"\s*(?:[\[{](?:pg|page|p\.?)?[ .]?\d{1,4}[\]}]|page \d{1,4})\s*$", re.IGNORECASE)
TAG = re.compile(
    r"</?(?:a|b|i|em|p|br|hr|div|span|sup|sub|img|h\d|pre|center|font|small|big|strong|u|tt)\b[^<>]{0,200}>",
    re.IGNORECASE,
)
RETURN_LINK = re.compile(r"^(\d+) \(return\) ?", re.MULTILINE)
INLINE_NOTE = re.compile(r"\s*\[(?:transcriber|illustration|picture)[^\[\]]*\]", re.IGNORECASE)
INITIAL_PIPE = re.compile(r"^([\"'“‘]?)\|(?=[A-Z])")


def remove_residue(lines: MutableSequence[str], start: int, end: int) -> list[Removed]:
    """Empty the lines of pictures and page marks in `start:end`; a heading within a caption stays."""
    removed: list[Removed] = []
    index = start
    while index < end:
        line = lines[index]
        index += 1
        if not line:
            continue
        if "[" in line and PICTURE.match(line):
            removed += remove_picture(lines, index - 1, end)
        elif line.strip().lower() in PICTURE_WORDS or PAGE_LINE.match(line):
            rule = "page-mark" if PAGE_LINE.match(line) else "illustration"
            removed += blank(lines, rule, index - 1, index)
    return removed


def remove_picture(lines: MutableSequence[str], first: int, end: int) -> list[Removed]:
    """Empty an `[Illustration ...]` but for a heading at its end and text after its bracket."""
    last = closing_line(lines, first, min(end, first + PICTURE_LINES))
    rest = lines[last].rpartition("]")[2] if "]" in lines[last] else ""
    heading = CAPTION_HEADING.match(lines[last].rstrip("] ")) if last > first else None
    removed = blank(lines, "illustration", first, last + 1)
    if heading is not None:
        lines[last] = heading[0].strip()
    elif any(letter.isalpha() for letter in rest):
        lines[last] = rest.strip()
    return removed


def drop_inline_residue(text: str) -> str:
    """Return a paragraph without tags, page marks and notes of the producers within its lines."""
    if "<" in text:
        text = TAG.sub("", text)
    if "[" in text or "{" in text:
        text = PAGE_MARK.sub("", INLINE_NOTE.sub("", text))
    if "(return)" in text:
        text = RETURN_LINK.sub(r"\1 ", text)
    return INITIAL_PIPE.sub(r"\1", text) if "|" in text else text
