"""SegmentedBook -> Signature -> which works are one text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from schemas.books import SegmentedBook
from schemas.settings import DuplicateSettings
from schemas.value import Value


class Signature(Value):
    """A work's text, as far as others are compared with it."""

    book_id: str
    text: str


class Duplicate(Value):
    """The work that is kept instead, and why."""

    of: str
    detail: str


def sign_work(work: SegmentedBook, settings: DuplicateSettings) -> Signature:
    """Return the signature of a work."""
    return Signature(book_id=work.book_id, text=hashlib.sha256(work.text.encode()).hexdigest())


def find_duplicates(signatures: Iterable[Signature], settings: DuplicateSettings) -> dict[str, Duplicate]:
    """Return the works whose text is another one's."""
    seen: dict[str, str] = {}
    found = {}
    for one in sorted(signatures, key=lambda one: one.book_id):
        if one.text in seen:
            found[one.book_id] = Duplicate(of=seen[one.text], detail="equal texts")
        seen.setdefault(one.text, one.book_id)
    return found
