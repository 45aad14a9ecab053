"""CatalogueEntry -> RawBook: the original bytes of the best file, with their sha256."""

from __future__ import annotations

import hashlib

from schemas.books import CatalogueEntry, RawBook
from schemas.errors import BookError
from schemas.settings import FetchSettings
from tasks.protocols import TextSource


def fetch_book(entry: CatalogueEntry, settings: FetchSettings, *, source: TextSource) -> RawBook:
    """Return the bytes of the best file that the source really holds.

    Raises:
        BookError: there is no text of this book, or it is empty or too large.
        TransientError: the mirror was busy.
    """
    for file in source.files(entry.book_id):
        try:
            data = source.read(file.path)
        except FileNotFoundError:
            continue  # a mirror is asked for each layout in turn
        except OSError as error:
            raise BookError(entry.book_id, "unreadable", f"{file.path} cannot be read: {error.strerror}") from error
        if not data.strip():
            raise BookError(entry.book_id, "empty-file", f"{file.path} holds {len(data)} bytes and no text")
        if len(data) > settings.max_bytes:
            detail = f"{file.path} holds {len(data)} bytes, {settings.max_bytes} allowed (fetch.max_bytes)"
            raise BookError(entry.book_id, "too-large", detail)
        return RawBook(entry=entry, file=file.path, source_sha256=hashlib.sha256(data).hexdigest(), data=data)
    raise BookError(entry.book_id, "no-file", "the source holds no plain text of it; check the id or the source")
