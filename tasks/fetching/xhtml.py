"""One document of an EPUB -> its elements: parsed without trust, and what their names say."""

from __future__ import annotations

import html.entities
import re
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from tasks.fetching.soundness import RefusedError

BLOCK_TAG = re.compile(
    "address|article|aside|blockquote|body|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form"
    "|h[1-6]|header|hgroup|html|li|main|menu|ol|p|pre|section|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)
SKIPPED_TAG = re.compile(
    "audio|button|canvas|head|iframe|math|nav|noscript|object|rp|rt|script|select|style|svg|template|title|video"
)
PAGE_NUMBER = re.compile(r"page_?-?(?:num|no|break)|doc-pagebreak", re.I)  # class names of the makers of EPUBs
HIDDEN = re.compile(r"display\s*:\s*none", re.I)
PAGE_NUMBER_CHARS = 16  # "[Pg 1342]": a longer text under such a name is the book's

_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});")
_XML_ENTITIES = {b"amp", b"lt", b"gt", b"quot", b"apos"}
_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"


def parse_page(data: bytes) -> Any:
    """Return the root of a document: as XML, which says what is empty, else as HTML, which reads anything.

    Raises:
        RefusedError: `damaged-epub`, not even that.
    """
    plain = _ENTITY.sub(_number_entity, data)
    try:
        # nothing is expanded, nothing is loaded, and libxml2's own bounds on depth and size hold
        parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
        return etree.fromstring(plain, parser)
    except etree.XMLSyntaxError:
        pass
    try:
        parser = lxml_html.HTMLParser(encoding=_encoding(data), no_network=True)
        return lxml_html.document_fromstring(plain, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError) as error:
        raise RefusedError("damaged-epub", f"a document of the EPUB cannot be read: {error}") from error


def read_links(root: Any) -> list[tuple[str, str]]:
    """Return (href, text) of the links of a navigation document's table of contents."""
    parts = [nav for nav in root.iter() if tag_of(nav) == "nav" and "toc" in (nav.get(_EPUB_TYPE) or "toc").split()]
    links = [link for part in parts or [root] for link in part.iter() if tag_of(link) == "a" and link.get("href")]
    return [(link.get("href"), " ".join("".join(link.itertext()).split())) for link in links]


def tag_of(node: Any) -> str:
    """Return an element's name without its namespace; '' for comments and their like."""
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def is_skipped(node: Any) -> bool:
    """Return whether an element is not text of the book: scripts, menus, page numbers, what is hidden."""
    tag = tag_of(node)
    if SKIPPED_TAG.fullmatch(tag) or node.get("hidden") is not None or HIDDEN.search(node.get("style") or ""):
        return True
    if tag not in ("span", "a", "div") or not PAGE_NUMBER.search(names_of(node)):
        return False
    return len("".join(node.itertext()).strip()) <= PAGE_NUMBER_CHARS


def is_block(node: Any) -> bool:
    """Return whether an element begins a line of its own."""
    return BLOCK_TAG.fullmatch(tag_of(node)) is not None


def names_of(node: Any) -> str:
    """Return what an element calls itself: class, EPUB type, role."""
    return " ".join(node.get(name) or "" for name in ("class", _EPUB_TYPE, "role"))


def holds_blocks(node: Any) -> bool:
    """Return whether an element has children that begin lines of their own."""
    return any(is_block(child) for child in node)


def has_columns(table: Any) -> bool:
    """Return whether a table has two cells side by side: others only hold a page together."""
    rows = (node for node in table.iter() if tag_of(node) == "tr")
    return any(sum(tag_of(cell) in ("td", "th") for cell in row) > 1 for row in rows)


def has_caption(image: Any) -> bool:
    """Return whether the figure about an image tells in words what it shows."""
    figure = next((node for node in image.iterancestors() if tag_of(node) == "figure"), None)
    return figure is not None and any(tag_of(node) == "figcaption" for node in figure.iter())


def _encoding(data: bytes) -> str | None:
    """Return UTF-8 where the bytes are; else the document's own word for it, as libxml2 reads it."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _number_entity(match: re.Match[bytes]) -> bytes:
    """Return &mdash; as &#8212;: XML knows five names only."""
    if match[1] in _XML_ENTITIES:
        return match[0]
    chars = html.entities.html5.get(match[1].decode() + ";")
    return "".join(f"&#{ord(char)};" for char in chars).encode() if chars else match[0]
