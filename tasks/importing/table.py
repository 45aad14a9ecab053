"""A table in LongPage's columns (Parquet files, JSON lines, or a folder of them) -> its rows, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import ConfigError
from schemas.longpage import COLUMNS
from tasks.sharding.arrow import iter_batches

ENDINGS = (".parquet", ".jsonl", ".ndjson")
NUM_PEEKED = 20  # lines of JSON that are asked for the columns: single rows may lack one

Raw = dict[str, Any]


def list_files(location: str) -> list[Path]:
    """Return the files of a table, by name.

    Raises:
        ConfigError: there are none, or one of them lacks columns, which are named.
    """
    root = Path(location).expanduser()
    files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.suffix in ENDINGS)
    files = [path for path in files if not path.name.startswith(".")]
    if not files:
        raise ConfigError(f"{location}: no table there: give a file or folder of {', '.join(ENDINGS)}")
    for path in files:
        missing = [name for name in COLUMNS if name not in _columns(path)]
        if missing:
            raise ConfigError(f"{path}: no table in LongPage's columns: it lacks {', '.join(missing)}")
    return files


def iter_rows(files: list[Path]) -> Iterator[Raw]:
    """Yield every row in order; a line that is no JSON object is a row without any column."""
    for path in files:
        yield from _iter_parquet(path) if path.suffix == ".parquet" else _iter_lines(path)


def _columns(path: Path) -> set[str]:
    try:
        if path.suffix == ".parquet":
            return set(pq.read_schema(path).names)
        return {name for row in islice(_iter_lines(path), NUM_PEEKED) for name in row}
    except (OSError, pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: it cannot be read: {error}") from error


def _iter_parquet(path: Path) -> Iterator[Raw]:
    for batch in iter_batches(path, COLUMNS):
        yield from batch.to_pylist()


def _iter_lines(path: Path) -> Iterator[Raw]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield _read_line(line)


def _read_line(line: str) -> Raw:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return {name: row[name] for name in COLUMNS if name in row} if isinstance(row, dict) else {}
