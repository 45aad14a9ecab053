"""Shards -> an Arrow table of a few columns, for lists that need all rows of a snapshot."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from schemas.runs import Manifest, ShardInfo, ShardKind
from tasks.protocols import Store
from tasks.sharding.arrow import read_batches
from tasks.tables import SCHEMAS


def read_list(manifest: Manifest, kind: ShardKind, store: Store, columns: Sequence[str]) -> pa.Table:
    """Return columns of one table of a snapshot, by id; as Arrow, for a corpus has more rows than Python can hold."""
    schema = pa.schema([SCHEMAS[kind].field(name) for name in columns])
    tables = [_read_columns(shard, store, schema) for shard in manifest.shards if shard.kind == kind]
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    length = pc.utf8_length(table["book_id"])
    order = table.append_column("id_length", length).select(["id_length", "book_id"])
    return table.take(pc.sort_indices(order, [("id_length", "ascending"), ("book_id", "ascending")]))


def _read_columns(shard: ShardInfo, store: Store, schema: pa.Schema) -> pa.Table:
    with store.file(shard.path) as path:
        return pa.Table.from_batches(read_batches(path, shard.kind, schema.names), schema)
