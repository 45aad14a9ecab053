"""Lines -> runs of filled lines: the paragraphs that rules look at before anything is unwrapped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

OPENING_MARKS = re.compile(r"^[\W_]+")


class Run(NamedTuple):
    """Half-open range of line indices without a blank line in it."""

    start: int
    end: int


def iter_runs(lines: Sequence[str], start: int, end: int) -> Iterator[Run]:
    """Yield the runs of lines that are not blank, in order."""
    first = None
    for index in range(start, end):
        if lines[index]:
            first = index if first is None else first
        elif first is not None:
            yield Run(first, index)
            first = None
    if first is not None:
        yield Run(first, end)


def join_run(lines: Sequence[str], run: Run) -> str:
    """Return a paragraph's text on one line, without the marks that open it."""
    joined = " ".join(line.strip(" |+") for line in lines[run.start : run.end])
    return OPENING_MARKS.sub("", joined)


def run_around(lines: Sequence[str], index: int, start: int, end: int) -> Run:
    """Return the run of filled lines that holds line `index`."""
    first, last = index, index + 1
    while first > start and lines[first - 1]:
        first -= 1
    while last < end and lines[last]:
        last += 1
    return Run(first, last)


def closing_line(lines: Sequence[str], first: int, end: int) -> int | None:
    """Return the line where the bracket opened in line `first` closes, or None if it never does."""
    depth = 0
    for index in range(first, end):
        depth += lines[index].count("[") - lines[index].count("]")
        if depth <= 0:
            return index
    return None
