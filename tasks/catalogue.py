"""pg_catalog.csv, RDF, or the text's own header -> CatalogueEntry."""

from __future__ import annotations

import csv
import gzip
import io
import logging
import re
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from schemas.books import CatalogueEntry
from schemas.errors import BookError, ConfigError

logger = logging.getLogger(__name__)

COLUMNS = ("Text#", "Type", "Issued", "Title", "Language", "Authors", "Subjects", "LoCC", "Bookshelves")
GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952
HEADER_LINES = 60  # small-print headers of the nineties are the longest; their fields stand before that

_FIELD = re.compile(r"^(Title|Author|Language|Release date|Translator):[ \t]*(.*)$", re.IGNORECASE)
_EBOOK_NUMBER = re.compile(r"\[e-?(?:book|text)\s+#([A-Za-z0-9.-]+)\]", re.IGNORECASE)
_LANGUAGES = {"english": "en", "french": "fr", "german": "de", "dutch": "nl", "italian": "it", "spanish": "es"}
_NAMESPACES = {
    "dcterms": "http://purl.org/dc/terms/",
    "dcam": "http://purl.org/dc/dcam/",
    "pgterms": "http://www.gutenberg.org/2009/pgterms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "marcrel": "http://id.loc.gov/vocabulary/relators/",
}
_ROLES = {"trl": "Translator", "ill": "Illustrator", "edt": "Editor", "ctb": "Contributor", "com": "Compiler"}


def read_catalogue(data: bytes, name: str) -> dict[str, CatalogueEntry]:
    """Return the entries of a pg_catalog.csv, plain or gzip, by id.

    Args:
        data: the file's bytes.
        name: what to call the file in a message.

    Raises:
        ConfigError: the file is cut off, is no catalogue, or holds no entry.
    """
    text = _unpack(data, name)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    entries: dict[str, CatalogueEntry] = {}
    try:
        header = tuple(next(reader, ()))
        if header != COLUMNS:
            raise ConfigError(f"{name}: no catalogue of Project Gutenberg: its columns are {', '.join(header)[:120]!r}")
        for row in reader:
            if len(row) != len(COLUMNS):
                raise ConfigError(_truncated(name, reader.line_num, len(entries)))
            entries[row[0]] = _entry_of_row(row)
    except csv.Error as error:
        raise ConfigError(_truncated(name, reader.line_num, len(entries))) from error
    if entries and not text.endswith("\n"):
        last, _ = entries.popitem()  # whole to the eye, but its last field may have lost its end
        logger.warning("%s: its last record, book %s, has no line end and is left out; fetch it again", name, last)
    if not entries:
        raise ConfigError(f"{name}: the catalogue holds no entry; fetch pg_catalog.csv again")
    return entries


def read_rdf(data: bytes, book_id: str) -> CatalogueEntry:
    """Return the entry that one book's RDF record describes.

    Raises:
        BookError: `broken-rdf`, the record cannot be read.
    """
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise BookError(book_id, "broken-rdf", f"its RDF record cannot be read: {error}; fetch it again") from error
    ebook = root.find("pgterms:ebook", _NAMESPACES)
    if ebook is None:
        raise BookError(book_id, "broken-rdf", "its RDF record has no pgterms:ebook; fetch it again")
    values = {tag: _rdf_values(ebook, tag) for tag in ("language", "type", "subject")}
    title, issued, rights = (
        ebook.findtext(f"dcterms:{tag}", None, _NAMESPACES) for tag in ("title", "issued", "rights")
    )
    return CatalogueEntry(
        book_id=book_id,
        title=_one_line(title),
        authors=tuple(_rdf_agents(ebook)),
        languages=tuple(value for _, value in values["language"]),
        type=next((value for _, value in values["type"]), None),
        issued=issued,
        subjects=tuple(value for kind, value in values["subject"] if not kind.endswith("LCC")),
        locc=tuple(value for kind, value in values["subject"] if kind.endswith("LCC")),
        bookshelves=tuple(value for _, value in _rdf_values(ebook, "bookshelf", "pgterms")),
        rights=rights,
    )


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
        title=_one_line(fields.get("title")),
        authors=tuple(authors),
        languages=(_LANGUAGES.get(language, language),) if language else (),
        issued=re.sub(r"\s*\[.*", "", fields.get("release date", "")) or None,
    )


def _unpack(data: bytes, name: str) -> str:
    try:
        plain = gzip.decompress(data) if data.startswith(GZIP_MAGIC) else data
        return plain.decode("utf-8-sig")
    except (EOFError, OSError, zlib.error) as error:
        raise ConfigError(f"{name}: the catalogue is cut off or damaged ({error}); fetch it again") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: the catalogue is not UTF-8 at byte {error.start}; fetch it again") from error


def _truncated(name: str, line: int, num_entries: int) -> str:
    return f"{name}: the catalogue is cut off or damaged at line {line}, after {num_entries} entries; fetch it again"


def _entry_of_row(row: list[str]) -> CatalogueEntry:
    book_id, kind, issued, title, language, authors, subjects, locc, shelves = row
    return CatalogueEntry(
        book_id=book_id,
        title=_one_line(title),
        authors=tuple(_split(authors)),
        languages=tuple(_split(language)),
        type=kind or None,
        issued=issued or None,
        subjects=tuple(_split(subjects)),
        locc=tuple(_split(locc)),
        bookshelves=tuple(_split(shelves)),
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split("; ") if part.strip()]


def _one_line(text: str | None) -> str | None:
    """A title's line breaks divide title and subtitle: keep the division, on one line."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return ": ".join(lines) or None


def _rdf_values(ebook: Element, tag: str, space: str = "dcterms") -> list[tuple[str, str]]:
    found = []
    for node in ebook.findall(f"{space}:{tag}/rdf:Description", _NAMESPACES):
        value = node.findtext("rdf:value", None, _NAMESPACES)
        member = node.find("dcam:memberOf", _NAMESPACES)
        kind = "" if member is None else member.get(f"{{{_NAMESPACES['rdf']}}}resource", "")
        if value:
            found.append((kind, value))
    return found


def _rdf_agents(ebook: Element) -> Iterator[str]:
    for relation in ebook:
        space, _, tag = relation.tag[1:].partition("}")
        is_creator = (space, tag) == (_NAMESPACES["dcterms"], "creator")
        if not is_creator and space != _NAMESPACES["marcrel"]:
            continue
        for agent in relation.findall("pgterms:agent", _NAMESPACES):
            name = agent.findtext("pgterms:name", "", _NAMESPACES)
            born, died = (agent.findtext(f"pgterms:{key}", "", _NAMESPACES) for key in ("birthdate", "deathdate"))
            years = f", {born}-{died}" if born or died else ""
            yield f"{name}{years}" + ("" if is_creator else f" [{_ROLES.get(tag, tag)}]")
