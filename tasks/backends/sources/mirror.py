"""A mirror's base URL, in both of Gutenberg's layouts; what was fetched once is kept."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator

import httpx

from schemas.books import CatalogueEntry
from schemas.corpus_settings import FetchSettings, SourceSettings
from schemas.errors import BookError, ConfigError
from tasks.backends.sources.downloads import Check, Downloads
from tasks.backends.sources.fingerprints import hash_book
from tasks.backends.sources.polite import TURNS, PoliteClient, Turns, check_robot_url, origin_of, shown
from tasks.fetching.file_names import RANKS, is_number, main_folder
from tasks.fetching.soundness import RefusedError, check_text
from tasks.fetching.unpacking import unpack_text
from tasks.protocols import SourceFile, Store

MAX_BYTES = FetchSettings().max_bytes


class RemoteSource(ABC):
    """What mirrors and the harvest have in common: files by URL, kept with what the server said of them."""

    def __init__(
        self,
        url: str,
        settings: SourceSettings,
        cache: Store,
        max_bytes: int = MAX_BYTES,
        turns: Turns = TURNS,
    ) -> None:
        """Open a source; nothing is asked yet.

        Args:
            url: of the source; it may hold a login, which no message repeats.
            settings: pauses, time-outs, hosts.
            cache: keeps what was downloaded.
            max_bytes: a larger file is refused.
            turns: who may ask when; shared by all sources of a process.

        Raises:
            ConfigError: no URL, or a page that is for people.
        """
        self.url = shown(url).rstrip("/")
        try:
            origin_of(url)
            check_robot_url(url)
            client = PoliteClient(url, settings, turns)
        except RefusedError as refused:
            raise ConfigError(f"{refused.detail}, or its /robot/harvest") from refused
        except httpx.InvalidURL as error:
            raise ConfigError(f"{self.url}: no URL: {error}") from error
        self._max_bytes = max_bytes
        self._downloads = Downloads(client, cache, max_bytes, settings.download_timeout_s)

    @abstractmethod
    def files(self, book_id: str) -> tuple[SourceFile, ...]:
        """Return the files of one book, best first."""

    @abstractmethod
    def url_of(self, file: SourceFile) -> str:
        """Return where a file lies."""

    @abstractmethod
    def record_url(self, book_id: str) -> str | None:
        """Return where a book's record lies, if there are records."""

    def entry(self, book_id: str) -> CatalogueEntry | None:
        """A mirror has no table; its records come from `rdf`, or from a catalogue."""
        return None

    def read(self, file: SourceFile) -> bytes:
        """Return a file's bytes, from the cache if they were fetched before; what is no book is not kept."""
        with _of_book(file.book_id):
            return self._downloads.get(self.url_of(file), self._check_of(file.path))

    def rdf(self, book_id: str) -> bytes | None:
        """Return the record of the generated tree."""
        url = self.record_url(book_id)
        with contextlib.suppress(FileNotFoundError, RefusedError):
            return self._downloads.get(url, check_text) if url else None
        return None

    def fingerprint(self, book_id: str) -> str | None:
        """Return a hash of what was fetched before, or None where something is still to be fetched."""
        return hash_book(self.files(book_id), self._kept, self._kept_record(book_id), None)

    def stamp(self, book_id: str) -> str | None:
        """Only asking tells."""
        return None

    def refresh(self, book_id: str) -> bool:
        """Ask whether the files that were fetched before, or a better one, have changed."""
        before = self.fingerprint(book_id)
        failures: list[BookError] = []
        for file in self.files(book_id):
            try:
                with _of_book(book_id):
                    self._downloads.refresh(self.url_of(file), self._check_of(file.path))
                break
            except FileNotFoundError:
                continue
            except BookError as error:
                failures.append(error)
        else:
            if failures:
                raise failures[0]
        record = self.record_url(book_id)
        if record and self._kept_record(book_id) is not None:
            with contextlib.suppress(FileNotFoundError, RefusedError):
                self._downloads.refresh(record, check_text)
        return self.fingerprint(book_id) != before

    def relist(self) -> bool:
        """A mirror has no list."""
        return False

    def _check_of(self, path: str) -> Check:
        def check(data: bytes) -> None:
            unpack_text(path, data, self._max_bytes)

        return check

    def _kept(self, file: SourceFile) -> bytes:
        return self._downloads.kept(self.url_of(file))

    def _kept_record(self, book_id: str) -> bytes | None:
        url = self.record_url(book_id)
        with contextlib.suppress(FileNotFoundError):
            return self._downloads.kept(url) if url else None
        return None


class MirrorSource(RemoteSource):
    """A mirror by its base URL: the main collection's folders, the generated tree, or both."""

    def book_ids(self) -> tuple[str, ...]:
        """A mirror cannot be listed politely."""
        raise ConfigError(f"{self.url}: a mirror cannot be listed; name --books, or give --catalogue for 'all'")

    @property
    def _is_generated(self) -> bool:
        """Whether the URL is that of the generated tree by itself: .../cache/epub or .../epub."""
        return self.url.endswith("/epub")

    def files(self, book_id: str) -> tuple[SourceFile, ...]:
        """Return the paths at which a mirror of either layout may hold the book, best first."""
        if not is_number(book_id):
            return ()
        if self._is_generated:
            return (SourceFile(book_id, f"{book_id}/pg{book_id}.txt", RANKS["pg"]),)
        paths = [(RANKS[code], f"{main_folder(book_id)}/{book_id}{code}.txt") for code in ("-0", "-8", "")]
        paths.append((RANKS["pg"], f"cache/epub/{book_id}/pg{book_id}.txt"))
        return tuple(SourceFile(book_id, path, rank) for rank, path in sorted(paths))

    def url_of(self, file: SourceFile) -> str:
        """Return where a file lies."""
        return f"{self.url}/{file.path}"

    def record_url(self, book_id: str) -> str | None:
        """Return where the generated tree has a book's record."""
        folder = self.url if self._is_generated else f"{self.url}/cache/epub"
        return f"{folder}/{book_id}/pg{book_id}.rdf"


@contextlib.contextmanager
def _of_book(book_id: str) -> Iterator[None]:
    """Say of which book a file was refused."""
    try:
        yield
    except RefusedError as refused:
        raise BookError(book_id, refused.reason, refused.detail) from refused
