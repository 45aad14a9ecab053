"""Where a book's bytes come from: a folder (mirror or plain files), or a mirror's base URL."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import threading
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from schemas.errors import ConfigError, TransientError
from schemas.settings import SourceSettings
from tasks.protocols import SourceFile, Store, TextSource

logger = logging.getLogger(__name__)

# UTF-8 before Latin-1 before ASCII; current before old/ (Gutenberg's file names, spec of its mirrors)
RANKS = {"-0": 0, "pg": 1, "-8": 2, "": 3}
OLD = 10
USER_AGENT = "scriptorium/0.1 (dataset builder; reads mirrors only)"
HUMAN_SITE = {"www.gutenberg.org", "gutenberg.org"}

_NAME = re.compile(r"^(?:(?P<pg>pg)(?P<generated>\d+)|(?P<number>\d+)(?P<code>-0|-8)?)\.txt$")


class FolderSource:
    """A folder: an rsync'd mirror in either layout, or plain .txt files named as one likes."""

    def __init__(self, root: str) -> None:
        self.root = Path(root).expanduser()
        if not self.root.is_dir():
            raise ConfigError(
                f"{root}: no such folder; give --source a mirror's folder or URL, or a folder of .txt files"
            )
        self._files = self._index()
        if not self._files:
            raise ConfigError(
                f"{root}: the folder holds no .txt file; give --source a mirror or a folder of .txt files"
            )

    def book_ids(self) -> tuple[str, ...]:
        """Return every id, numbers in their order, then names."""
        return tuple(sorted(self._files, key=sort_key))

    def files(self, book_id: str) -> tuple[SourceFile, ...]:
        """Return the text files of one book, best first."""
        return tuple(sorted(self._files.get(book_id, ()), key=lambda file: (file.rank, file.path)))

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        return (self.root / path).read_bytes()

    def rdf(self, book_id: str) -> bytes | None:
        """Return the record of the generated tree, or one that lies beside the text."""
        folders = [Path("cache/epub") / book_id, *(Path(file.path).parent for file in self.files(book_id))]
        for folder in folders:
            path = self.root / folder / f"pg{book_id}.rdf"
            if path.is_file():
                return path.read_bytes()
        return None

    def stamp(self, book_id: str) -> str | None:
        """Return size and time of every file of a book."""
        stats = ((file.path, (self.root / file.path).stat()) for file in self.files(book_id))
        return " ".join(f"{path}:{stat.st_size}:{stat.st_mtime_ns}" for path, stat in stats)

    def refresh(self, book_id: str) -> bool:
        """A folder tells by its stamps."""
        return False

    def fingerprint(self, book_id: str) -> str | None:
        """Return a hash of the best file and of the record beside it; None where it cannot be read."""
        for file in self.files(book_id):
            with contextlib.suppress(OSError):
                return _hash_parts(self.read(file.path), self.rdf(book_id))
        return None

    def _index(self) -> dict[str, list[SourceFile]]:
        """Gutenberg's names give ids; where no file bears such a name, every .txt is a book by its own."""
        numbered: dict[str, list[SourceFile]] = defaultdict(list)
        named: dict[str, list[SourceFile]] = defaultdict(list)
        for folder, _, names in os.walk(self.root, followlinks=True):
            for name in names:
                if not name.lower().endswith(".txt"):
                    continue
                path = Path(folder, name).relative_to(self.root)
                if file := file_of_path(path):
                    numbered[file.book_id].append(file)
                else:
                    book_id = "-".join(path.with_suffix("").parts)  # two folders may hold a file of one name
                    named[book_id].append(SourceFile(book_id, path.as_posix(), 0))
        return numbered or named


class MirrorSource:
    """A mirror's base URL in both of Gutenberg's layouts; what was fetched once is kept in `cache`."""

    def __init__(self, url: str, settings: SourceSettings, cache: Store) -> None:
        if urlsplit(url).hostname in HUMAN_SITE:
            raise ConfigError(f"{url}: this site is for people only; give --source a mirror of Project Gutenberg")
        self.url = url.rstrip("/")
        self._interval_s = settings.request_interval_s
        self._cache = cache
        self._client = httpx.Client(
            timeout=settings.timeout_s, headers={"User-Agent": USER_AGENT}, follow_redirects=True
        )
        self._turn = threading.Lock()
        self._next_time = 0.0

    def book_ids(self) -> tuple[str, ...]:
        """A mirror cannot be listed politely."""
        raise ConfigError(f"{self.url}: a mirror cannot be listed; name --books, or give --catalogue for 'all'")

    def files(self, book_id: str) -> tuple[SourceFile, ...]:
        """Return the paths at which a mirror of either layout may hold the book, best first."""
        if not book_id.isdigit():
            return ()
        folder = main_folder(book_id)
        paths = [(f"{folder}/{book_id}{code}.txt", RANKS[code]) for code in ("-0", "-8", "")]
        paths.append((f"cache/epub/{book_id}/pg{book_id}.txt", RANKS["pg"]))
        return tuple(SourceFile(book_id, path, rank) for path, rank in sorted(paths, key=lambda item: item[1]))

    def read(self, path: str) -> bytes:
        """Return a file's bytes, from the cache if they were fetched before."""
        try:
            return self._cache.get(self._key(path))
        except FileNotFoundError:
            data = self._get(path)
        self._cache.put(self._key(path), data)
        return data

    def rdf(self, book_id: str) -> bytes | None:
        """Return the record of the generated tree."""
        try:
            return self.read(f"cache/epub/{book_id}/pg{book_id}.rdf")
        except FileNotFoundError:
            return None

    def stamp(self, book_id: str) -> str | None:
        """Nothing is known without asking."""
        return None

    def refresh(self, book_id: str) -> bool:
        """Not asked yet."""
        return False

    def fingerprint(self, book_id: str) -> str | None:
        """Return a hash of what was fetched before, or None where something is still to be fetched."""
        for file in self.files(book_id):
            with contextlib.suppress(FileNotFoundError):
                return _hash_parts(self._cache.get(self._key(file.path)), self._cached_rdf(book_id))
        return None

    def _cached_rdf(self, book_id: str) -> bytes | None:
        with contextlib.suppress(FileNotFoundError):
            return self._cache.get(self._key(f"cache/epub/{book_id}/pg{book_id}.rdf"))
        return None

    def _key(self, path: str) -> str:
        return f"download/{hashlib.sha256(f'{self.url}/{path}'.encode()).hexdigest()}"

    def _get(self, path: str) -> bytes:
        self._wait()
        try:
            answer = self._client.get(f"{self.url}/{path}")
        except httpx.HTTPError as error:
            raise TransientError(f"{self.url}/{path}: no answer ({type(error).__name__}); is the mirror up?") from error
        if answer.status_code in (404, 410):
            raise FileNotFoundError(path)
        if answer.status_code != httpx.codes.OK:
            raise TransientError(f"{self.url}/{path}: status {answer.status_code}")
        logger.debug("fetched %s: %d bytes", path, len(answer.content))
        return answer.content

    def _wait(self) -> None:
        """One request at a time, `request_interval_s` apart, whatever the number of threads."""
        with self._turn:
            time.sleep(max(0.0, self._next_time - time.monotonic()))
            self._next_time = time.monotonic() + self._interval_s


def file_of_path(path: Path) -> SourceFile | None:
    """Return what Gutenberg's naming says about a path, or None for any other name."""
    if path.parent.name == "old" and path.parent.parent.name.isdigit():
        return SourceFile(path.parent.parent.name, path.as_posix(), OLD)
    match = _NAME.match(path.name)
    if match is None:
        return None
    book_id = match["generated"] or match["number"]
    return SourceFile(book_id, path.as_posix(), RANKS[match["pg"] or match["code"] or ""])


def _hash_parts(text: bytes, rdf: bytes | None) -> str:
    parts = [hashlib.sha256(part).hexdigest() for part in (text, rdf or b"")]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def main_folder(book_id: str) -> str:
    """Return the main collection's folder: 1342 -> 1/3/4/1342, 19 -> 1/19, 7 -> 0/7."""
    digits = "/".join(book_id[:-1]) if len(book_id) > 1 else "0"
    return f"{digits}/{book_id}"


def sort_key(book_id: str) -> tuple[int, int, str]:
    """Numbers in their order, then names in theirs."""
    return (0, int(book_id), "") if book_id.isdigit() else (1, 0, book_id)


def open_source(settings: SourceSettings, cache: Store) -> TextSource:
    """Return the folder or mirror that the settings name.

    Raises:
        ConfigError: there is no such folder, it holds no text, or the URL is not a mirror's.
    """
    scheme = urlsplit(settings.location).scheme
    if scheme in ("http", "https"):
        return MirrorSource(settings.location, settings, cache)
    if len(scheme) > 1:
        raise ConfigError(f"{settings.location}: a source is a folder or an http(s) URL, not {scheme}://")
    return FolderSource(settings.location)
