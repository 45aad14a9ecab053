"""Trajectory -> Parquet + Manifest: immutable shards in stable buckets, and a snapshot that is written last."""

from __future__ import annotations

import hashlib
import io
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from schemas.errors import ConfigError, PipelineError, TransientError
from schemas.runs import (
    SCHEMA_VERSION,
    Accounting,
    LayoutTally,
    Manifest,
    Outcome,
    ShardInfo,
    ShardKind,
    Tally,
    TokenTally,
)
from schemas.settings import ShardSettings
from tasks.keys import hash_json
from tasks.protocols import Store
from tasks.tables import SCHEMAS, SORT_KEYS, Row, count_rows, rows_of_book
from tasks.work import Work

logger = logging.getLogger(__name__)

MANIFESTS = "_manifests"
MAX_TRIES = 20  # of committing beside other writers: each try loses to a commit that succeeded
ZSTD_LEVEL = 3  # 347 MB per CPU second; level 9 is a third of that for 25 % less
# for these a book is not to blame: what the data set held of it stays, and the next run tries it again
UNAVAILABLE, CRASHED = "unavailable", "crashed"
SPLITS = ("train", "validation", "test")


def bucket_of(book_id: str, num_buckets: int) -> int:
    """Return the bucket of a book: by hash, so that growth moves no book."""
    return int(hashlib.sha256(book_id.encode()).hexdigest()[:8], 16) % num_buckets


def read_head(store: Store) -> Manifest | None:
    """Return the newest manifest of a data set, or None where there is none.

    Raises:
        ConfigError: it is damaged, or a later version of this project wrote it.
    """
    keys = [key for key in store.keys(MANIFESTS) if key.endswith(".json")]
    if not keys:
        return None
    try:
        return Manifest.model_validate_json(store.get(keys[-1]))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise ConfigError(
            f"{keys[-1]}: no manifest of schema {SCHEMA_VERSION} ({place}: {problem['msg']}); "
            "it is damaged or of a later version: take that version, or move the file away"
        ) from error


def write_shards(
    outcomes: Sequence[Outcome], parent: Manifest | None, work: Work, store: Store, settings: ShardSettings
) -> tuple[ShardInfo, ...]:
    """Write the shards of every bucket that these books touch; carry the others over.

    Args:
        outcomes: one a book of this run; they replace what the parent holds of the same books.
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
    for outcome in outcomes:
        touched[bucket_of(outcome.book_id, num_buckets)].append(outcome)
    shards = [shard for shard in (parent.shards if parent else ()) if shard.bucket not in touched]
    for bucket, members in sorted(touched.items()):
        old = [shard for shard in (parent.shards if parent else ()) if shard.bucket == bucket]
        shards.extend(_write_bucket(bucket, members, old, work, store, settings))
    return tuple(sorted(shards, key=lambda shard: (shard.kind, shard.split or "", shard.bucket)))


def total(shards: Sequence[ShardInfo]) -> tuple[Accounting, dict[str, dict[str, int]], TokenTally]:
    """Return the accounting, the rows by layout and split, and the tokens of a snapshot, from its shards' counts."""
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    tokens: Counter[str] = Counter()
    for shard in shards:
        for group, counts in shard.counts.items():
            if group == "tokens":
                tokens.update(counts)
            elif group == "layouts":
                for layout, number in counts.items():
                    rows[layout][shard.split or ""] += number
            else:
                reasons[group].update(counts)
    num_out = sum(shard.rows for shard in shards if shard.kind == "books")
    rejected = dict(sorted(reasons["book"].items()))
    books = Tally(in_=num_out + sum(rejected.values()), out=num_out, rejected=rejected)
    names = sorted({*rows, *(group.removeprefix("layout:") for group in reasons if group.startswith("layout:"))})
    layouts = {
        name: LayoutTally(made=rows[name].total(), refused=dict(sorted(reasons[f"layout:{name}"].items())))
        for name in names
    }
    tally = TokenTally(total=tokens["num_tokens"], plan=tokens["plan_tokens"], prose=tokens["prose_tokens"])
    return Accounting(books=books, works=books, layouts=layouts), {name: dict(rows[name]) for name in names}, tally


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


def read_rows(shard: ShardInfo, store: Store, columns: list[str] | None = None) -> list[Row]:
    """Return the rows of a shard."""
    return pq.read_table(io.BytesIO(store.get(shard.path)), columns=columns).to_pylist()  # type: ignore[no-any-return]


def _write_bucket(
    bucket: int, members: list[Outcome], old: list[ShardInfo], work: Work, store: Store, settings: ShardSettings
) -> list[ShardInfo]:
    rows: dict[ShardKind, list[Row]] = {"trajectories": [], "books": [], "rejected": []}
    for shard in old:
        rows[shard.kind].extend(read_rows(shard, store))
    held = {row["book_id"] for row in rows["books"]}
    members = [member for member in members if not (is_passing(member) and member.book_id in held)]
    replaced = {outcome.book_id for outcome in members}
    rows = {kind: [row for row in kept if row["book_id"] not in replaced] for kind, kept in rows.items()}
    expected = replaced | {row["book_id"] for row in rows["books"]} | _rejected_ids(rows["rejected"])
    for outcome in members:
        for kind, made in rows_of_book(outcome, work).items():
            rows[kind].extend(made)
    _check_accounts(expected, rows)
    shards = [write_shard("books", rows["books"], bucket, None, store, settings)]
    shards.append(write_shard("rejected", rows["rejected"], bucket, None, store, settings))
    for split in SPLITS:
        chosen = [row for row in rows["trajectories"] if row["split"] == split]
        shards.append(write_shard("trajectories", chosen, bucket, split, store, settings))
    return [shard for shard in shards if shard is not None]


def is_passing(outcome: Outcome) -> bool:
    """Tell whether a rejection is not the book's own: a mirror or server was down, or a stage has a bug."""
    return outcome.rejection is not None and outcome.rejection.reason in (UNAVAILABLE, CRASHED)


def _rejected_ids(rows: list[Row]) -> set[str]:
    return {row["book_id"] for row in rows if row["level"] == "book"}


def _check_accounts(expected: set[str], rows: dict[ShardKind, list[Row]]) -> None:
    out, rejected = [row["book_id"] for row in rows["books"]], _rejected_ids(rows["rejected"])
    without_rows = set(out) - {row["book_id"] for row in rows["trajectories"]}
    if len(out) + len(rejected) != len(expected) or set(out) | rejected != expected or without_rows:
        lost = sorted(expected - set(out) - rejected) or sorted(without_rows)
        raise PipelineError(
            f"books are not accounted for: {len(expected)} in, {len(out)} out, {len(rejected)} rejected; see {lost[:5]}"
        )


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
