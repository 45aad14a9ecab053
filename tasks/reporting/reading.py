"""Shards -> rows: one at a time where they hold texts, as an Arrow table where a list needs all of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.runs import Manifest, ShardInfo, ShardKind
from tasks.protocols import Store
from tasks.tables import SCHEMAS, Row


def iter_rows(shard: ShardInfo, store: Store, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a shard one by one; a column that is younger than the shard is None."""
    file = pq.ParquetFile(io.BytesIO(store.get(shard.path)))
    held = [name for name in columns if name in file.schema_arrow.names]
    for batch in file.iter_batches(batch_size=1, columns=held):
        yield {**dict.fromkeys(columns), **batch.to_pylist()[0]}


def read_list(manifest: Manifest, kind: ShardKind, store: Store, columns: Sequence[str]) -> pa.Table:
    """Return columns of one table of a snapshot, by id; as Arrow, for a corpus has more rows than Python can hold."""
    schema = pa.schema([SCHEMAS[kind].field(name) for name in columns])
    tables = [_read_columns(shard, store, schema) for shard in manifest.shards if shard.kind == kind]
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    length = pc.utf8_length(table["book_id"])
    order = table.append_column("id_length", length).select(["id_length", "book_id"])
    return table.take(pc.sort_indices(order, [("id_length", "ascending"), ("book_id", "ascending")]))


def _read_columns(shard: ShardInfo, store: Store, schema: pa.Schema) -> pa.Table:
    file = pq.ParquetFile(io.BytesIO(store.get(shard.path)))
    table = file.read([name for name in schema.names if name in file.schema_arrow.names])
    columns = [
        table[field.name] if field.name in table.column_names else pa.nulls(len(table), field.type) for field in schema
    ]
    return pa.table(columns, schema.names).cast(schema)
