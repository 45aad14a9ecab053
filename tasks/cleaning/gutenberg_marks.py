"""Lines of a raw file -> where the book begins and ends between Project Gutenberg's own marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MARK = re.compile(r"\s*\*{2,3}\s*(START|END) OF (?:THE |THIS )?\S", re.IGNORECASE)
MARK_NOUN = re.compile(r"GUTENBERG|\bE-?BOOKS?\b|\bE-?TEXTS?\b", re.IGNORECASE)
MARK_LINES = 4  # a mark with a long title goes on in the next lines until its closing asterisks
SMALL_PRINT_END = re.compile(r"\*\s?END\s?\*?\s?THE SMALL PRINT|small print\W+v\.\d", re.IGNORECASE)
SMALL_PRINT_START = re.compile(r"\*\s?START\s?\*+\s?THE SMALL PRINT", re.IGNORECASE)
SOFT_END = re.compile(r"\W*(?:this is the )?end of (?:the |this )?(?:\w+/)?project gutenberg", re.IGNORECASE)
HEAD_SHARE = 0.5  # a small print in the first half of a file is its header, later its footer
TAIL_LINES = 600  # licence and donation notes after a soft end take fewer


class Bounds(NamedTuple):
    """Half-open range of line indices (0-based) between the marks."""

    start: int
    end: int


class Mark(NamedTuple):
    """A START or END mark on lines `first` to `last`, 0-based and inclusive."""

    is_start: bool
    first: int
    last: int


def find_bounds(lines: Sequence[str]) -> Bounds:
    """Return the lines between header and footer, whatever the style; the whole file where there are no marks."""
    marks = find_marks(lines)
    starts = [mark for mark in marks if mark.is_start]
    ends = [mark for mark in marks if not mark.is_start and (not starts or mark.first > starts[0].last)]
    hard_end = ends[0].first if ends else None
    start = max((mark.last + 1 for mark in starts if hard_end is None or mark.last < hard_end), default=0)
    start = max(start, small_print_end(lines))
    end = hard_end if hard_end is not None else soft_end(lines, start)
    return Bounds(start, max(start, end))


def find_marks(lines: Sequence[str]) -> list[Mark]:
    """Return every `*** START OF ...` and `*** END OF ...` that names an ebook, indented or wrapped as it may be."""
    marks = []
    for index in [index for index, line in enumerate(lines) if "*" in line]:
        found = MARK.match(lines[index])
        if found is None:
            continue
        last = mark_end(lines, index)
        if MARK_NOUN.search(" ".join(lines[index : last + 1])):
            marks.append(Mark(found[1].upper() == "START", index, last))
    return marks


def mark_end(lines: Sequence[str], first: int) -> int:
    """Return the line of a mark's closing asterisks, or its first line where they are missing."""
    for index in range(first, min(first + MARK_LINES, len(lines))):
        if lines[index].rstrip().endswith("**"):
            return index
        if not lines[index].strip():
            break
    return first


def small_print_end(lines: Sequence[str]) -> int:
    """Return the line after the small print of 1991 to 2003, or 0."""
    for index in range(int(len(lines) * HEAD_SHARE) - 1, -1, -1):
        if ("SMALL P" in lines[index] or "mall P" in lines[index]) and SMALL_PRINT_END.search(lines[index]):
            closed = lines[index].rstrip().endswith(("*", "]"))
            return index + 1 if closed or not lines[index + 1].rstrip().endswith("*") else index + 2
    return 0


def soft_end(lines: Sequence[str], start: int) -> int:
    """Return the line where 'End of the Project Gutenberg Etext' or a small print at the end begins."""
    first = max(start, len(lines) - TAIL_LINES, 0)
    for index in range(first, len(lines)):
        if SOFT_END.match(lines[index]) or SMALL_PRINT_START.search(lines[index]):
            return index
    return len(lines)
