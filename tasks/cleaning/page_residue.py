"""Lines of a book -> the same without what the page left in them: illustrations, page marks, HTML."""

from __future__ import annotations

import re

from tasks.cleaning.runs import closing_line, run_around
from tasks.cleaning.source_text import SourceText

PICTURE = re.compile(r"\s*\[\s*_?(?:illustrations?|picture|image|plate|frontispiece|decoration|map)\b", re.IGNORECASE)
PICTURE_LINES = 60
PICTURE_WORDS = frozenset({"cover", "enlarge", "titlepage", "frontispiece"})  # alternative texts of images
CAPTION_HEADING = re.compile(
    r"\W*((?:chapter|book|part|volume|letter) [\divxlc]+|preface|introduction|epilogue|prologue)\b[.:]?\W*$",
    re.IGNORECASE,
)
CAPTION_END = re.compile(r"\s*\]+\s*$")
BEFORE_REST = re.compile(r"^.*\]\s*")
PAGE_NUMBER = r"(?:\d{1,4}|[ivxlc]{1,7})(?:[-–]\d{1,4})?"
PAGE_LINE = re.compile(
    rf"\s*(?:[\[{{](?:(?:pg|page|p)[. ]{{0,2}})?\d{{1,4}}[\]}}]|[\[{{](?:pg|page|p)[. ]{{0,2}}{PAGE_NUMBER}[\]}}]"
    r"|page \d{1,4})\s*$",
    re.IGNORECASE,
)
RETURN_LINK = re.compile(r"^\W*(?:footnotes?\W+)?\d+( \(return\))", re.IGNORECASE)
SHORT_LINE = 20  # characters: longer than any page mark


def remove_residue(source: SourceText, start: int, end: int) -> None:
    """Empty the lines of pictures and page marks in `start:end`; a heading within a caption stays."""
    for index in source.find("[", start, end):
        if source.lines[index] and PICTURE.match(source.lines[index]):
            remove_picture(source, index, start, end)
    for index in source.find("(return)", start, end):
        source.rewrite(index, RETURN_LINK, "", "return-link", group=1)
    for index in range(start, end):
        line = source.lines[index]
        if line and len(line) < SHORT_LINE:
            if PAGE_LINE.match(line):
                source.empty("page-mark", index, index + 1)
            elif line.strip().lower() in PICTURE_WORDS:
                source.empty("illustration", index, index + 1)


def remove_picture(source: SourceText, first: int, start: int, end: int) -> None:
    """Empty an `[Illustration ...]` but for a heading at its end and text after its bracket."""
    lines = source.lines
    closing = closing_line(lines, first, min(end, first + PICTURE_LINES))
    last = run_around(lines, first, start, end).end - 1 if closing is None else closing
    rest = lines[last].rpartition("]")[2] if "]" in lines[last] else ""
    heading = CAPTION_HEADING.match(lines[last]) if last > first else None
    if heading is None and not any(letter.isalpha() for letter in rest):
        source.empty("illustration", first, last + 1, is_guess=closing is None)
        return
    source.empty("illustration", first, last)
    if heading is None:
        source.rewrite(last, BEFORE_REST, "", "illustration")
    else:
        source.rewrite(last, CAPTION_END, "", "illustration")
