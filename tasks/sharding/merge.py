"""Old shards of a bucket and what changes in it -> its new shards, as a stream: one work and a few rows at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import compress

import pyarrow as pa

from schemas.outcomes import Outcome
from schemas.runs import ShardInfo, ShardKind
from schemas.settings import ShardSettings
from tasks.buckets import Accounts, BucketPlan, Rows
from tasks.protocols import Store
from tasks.sharding.arrow import Key, key_of, keys_of, read_batches
from tasks.sharding.writer import ShardWriter, to_batch
from tasks.tables import Row

SPLITS = ("train", "validation", "test")
TABLES: tuple[tuple[ShardKind, str | None], ...] = (
    ("books", None),
    ("rejected", None),
    *(("trajectories", split) for split in SPLITS),
)
LoadRows = Callable[[Outcome], Rows]
ROWS_AT_ONCE = 8  # that become Arrow together: 40 MB of the largest books


class Carried:
    """The rows of an old shard that stay, in order; they never become Python rows."""

    def __init__(self, kind: ShardKind, batches: Iterator[pa.RecordBatch], dropped: frozenset[str]) -> None:
        self._kind = kind
        self._batches = batches
        self._dropped = dropped
        self._batch: pa.RecordBatch | None = None
        self._keys: list[Key] = []

    def next_key(self) -> Key | None:
        """Return the key of the next row, or None where all are taken."""
        while not self._keys:
            batch = next(self._batches, None)
            if batch is None:
                return None
            keys = keys_of(self._kind, batch)
            stays = [key[0] not in self._dropped for key in keys]
            self._batch = batch if all(stays) else batch.filter(pa.array(stays))
            self._keys = list(compress(keys, stays))
        return self._keys[0]

    def take_before(self, key: Key | None) -> Iterator[pa.RecordBatch]:
        """Yield the rows that come before a key, or all that are left."""
        while (mine := self.next_key()) is not None and (key is None or mine < key):
            batch = self._batch
            if batch is None:
                return
            end = len(self._keys) if key is None else bisect_left(self._keys, key)
            yield batch.slice(0, end)
            self._batch, self._keys = batch.slice(end), self._keys[end:]


def write_bucket(
    plan: BucketPlan, old: Sequence[ShardInfo], load: LoadRows, store: Store, settings: ShardSettings
) -> list[ShardInfo]:
    """Write the shards of one bucket.

    Args:
        plan: which rows go, and which books come.
        old: the bucket's shards in the parent snapshot.
        load: gives the rows of one book.
        store: the data set.
        settings: where row groups are cut.

    Raises:
        PipelineError: the bucket's books are not all accounted for; nothing is put then.
    """
    writers = {
        table: ShardWriter(*table, folder=store.scratch(), row_group_bytes=settings.row_group_bytes) for table in TABLES
    }
    accounts = Accounts()
    for kind, kept in plan.kept.items():
        accounts.add(kind, kept)
    with ExitStack() as stack:
        for writer in writers.values():
            stack.callback(writer.discard)
        carried = {table: Carried(table[0], _read(table, old, store), plan.dropped) for table in TABLES}
        for rows in iter_rows(plan, load):
            for kind, made in rows.items():
                accounts.add(kind, made)
            for (kind, split), writer in writers.items():
                _merge(writer, [row for row in rows[kind] if split in (None, row.get("split"))], carried[kind, split])
        for table, writer in writers.items():
            for batch in carried[table].take_before(None):
                writer.add(batch)
        accounts.check(plan.expected)
        shards = [writer.finish(plan.bucket, store) for writer in writers.values()]
    return [shard for shard in shards if shard is not None]


def iter_rows(plan: BucketPlan, load: LoadRows) -> Iterator[Rows]:
    """Yield the new rows of a bucket, one book loaded at a time, each kind in the order of its works' ids.

    A story's id begins with its collection's, so no row of a book comes before the book's id; one that would come
    after the next book's waits for it.
    """
    waiting: Rows = {"trajectories": [], "books": [], "rejected": list(plan.added)}
    members = sorted(plan.members, key=lambda outcome: outcome.book_id)
    for place, outcome in enumerate(members):
        for kind, made in load(outcome).items():
            waiting[kind] += made
        bound = members[place + 1].book_id if place + 1 < len(members) else None
        ready = {
            kind: [row for row in rows if bound is None or row["book_id"] < bound] for kind, rows in waiting.items()
        }
        waiting = {
            kind: [row for row in rows if bound is not None and row["book_id"] >= bound]
            for kind, rows in waiting.items()
        }
        yield ready
    yield waiting


def _read(table: tuple[ShardKind, str | None], shards: Sequence[ShardInfo], store: Store) -> Iterator[pa.RecordBatch]:
    for shard in shards:
        if (shard.kind, shard.split) == table:
            with store.file(shard.path) as path:
                yield from read_batches(path, shard.kind)


def _merge(writer: ShardWriter, rows: Sequence[Row], carried: Carried) -> None:
    """Add rows to a shard, each after the carried rows that come before it."""
    ordered = sorted(rows, key=lambda row: key_of(writer.kind, row))
    keys = [key_of(writer.kind, row) for row in ordered]
    start = 0
    while start < len(ordered):
        for batch in carried.take_before(keys[start]):
            writer.add(batch)
        bound = carried.next_key()
        end = len(ordered) if bound is None else max(bisect_left(keys, bound, lo=start), start + 1)
        for at in range(start, end, ROWS_AT_ONCE):
            writer.add(to_batch(writer.kind, ordered[at : min(at + ROWS_AT_ONCE, end)]))
        start = end
