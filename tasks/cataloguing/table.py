"""Bytes of pg_catalog.csv -> Catalogue: checked as a whole, entries made only when somebody asks for them."""

from __future__ import annotations

import codecs
import gzip
import io
import logging
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import numpy as np
import polars as pl

from schemas.books import CatalogueEntry
from schemas.errors import ConfigError
from tasks.cataloguing.authors import split_list

logger = logging.getLogger(__name__)

COLUMNS = ("Text#", "Type", "Issued", "Title", "Language", "Authors", "Subjects", "LoCC", "Bookshelves")
GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952
MAX_BYTES = 256_000_000  # unpacked: ten times the whole catalogue of 75,000 books
NO_TITLE = "No title"  # what the catalogue says of a number that was reserved and never used
QUOTE, COMMA, NEWLINE = b'",\n'


class Catalogue(Mapping[str, CatalogueEntry]):
    """Entries by id, in the catalogue's order; an entry is made when it is asked for, and not kept.

    `table` holds the catalogue's own columns as text, nothing null.
    """

    def __init__(self, table: pl.DataFrame) -> None:
        self.table = table

    @classmethod
    def of(cls, entries: Iterable[CatalogueEntry]) -> Catalogue:
        """Return a catalogue of entries that came from elsewhere, such as RDF records."""
        rows = [_row_of_entry(entry) for entry in entries]
        return cls(pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row"))

    def __getitem__(self, book_id: str) -> CatalogueEntry:
        """Return the entry of an id; KeyError where there is none."""
        return _entry_of_row(self.table.row(self._rows[book_id]))

    def __iter__(self) -> Iterator[str]:
        """Yield the ids."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Return the number of entries."""
        return self.table.height

    def __contains__(self, book_id: object) -> bool:
        """Return whether there is an entry of this id, without making it."""
        return book_id in self._rows

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {book_id: row for row, book_id in enumerate(self.table["Text#"].to_list())}


def read_table(data: bytes, name: str) -> Catalogue:
    """Return the catalogue that a file holds, plain or gzip.

    Args:
        data: the file's bytes.
        name: what to call the file in a message.

    Raises:
        ConfigError: the file is cut off or damaged, unpacks to more than `MAX_BYTES`, is no catalogue or empty.
    """
    plain = _unpack(data, name)
    plain = _whole_records(plain, name)
    try:
        table = pl.read_csv(io.BytesIO(plain), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{name}: the catalogue is damaged ({reason}); fetch it again") from error
    table = table.with_columns(pl.col(COLUMNS).fill_null(""))
    strange = table.filter(~pl.col("Text#").str.contains(r"^[0-9]+$"))["Text#"]
    if len(strange):
        raise ConfigError(f"{name}: the catalogue names a book {strange[0][:40]!r}, which is no number; fetch it again")
    if not table.height:
        raise ConfigError(f"{name}: the catalogue holds no entry; fetch pg_catalog.csv again")
    return Catalogue(table.unique("Text#", keep="last", maintain_order=True))


def one_line(text: str | None) -> str | None:
    """A title's line breaks divide title and subtitle: keep the division, on one line."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return ": ".join(lines) or None


def _unpack(data: bytes, name: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            plain = packed.read(MAX_BYTES + 1) if data.startswith(GZIP_MAGIC) else data
    except (EOFError, OSError, zlib.error) as error:
        raise ConfigError(f"{name}: the catalogue is cut off or damaged ({error}); fetch it again") from error
    if len(plain) > MAX_BYTES:
        raise ConfigError(f"{name}: the catalogue holds more than {MAX_BYTES} bytes; that is no pg_catalog.csv")
    plain = plain.removeprefix(codecs.BOM_UTF8)
    try:
        plain.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: the catalogue is not UTF-8 at byte {error.start}; fetch it again") from error
    if (at := plain.find(b"\0")) >= 0:
        raise ConfigError(f"{name}: the catalogue holds a NUL at byte {at}: it is damaged; fetch it again")
    return plain


def _whole_records(plain: bytes, name: str) -> bytes:
    """Return the records, each of nine columns; a last one without a line end may have lost its end and is left out.

    A CSV reader would fill a short record up in silence, so quotes and commas are counted first.
    """
    is_whole = plain.endswith(b"\n")
    plain = plain.rstrip(b"\r\n") + b"\n"
    raw = np.frombuffer(plain, np.uint8)
    outside = (np.cumsum(raw == QUOTE, dtype=np.uint8) & 1) == 0  # wraps at 256, which is even
    ends = np.flatnonzero((raw == NEWLINE) & outside)
    _check_columns(plain[: ends[0]] if len(ends) else plain[:2_000], name)
    num_commas = np.diff(np.searchsorted(np.flatnonzero((raw == COMMA) & outside), ends), prepend=0)
    wrong = np.flatnonzero(num_commas != len(COLUMNS) - 1)
    if len(wrong) or not outside[-1]:
        record = int(wrong[0]) if len(wrong) else len(ends)
        line = plain.count(b"\n", 0, int(ends[record - 1]) + 1) + 1
        raise ConfigError(
            f"{name}: the catalogue is cut off or damaged at line {line}, after {record - 1} entries; fetch it again"
        )
    if is_whole or len(ends) == 1:
        return plain
    start = int(ends[-2]) + 1
    last = plain[start:].split(b",")[0].decode()
    logger.warning("%s: its last record, book %s, has no line end and is left out; fetch it again", name, last)
    return plain[:start]


def _check_columns(header: bytes, name: str) -> None:
    columns = tuple(part.strip('" \r') for part in header.decode("utf-8", "replace").split(","))
    if columns != COLUMNS:
        found = ", ".join(columns)[:120]
        raise ConfigError(f"{name}: no catalogue of Project Gutenberg: its columns are {found!r}")


def _entry_of_row(row: tuple[str, ...]) -> CatalogueEntry:
    book_id, kind, issued, title, language, authors, subjects, locc, shelves = row
    return CatalogueEntry(
        book_id=book_id,
        title=None if title == NO_TITLE else one_line(title),
        authors=tuple(split_list(_flat(authors))),
        languages=tuple(split_list(language)),
        type=kind or None,
        issued=issued or None,
        subjects=tuple(split_list(_flat(subjects))),
        locc=tuple(split_list(locc)),
        bookshelves=tuple(split_list(_flat(shelves))),
    )


def _row_of_entry(entry: CatalogueEntry) -> tuple[str, ...]:
    lists = (entry.languages, entry.authors, entry.subjects, entry.locc, entry.bookshelves)
    return (
        entry.book_id,
        entry.type or "",
        entry.issued or "",
        entry.title or NO_TITLE,
        *("; ".join(values) for values in lists),
    )


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)
