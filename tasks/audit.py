"""Data set -> Audit: every hash, count, offset and grammar check of a snapshot, computed again from its files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from heapq import merge

from schemas.runs import Manifest, ShardInfo
from schemas.value import Value
from tasks.auditing.shards import ShardReading
from tasks.auditing.totals import Told, check_bucket, check_totals
from tasks.auditing.works import check_works
from tasks.protocols import Store, Tokenizer
from tasks.sides_check import check_sides
from tasks.tables import Row

MAX_PROBLEMS = 100  # a person reads the first ones; the count is exact


class Audit(Value):
    """What `scriptorium verify` found."""

    ok: bool
    snapshot: int
    checked: dict[str, int]
    num_problems: int
    problems: tuple[str, ...]


def audit_snapshot(manifest: Manifest, store: Store, trainee: Tokenizer) -> Audit:
    """Check a snapshot against its manifest and against the grammar; one work and a few rows are in memory at once.

    Args:
        manifest: the snapshot.
        store: the data set.
        trainee: the tokenizer that the manifest names; token counts are computed again with it.
    """
    checked: Counter[str] = Counter()
    recounted: list[ShardInfo] = []
    problems: list[str] = []
    buckets: dict[int, list[ShardInfo]] = defaultdict(list)
    for shard in manifest.shards:
        buckets[shard.bucket].append(shard)
    for bucket, shards in sorted(buckets.items()):
        readings = [ShardReading(shard) for shard in shards]
        problems += _check_bucket(bucket, readings, manifest.num_buckets, store, trainee)
        for reading in readings:
            problems += reading.problems
            recounted.append(reading.recounted)
            checked[f"{reading.shard.kind} rows"] += reading.recounted.rows
        checked["shards"] += len(shards)
    problems += check_sides(manifest, store)
    problems += check_totals(manifest, recounted)
    return Audit(
        ok=not problems,
        snapshot=manifest.version,
        checked=dict(checked),
        num_problems=len(problems),
        problems=tuple(problems[:MAX_PROBLEMS]),
    )


def _check_bucket(
    bucket: int, readings: Sequence[ShardReading], num_buckets: int, store: Store, trainee: Tokenizer
) -> Iterator[str]:
    """Read the shards of a bucket side by side: what was refused first, then every book with its trajectories."""
    told: list[Told] = []
    nodes: set[tuple[str, str]] = set()
    for row in _read("rejected", readings, store):
        told.append(Told(row["book_id"], row["parent_id"], row["level"]))
        if row["level"] == "node":
            nodes.add((row["book_id"], row["node"]))

    def read_books() -> Iterator[Row]:
        for row in _read("books", readings, store):
            told.append(Told(row["book_id"], row["parent_id"], "out"))
            yield row

    yield from check_works(read_books(), _read("trajectories", readings, store), nodes, trainee)
    yield from check_bucket(bucket, told, num_buckets)


def _read(kind: str, readings: Sequence[ShardReading], store: Store) -> Iterator[Row]:
    """Yield the rows of one table of a bucket by id; the splits of a table are shards of their own."""
    tables = [reading.rows(store) for reading in readings if reading.shard.kind == kind]
    return merge(*tables, key=lambda row: row["book_id"])
