"""An EPUB -> the text of its documents in reading order, laid out like one of Gutenberg's plain texts."""

from __future__ import annotations

from tasks.fetching.archives import Archive
from tasks.fetching.layout import Block, lay_out, mark_headings
from tasks.fetching.package_document import (
    CONTAINER,
    Facts,
    Package,
    check_unlocked,
    read_member,
    read_ncx,
    read_package,
    resolve,
)
from tasks.fetching.pages import link_share, read_page
from tasks.fetching.soundness import RefusedError
from tasks.fetching.xhtml import parse_page, read_links

MIN_LINKED = 0.6  # share of a page's letters that are links: a list of contents has little else


def is_epub(archive: Archive) -> bool:
    """Return whether a zip is an EPUB: it holds META-INF/container.xml (EPUB OCF 3.3, section 4.2.6.3.1)."""
    return CONTAINER in archive.sizes()


def read_epub(archive: Archive) -> tuple[str, Facts]:
    """Return the text and what the EPUB says of itself.

    Raises:
        RefusedError: `drm`, `damaged-epub`, `unsafe-archive`, `too-large`, or `empty-file` (nothing but pictures).
    """
    check_unlocked(archive)
    package = read_package(archive)
    titles = _read_titles(archive, package)
    blocks: list[Block] = []
    for path in package.documents:
        if path == package.navigation:
            continue
        page = parse_page(read_member(archive, path))
        if path == package.contents_page and link_share(page) >= MIN_LINKED:
            continue  # the reader makes its own table of contents; the list would stand in the text twice
        blocks += mark_headings(read_page(page), titles.get(path, ()))
    text = lay_out(blocks)
    if not text.strip():
        raise RefusedError("empty-file", f"the EPUB's {len(package.documents)} documents hold no text")
    return text, package.facts


def _read_titles(archive: Archive, package: Package) -> dict[str, list[str]]:
    """Return the titles that the table of contents gives to each document: evidence for headings."""
    found = read_ncx(archive, package.ncx) if package.ncx else []
    if package.navigation:
        folder = package.navigation.rpartition("/")[0]
        links = read_links(parse_page(read_member(archive, package.navigation)))
        found += [(resolve(href, folder), title) for href, title in links]
    titles: dict[str, list[str]] = {}
    for path, title in found:
        titles.setdefault(path, []).append(title)
    return titles
