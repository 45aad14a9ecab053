"""A folder: an rsync'd mirror in either layout, or .txt and .epub files named as one likes, with a CSV if one likes."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from schemas.books import CatalogueEntry
from schemas.corpus_settings import FetchSettings
from schemas.errors import BookError, ConfigError
from tasks.backends.sources.fingerprints import hash_book
from tasks.backends.sources.table import Row, is_good_id, read_table
from tasks.fetching.file_names import Named, file_order, read_mirror_name, read_plain_name, sort_key
from tasks.protocols import SourceFile

logger = logging.getLogger(__name__)

TABLE = "books.csv"
MAX_BYTES = FetchSettings().max_bytes
NAMES = (".txt", ".zip", ".gz", ".gzip", ".utf8", ".utf-8", ".epub", ".csv")


class FolderSource:
    """A folder of books. What it holds is told by names alone; a link that leads out of it is not followed."""

    def __init__(self, root: str, max_bytes: int = MAX_BYTES, table: str | None = None) -> None:
        """Index the folder.

        Args:
            root: a mirror's folder in either layout, or any folder of texts.
            max_bytes: a larger file is refused.
            table: CSV of the books; if None, `books.csv` in the folder, or the only CSV of a folder of one's own.

        Raises:
            ConfigError: there is no such folder, it holds no text, or its table is wrong.
        """
        self.root = Path(root).expanduser()
        self._max_bytes, self._table = max_bytes, table
        if not self.root.is_dir():
            raise ConfigError(
                f"{root}: no such folder; give --source a mirror's folder or URL, or a folder of .txt files"
            )
        self._real = os.path.realpath(self.root)
        self._files, self._entries = self._index()
        if not self._files:
            raise ConfigError(
                f"{root}: the folder holds no .txt file and no .epub; give --source a mirror or a folder of texts"
            )

    def book_ids(self) -> tuple[str, ...]:
        """Return every id, numbers in their order, then names."""
        return tuple(sorted(self._files, key=sort_key))

    def entry(self, book_id: str) -> CatalogueEntry | None:
        """Return what the table says of a book."""
        return self._entries.get(book_id)

    def files(self, book_id: str) -> tuple[SourceFile, ...]:
        """Return the files of one book, best first."""
        ranked = sorted(self._files.get(book_id, ()), key=lambda file: file_order(*file))
        return tuple(SourceFile(book_id, path, rank) for rank, path in ranked)

    def read(self, file: SourceFile) -> bytes:
        """Return a file's bytes."""
        return self._read(file.book_id, file.path)

    def rdf(self, book_id: str) -> bytes | None:
        """Return the record of the generated tree, or one that lies beside the text."""
        name = f"pg{book_id}.rdf"
        beside = (os.path.dirname(file.path) for file in self.files(book_id))
        for folder in dict.fromkeys((f"cache/epub/{book_id}", f"epub/{book_id}", *beside)):
            try:
                return self._read(book_id, os.path.join(folder, name))
            except (OSError, BookError) as error:
                if not isinstance(error, FileNotFoundError | NotADirectoryError):
                    logger.warning("book %s: its record %s cannot be read: %s", book_id, name, error)
        return None

    def fingerprint(self, book_id: str) -> str | None:
        """Return a hash of the file that is taken, of the record beside it, and of its row in the table."""
        return hash_book(self.files(book_id), self.read, self.rdf(book_id), self.entry(book_id))

    def stamp(self, book_id: str) -> str | None:
        """Return size and time of every file of a book."""
        marks = []
        for file in self.files(book_id):
            try:
                found = os.stat(self.root / file.path)
            except OSError:
                continue
            marks.append(f"{file.path}:{found.st_size}:{found.st_mtime_ns}")
        return " ".join(marks)

    def refresh(self, book_id: str) -> bool:
        """A folder is always as it is: its stamps tell what changed."""
        return False

    def relist(self) -> bool:
        """Index the folder again."""
        before = self._files, self._entries
        self._files, self._entries = self._index()
        return (self._files, self._entries) != before

    def _read(self, book_id: str, path: str) -> bytes:
        real = os.path.realpath(self.root / path)
        if os.path.commonpath((real, self._real)) != self._real:
            detail = f"{path} is a link out of the folder {self.root}; copy the file into it"
            raise BookError(book_id, "outside-source", detail)
        found = os.stat(real)
        if not stat.S_ISREG(found.st_mode):  # a pipe would never end
            raise BookError(book_id, "unreadable", f"{path} is no file")
        if found.st_size > self._max_bytes:
            detail = f"{path} holds {found.st_size} bytes, {self._max_bytes} allowed (fetch.max_bytes)"
            raise BookError(book_id, "too-large", detail)
        with open(real, "rb") as file:
            return file.read(self._max_bytes + 1)

    def _index(self) -> tuple[dict[str, list[tuple[int, str]]], dict[str, CatalogueEntry]]:
        """Gutenberg's names give ids; in a folder of one's own every text is a book by its own name."""
        paths = list(iter_paths(self._real))
        numbered = {path: one for path in paths if (one := read_mirror_name(path))}
        is_mirror = any(one.in_mirror for one in numbered.values())
        named = numbered if is_mirror else dict(name_own(paths, numbered))
        rows = self._rows(paths, is_mirror)
        given = self._check_rows(rows, named, set(paths))
        files: dict[str, list[tuple[int, str]]] = {}
        stems: dict[str, str] = {}
        for path, one in named.items():
            book_id = given.get(path, one.book_id)
            if not is_good_id(book_id):
                logger.warning("%s: %s is passed over: its name is too long for an id; give it one", self.root, path)
                continue
            if path not in numbered:
                self._check_own(book_id, path, stems)
            files.setdefault(book_id, []).append((one.rank, path))
        entries = {}
        for row in rows:
            book_id = row.book_id or given[row.file]
            if book_id not in files:
                raise ConfigError(f"{self._table_name}: line {row.line}: the folder holds no text of book {book_id!r}")
            entries[book_id] = row.entry(book_id)
        return files, entries

    def _rows(self, paths: list[str], is_mirror: bool) -> list[Row]:
        """Find the table: the one that was named, else books.csv, else the only CSV of a folder of one's own."""
        tables = [path for path in paths if "/" not in path and path.lower().endswith(".csv")]
        self._table_name = Path(self._table).expanduser() if self._table else self.root / TABLE
        if not self._table and TABLE not in tables:
            if not tables or is_mirror:
                return []
            if len(tables) > 1:
                raise ConfigError(f"{self.root}: {len(tables)} CSV files; name the table of its books by source.table")
            self._table_name = self.root / tables[0]
        return read_table(self._table_name)

    def _check_rows(self, rows: list[Row], named: dict[str, Named], paths: set[str]) -> dict[str, str]:
        """Return the ids that the table gives to files."""
        given = {}
        for row in rows:
            if row.file and row.file not in named:
                why = "is no .txt or .epub file" if row.file in paths else "is not in the folder"
                raise ConfigError(f"{self._table_name}: line {row.line}: {row.file!r} {why}")
            if row.file:
                given[row.file] = row.book_id or named[row.file].book_id
        return given

    def _check_own(self, book_id: str, path: str, stems: dict[str, str]) -> None:
        """Files of one name and folder are one book (story.txt, story.epub); other equal ids are an accident."""
        stem = os.path.join(os.path.dirname(path), os.path.basename(path).partition(".")[0])
        if stems.setdefault(book_id, stem) != stem:
            raise ConfigError(f"{self.root}: {path} and {stems[book_id]}.* would both be book {book_id!r}; rename one")


def name_own(paths: Iterable[str], numbered: Mapping[str, Named]) -> Iterator[tuple[str, Named]]:
    """Yield the books of a folder of one's own: a number at its top is an id, everything else goes by its path."""
    for path in paths:
        named = numbered.get(path) if "/" not in path else read_plain_name(path)
        if named := named or read_plain_name(path):
            yield path, named


def iter_paths(root: str) -> Iterator[str]:
    """Yield the paths of files that may hold a text or a table, by names alone: a mirror has 75,000 folders.

    Folders behind links are not entered: inside the folder they are met anyway, outside they are another source.
    """
    waiting, num_links = [""], 0
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or not entry.name.isprintable():  # rsync's own, hidden, odd
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if not holds_pictures(entry.name):
                            waiting.append(f"{folder}{entry.name}/")
                    elif entry.name.lower().endswith(NAMES):
                        yield folder + entry.name
                    else:
                        num_links += entry.is_symlink() and entry.is_dir()
        except OSError as error:
            logger.warning("%s: the folder %s cannot be read: %s", root, folder, error.strerror)
    if num_links:
        logger.warning("%s: %d links to folders are not followed; give --source the folder itself", root, num_links)


def holds_pictures(name: str) -> bool:
    """Return whether a folder holds a book's HTML: no text lies there, and a mirror has 60,000 of them."""
    return name == "images" or (name.endswith("-h") and name[:-2].isdigit())
