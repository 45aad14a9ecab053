"""Trajectory -> Parquet + Manifest: immutable shards in stable buckets, and a snapshot that is written last."""

from __future__ import annotations

import hashlib
import io
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from schemas.errors import ConfigError, TransientError
from schemas.outcomes import Outcome
from schemas.runs import (
    SCHEMA_VERSION,
    Accounting,
    LayoutTally,
    Manifest,
    ShardInfo,
    ShardKind,
    Tally,
    TokenTally,
)
from schemas.settings import ShardSettings
from tasks.buckets import Rows, Withdrawal, bucket_of, merge_bucket, read_bucket
from tasks.counts import count_rows
from tasks.keys import hash_json
from tasks.protocols import Store
from tasks.tables import SCHEMAS, SORT_KEYS, Row
from tasks.work import Work

logger = logging.getLogger(__name__)

MANIFESTS = "_manifests"
MAX_TRIES = 20  # of committing beside other writers: each try loses to a commit that succeeded
ZSTD_LEVEL = 3  # 347 MB per CPU second; level 9 is a third of that for 25 % less
SPLITS = ("train", "validation", "test")


def read_snapshot(store: Store, version: int) -> Manifest | None:
    """Return a manifest by its version, or None where there is none; ConfigError as of `read_head`."""
    key = f"{MANIFESTS}/{version:020d}.json"
    return _read_manifest(key, store) if store.head(key, 1) is not None else None


def read_head(store: Store) -> Manifest | None:
    """Return the newest manifest of a data set, or None where there is none.

    Raises:
        ConfigError: it is damaged, or a later version of this project wrote it.
    """
    keys = [key for key in store.keys(MANIFESTS) if key.endswith(".json")]
    return _read_manifest(keys[-1], store) if keys else None


def _read_manifest(key: str, store: Store) -> Manifest:
    try:
        return Manifest.model_validate_json(store.get(key))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise ConfigError(
            f"{key}: no manifest of schema {SCHEMA_VERSION} ({place}: {problem['msg']}); "
            "it is damaged or of a later version: take that version, or move the file away"
        ) from error


@dataclass(frozen=True)
class Changes:
    """What a new snapshot changes in its parent.

    `outcomes` are one a book of this run; they replace what the parent holds of the same books. `withdrawn` are works
    that the parent holds and the new snapshot must not (taken down, or another edition is better), by id.
    """

    outcomes: Sequence[Outcome]
    withdrawn: Mapping[str, Withdrawal] = field(default_factory=dict)


def write_shards(
    changes: Changes, parent: Manifest | None, work: Work, store: Store, settings: ShardSettings
) -> tuple[ShardInfo, ...]:
    """Write the shards of every bucket that changes; carry the others over.

    Args:
        changes: the books of this run, and what is withdrawn.
        parent: the snapshot to build on.
        work: where the books' values lie.
        store: the data set.
        settings: the number of buckets counts only where there is no parent.

    Returns:
        All shards of the new snapshot, sorted by kind, split and bucket.

    Raises:
        PipelineError: a bucket's books are not all accounted for: in must equal out plus rejected.
    """
    num_buckets = parent.num_buckets if parent else settings.num_buckets
    touched: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in changes.outcomes:
        touched[bucket_of(outcome.book_id, num_buckets)].append(outcome)
    for withdrawal in changes.withdrawn.values():
        touched[bucket_of(withdrawal.book_id, num_buckets)] += []
    shards = [shard for shard in (parent.shards if parent else ()) if shard.bucket not in touched]
    for bucket, members in sorted(touched.items()):
        old = [shard for shard in (parent.shards if parent else ()) if shard.bucket == bucket]
        rows = merge_bucket(read_bucket(old, store), members, changes.withdrawn, work)
        shards.extend(_write_bucket(bucket, rows, store, settings))
    return tuple(sorted(shards, key=lambda shard: (shard.kind, shard.split or "", shard.bucket)))


def total(shards: Sequence[ShardInfo]) -> tuple[Accounting, dict[str, dict[str, int]], TokenTally]:
    """Return the accounting, the rows by layout and split, and the tokens of a snapshot, from its shards' counts."""
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    tokens: Counter[str] = Counter()
    out: Counter[str] = Counter()
    for shard in shards:
        for group, counts in _counts_of(shard).items():
            if group == "out":
                out.update(counts)
            elif group == "tokens":
                tokens.update(counts)
            elif group == "layouts":
                for layout, number in counts.items():
                    rows[layout][shard.split or ""] += number
            else:
                reasons[group].update(counts)
    books, works = (_tally(out[name], reasons[level]) for name, level in (("books", "book"), ("works", "work")))
    names = sorted({*rows, *(group.removeprefix("layout:") for group in reasons if group.startswith("layout:"))})
    layouts = {
        name: LayoutTally(made=rows[name].total(), refused=dict(sorted(reasons[f"layout:{name}"].items())))
        for name in names
    }
    tally = TokenTally(total=tokens["num_tokens"], plan=tokens["plan_tokens"], prose=tokens["prose_tokens"])
    accounting = Accounting(books=books, works=works, layouts=layouts, nodes=dict(sorted(reasons["node"].items())))
    return accounting, {name: dict(rows[name]) for name in names}, tally


def _counts_of(shard: ShardInfo) -> dict[str, dict[str, int]]:
    """Return a shard's counts; those of snapshots before stories were works of their own are completed."""
    if shard.kind == "books" and "out" not in shard.counts:
        return {"out": {"books": shard.rows, "works": shard.rows}}
    if shard.kind == "rejected" and "book" in shard.counts and "work" not in shard.counts:
        return {**shard.counts, "work": shard.counts["book"]}
    return shard.counts


def _tally(num_out: int, reasons: Counter[str]) -> Tally:
    return Tally(in_=num_out + reasons.total(), out=num_out, rejected=dict(sorted(reasons.items())))


def content_digest(shards: Sequence[ShardInfo]) -> str:
    """Return a hash of what a snapshot holds, whoever wrote it and when."""
    return hash_json([[shard.kind, shard.split, shard.bucket, shard.sha256] for shard in shards])


def run_digest(outcomes: Sequence[Outcome]) -> str:
    """Return a hash of what a build's books came to, in whatever order they finished."""
    return hash_json(sorted([outcome.book_id, outcome.digest()] for outcome in outcomes))


def commit(manifest: Manifest, store: Store) -> bool:
    """Write a manifest under its version; False where another writer was first."""
    key = f"{MANIFESTS}/{manifest.version:020d}.json"
    try:
        return store.put_if_absent(key, manifest.to_json())
    except TransientError:
        # after a time-out the answer may be lost and the write done: the nonce tells whose it is
        try:
            return Manifest.model_validate_json(store.get(key)).writer == manifest.writer
        except FileNotFoundError:
            return False


def _write_bucket(bucket: int, rows: Rows, store: Store, settings: ShardSettings) -> list[ShardInfo]:
    shards = [write_shard("books", rows["books"], bucket, None, store, settings)]
    shards.append(write_shard("rejected", rows["rejected"], bucket, None, store, settings))
    for split in SPLITS:
        chosen = [row for row in rows["trajectories"] if row["split"] == split]
        shards.append(write_shard("trajectories", chosen, bucket, split, store, settings))
    return [shard for shard in shards if shard is not None]


def write_shard(
    kind: ShardKind, rows: list[Row], bucket: int, split: str | None, store: Store, settings: ShardSettings
) -> ShardInfo | None:
    """Write rows as one Parquet file named by its sha256; None for no rows. Equal rows make equal bytes."""
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: tuple(str(row[name] or "") for name in SORT_KEYS[kind]))
    data = encode_rows(ordered, SCHEMAS[kind], settings.row_group_bytes)
    sha256 = hashlib.sha256(data).hexdigest()
    path = f"data/{kind}/{sha256}.parquet"
    store.put_if_absent(path, data)
    counts = count_rows(kind, ordered)
    return ShardInfo(
        kind=kind, path=path, sha256=sha256, rows=len(rows), bytes=len(data), bucket=bucket, split=split, counts=counts
    )


def encode_rows(rows: Sequence[Row], schema: pa.Schema, row_group_bytes: int) -> bytes:
    """Return rows as Parquet: zstd, row groups cut by bytes, content-defined chunks."""
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink, schema, compression="zstd", compression_level=ZSTD_LEVEL, use_content_defined_chunking=True
    ) as writer:
        group: list[Row] = []
        size = 0
        for row in rows:
            group.append(row)
            size += _text_bytes(row)
            if size >= row_group_bytes:
                writer.write_table(pa.Table.from_pylist(group, schema))
                group, size = [], 0
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema))
    return sink.getvalue()


def _text_bytes(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_text_bytes(item) for item in value.values())
    return sum(_text_bytes(item) for item in value) if isinstance(value, list | tuple) else 0
