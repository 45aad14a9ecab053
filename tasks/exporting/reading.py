"""Shards -> tables of a few rows, in today's columns, whatever schema their snapshot had."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from schemas.errors import PipelineError
from schemas.runs import Manifest, ShardInfo, ShardKind
from tasks.protocols import Store
from tasks.sharding.arrow import read_batches


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
    found = 0
    try:
        with store.file(shard.path) as path:
            for batch in read_batches(path, shard.kind):
                found += batch.num_rows
                yield pa.Table.from_batches([batch])
    except (FileNotFoundError, PipelineError) as error:
        raise PipelineError(f"{shard.path}: it is missing or damaged: scriptorium verify tells more") from error
    if found != shard.rows:
        raise PipelineError(f"{shard.path}: {found} rows, the manifest says {shard.rows}: scriptorium verify")
