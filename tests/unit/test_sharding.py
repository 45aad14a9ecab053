"""Rows -> Parquet as a stream: the same bytes whatever was carried over, groups cut by bytes, nothing left behind."""

import copy
import os
from functools import cache, partial
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.sharding.tables import Prose, book_row, trajectory_row
from schemas.books import CatalogueEntry
from schemas.errors import PipelineError
from schemas.outcomes import Outcome
from schemas.settings import ShardSettings
from tasks.backends.stores import LocalStore
from tasks.buckets import iter_rows, plan_bucket, read_rows
from tasks.sharding.arrow import read_batches, text_bytes
from tasks.sharding.merge import iter_rows as iter_new_rows
from tasks.sharding.merge import write_bucket
from tasks.sharding.writer import ShardWriter, to_batch
from tasks.tables import SCHEMAS

PROSE = Prose(0)
SMALL = ShardSettings(row_group_bytes=50_000)


def outcome(book_id):
    return Outcome(book_id=book_id, status="out", entry=CatalogueEntry(book_id=book_id))


def load(one, edition=0):
    """The rows of an invented book, anew: whoever changes them changes nobody else's."""
    return copy.deepcopy(_load(one.book_id, edition))


@cache
def _load(book_id, edition):
    """Four trajectories of 10 kB, one of them of another split, the book itself, and a note."""
    seed = sum(book_id.encode()) + edition
    rows = [trajectory_row(PROSE, book_id, 10_000, seed + at) | {"trajectory_id": f"{book_id}:{at}"} for at in range(4)]
    rows[3]["split"] = "test"
    note = {"book_id": book_id, "level": "note", "layout": "full-book", "reason": "long-prose", "detail": f"{seed}"}
    return {
        "trajectories": rows[::-1],
        "books": [book_row(PROSE, book_id, 5_000, seed)],
        "rejected": [{**dict.fromkeys(SCHEMAS["rejected"].names), **note}],
    }


def build(store, *runs, settings=SMALL):
    """Write one bucket in several runs, each on the shards of the one before; (books, edition) each."""
    shards = []
    for ids, edition in runs:
        plan = plan_bucket(0, shards, [outcome(name) for name in ids], {}, store)
        shards = write_bucket(plan, shards, partial(load, edition=edition), store, settings)
    return shards


IDS = ["1661", "1661-a", "2", "30", "4", "boat", "car"]


@pytest.mark.parametrize("order", [IDS, IDS[::-1], IDS[3:] + IDS[:3]])
@pytest.mark.parametrize("num_runs", [1, 2, 7])
def test_carried_and_new_rows_make_the_same_bytes(order, num_runs, tmp_path):
    whole = build(LocalStore(tmp_path / "whole"), (IDS, 0))
    runs = [(order[at::num_runs], 0) for at in range(num_runs)]
    assert build(LocalStore(tmp_path / "parts"), *runs) == whole
    assert {shard.kind for shard in whole} == {"books", "rejected", "trajectories"}


def test_a_book_that_comes_again_replaces_itself_and_nothing_else(tmp_path):
    store = LocalStore(tmp_path)
    first = build(store, (IDS, 0))
    again = build(store, (IDS, 0), (["30"], 1), (["30"], 0))
    assert again == first
    changed = build(store, (IDS, 0), (["30"], 1))
    rows = {shard.kind: read_rows(shard, store) for shard in changed if shard.split != "test"}
    assert [row["book_id"] for row in rows["books"]] == sorted(IDS)
    assert (
        next(row for row in rows["books"] if row["book_id"] == "30")["text"]
        == load(outcome("30"), 1)["books"][0]["text"]
    )


def test_rows_come_back_equal_and_in_order(tmp_path):
    store = LocalStore(tmp_path)
    shard = next(shard for shard in build(store, (IDS, 0)) if shard.split == "train")
    rows = list(iter_rows(shard, store))
    wanted = [row for name in IDS for row in load(outcome(name))["trajectories"] if row["split"] == "train"]
    assert rows == sorted(wanted, key=lambda row: (row["book_id"], row["trajectory_id"]))
    assert shard.rows == len(rows) == 21


def test_row_groups_hold_between_one_and_two_times_the_least_bytes(tmp_path):
    store = LocalStore(tmp_path)
    shard = next(shard for shard in build(store, ([f"b{at}" for at in range(40)], 0)) if shard.split == "train")
    facts = pq.ParquetFile(tmp_path / shard.path).metadata
    batches = list(read_batches(tmp_path / shard.path, "trajectories"))
    sizes = [size for batch in batches for size in text_bytes(batch).tolist()]
    at, groups = 0, []
    for number in range(facts.num_row_groups):
        end = at + facts.row_group(number).num_rows
        groups.append(sum(sizes[at:end]))
        at = end
    assert at == len(sizes)
    assert len(groups) > 10
    assert all(50_000 <= group < 100_000 for group in groups[:-1])
    assert groups[-1] < 100_000


def test_how_rows_arrive_does_not_matter(tmp_path):
    rows = [
        row for name in IDS for row in sorted(load(outcome(name))["trajectories"], key=lambda r: r["trajectory_id"])
    ]
    store, made = LocalStore(tmp_path), []
    for size in (1, 3, len(rows)):
        writer = ShardWriter("trajectories", "train", store.scratch(), 50_000)
        for at in range(0, len(rows), size):
            writer.add(to_batch("trajectories", rows[at : at + size]))
        made.append(writer.finish(0, store))
    assert made[0] == made[1] == made[2]


def test_one_book_more_or_less_moves_few_borders_of_row_groups(tmp_path):
    store = LocalStore(tmp_path)
    ids = [f"b{at:03d}" for at in range(120)]

    def groups(some):
        shard = next(shard for shard in build(store, (some, 0)) if shard.split == "train")
        file = pq.ParquetFile(tmp_path / shard.path)
        names = (
            file.read_row_group(at, ["trajectory_id"])["trajectory_id"].to_pylist() for at in range(file.num_row_groups)
        )
        return {tuple(group) for group in names}

    whole, without = groups(ids), groups(ids[:40] + ids[41:])
    assert len(whole) > 40
    assert len(whole - without) <= 3
    assert len(without - whole) <= 3


def test_an_unaccounted_book_leaves_no_file_behind(tmp_path):
    store = LocalStore(tmp_path)
    plan = plan_bucket(0, [], [outcome("boat")], {}, store)
    with pytest.raises(PipelineError, match="not accounted for"):
        write_bucket(plan, [], lambda one: {**load(one), "trajectories": []}, store, SMALL)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_stories_come_in_the_order_of_their_ids_though_another_book_lies_between():
    def stories(one):
        names = [one.book_id, f"{one.book_id}.01", f"{one.book_id}.02"] if one.book_id == "1661" else [one.book_id]
        return {"trajectories": [], "books": [{"book_id": name} for name in names], "rejected": []}

    plan = plan_bucket(0, [], [outcome("1661-a"), outcome("1661"), outcome("2")], {}, LocalStore("nowhere"))
    names = [[row["book_id"] for row in rows["books"]] for rows in iter_new_rows(plan, stories)]
    flat = [name for some in names for name in sorted(some)]
    assert flat == ["1661", "1661-a", "1661.01", "1661.02", "2"]
    assert all(first <= second for first, second in pairwise(flat))


def test_text_is_counted_in_bytes_at_every_depth():
    rows = [trajectory_row(PROSE, "b", 1_000, 1), trajectory_row(PROSE, "c", 2_000, 2)]
    rows[1]["stages"] = None
    rows[0]["stages"][0]["text"] = "für"
    batch = to_batch("trajectories", rows).slice(1)

    def count(value):
        if isinstance(value, str):
            return len(value.encode())
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return sum(count(part) for part in parts)

    assert text_bytes(batch).tolist() == [count(rows[1])]
    assert text_bytes(to_batch("trajectories", rows)).tolist() == [count(row) for row in rows]


def test_a_shard_that_lacks_a_column_is_carried_with_nulls(tmp_path):
    store = LocalStore(tmp_path)
    whole = build(store, (["boat"], 0))
    books = next(shard for shard in whole if shard.kind == "books")
    table = pq.read_table(tmp_path / books.path).drop_columns(["kind", "tags", "signature"])
    pq.write_table(table, tmp_path / "old.parquet")
    store.put_file_if_absent("data/books/old.parquet", tmp_path / "old.parquet")
    old = [books.model_copy(update={"path": "data/books/old.parquet"}), *(one for one in whole if one.kind != "books")]
    plan = plan_bucket(0, old, [outcome("car")], {}, store)
    assert write_bucket(plan, old, load, store, SMALL) == build(store, (["boat", "car"], 0))


def test_a_file_that_is_no_shard_is_named(tmp_path):
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no PAR1")
    with pytest.raises(PipelineError, match=r"bad\.parquet: it cannot be read"):
        list(read_batches(tmp_path / "bad.parquet", "books"))


def test_texts_get_no_dictionary_and_repeated_words_do(tmp_path):
    store = LocalStore(tmp_path)
    shard = next(shard for shard in build(store, (IDS, 0)) if shard.split == "train")
    group = pq.ParquetFile(tmp_path / shard.path).metadata.row_group(0)
    encodings = {group.column(at).path_in_schema: group.column(at).encodings for at in range(group.num_columns)}
    assert "RLE_DICTIONARY" not in encodings["stages.list.element.text"]
    assert "RLE_DICTIONARY" in encodings["stages.list.element.role"]
    assert group.column(0).compression == "ZSTD"
    assert pq.read_schema(tmp_path / shard.path).field("stages").type == SCHEMAS["trajectories"].field("stages").type
    assert pa.types.is_large_string(
        pq.read_schema(tmp_path / shard.path).field("messages").type.value_type["content"].type
    )


def test_a_shard_that_is_there_is_made_young_again(tmp_path):
    store = LocalStore(tmp_path)
    shard = build(store, (["boat"], 0))[0]
    before = store.ages("data")[shard.path]
    os.utime(tmp_path / shard.path, (0, 0))
    assert store.ages("data")[shard.path] > before + 1_000
    assert build(store, (["boat"], 0))[0] == shard
    assert store.ages("data")[shard.path] < 1_000
