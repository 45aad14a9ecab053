"""A list of ids and hashes -> which books no snapshot may hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from schemas.books import Rejection
from schemas.errors import ConfigError
from schemas.outcomes import Prepared

REASON = "takedown"
COMMENT = "#"


def read_takedown(location: str | None) -> frozenset[str]:
    """Return the ids and sha256 hashes of a takedown list.

    A line holds one id (of a book, or of a story such as 1661.03) or the sha256 of a file; what follows a blank, a
    comma or a '#' is for people.

    Raises:
        ConfigError: the list cannot be read: a build that was to honour it must not run without it.
    """
    if location is None:
        return frozenset()
    try:
        text = Path(location).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{location}: the takedown list cannot be read: {error}") from error
    lines = (line.split(COMMENT)[0].replace(",", " ").split() for line in text.splitlines())
    return frozenset(words[0].lower() if is_hash(words[0]) else words[0] for words in lines if words)


def is_hash(name: str) -> bool:
    """Return whether a line of the list is a sha256 in hexadecimal digits."""
    return len(name) == 64 and all(char in "0123456789abcdef" for char in name.lower())


def find_taken(names: Iterable[str | None], taken: frozenset[str]) -> str | None:
    """Return the first of a book's names (ids, hashes) that the list holds."""
    return next((name for name in names if name is not None and name in taken), None)


def refuse_taken(work_id: str, name: str) -> Rejection:
    """Return the rejection of a book or story that the list names."""
    return Rejection(book_id=work_id, stage="takedown", reason=REASON, detail=f"the takedown list names {name}")


def names_of(prepared: Prepared) -> tuple[str | None, ...]:
    """Return everything by which a takedown list may name a book."""
    return prepared.book_id, prepared.source_sha256, prepared.file_sha256
