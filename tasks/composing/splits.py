"""CatalogueEntry -> split: all works of one author on one side, by a hash of the author's name.

Judging and composing ask the same functions, so a work is composed for the side that it was judged on.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from schemas.books import CatalogueEntry

_NOBODY = {"", "anonymous", "various", "unknown"}
_ROLE = re.compile(r"\[([^\]]*)\]")
_PARENTHESIS = re.compile(r"\([^)]*\)")


def assign_split(entry: CatalogueEntry, held_out_share: float) -> str:
    """Return 'train', 'validation' or 'test'; of the last two each has `held_out_share` of all authors."""
    return place_side(name_side(entry), held_out_share)


def place_side(name: str, held_out_share: float) -> str:
    """Return the side of a name that `name_sides` gave."""
    digest = hashlib.sha256(name.encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < held_out_share:
        return "validation"
    return "test" if place < 2 * held_out_share else "train"


def name_sides(entry: CatalogueEntry) -> tuple[str, ...]:
    """Return every name that has a side: first the one that decides the work's, then its other authors'."""
    others = (normalise_author(author) for author in _written(entry))
    return tuple(dict.fromkeys((name_side(entry), *(f"author {name}" for name in others if name not in _NOBODY))))


def name_side(entry: CatalogueEntry) -> str:
    """Return what decides a work's side: its first author, or its title where nobody is known by name."""
    author = normalise_author((_written(entry) or list(entry.authors) or [""])[0])
    if author not in _NOBODY:
        return f"author {author}"
    return f"title {normalise_words(entry.title or '') or entry.book_id}"


def normalise_author(name: str) -> str:
    """Return 'austen jane' for 'Austen, Jane, 1775-1817 [Author]' as for 'Jane Austen': its words, sorted."""
    parts = _PARENTHESIS.sub(" ", _ROLE.sub(" ", name)).split(",")
    return " ".join(sorted(normalise_words(" ".join(part for part in parts if not re.search(r"\d", part))).split()))


def normalise_words(text: str) -> str:
    """Return a text casefolded, without accents and punctuation."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(re.findall(r"\w+", bare.casefold().replace("'", "").replace("’", "")))


def _written(entry: CatalogueEntry) -> list[str]:
    """Return the names of those who wrote a work: not of translators, editors and the like."""
    return [author for author in entry.authors if _role(author) in ("", "author")]


def _role(author: str) -> str:
    found = _ROLE.search(author)
    return found[1].strip().casefold() if found else ""
