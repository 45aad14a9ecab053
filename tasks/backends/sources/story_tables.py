"""One table -> its titles and stories, row by row: JSON, JSON lines, CSV or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import ConfigError

TITLE = ("title",)
BODY = ("body", "story", "text")  # the first that is there
MAX_FIELD = 100_000_000  # characters of a CSV field; Python's own limit is 131,072
BATCH_ROWS = 256

Row = dict[str, Any]


def read_table_stories(file: Path) -> Iterator[tuple[str, str]]:
    """Yield title and story of every row; what is null is empty.

    Raises:
        ConfigError: the file cannot be read, or has no column of titles or of stories.
    """
    read, number = TABLES[file.suffix.lower()], 0
    try:
        for number, row in enumerate(read(file), 1):
            title, body = _find(row, TITLE), _find(row, BODY)
            if title is None or body is None:
                raise ConfigError(
                    f"{file}: row {number} has the columns {', '.join(map(str, row)) or 'none'}; a column 'title' and "
                    f"one of {', '.join(repr(name) for name in BODY)} are needed"
                )
            yield _text(row[title]), _text(row[body])
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"{file}: it cannot be read after row {number}: {said}") from error


def _find(row: Row, names: Sequence[str]) -> str | None:
    """Return the column that has one of these names, in whatever case."""
    columns = {str(column).strip().lower(): column for column in row}
    return next((columns[name] for name in names if name in columns), None)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _read_json(file: Path) -> Iterator[Row]:
    """A list of objects is read whole; objects one a line are not."""
    with file.open(encoding="utf-8-sig") as opened:
        first = opened.read(1)
        while first.isspace():
            first = opened.read(1)
        opened.seek(0)
        if first == "[":
            rows: list[Row] = json.load(opened)
            for row in rows:
                yield _check_row(row)
        else:
            yield from (_check_row(json.loads(line)) for line in opened if line.strip())


def _check_row(row: object) -> Row:
    if not isinstance(row, dict):
        raise ValueError(f"an object with title and story expected, {type(row).__name__} found")
    return row


def _read_csv(file: Path) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        for row in csv.DictReader(opened):
            yield {name: value for name, value in row.items() if name is not None}


def _read_parquet(file: Path) -> Iterator[Row]:
    with pq.ParquetFile(file) as opened:
        if not opened.metadata.num_rows:
            return
        columns = dict.fromkeys(opened.schema_arrow.names)
        found = [name for name in (_find(columns, TITLE), _find(columns, BODY)) if name is not None]
        if len(found) < 2:  # told with all that is there
            yield columns
        for batch in opened.iter_batches(BATCH_ROWS, columns=found):
            yield from batch.to_pylist()


TABLES: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _read_csv,
    ".json": _read_json,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".parquet": _read_parquet,
}
