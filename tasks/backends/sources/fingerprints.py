"""What a source holds of a book -> one hash, which tells whether the book has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from schemas.books import CatalogueEntry
from schemas.errors import BookError
from tasks.fetching.soundness import RefusedError, check_text
from tasks.fetching.unpacking import is_packed
from tasks.protocols import SourceFile


def hash_book(
    files: Iterable[SourceFile],
    read: Callable[[SourceFile], bytes],
    rdf: bytes | None,
    entry: CatalogueEntry | None,
) -> str | None:
    """Return a hash of the files that decide about a book, best first, and of what is said of it.

    Files are read up to the first that is surely taken: a plain text. One that is packed may turn out damaged, so
    those after it count, too.
    """
    parts: list[str] = []
    for file in files:
        try:
            data = read(file)
        except (OSError, BookError):
            continue
        parts += [file.path, hashlib.sha256(data).hexdigest()]
        if is_sound(data):
            break
    if not parts:
        return None
    parts += [hashlib.sha256(rdf or b"").hexdigest(), entry.digest() if entry else ""]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def is_sound(data: bytes) -> bool:
    """Return whether bytes are a plain text, as far as can be told at once."""
    try:
        check_text(data)
    except RefusedError:
        return False
    return not is_packed(data)
