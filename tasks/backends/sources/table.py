"""A CSV of one's own beside a folder of books -> which file is which book, and what is known of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.books import CatalogueEntry
from schemas.errors import ConfigError
from tasks.fetching.archives import is_inside

COLUMNS = ("file", "id", "title", "author", "language", "rights")
LONGEST_ID = 200  # bytes: it names folders of the work store, and a name may have 255


@dataclass(frozen=True)
class Row:
    """One book of the table: by its file, by its id, or by both."""

    line: int
    file: str
    book_id: str
    values: Mapping[str, str]

    def entry(self, book_id: str) -> CatalogueEntry:
        """Return the row as an entry; several authors or languages are separated by semicolons."""
        return CatalogueEntry(
            book_id=book_id,
            title=self.values.get("title") or None,
            authors=_parts(self.values.get("author", "")),
            languages=tuple(part.lower() for part in _parts(self.values.get("language", ""))),
            rights=self.values.get("rights") or None,
        )


def read_table(path: Path) -> list[Row]:
    """Return the rows of a table.

    Raises:
        ConfigError: it cannot be read, is not UTF-8 or no CSV, has a column that is not known, or a row that names
            no book, a path outside the folder, or the same book as another.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: the table cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: the table is not UTF-8 at byte {error.start}; save it as UTF-8") from error
    rows: list[Row] = []
    seen: dict[tuple[str, str], int] = {}
    for row in _iter_rows(path, text):
        _check(path, row)
        for named in (("file", row.file), ("id", row.book_id)):
            if named[1] and seen.setdefault(named, row.line) != row.line:
                raise ConfigError(f"{path}: line {row.line} repeats the {named[0]} {named[1]!r} of line {seen[named]}")
        rows.append(row)
    return rows


def _iter_rows(path: Path, text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(path, header)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                detail = f"line {reader.line_num} has {len(cells)} fields, {len(header)} needed"
                raise ConfigError(f"{path}: {detail}; text with a comma belongs in quotation marks")
            values = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            file = values.get("file", "").replace("\\", "/").removeprefix("./")
            yield Row(reader.line_num, file, values.get("id", ""), values)
    except csv.Error as error:
        raise ConfigError(f"{path}: no CSV at line {reader.line_num}: {error}") from error


def _check_header(path: Path, header: list[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        raise ConfigError(f"{path}: unknown column {unknown[0][:60]!r}; known are {', '.join(COLUMNS)}, with commas")
    if len(set(header)) != len(header):
        raise ConfigError(f"{path}: a column is there twice: {', '.join(header)}")
    if not {"file", "id"} & set(header):
        raise ConfigError(f"{path}: the table needs a column 'file' or 'id'; it has {', '.join(header) or 'none'}")


def _check(path: Path, row: Row) -> None:
    if not row.file and not row.book_id:
        raise ConfigError(f"{path}: line {row.line} names neither a file nor an id")
    if row.file and not is_inside(row.file):
        raise ConfigError(f"{path}: line {row.line}: the file {row.file!r} leads out of the folder")
    if row.book_id and not is_good_id(row.book_id):
        raise ConfigError(f"{path}: line {row.line}: the id {row.book_id[:60]!r} cannot name a folder; take another")


def is_good_id(book_id: str) -> bool:
    """Return whether an id can be part of a store's key: it names a folder, and no other than its own."""
    odd = any(not char.isprintable() or char in "/\\" for char in book_id)
    return bool(book_id) and not odd and not book_id.startswith(".") and len(book_id.encode()) <= LONGEST_ID


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for piece in text.split(";") if (part := " ".join(piece.split())))
