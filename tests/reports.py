"""Small data sets written straight to a store, for tests of what is shown of them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.books import Division, SegmentedBook
from schemas.ledger import Ledger, Usage
from schemas.runs import Accounting, LayoutTally, Manifest, ShardInfo, ShardKind, Tally, TokenTally
from schemas.scaffold import Finding, Findings, Scaffold
from tasks.backends.stores import LocalStore
from tasks.buckets import bucket_of
from tasks.report import write_report
from tasks.tables import SCHEMAS, Row
from tests.scaffolds import make_book, write_paragraphs

NUM_BUCKETS = 4
HOSTILE = (
    "<script>window.pwned = 1</script>",
    "\"><img src=x onerror='window.pwned = 1'>",
    "' onmouseover='window.pwned = 1' x='",
    "</style></script><svg onload=window.pwned=1>",
    "javascript:window.pwned=1",
    "<!-- ]]> --> &lt;b&gt; &#x3c;i>",
    "{{ 7 * 7 }}{% raw %}",
    "../../../etc/passwd?a=b&c#d%2e%00",
    "\u202egnihtemos\u2066 \u2028 \ufeff",
)


def a_book(book_id: str = "7", num_chapters: int = 3, num_paragraphs: int = 24) -> tuple[SegmentedBook, Scaffold]:
    """A book of chapters of two scenes each, and its plan."""
    half = num_paragraphs // 2 * 60
    book, scaffold = make_book([[write_paragraphs(half), write_paragraphs(half)]] * num_chapters, book_id=book_id)
    return book, scaffold.model_copy(update={"book_id": book_id})


def book_row(book: SegmentedBook, scaffold: Scaffold | None, findings: Sequence[Finding] = (), **changes: Any) -> Row:
    """The row of a book as a snapshot holds it."""
    entry = book.entry
    return {
        **dict.fromkeys(SCHEMAS["books"].names),
        **entry.model_dump(include={"book_id", "title", "authors", "languages", "issued", "rights", "parent_id"}),
        "split": "train",
        "kind": "book",
        "num_words": len(book.text.split()),
        "num_chapters": sum(1 for _ in book.chapters()),
        "text": book.text,
        "divisions": [row for division in book.divisions for row in _flatten(division, 0)],
        "scaffold": scaffold.model_dump_json() if scaffold else None,
        "findings": Findings(book_id=entry.book_id, findings=tuple(findings)).model_dump_json() if scaffold else None,
        **changes,
    }


def _flatten(division: Division, depth: int) -> list[Row]:
    fields = division.model_dump(include={"level", "kind", "label", "title", "start", "body_start", "end"})
    return [{"depth": depth, **fields}, *(row for child in division.children for row in _flatten(child, depth + 1))]


def refused_row(book_id: str, level: str, reason: str, **fields: Any) -> Row:
    """A row of `rejected`."""
    return {
        **dict.fromkeys(SCHEMAS["rejected"].names),
        "book_id": book_id,
        "level": level,
        "reason": reason,
        "stage": "compose",
        "title": "The Lamp",
        "detail": f"{reason} of {book_id}",
        **fields,
    }


def publish(
    store: LocalStore, books: Sequence[Row], refused: Sequence[Row] = (), *, version: int = 1, **fields: Any
) -> Manifest:
    """Write the shards and the report of a snapshot; return its manifest."""
    manifest = make_manifest(write_tables(store, books, refused), version=version, **fields)
    write_report(manifest, store)
    return manifest


def write_tables(store: LocalStore, books: Sequence[Row], refused: Sequence[Row] = ()) -> tuple[ShardInfo, ...]:
    """Write shards in their buckets, each under the hash of its bytes."""
    tables: tuple[tuple[ShardKind, Sequence[Row]], ...] = (("books", books), ("rejected", refused))
    shards = []
    for kind, rows in tables:
        for bucket in range(NUM_BUCKETS):
            mine = [row for row in rows if bucket_of(row["parent_id"] or row["book_id"], NUM_BUCKETS) == bucket]
            if mine:
                shards.append(write_shard(store, kind, bucket, pa.Table.from_pylist(mine, SCHEMAS[kind])))
    return tuple(shards)


def write_shard(store: LocalStore, kind: ShardKind, bucket: int, table: pa.Table) -> ShardInfo:
    """Write one shard of any columns."""
    sink = io.BytesIO()
    pq.write_table(table, sink)
    data = sink.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    path = f"data/{kind}/{digest}.parquet"
    store.put(path, data)
    return ShardInfo(kind=kind, path=path, sha256=digest, rows=len(table), bytes=len(data), bucket=bucket)


def make_manifest(shards: tuple[ShardInfo, ...], **fields: Any) -> Manifest:
    """A manifest of these shards; what nothing was said of is invented."""
    usage = Usage(calls=12, prompt_tokens=3_400, completion_tokens=560, seconds=7.5)
    num_books = sum(shard.rows for shard in shards if shard.kind == "books")
    known: dict[str, Any] = {
        "version": 1,
        "accounting": Accounting(
            books=Tally(in_=num_books + 1, out=num_books, rejected={"too_short": 1}),
            works=Tally(in_=num_books + 1, out=num_books, rejected={"too_short": 1}),
            layouts={"full-book": LayoutTally(made=num_books, refused={"over-window": 1})},
        ),
        "trajectories": {"full-book": {"train": num_books}},
        "tokens": TokenTally(total=9_000, plan=2_000, prose=5_000),
        "num_buckets": NUM_BUCKETS,
        "settings": {"out": "data", "compose": {"layouts": ["full-book"]}},
        "models": {"summarizer": "stand-in@main", "reader": "words", "trainee": "words"},
        "prompts": {"read": "ab" * 32},
        "versions": {"python": "3.11"},
        "content_sha256": hashlib.sha256(json.dumps([shard.sha256 for shard in shards]).encode()).hexdigest(),
        "run_sha256": "cd" * 32,
        "writer": "test",
        "created": "2026-01-01T00:00:00+00:00",
        "ledger": Ledger(**usage.model_dump(), levels={"read": usage}, gpu_hours=0.25, cost=1.5),
    }
    return Manifest(shards=shards, **known | fields)
