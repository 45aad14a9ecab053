"""Shards -> tables of a few rows, in today's columns, whatever schema their snapshot had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import PipelineError
from schemas.runs import Manifest, ShardInfo, ShardKind
from tasks.protocols import Store
from tasks.tables import SCHEMAS

BATCH_BYTES = 4_000_000  # decoded at once, about; a row may be of 2 MB and more
MAX_BATCH_ROWS = 256
READ_BYTES = 1_000_000  # of the file at a time


def iter_tables(manifest: Manifest, kind: ShardKind, store: Store, split: str | None = None) -> Iterator[pa.Table]:
    """Yield the rows of one table of a snapshot a few at a time, bucket by bucket, in the order of their shards.

    Args:
        manifest: the snapshot.
        kind: which table.
        store: the data set.
        split: only shards of this side; None: all.

    Raises:
        PipelineError: a shard is missing, or holds other rows than the manifest says.
    """
    shards = [shard for shard in manifest.shards if shard.kind == kind and split in (None, shard.split)]
    for shard in sorted(shards, key=lambda shard: (shard.split or "", shard.bucket)):
        yield from _iter_shard(shard, store)


def _iter_shard(shard: ShardInfo, store: Store) -> Iterator[pa.Table]:
    schema, found = SCHEMAS[shard.kind], 0
    try:
        with store.open(shard.path) as source:
            for batch in iter_batches(source):
                found += batch.num_rows
                yield complete_columns(pa.Table.from_batches([batch]), schema)
    except (OSError, pa.ArrowInvalid) as error:
        raise PipelineError(f"{shard.path}: it is missing or damaged: scriptorium verify tells more") from error
    if found != shard.rows:
        raise PipelineError(f"{shard.path}: {found} rows, the manifest says {shard.rows}: scriptorium verify")


def iter_batches(source: Path | BinaryIO, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file a few at a time, with no more of the file in memory than a row group's pages.

    Left to itself, pyarrow 26 fetches all row groups before the first batch: 430 MB for a file of 336 MB, this way 172.
    """
    with pq.ParquetFile(source, pre_buffer=False, buffer_size=READ_BYTES) as file:
        num_rows = _batch_rows(file.metadata)
        for group in range(file.num_row_groups):
            yield from file.iter_batches(batch_size=num_rows, row_groups=[group], columns=columns)


def complete_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the rows with all columns of a schema, in its order; a column younger than the rows is null."""
    held = set(table.column_names)
    columns: Sequence[pa.ChunkedArray | pa.Array] = [
        table.column(field.name).cast(field.type) if field.name in held else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _batch_rows(metadata: pq.FileMetaData) -> int:
    size: int = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    num_rows: int = metadata.num_rows
    return max(1, min(MAX_BATCH_ROWS, BATCH_BYTES * num_rows // max(size, 1)))
