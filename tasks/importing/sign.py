"""SegmentedBook -> Signature: of a book that never was a file of this project."""

from __future__ import annotations

from schemas.books import SegmentedBook
from schemas.corpus_settings import SignSettings
from schemas.duplicates import Signature
from tasks.sign import sign_text

ENCODING = "utf-8"  # of every table


def sign_row(work: SegmentedBook, settings: SignSettings) -> Signature:
    """Return what stands for a work when works are compared."""
    return sign_text(work.entry, work.text, ENCODING, settings)
