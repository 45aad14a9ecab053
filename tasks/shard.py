"""Trajectory -> Parquet + Manifest: immutable shards in stable buckets, and a snapshot that is written last."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pydantic import ValidationError

from schemas.errors import ConfigError, PipelineError, TransientError
from schemas.outcomes import Outcome
from schemas.runs import (
    SCHEMA_VERSION,
    Accounting,
    LayoutTally,
    Manifest,
    ShardInfo,
    Tally,
    TokenTally,
)
from schemas.settings import ShardSettings
from tasks.buckets import Rows, Withdrawal, bucket_of, plan_bucket
from tasks.keys import hash_json
from tasks.protocols import Store
from tasks.sharding.merge import write_bucket
from tasks.story_rows import is_block, rows_of_stories
from tasks.tables import rows_of_book
from tasks.work import Work

logger = logging.getLogger(__name__)

MANIFESTS = "_manifests"
HEAD, PARENT = "head", "parent"  # names of snapshots, beside their numbers
MAX_TRIES = 20  # of committing beside other writers: each try loses to a commit that succeeded


def read_head(store: Store) -> Manifest | None:
    """Return the newest manifest of a data set, or None where there is none.

    Raises:
        ConfigError: it is damaged, or a later version of this project wrote it.
    """
    versions = list_versions(store)
    return read_manifest(store, versions[-1]) if versions else None


def list_versions(store: Store) -> list[int]:
    """Return the numbers of all snapshots of a data set, in order."""
    names = [key.rsplit("/", 1)[-1].removesuffix(".json") for key in store.keys(MANIFESTS) if key.endswith(".json")]
    return sorted(int(name) for name in names if name.isdecimal())


def manifest_key(version: int) -> str:
    """Return where the manifest of a snapshot lies."""
    return f"{MANIFESTS}/{version:020d}.json"


def read_manifest(store: Store, version: int) -> Manifest:
    """Return the manifest of one snapshot; those of every earlier schema are read as they are.

    Raises:
        ConfigError: it is damaged, or a later version of this project wrote it.
        FileNotFoundError: there is none.
    """
    key = manifest_key(version)
    data = store.get(key)
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        schema = _schema_of(data)
        if schema is not None and schema > SCHEMA_VERSION:
            raise ConfigError(
                f"{key}: it is of schema {schema}, this version reads 1 to {SCHEMA_VERSION}; take a later version"
            ) from error
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise ConfigError(
            f"{key}: no manifest of schema {SCHEMA_VERSION} ({place}: {problem['msg']}); "
            "it is damaged: move the file away, and the snapshot before it counts"
        ) from error


def require_versions(store: Store, out: str) -> list[int]:
    """Return the numbers of all snapshots; PipelineError with one clear line where there is none."""
    versions = list_versions(store)
    if not versions:
        raise PipelineError(f"{out}: no snapshot there; build one first: scriptorium build --out {out}")
    return versions


def find_snapshot(store: Store, name: str, out: str, beside: Manifest | None = None) -> Manifest:
    """Return a snapshot by its number, `head`, or `parent` (of `beside`, or of the newest).

    Raises:
        PipelineError: there is no data set.
        ConfigError: there is no snapshot of that name; the message tells which there are.
    """
    versions = require_versions(store, out)
    number: int | None = versions[-1] if name == HEAD else int(name) if name.isdecimal() else None
    if name == PARENT:
        number = (beside or read_manifest(store, versions[-1])).parent
    if number is None or number not in versions:
        listed = ", ".join(map(str, versions[-10:]))
        raise ConfigError(f"{out}: no snapshot {name!r}; there are {listed}, or say {HEAD} or {PARENT}")
    return read_manifest(store, number)


def _schema_of(data: bytes) -> int | None:
    """Return the schema that a manifest says it is of, if it says so."""
    try:
        schema = json.loads(data)["schema_version"]
    except (ValueError, KeyError, TypeError):
        return None
    return schema if isinstance(schema, int) else None


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
        plan = plan_bucket(bucket, old, members, changes.withdrawn, store)
        shards.extend(write_bucket(plan, old, partial(_load_rows, work=work), store, settings))
    return tuple(sorted(shards, key=lambda shard: (shard.kind, shard.split or "", shard.bucket)))


def _load_rows(outcome: Outcome, work: Work) -> Rows:
    """Return the rows of a book, or of a block of stories, which is what a book is in their accounts."""
    return rows_of_stories(outcome, work) if is_block(outcome) else rows_of_book(outcome, work)


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
    key = manifest_key(manifest.version)
    try:
        return store.put_if_absent(key, manifest.to_json())
    except TransientError:
        # after a time-out the answer may be lost and the write done: the nonce tells whose it is
        try:
            return Manifest.model_validate_json(store.get(key)).writer == manifest.writer
        except FileNotFoundError:
            return False
