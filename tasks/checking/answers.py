"""Answers of one book -> their semantic problems, as a model is told them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.books import Division, SegmentedBook
from schemas.settings import VerifySettings
from schemas.value import Value
from tasks.chunk import Window

Check = Callable[[Value], list[str]]


@dataclass(frozen=True)
class BookChecks:
    """Checks of the answers about one book; `quoting` allows copies of its prose."""

    book: SegmentedBook
    settings: VerifySettings
    quoting: bool

    def for_read(self, chapter: Division, window: Window) -> Check:
        """Return the check of a reading of a window."""
        return _accept

    def for_rate(self, numbers: Sequence[int]) -> Check:
        """Return the check of a rating: each scene once."""
        return _accept

    def for_arcs(self, num_chapters: int) -> Check:
        """Return the check of arcs: a partition of the chapters."""
        return _accept

    def for_book(self, call: str, children: Sequence[str] = ()) -> Check:
        """Return the check of an answer about the book; its names stand in the children."""
        return _accept


def _accept(value: Value) -> list[str]:
    return []
