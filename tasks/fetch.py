"""CatalogueEntry -> RawBook: the text of the best file that is sound, with the sha256 of what it came from."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping

from schemas.books import CatalogueEntry, RawBook
from schemas.corpus_settings import FetchSettings
from schemas.errors import BookError
from tasks.fetching.soundness import RefusedError
from tasks.fetching.unpacking import unpack_text
from tasks.protocols import SourceFile, TextSource

logger = logging.getLogger(__name__)


def fetch_book(entry: CatalogueEntry, settings: FetchSettings, *, source: TextSource) -> RawBook:
    """Return the text of the best file that the source holds; one that is damaged is passed over, and noted.

    Raises:
        BookError: there is no text of this book, or none of its files is sound.
        TransientError: the mirror was busy.
    """
    passed: list[BookError] = []
    for file in source.files(entry.book_id):
        try:
            raw = read_file(entry, file.path, _read(file, source), settings)
        except FileNotFoundError:
            continue  # a mirror is asked for each layout in turn
        except BookError as error:
            passed.append(error)
            continue
        for refused in passed:
            logger.warning("%s; %s is taken instead", refused, file.path)
        return raw.model_copy(update={"notes": tuple(refused.detail for refused in passed)})
    if passed:
        raise BookError(entry.book_id, passed[0].reason, "; ".join(error.detail for error in passed))
    raise BookError(entry.book_id, "no-file", "the source holds no plain text of it; check the id or the source")


def read_file(entry: CatalogueEntry, path: str, data: bytes, settings: FetchSettings) -> RawBook:
    """Return the text in a file's bytes; what the entry lacks is taken from an EPUB's own description.

    Raises:
        BookError: the file is too large, empty, damaged, encrypted, or no text.
    """
    try:
        unpacked = unpack_text(path, data, settings.max_bytes)
    except RefusedError as refused:
        raise BookError(entry.book_id, refused.reason, f"{path}: {refused.detail}") from refused
    return RawBook(
        entry=complete_entry(entry, unpacked.facts._asdict()) if unpacked.facts else entry,
        file=f"{path}/{unpacked.member}" if unpacked.member else path,
        source_sha256=hashlib.sha256(unpacked.data).hexdigest(),
        file_sha256=hashlib.sha256(data).hexdigest(),
        data=unpacked.data,
    )


def complete_entry(entry: CatalogueEntry, known: Mapping[str, object]) -> CatalogueEntry:
    """Return the entry with the fields that it leaves open filled in from what else is known."""
    lacking = {name: value for name, value in known.items() if value and not getattr(entry, name)}
    return entry.model_copy(update=lacking)


def _read(file: SourceFile, source: TextSource) -> bytes:
    try:
        return source.read(file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BookError(file.book_id, "unreadable", f"{file.path} cannot be read: {error.strerror}") from error
