"""Answers <-> one Parquet file, so that what a run was told can be shipped and replayed.

Rows lie by key, so equal stores give equal files. Both ways hold one row group or page at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import ConfigError
from tasks.backends.answers.rows import Database, Row, make_row, read_row, settle
from tasks.backends.answers.values import StoredAnswer

PAGE_ROWS = 500  # of the database, read or written at once
GROUP_CHARS = 16_000_000  # text in one row group
COUNTS = ("max_tokens", "prompt_tokens", "cached_tokens", "completion_tokens")
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("text", pa.large_string()),
        ("finish_reason", pa.string()),
        *((name, pa.int64()) for name in COUNTS),
        ("raw_text", pa.large_binary()),  # where the text holds half a surrogate pair, which `text` shows as '?'
    ]
)
KEY = "^[0-9a-f]{64}$"


def export_answers(database: Database, path: Path) -> int:
    """Write every answer to a Parquet file, in one step; how many.

    ConfigError where the file cannot be written, or a row is damaged; TransientError where the database is away.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        num_rows = _write_file(database, part)
        os.replace(part, path)
    except OSError as error:
        raise ConfigError(f"{path}: it cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return num_rows


def import_answers(path: Path, database: Database) -> tuple[int, int]:
    """Read a file that `export_answers` wrote into a database, by the rule of every write.

    The whole file is looked at before a row is written.

    Returns:
        The answers of the file, and how many of them the database did not have or had only cut shorter.

    Raises:
        ConfigError: the file is damaged or something else, and nothing was imported; or nothing can be written.
        TransientError: the database is busy or away; what was written stays, and the same import goes on.
    """
    with _explaining(path, "nothing was imported"), _open_file(path) as file:
        num_rows = _check_file(file)
    with _explaining(path, "import it again"), _open_file(path) as file:
        num_new = sum(database.write(settle(_read_rows(batch))) for batch in _iter_batches(file))
    return num_rows, num_new


def _write_file(database: Database, part: Path) -> int:
    num_rows = 0
    with part.open("wb") as out:
        options: dict[str, Any] = {"compression": "zstd", "compression_level": 3, "use_dictionary": ["finish_reason"]}
        with pq.ParquetWriter(out, SCHEMA, write_page_checksum=True, **options) as writer:
            for group in _cut_groups(database):
                writer.write_table(pa.Table.from_pylist(group, SCHEMA), row_group_size=len(group))
                num_rows += len(group)
        out.flush()
        os.fsync(out.fileno())
    return num_rows


def _cut_groups(database: Database) -> Iterator[list[dict[str, object]]]:
    group: list[dict[str, object]] = []
    num_chars = 0
    for row in _walk(database):
        answer = read_row(row, database.name)
        group.append(_describe(row.key, answer))
        num_chars += len(answer.text)
        if num_chars >= GROUP_CHARS:
            yield group
            group, num_chars = [], 0
    if group:
        yield group


def _walk(database: Database) -> Iterator[Row]:
    rows = database.page("", PAGE_ROWS)
    while rows:
        yield from rows
        rows = database.page(rows[-1].key, PAGE_ROWS)


def _describe(key: str, answer: StoredAnswer) -> dict[str, object]:
    text = answer.shown_text
    raw = None if text == answer.text else answer.text.encode("utf-8", "surrogatepass")
    return {**answer.model_dump(), "key": key, "text": text, "raw_text": raw}


@contextmanager
def _explaining(path: Path, outcome: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, ValueError) as error:
        raise ConfigError(f"{path}: no file of answers, or a damaged one: {_first_line(error)}; {outcome}") from error
    except OSError as error:
        raise ConfigError(f"{path}: it cannot be read: {error.strerror or _first_line(error)}; {outcome}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _open_file(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)


def _iter_batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file; group by group, as pyarrow 26 otherwise fetches all groups before the first row."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(PAGE_ROWS, row_groups=[group])


def _check_file(file: pq.ParquetFile) -> int:
    """Return the rows of a file whose every row is an answer; ValueError for any other."""
    columns, wanted = ([(field.name, field.type) for field in schema] for schema in (file.schema_arrow, SCHEMA))
    if columns != wanted:
        raise ValueError(f"its columns are {', '.join(f'{name} {kind}' for name, kind in columns)}")
    num_rows = 0
    for batch in _iter_batches(file):
        _check_rows(batch, num_rows)
        num_rows += len(batch)
    return num_rows


def _check_rows(batch: pa.RecordBatch, before: int) -> None:
    """ValueError naming the first row that cannot be an answer; `before` rows of the file came earlier."""
    batch.validate(full=True)  # UTF-8 that is none
    fit = {
        "key": pc.match_substring_regex(batch["key"], KEY),
        "text": pc.is_valid(batch["text"]),
        "finish_reason": pc.greater(pc.utf8_length(batch["finish_reason"]), 0),
        **{name: pc.greater_equal(batch[name], 0) for name in COUNTS},
    }
    for name, good in fit.items():
        bad = pc.index(pc.fill_null(good, False), False).as_py()
        if bad >= 0:
            raise ValueError(f"row {before + bad + 1} has no right {name}")
    for raw in batch["raw_text"].drop_null().to_pylist():
        raw.decode("utf-8", "surrogatepass")


def _read_rows(batch: pa.RecordBatch) -> Iterator[Row]:
    for values in batch.to_pylist():
        raw = values.pop("raw_text")
        if raw is not None:
            values["text"] = raw.decode("utf-8", "surrogatepass")
        yield make_row((values.pop("key"), StoredAnswer.model_validate(values)))
