"""Manifest + rows -> report/: static pages of what was made, what was refused, and how good it is."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from pydantic import Field, ValidationError

from schemas.runs import Manifest, ShardInfo
from schemas.value import Value
from tasks.buckets import iter_rows
from tasks.keys import code_digest, hash_json
from tasks.protocols import Store
from tasks.reporting import book_page
from tasks.reporting.frame import digest_templates
from tasks.reporting.lists import BOOK_COLUMNS, REFUSED_COLUMNS, render_lists
from tasks.reporting.naming import FOLDER, name_page
from tasks.reporting.reading import read_list
from tasks.tables import Row

logger = logging.getLogger(__name__)

RECORD = f"{FOLDER}/pages.json"
Bucket = list[ShardInfo]


class Record(Value):
    """What the pages of books that lie in a report were made of, so that those of unchanged buckets are left alone."""

    made_by: str = ""
    buckets: dict[int, str] = Field(default_factory=dict, description="hash of a bucket's shards, by number")


def write_report(manifest: Manifest, store: Store) -> None:
    """Write the pages of a snapshot whose shards are written, and remove those of works that it does not hold.

    Each page is put whole and the overview after the books it links to, so a build that is stopped anywhere leaves
    pages that open. The record is put before the first page without the buckets that change, and again when all is
    done: what a stopped build or another writer left half done is written anew by the next.

    Args:
        manifest: the snapshot.
        store: the data set.
    """
    buckets = group_buckets(manifest)
    wanted = Record(
        made_by=hash_json([code_digest(book_page.__name__), digest_templates()]),
        buckets={number: hash_json([shard.sha256 for shard in shards]) for number, shards in buckets.items()},
    )
    found = read_record(store)
    kept = {
        number: digest
        for number, digest in wanted.buckets.items()
        if found.made_by == wanted.made_by and found.buckets.get(number) == digest
    }
    store.put(RECORD, wanted.model_copy(update={"buckets": kept}).to_json())
    for number in sorted(buckets.keys() - kept.keys()):
        for row, refused in iter_books(buckets[number], store):
            store.put(f"{FOLDER}/{name_page(row['book_id'])}", book_page.render_book(row, refused))
    books = read_list(manifest, "books", store, BOOK_COLUMNS)
    paged = {row["book_id"] for row in books.select(["book_id", "kind"]).to_pylist() if has_page(row)}
    names = {name_page(book_id) for book_id in paged}
    for name, page in render_lists(manifest, books, read_list(manifest, "rejected", store, REFUSED_COLUMNS), paged):
        store.put(f"{FOLDER}/{name}", page)
        names.add(name)
    remove_others(names, store)
    store.put(RECORD, wanted.to_json())
    logger.info("report: %d books, pages of %d buckets written", len(books), len(buckets) - len(kept))


def has_page(row: Row) -> bool:
    """Tell whether a row of `books` has a page of its own: a story of a few lines is only listed."""
    return bool(row["kind"] != "story")


def group_buckets(manifest: Manifest) -> Mapping[int, Bucket]:
    """Return the shards that pages of books are made of, by bucket."""
    buckets: defaultdict[int, Bucket] = defaultdict(list)
    for shard in manifest.shards:
        if shard.kind in ("books", "rejected"):
            buckets[shard.bucket].append(shard)
    return buckets


def iter_books(bucket: Bucket, store: Store) -> Iterator[tuple[Row, list[Row]]]:
    """Yield the books of a bucket that have a page, one at a time, each with its rows of `rejected`."""
    refused: defaultdict[str, list[Row]] = defaultdict(list)
    columns = ("book_id", "level", "layout", "reason", "detail")
    for row in (row for shard in bucket if shard.kind == "rejected" for row in iter_rows(shard, store, columns)):
        refused[row["book_id"]].append(row)
    for shard in bucket:
        if shard.kind == "books":
            for row in iter_rows(shard, store, (*book_page.COLUMNS, "kind")):
                if has_page(row):
                    yield row, refused[row["book_id"]]


def remove_others(names: Collection[str], store: Store) -> None:
    """Remove every page that is not of this snapshot: no page may keep a text that was taken down."""
    for key in store.keys(FOLDER):
        if key.endswith(".html") and key.removeprefix(f"{FOLDER}/") not in names:
            store.delete(key)


def read_record(store: Store) -> Record:
    """Return what a report says of its pages; nothing where there is none, or none that can be read."""
    try:
        return Record.model_validate_json(store.get(RECORD))
    except (FileNotFoundError, ValidationError):
        return Record()
