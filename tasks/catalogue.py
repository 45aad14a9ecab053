"""pg_catalog.csv, RDF, or the text's own header -> CatalogueEntry; all entries and settings -> Selection."""

from __future__ import annotations

import re

from schemas.books import CatalogueEntry
from schemas.catalogue import Selection
from schemas.corpus_settings import SelectSettings
from tasks.cataloguing.rdf import iter_feed, read_rdf
from tasks.cataloguing.selection import select
from tasks.cataloguing.table import Catalogue, one_line, read_table

__all__ = ["Catalogue", "iter_feed", "read_catalogue", "read_header", "read_rdf", "select_entries"]

HEADER_LINES = 60  # small-print headers of the nineties are the longest; their fields stand before that

_FIELD = re.compile(  # some files have the title on the line of the licence's address
    r"^(?:.*\bgutenberg\.(?:org|net))?(Title|Author|Language|Release date|Translator):[ \t]*(.*)$", re.IGNORECASE
)
_EBOOK_NUMBER = re.compile(r"\[e-?(?:book|text)\s+#([A-Za-z0-9.-]+)\]", re.IGNORECASE)
_LANGUAGES = {"english": "en", "french": "fr", "german": "de", "dutch": "nl", "italian": "it", "spanish": "es"}


def read_catalogue(data: bytes, name: str) -> Catalogue:
    """Return the entries of a pg_catalog.csv, plain or gzip, by id; each is made when it is asked for.

    Args:
        data: the file's bytes.
        name: what to call the file in a message.

    Raises:
        ConfigError: the file is cut off, damaged or too large, is no catalogue, or holds no entry.
    """
    return read_table(data, name)


def select_entries(catalogue: Catalogue, settings: SelectSettings) -> Selection:
    """Return the ids that the settings choose; every other entry is counted under the first rule that it fails."""
    return select(catalogue, settings)


def read_header(text: str, book_id: str | None) -> CatalogueEntry:
    """Return what a text says about itself in its first lines.

    Args:
        text: the decoded file.
        book_id: the id by which its source knows it; if None, the number that the header names, else "unknown".
    """
    fields: dict[str, str] = {}
    last: str | None = None
    head = text.splitlines()[:HEADER_LINES]
    for line in head:
        if match := _FIELD.match(line):
            last = match[1].lower()
            fields.setdefault(last, match[2].strip())
        elif last in ("title", "author") and line.startswith(" " * 4) and line.strip():
            fields[last] = f"{fields[last]} {line.strip()}"
        else:
            last = None
        if line.startswith("***"):
            break
    number = _EBOOK_NUMBER.search("\n".join(head))
    language = fields.get("language", "").casefold()
    authors = [fields["author"]] if fields.get("author") else []
    if fields.get("translator"):
        authors.append(f"{fields['translator']} [Translator]")
    return CatalogueEntry(
        book_id=book_id or (number[1] if number else "unknown"),
        title=one_line(fields.get("title")),
        authors=tuple(authors),
        languages=(_LANGUAGES.get(language, language),) if language else (),
        issued=re.sub(r"\s*\[.*", "", fields.get("release date", "")) or None,
    )
