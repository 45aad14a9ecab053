"""Gutenberg's robot/harvest: pages of links to zips on a mirror's host, the one way in that its site offers robots."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

from schemas.corpus_settings import SourceSettings
from schemas.errors import ConfigError
from tasks.backends.sources.mirror import MAX_BYTES, RemoteSource
from tasks.backends.sources.polite import HUMAN_SITE, TURNS, Turns, shown
from tasks.fetching.file_names import file_order, read_mirror_name, sort_key
from tasks.fetching.soundness import RefusedError, is_html
from tasks.protocols import SourceFile, Store

logger = logging.getLogger(__name__)

HARVEST_PATH = "/robot/harvest"
MAX_PAGES = 20_000  # it lists about a hundred files a page, and Gutenberg holds some 75,000 books
FILES = (".zip", ".txt")


Links = dict[str, dict[str, str]]  # by book: path on the mirror -> URL


class HarvestSource(RemoteSource):
    """The listing, and the zips it names; each page is kept, so that a walk that broke off goes on where it was."""

    def __init__(
        self, url: str, settings: SourceSettings, cache: Store, max_bytes: int = MAX_BYTES, turns: Turns = TURNS
    ) -> None:
        super().__init__(url, settings, cache, max_bytes, turns)
        query = urlsplit(url).query
        self._start = f"{self.url}?{query}" if query else self.url
        self._links: Links | None = None
        self._listing = threading.Lock()

    def book_ids(self) -> tuple[str, ...]:
        """Return every id of the listing; the first time that takes two seconds a page."""
        return tuple(sorted(self._list(), key=sort_key))

    def files(self, book_id: str) -> tuple[SourceFile, ...]:
        """Return the files that the listing names for one book, best first."""
        named = [(named.rank, path) for path in self._list().get(book_id, ()) if (named := read_mirror_name(path))]
        return tuple(SourceFile(book_id, path, rank) for rank, path in sorted(named, key=lambda one: file_order(*one)))

    def url_of(self, file: SourceFile) -> str:
        """Return where a file lies: on the host that the listing names."""
        return self._list()[file.book_id][file.path]

    def record_url(self, book_id: str) -> str | None:
        """The harvest has no records."""
        return None

    def relist(self) -> bool:
        """Ask for every page of the listing again; True where books or files came or went."""
        before = self._list()
        self._links = self._walk(self._ask_again)
        return self._links != before

    def _list(self) -> Links:
        with self._listing:
            if self._links is None:
                self._links = self._walk(lambda url: self._downloads.get(url, check_page))
            return self._links

    def _ask_again(self, url: str) -> bytes:
        self._downloads.refresh(url, check_page)
        return self._downloads.kept(url)

    def _walk(self, read: Callable[[str], bytes]) -> Links:
        """Follow the pages to the last.

        Raises:
            ConfigError: this is no listing.
            TransientError: the site is busy; the pages so far are kept.
        """
        links: Links = {}
        url: str | None = self._start
        seen: list[str] = []
        while url is not None and len(seen) < MAX_PAGES:
            seen.append(url)
            try:
                hrefs = read_hrefs(read(url))
            except (RefusedError, FileNotFoundError) as error:
                raise ConfigError(f"{shown(url)}: no listing of robot/harvest: {error}") from error
            targets = [urldefrag(urljoin(url, href)).url for href in hrefs]
            for target in targets:
                add_link(target, links)
            url = next((target for target in targets if is_next(target, self._start, seen)), None)
        if not links:
            raise ConfigError(f"{self.url}: the listing names no file of a book; ask for ?filetypes[]=txt&langs[]=en")
        logger.info("%s: %d pages, %d books", self.url, len(seen), len(links))
        return links


def add_link(url: str, links: Links) -> None:
    """Note a link to a book's file; the human site's own files are left alone."""
    parts = urlsplit(url)
    path = parts.path.lstrip("/")
    named = read_mirror_name(path) if path.lower().endswith(FILES) else None
    if named and parts.scheme in ("http", "https") and not HUMAN_SITE.fullmatch(parts.hostname or ""):
        links.setdefault(named.book_id, {}).setdefault(path, url)


def is_next(url: str, start: str, seen: Collection[str]) -> bool:
    """Return whether a link leads to a page of the same listing that was not read yet."""
    here, there = urlsplit(start), urlsplit(url)
    return (there.netloc, there.path) == (here.netloc, here.path) and "offset=" in there.query and url not in seen


def read_hrefs(page: bytes) -> list[str]:
    """Return the targets of a page's links, in order."""
    reader = _LinkReader()
    reader.feed(page.decode("utf-8", "replace"))
    return reader.hrefs


def check_page(data: bytes) -> None:
    """Raise RefusedError where something else was answered for a page."""
    if not is_html(data):
        raise RefusedError("refused", "it is no page of HTML")


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hrefs += [value for name, value in attrs if tag == "a" and name == "href" and value]
