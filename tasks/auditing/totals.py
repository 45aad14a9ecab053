"""What was counted again -> problems: books in their buckets, each once; totals as the manifest says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.runs import Manifest, ShardInfo
from tasks.buckets import bucket_of
from tasks.shard import content_digest, total


class Told(NamedTuple):
    """What a row says of the book it belongs to; `level` is 'out' for rows of the table books."""

    book_id: str
    parent_id: str | None
    level: str


def check_bucket(bucket: int, rows: Sequence[Told], num_buckets: int) -> Iterator[str]:
    """Every book is there once, out or rejected, in its bucket."""
    seen = Counter(row.book_id for row in rows if row.level in ("out", "book", "work"))
    yield from (f"book {book_id}: {number} times in the snapshot" for book_id, number in seen.items() if number > 1)
    rejected = {row.book_id for row in rows if row.level == "book"}
    both = sorted({row.parent_id for row in rows if row.level == "out" and row.parent_id} & rejected)
    yield from (f"book {book_id}: rejected, but stories of it are out" for book_id in both)
    owners = {row.book_id: row.parent_id or row.book_id for row in rows}
    strays = [book_id for book_id in seen if bucket_of(owners[book_id], num_buckets) != bucket]
    yield from (f"book {book_id}: in bucket {bucket}, not its own" for book_id in strays)


def check_totals(manifest: Manifest, shards: Sequence[ShardInfo]) -> Iterator[str]:
    """The manifest's totals are those of its shards, and every book that went in is out or rejected."""
    accounting, trajectories, tokens = total(shards)
    for name, found, said in (
        ("accounting", accounting, manifest.accounting),
        ("trajectories", trajectories, manifest.trajectories),
        ("tokens", tokens, manifest.tokens),
    ):
        if found != said:
            yield f"manifest {manifest.version}: {name} is {found}, it says {said}"
    for name, tally in (("books", manifest.accounting.books), ("works", manifest.accounting.works)):
        if tally.in_ != tally.out + tally.num_rejected:
            yield f"manifest {manifest.version}: {tally.in_} {name} in, {tally.out} out, {tally.num_rejected} rejected"
    if content_digest(manifest.shards) != manifest.content_sha256:
        yield f"manifest {manifest.version}: its content hash is wrong"
