"""A book's RDF record, alone or in Gutenberg's daily feed of all of them -> CatalogueEntry."""

from __future__ import annotations

import logging
import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from schemas.books import CatalogueEntry
from schemas.errors import BookError, ConfigError
from tasks.cataloguing.table import NO_TITLE, one_line

logger = logging.getLogger(__name__)

MAX_RECORD_BYTES = 4_000_000  # the largest real ones have some hundred kB
NAMESPACES = {
    "dcterms": "http://purl.org/dc/terms/",
    "dcam": "http://purl.org/dc/dcam/",
    "pgterms": "http://www.gutenberg.org/2009/pgterms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "marcrel": "http://id.loc.gov/vocabulary/relators/",
}
ROLES = {  # MARC's codes, in the words of pg_catalog.csv
    "adp": "Adapter", "ann": "Annotator", "arr": "Arranger", "art": "Artist", "aui": "Author of introduction, etc.",
    "clb": "Collaborator", "cmm": "Commentator", "cmp": "Composer", "cnd": "Conductor", "com": "Compiler",
    "ctb": "Contributor", "dub": "Dubious author", "edt": "Editor", "egr": "Engraver", "ill": "Illustrator",
    "lbt": "Librettist", "nrt": "Narrator", "oth": "Other", "pbl": "Publisher", "pht": "Photographer",
    "prf": "Performer", "prt": "Printer", "res": "Researcher", "trc": "Transcriber", "trl": "Translator",
    "unk": "Unknown role",
}  # fmt: skip
_ABOUT, _RESOURCE = (f"{{{NAMESPACES['rdf']}}}{name}" for name in ("about", "resource"))
_MEMBER = re.compile(r"(?:^|/)pg(\d+)\.rdf$")


def read_rdf(data: bytes, book_id: str) -> CatalogueEntry:
    """Return the entry that one book's RDF record describes.

    Raises:
        BookError: `broken-rdf`, the record cannot be read or is about another book.
    """
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise BookError(book_id, "broken-rdf", f"its RDF record cannot be read: {error}; fetch it again") from error
    ebook = root.find("pgterms:ebook", NAMESPACES)
    if ebook is None:
        raise BookError(book_id, "broken-rdf", "its RDF record has no pgterms:ebook; fetch it again")
    about = ebook.get(_ABOUT, "").rsplit("/", 1)[-1]
    if about.isdigit() and book_id.isdigit() and about != book_id:
        raise BookError(book_id, "broken-rdf", f"its RDF record is about book {about}; fetch it again")
    values = {tag: _values(ebook, tag) for tag in ("language", "type", "subject")}
    title, issued, rights = (
        ebook.findtext(f"dcterms:{tag}", None, NAMESPACES) for tag in ("title", "issued", "rights")
    )
    return CatalogueEntry(
        book_id=book_id,
        title=None if title == NO_TITLE else one_line(title),
        authors=tuple(_agents(root, ebook)),
        languages=tuple(value for _, value in values["language"]),
        type=next((value for _, value in values["type"]), None),
        issued=issued,
        subjects=tuple(value for kind, value in values["subject"] if not kind.endswith("LCC")),
        locc=tuple(value for kind, value in values["subject"] if kind.endswith("LCC")),
        bookshelves=tuple(value for _, value in _values(ebook, "bookshelf", "pgterms")),
        rights=rights,
    )


def iter_feed(file: BinaryIO, name: str) -> Iterator[CatalogueEntry]:
    """Yield the entries of rdf-files.tar.bz2, one record in memory at a time; a broken record is logged and left out.

    Raises:
        ConfigError: the archive is none, or is cut off.
    """
    try:
        with tarfile.open(fileobj=file, mode="r|*") as archive:
            for member in archive:
                found = _MEMBER.search(member.name)
                record = archive.extractfile(member) if found and member.isfile() else None
                if found is None or record is None:
                    continue
                if member.size > MAX_RECORD_BYTES:
                    logger.warning("%s: %s holds %d bytes and is left out", name, member.name, member.size)
                    continue
                try:
                    yield read_rdf(record.read(), found[1])
                except BookError as error:
                    logger.warning("%s: %s", name, error)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ConfigError(
            f"{name}: the archive of RDF records is cut off or damaged ({error}); fetch it again"
        ) from error


def _values(ebook: Element, tag: str, space: str = "dcterms") -> list[tuple[str, str]]:
    found = []
    for node in ebook.findall(f"{space}:{tag}/rdf:Description", NAMESPACES):
        value = node.findtext("rdf:value", None, NAMESPACES)
        member = node.find("dcam:memberOf", NAMESPACES)
        kind = "" if member is None else member.get(_RESOURCE, "")
        if value and value.strip():
            found.append((kind, " ".join(value.split())))
    return found


def _agents(root: Element, ebook: Element) -> Iterator[str]:
    """Yield authors as pg_catalog.csv writes them; an agent is described once and then referred to."""
    described = {agent.get(_ABOUT, " "): agent for agent in root.iter(f"{{{NAMESPACES['pgterms']}}}agent")}
    for relation in ebook:
        space, _, tag = relation.tag[1:].partition("}")
        is_creator = (space, tag) == (NAMESPACES["dcterms"], "creator")
        if not is_creator and space != NAMESPACES["marcrel"]:
            continue
        agent = relation.find("pgterms:agent", NAMESPACES)
        if agent is None:
            agent = described.get(relation.get(_RESOURCE, ""))
        if agent is not None:
            name = agent.findtext("pgterms:name", "", NAMESPACES)
            born, died = (_year(agent.findtext(f"pgterms:{key}", "", NAMESPACES)) for key in ("birthdate", "deathdate"))
            years = f", {born}-{died}" if born or died else ""
            yield f"{name}{years}" + ("" if is_creator else f" [{ROLES.get(tag, tag)}]")


def _year(text: str) -> str:
    return f"{text[1:]} BCE" if text.startswith("-") else text
