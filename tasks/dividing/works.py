"""SegmentedBook -> works: a collection, story by story."""

from __future__ import annotations

from schemas.books import SegmentedBook
from schemas.settings import SegmentSettings


def split_works(segmented: SegmentedBook, settings: SegmentSettings) -> tuple[SegmentedBook, ...]:
    """Return the works of a book."""
    return (segmented,)
