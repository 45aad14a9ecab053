"""Rows of a bucket and what changes in it -> its new rows: every book is in or out once, or nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.books import Rejection
from schemas.errors import PipelineError
from schemas.outcomes import Outcome
from schemas.runs import Manifest, ShardInfo, ShardKind
from tasks.protocols import Store
from tasks.sharding.arrow import read_batches
from tasks.tables import SCHEMAS, Row, rejected_row

Rows = dict[ShardKind, list[Row]]

ACCOUNTED: dict[ShardKind, list[str]] = {  # what the accounts of a bucket are made of
    "trajectories": ["book_id"],
    "books": ["book_id", "parent_id", "title"],
    "rejected": ["book_id", "parent_id", "level"],
}

# for these a book is not to blame: what the data set held of it stays, and the next run tries it again
UNAVAILABLE, CRASHED, OVER_BUDGET = "unavailable", "crashed", "over-budget"


class Withdrawal(NamedTuple):
    """A work that leaves a data set: the book it is in (itself, or its collection), and why."""

    book_id: str
    rejection: Rejection


@dataclass(frozen=True)
class BucketPlan:
    """What becomes of a bucket.

    `dropped` are the works whose old rows go, `kept` what the accounts need of the other old rows, `added` the rows of
    withdrawals, `members` the books whose rows come, `expected` the books that must be out or rejected in the end.
    """

    bucket: int
    dropped: frozenset[str]
    kept: Rows
    added: Sequence[Row]
    members: Sequence[Outcome]
    expected: frozenset[str]


@dataclass
class Accounts:
    """Which books of a bucket are out, and which are rejected, as its rows go by."""

    out: set[str] = field(default_factory=set)
    works: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    with_rows: set[str] = field(default_factory=set)

    def add(self, kind: ShardKind, rows: Sequence[Row]) -> None:
        """Count rows of the new bucket."""
        if kind == "trajectories":
            self.with_rows.update(row["book_id"] for row in rows)
        elif kind == "books":
            self.works += [row["book_id"] for row in rows]
            self.out.update(row["parent_id"] or row["book_id"] for row in rows)
        else:
            self.rejected += _rejected_ids(rows)

    def check(self, expected: frozenset[str]) -> None:
        """Raise PipelineError unless every book is out, each of its works with a trajectory, or rejected once."""
        without_rows = set(self.works) - self.with_rows
        found = self.out | set(self.rejected)
        is_one_each = len(set(self.works)) == len(self.works) and len(self.out) + len(self.rejected) == len(expected)
        if not is_one_each or found != expected or without_rows:
            lost = sorted(expected - found) or sorted(without_rows)
            raise PipelineError(
                f"books are not accounted for: {len(expected)} in, {len(self.out)} out, "
                f"{len(self.rejected)} rejected; see {lost[:5]}"
            )


def bucket_of(book_id: str, num_buckets: int) -> int:
    """Return the bucket of a book, and of the stories in it: by hash, so that growth moves no book."""
    return int(hashlib.sha256(book_id.encode()).hexdigest()[:8], 16) % num_buckets


def iter_rows(shard: ShardInfo, store: Store, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """Yield the rows of a shard, a few of them in memory at once; a column that is younger than the shard is empty."""
    with store.file(shard.path) as path:
        for batch in read_batches(path, shard.kind, columns):
            yield from batch.to_pylist()


def read_rows(shard: ShardInfo, store: Store, columns: Sequence[str] | None = None) -> list[Row]:
    """Return the rows of a shard; a column that is younger than the shard is empty."""
    return list(iter_rows(shard, store, columns))


def read_table(manifest: Manifest, kind: ShardKind, store: Store, columns: list[str] | None) -> list[Row]:
    """Return the rows of one table of a snapshot, by id."""
    rows = [row for shard in manifest.shards if shard.kind == kind for row in read_rows(shard, store, columns)]
    return sorted(rows, key=lambda row: (len(row["book_id"]), row["book_id"]))


def plan_bucket(
    bucket: int,
    old: Sequence[ShardInfo],
    members: Sequence[Outcome],
    withdrawn: Mapping[str, Withdrawal],
    store: Store,
) -> BucketPlan:
    """Return what becomes of a bucket: what it held and is neither replaced nor withdrawn, and these books' own."""
    kept: Rows = {kind: [] for kind in SCHEMAS}
    for shard in old:
        kept[shard.kind] += read_rows(shard, store, ACCOUNTED[shard.kind])
    owners = {row["book_id"]: row["parent_id"] or row["book_id"] for row in (*kept["rejected"], *kept["books"])}
    held = {owners[row["book_id"]] for row in kept["books"]}
    members = [member for member in members if not (is_passing(member) and member.book_id in held)]
    replaced = {outcome.book_id for outcome in members}
    dropped = {row_id for row_id, owner in owners.items() if owner in replaced}
    _drop(dropped, kept)
    expected = replaced | {owners[row["book_id"]] for row in kept["books"]} | set(_rejected_ids(kept["rejected"]))
    added: list[Row] = []
    for work_id, withdrawal in sorted(withdrawn.items()):
        if withdrawal.book_id not in replaced and (rows := _withdraw(work_id, withdrawal, kept)):
            dropped.add(work_id)
            added += rows
    return BucketPlan(bucket, frozenset(dropped), kept, added, members, frozenset(expected))


def _drop(row_ids: set[str], rows: Rows) -> None:
    for kind in rows:
        rows[kind] = [row for row in rows[kind] if row["book_id"] not in row_ids]


def _withdraw(work_id: str, withdrawal: Withdrawal, rows: Rows) -> list[Row]:
    """Drop a work's rows and return its rejection, and its collection's where that has no other story left."""
    titles = [row["title"] for row in rows["books"] if row["book_id"] == work_id]
    if not titles:
        return []
    _drop({work_id}, rows)
    book_id, rejection = withdrawal
    if book_id == work_id:
        return [rejected_row("book", rejection, titles[0])]
    added = [rejected_row("work", rejection, titles[0], book_id)]
    if not any(row["parent_id"] == book_id for row in rows["books"]):
        whole = rejection.model_copy(update={"book_id": book_id, "detail": f"its last story: {rejection.detail}"})
        added.append(rejected_row("book", whole, None))
    return added


def is_passing(outcome: Outcome) -> bool:
    """Tell whether a rejection is not the book's own: a server was down, a stage has a bug, the budget was spent."""
    return outcome.rejection is not None and outcome.rejection.reason in (UNAVAILABLE, CRASHED, OVER_BUDGET)


def is_over_budget(outcome: Outcome) -> bool:
    """Tell whether a book waits for a run with money left."""
    return outcome.rejection is not None and outcome.rejection.reason == OVER_BUDGET


def _rejected_ids(rows: Sequence[Row]) -> list[str]:
    return [row["book_id"] for row in rows if row["level"] == "book"]
