"""Title and author -> words that are the same in every catalogue, header and edition."""

from __future__ import annotations

import re
import unicodedata

from schemas.books import CatalogueEntry
from tasks.cataloguing.authors import NOBODY, parse_author

ARTICLES = {"the", "a", "an", "le", "la", "les", "l", "der", "die", "das", "el", "los", "las", "il", "de", "het"}
EDITION_WORDS = {"complete", "unabridged", "illustrated"}
_NUMBER = r"(?P<number>\d+|[ivxl]+|one|two|three|four|five|six|seven|eight|nine|ten|first|second|third|fourth|last)"
_VOLUME = re.compile(
    rf"\W*\b(?:v\.|(?:vol(?:ume)?s?|parts?|pt|books?|tom[eo]?|teil|band|deel|parte|livre)\b\.?)(?: the)? *{_NUMBER}\b"
    r"(?: *(?:of|/) *\w+)?"
    r"|\(? *(?P<place>\d+) *(?:of|/) *\d+ *\)?"
)
_SUBTITLE = re.compile(r"[:;(\[\n—]| -+ |--|[,;.]? or,? the |[,;] or,? |, a (?:novel|tale|romance|story)\b")


def split_title(title: str | None) -> tuple[str, str]:
    """Return a title without subtitle, article, accents and words of the edition, and its volume ('' for none)."""
    text = _plain(title or "")
    found = _VOLUME.search(text)
    if found:
        text = text[: found.start()] + " " + text[found.end() :]
    volume = (found["number"] or found["place"]) if found else ""
    main = next((part for part in _SUBTITLE.split(text) if re.search(r"\w", part)), text)
    words = re.findall(r"\w+", main)
    while len(words) > 1 and words[-1] in EDITION_WORDS:
        words.pop()
    if len(words) > 1 and words[0] in ARTICLES:
        words = words[1:]
    return " ".join(words), volume


def surnames(entry: CatalogueEntry) -> tuple[str, ...]:
    """Return the last word of the surname of all who wrote it: 'Dumas, Alexandre' and 'Alexandre Dumas' are one."""
    authors = [author for author in map(parse_author, entry.authors) if author.role in (None, "Author")]
    names = [name for name in (_plain(author.surname) for author in authors) if name not in NOBODY]
    last_words = (re.findall(r"\w+", name)[-1:] for name in names)
    return tuple(dict.fromkeys(word for words in last_words for word in words))


def share_title(one: str, other: str) -> bool:
    """Return whether one title is the other, or begins with it as 'les miserables fantine' does."""
    short, long = sorted((one.split(), other.split()), key=len)
    return bool(short) and long[: len(short)] == short


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in bare if not unicodedata.combining(char) and char not in "'’")
