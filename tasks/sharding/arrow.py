"""Rows <-> Arrow: the same values make the same arrays, whether they were made now or read from an old shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.errors import PipelineError
from schemas.runs import ShardKind
from tasks.tables import SCHEMAS, SORT_KEYS

Key = tuple[str, ...]

LEAN_STAGE = ("role", "num_tokens")
BATCH_BYTES = 4_000_000  # of text that is decoded at once: two rows of the largest books


def key_of(kind: ShardKind, row: Mapping[str, Any]) -> Key:
    """Return what a row is sorted by; the first part is always the id of its work."""
    return tuple(str(row[name] or "") for name in SORT_KEYS[kind])


def keys_of(kind: ShardKind, batch: pa.RecordBatch) -> list[Key]:
    """Return what the rows of a batch are sorted by."""
    columns = [[value or "" for value in batch.column(name).to_pylist()] for name in SORT_KEYS[kind]]
    return list(zip(*columns, strict=True))


def read_batches(path: Path, kind: ShardKind, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield a shard in small batches with the columns of its kind; one that is younger than the shard is null.

    Raises:
        PipelineError: it is no Parquet file, or is damaged.
    """
    schema = SCHEMAS[kind] if columns is None else pa.schema([SCHEMAS[kind].field(name) for name in columns])
    try:
        for batch in iter_batches(path, schema.names):
            yield _conform(batch, schema)
    except (OSError, ValueError) as error:
        raise PipelineError(f"{path.name}: it cannot be read: {error}") from error


def iter_batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield a Parquet file a few rows at a time, with no more of it in memory than a row group's pages.

    Left to itself, pyarrow 26 fetches all row groups before the first batch: 430 MB for a file of 336 MB, this way 172.

    Args:
        path: the file.
        columns: those that are wanted; what the file lacks of them is left out. None: all.
    """
    with pq.ParquetFile(path, pre_buffer=False) as file:
        names = file.schema_arrow.names
        held = names if columns is None else [name for name in columns if name in names]
        rows_at_once = _rows_at_once(file.metadata, held)
        for group in range(file.num_row_groups):
            yield from file.iter_batches(rows_at_once, row_groups=[group], columns=held)


def _rows_at_once(facts: pq.FileMetaData, columns: Sequence[str]) -> int:
    """Return how many rows of these columns make BATCH_BYTES where they are largest."""
    most = 1.0
    wanted = set(columns)
    for at in range(facts.num_row_groups):
        group = facts.row_group(at)
        chunks = (group.column(place) for place in range(group.num_columns))
        size = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in wanted)
        most = max(most, size / max(1, group.num_rows))
    return max(1, min(65_536, int(BATCH_BYTES / most)))


def _conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with exactly these columns; those that it lacks are null."""
    names = set(batch.schema.names)
    arrays = [
        batch.column(field.name).cast(field.type) if field.name in names else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def lean_rows(batch: pa.RecordBatch, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return some columns as Python rows; of stages only what is counted, without their texts."""
    chosen = batch.select(list(columns))
    if "stages" in columns:
        chosen = chosen.set_column(list(columns).index("stages"), "stages", _lean_stages(chosen.column("stages")))
    rows: list[dict[str, Any]] = chosen.to_pylist()
    return rows


def _lean_stages(stages: pa.ListArray) -> pa.ListArray:
    told = stages.flatten()
    kept = pa.StructArray.from_arrays([told.field(name) for name in LEAN_STAGE], names=list(LEAN_STAGE))
    ends = np.concatenate([[0], np.cumsum(_numbers(pc.list_value_length(stages)))])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), kept)


def text_bytes(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Return the bytes of text in every row: int64 [num_rows], over all strings at any depth."""
    total = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        total += _bytes_of(column)
    return total


def _bytes_of(array: pa.Array) -> NDArray[np.int64]:
    """Return the bytes of text in every item of an array; int64 [len(array)]."""
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return _numbers(pc.binary_length(array))
    total = np.zeros(len(array), dtype=np.int64)
    if pa.types.is_struct(array.type):
        for child in array.flatten():
            total += _bytes_of(child)
    if pa.types.is_list(array.type):
        ends = np.concatenate([[0], np.cumsum(_numbers(pc.list_value_length(array)))])
        inner = np.concatenate([[0], np.cumsum(_bytes_of(array.flatten()))])
        total += np.diff(inner[ends])
    return total


def _numbers(array: pa.Array) -> NDArray[np.int64]:
    found: NDArray[np.int64] = pc.fill_null(array, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return found
