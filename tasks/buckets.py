"""Rows of a bucket and what changes in it -> its new rows: every book is in or out once, or nothing is written."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow.parquet as pq

from schemas.books import Rejection
from schemas.errors import PipelineError
from schemas.outcomes import Outcome
from schemas.runs import Manifest, ShardInfo, ShardKind
from tasks.protocols import Store
from tasks.story_rows import is_block, rows_of_stories
from tasks.tables import SCHEMAS, Row, rejected_row, rows_of_book
from tasks.work import Work

Rows = dict[ShardKind, list[Row]]

# for these a book is not to blame: what the data set held of it stays, and the next run tries it again
UNAVAILABLE, CRASHED, OVER_BUDGET = "unavailable", "crashed", "over-budget"


class Withdrawal(NamedTuple):
    """A work that leaves a data set: the book it is in (itself, or its collection), and why."""

    book_id: str
    rejection: Rejection


def bucket_of(book_id: str, num_buckets: int) -> int:
    """Return the bucket of a book, and of the stories in it: by hash, so that growth moves no book."""
    return int(hashlib.sha256(book_id.encode()).hexdigest()[:8], 16) % num_buckets


def read_rows(shard: ShardInfo, store: Store, columns: list[str] | None = None) -> list[Row]:
    """Return the rows of a shard."""
    return pq.read_table(io.BytesIO(store.get(shard.path)), columns=columns).to_pylist()  # type: ignore[no-any-return]


def read_table(manifest: Manifest, kind: ShardKind, store: Store, columns: list[str] | None) -> list[Row]:
    """Return the rows of one table of a snapshot, by id."""
    rows = [row for shard in manifest.shards if shard.kind == kind for row in read_rows(shard, store, columns)]
    return sorted(rows, key=lambda row: (len(row["book_id"]), row["book_id"]))


def read_bucket(shards: Sequence[ShardInfo], store: Store) -> Rows:
    """Return the rows of one bucket's shards; a column that is younger than a shard is empty."""
    rows: Rows = {"trajectories": [], "books": [], "rejected": []}
    for shard in shards:
        names = SCHEMAS[shard.kind].names
        rows[shard.kind].extend({name: row.get(name) for name in names} for row in read_rows(shard, store))
    return rows


def merge_bucket(old: Rows, members: Sequence[Outcome], withdrawn: Mapping[str, Withdrawal], work: Work) -> Rows:
    """Return a bucket's rows: of what it held, whatever is not replaced or withdrawn; then these books' own."""
    owners = {row["book_id"]: row.get("parent_id") or row["book_id"] for rows in old.values() for row in rows}
    owners |= {row["book_id"]: row["parent_id"] for row in old["books"] if row.get("parent_id")}
    held = {owners[row["book_id"]] for row in old["books"]}
    members = [member for member in members if not (is_passing(member) and member.book_id in held)]
    replaced = {outcome.book_id for outcome in members}
    rows: Rows = {kind: [row for row in kept if owners[row["book_id"]] not in replaced] for kind, kept in old.items()}
    expected = replaced | {owners[row["book_id"]] for row in rows["books"]} | _rejected_ids(rows["rejected"])
    for work_id, withdrawal in sorted(withdrawn.items()):
        if withdrawal.book_id not in replaced:
            _withdraw(work_id, withdrawal, rows)
    for outcome in members:
        made_rows = rows_of_stories(outcome, work) if is_block(outcome) else rows_of_book(outcome, work)
        for kind, made in made_rows.items():
            rows[kind].extend(made)
    _check_accounts(expected, rows)
    return rows


def _withdraw(work_id: str, withdrawal: Withdrawal, rows: Rows) -> None:
    """Replace a work's rows by its rejection, and by its collection's where that has no other story left."""
    titles = [row["title"] for row in rows["books"] if row["book_id"] == work_id]
    if not titles:
        return
    for kind in rows:
        rows[kind] = [row for row in rows[kind] if row["book_id"] != work_id]
    book_id, rejection = withdrawal
    if book_id == work_id:
        rows["rejected"].append(rejected_row("book", rejection, titles[0]))
        return
    rows["rejected"].append(rejected_row("work", rejection, titles[0], book_id))
    if not any(row["parent_id"] == book_id for row in rows["books"]):
        whole = rejection.model_copy(update={"book_id": book_id, "detail": f"its last story: {rejection.detail}"})
        rows["rejected"].append(rejected_row("book", whole, None))


def is_passing(outcome: Outcome) -> bool:
    """Tell whether a rejection is not the book's own: a server was down, a stage has a bug, the budget was spent."""
    return outcome.rejection is not None and outcome.rejection.reason in (UNAVAILABLE, CRASHED, OVER_BUDGET)


def is_over_budget(outcome: Outcome) -> bool:
    """Tell whether a book waits for a run with money left."""
    return outcome.rejection is not None and outcome.rejection.reason == OVER_BUDGET


def _rejected_ids(rows: list[Row]) -> set[str]:
    return {row["book_id"] for row in rows if row["level"] == "book"}


def _check_accounts(expected: set[str], rows: Rows) -> None:
    """Raise unless every book is either out, each of its works with a trajectory, or rejected once."""
    out = {row["parent_id"] or row["book_id"] for row in rows["books"]}
    rejected = [row["book_id"] for row in rows["rejected"] if row["level"] == "book"]
    works = [row["book_id"] for row in rows["books"]]
    without_rows = set(works) - {row["book_id"] for row in rows["trajectories"]}
    num_found = len(out) + len(rejected)
    if num_found != len(expected) or out | set(rejected) != expected or len(set(works)) != len(works) or without_rows:
        lost = sorted(expected - out - set(rejected)) or sorted(without_rows)
        raise PipelineError(
            f"books are not accounted for: {len(expected)} in, {len(out)} out, {len(rejected)} rejected; see {lost[:5]}"
        )
