"""SegmentedBook -> names of its chapters and parts, as requests and scaffolds call them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.books import Division, SegmentedBook
from tasks.planning.wording import clean_line, tidy_heading


class Part(NamedTuple):
    """A volume, part or book of the author's, by the numbers of its chapters."""

    label: str
    title: str
    first_chapter: int
    last_chapter: int


def describe_book(book: SegmentedBook) -> str:
    """Return title and authors on one line, for the head of every request."""
    title = clean_line(book.entry.title or f"Book {book.book_id}", 300)
    authors = clean_line("; ".join(book.entry.authors), 300)
    return f"Book: {title}" + (f", by {authors}" if authors else "")


def label_chapters(book: SegmentedBook) -> Mapping[int, str]:
    """Return, by a leaf's start, its label with what contains it: 'Part One, Chapter 3'."""
    return {
        path[-1].start: ", ".join(filter(None, (tidy_heading(division.label) for division in path)))
        for path in _paths(book.divisions, ())
    }


def find_parts(book: SegmentedBook, starts: Sequence[int]) -> tuple[Part, ...]:
    """Return the divisions that hold chapters; `starts` say where the text of chapters 1, 2, ... begins."""
    parts: dict[int, tuple[Division, list[int]]] = {}
    waiting = deque(enumerate(starts, 1))
    for path in _paths(book.divisions, ()):
        if waiting and waiting[0][1] < path[-1].end:
            number, _ = waiting.popleft()
            for container in path[:-1]:
                if container.label or container.title:
                    parts.setdefault(container.start, (container, []))[1].append(number)
    return tuple(
        Part(tidy_heading(container.label), tidy_heading(container.title), inside[0], inside[-1])
        for container, inside in parts.values()
    )


def _paths(divisions: Sequence[Division], above: tuple[Division, ...]) -> Iterator[tuple[Division, ...]]:
    for division in divisions:
        if division.children:
            yield from _paths(division.children, (*above, division))
        else:
            yield (*above, division)
