"""An EPUB's own description of itself -> its documents in reading order, and what a catalogue would say of it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from tasks.fetching.archives import Archive, is_inside
from tasks.fetching.soundness import RefusedError

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
# Fonts scrambled this way are no lock on the text (EPUB 3.3, section 4.4; Adobe's older way)
FONT_SCRAMBLING = {"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"}
DOCUMENT_TYPES = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"}
ROLES = {"trl": "Translator", "edt": "Editor", "ill": "Illustrator", "com": "Compiler"}  # MARC relators, as catalogued
LANGUAGES = {"eng": "en", "fre": "fr", "fra": "fr", "ger": "de", "deu": "de", "ita": "it", "spa": "es", "dut": "nl"}

_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_NCX = "{http://www.daisy.org/z3986/2005/ncx/}"


class Facts(NamedTuple):
    """What an EPUB says of itself, in the fields of a CatalogueEntry."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    rights: str | None = None


class Item(NamedTuple):
    """A file of the manifest; `path` is within the archive."""

    path: str
    media_type: str
    properties: frozenset[str]


class Package(NamedTuple):
    """The documents in reading order, the pages that are nothing but a contents list, and the chapters they name."""

    facts: Facts
    documents: tuple[str, ...]
    navigation: str | None  # an EPUB 3 navigation document
    contents_page: str | None  # a page that the guide calls the table of contents
    ncx: str | None


def check_unlocked(archive: Archive) -> None:
    """Raise RefusedError `drm` where more than fonts is encrypted."""
    if ENCRYPTION not in archive.sizes():
        return
    methods = [
        element.get("Algorithm")
        for element in parse_xml(archive.read(ENCRYPTION), ENCRYPTION).iter()
        if element.tag.endswith("}EncryptionMethod")
    ]
    if not methods or set(methods) - FONT_SCRAMBLING:
        raise RefusedError("drm", "the EPUB is locked (META-INF/encryption.xml): give a copy without DRM")


def read_package(archive: Archive) -> Package:
    """Return what the package document says.

    Raises:
        RefusedError: `damaged-epub`, it is not there, cannot be read, or names no document.
    """
    container = parse_xml(read_member(archive, CONTAINER), CONTAINER)
    paths = [element.get("full-path", "") for element in container.iter() if element.tag.endswith("}rootfile")]
    if not paths:
        raise RefusedError("damaged-epub", f"{CONTAINER} names no package document")
    package = parse_xml(read_member(archive, paths[0]), paths[0])
    items = dict(_read_items(package, posixpath.dirname(paths[0])))
    documents = tuple(_read_spine(package, items))
    if not documents:
        raise RefusedError("damaged-epub", f"{paths[0]} names no document to read")
    guide = [
        resolve(reference.get("href", ""), posixpath.dirname(paths[0]))
        for reference in package.iter(f"{_OPF}reference")
        if reference.get("type", "").lower() == "toc"
    ]
    return Package(
        facts=_read_facts(package),
        documents=documents,
        navigation=next((item.path for item in items.values() if "nav" in item.properties), None),
        contents_page=guide[0] if guide else None,
        ncx=next((item.path for item in items.values() if item.media_type == "application/x-dtbncx+xml"), None),
    )


def read_ncx(archive: Archive, path: str) -> list[tuple[str, str]]:
    """Return (document, title) of every chapter that an EPUB 2 contents file names; none where it is damaged."""
    try:
        root = parse_xml(read_member(archive, path), path)
    except RefusedError:
        return []  # a help for the eye, not the book
    found = []
    for point in root.iter(f"{_NCX}navPoint"):
        content = point.find(f"{_NCX}content")
        title = point.findtext(f"{_NCX}navLabel/{_NCX}text", "")
        if content is not None:
            found.append((resolve(content.get("src", ""), posixpath.dirname(path)), title))
    return found


def read_member(archive: Archive, name: str) -> bytes:
    """Return a file that the EPUB names; RefusedError `damaged-epub` where it is not there."""
    try:
        return archive.read(name)
    except KeyError:
        raise RefusedError("damaged-epub", f"the EPUB holds no {name[:100]}") from None


def parse_xml(data: bytes, name: str) -> Element:
    """Return the root of a small XML file; RefusedError `damaged-epub` where it cannot be read or plays tricks."""
    try:
        root: Element = ElementTree.fromstring(data)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise RefusedError("damaged-epub", f"{name} cannot be read: {error}") from error
    return root


def resolve(href: str, folder: str) -> str:
    """Return the path in the archive that a link of a file in `folder` means, without its fragment."""
    return posixpath.normpath(posixpath.join(folder, unquote(urlsplit(href).path)))


def _read_items(package: Element, folder: str) -> Iterator[tuple[str, Item]]:
    for element in package.iter(f"{_OPF}item"):
        path = resolve(element.get("href", ""), folder)
        if not is_inside(path):
            raise RefusedError("unsafe-archive", f"the EPUB names {path[:100]!r}, which leads out of it")
        properties = frozenset(element.get("properties", "").split())
        yield element.get("id", ""), Item(path, element.get("media-type", "").lower(), properties)


def _read_spine(package: Element, items: dict[str, Item]) -> Iterator[str]:
    """Yield the main line of documents; what is off it (linear="no": covers, pop-up notes) only if nothing else is."""
    references = [reference for reference in package.iter(f"{_OPF}itemref") if reference.get("idref") in items]
    linear = [reference for reference in references if reference.get("linear") != "no"]
    seen: set[str] = set()
    for reference in linear or references:
        item = items[reference.get("idref", "")]
        if item.media_type in DOCUMENT_TYPES and item.path not in seen:
            seen.add(item.path)
            yield item.path


def _read_facts(package: Element) -> Facts:
    refined = {
        (meta.get("refines", "").lstrip("#"), meta.get("property", "")): (meta.text or "").strip()
        for meta in package.iter(f"{_OPF}meta")
        if meta.get("refines")
    }
    languages = dict.fromkeys(_language(text) for text in _texts(package, "language"))
    people = (*_people(package, "creator", refined), *_people(package, "contributor", refined))
    return Facts(
        title=next(_texts(package, "title"), None),
        authors=tuple(dict.fromkeys(people)),
        languages=tuple(languages),
        subjects=tuple(dict.fromkeys(_texts(package, "subject"))),
        rights=next(_texts(package, "rights"), None),
    )


def _people(package: Element, tag: str, refined: dict[tuple[str, str], str]) -> Iterator[str]:
    """Yield 'Surname, Name [Role]'; of contributors only those with a role that a catalogue tells."""
    for element in package.iter(_DC + tag):
        own = element.get("id", "")
        sorted_name = element.get(f"{_OPF}file-as") or refined.get((own, "file-as"))
        name = " ".join((sorted_name or element.text or "").split())
        role = ROLES.get(element.get(f"{_OPF}role") or refined.get((own, "role"), ""))
        if name and (role or tag == "creator"):
            yield f"{name} [{role}]" if role else name


def _texts(package: Element, tag: str) -> Iterator[str]:
    for element in package.iter(_DC + tag):
        if text := " ".join((element.text or "").split()):
            yield text


def _language(code: str) -> str:
    main = code.replace("_", "-").split("-")[0].lower()
    return LANGUAGES.get(main, main)
