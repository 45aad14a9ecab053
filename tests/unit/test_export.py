"""Snapshot -> a folder that others load, whole or not at all."""

from __future__ import annotations

import hashlib
import json

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import load_dataset

from schemas.errors import ConfigError, PipelineError
from schemas.exports import ExportSelection
from schemas.runs import ShardInfo
from schemas.scaffold import Scaffold
from tasks.backends.folders import writing_folder
from tasks.export import CARD, CONTENTS, export_snapshot
from tasks.exporting import reading
from tasks.exporting.longpage import build_tree
from tasks.exporting.reading import iter_tables
from tasks.exporting.series import Series
from tasks.sharding.arrow import read_batches
from tasks.tables import SCHEMAS, _division_rows
from tests.compositions import TWO_CHAPTERS, quarantine
from tests.scaffolds import make_book, write_paragraphs
from tests.snapshots import write_data

RUNG = "chapter-window-8k"


def a_book(name, author, *, trainable=True, lost=(), title="The Lamp"):
    chapters = [[write_paragraphs(200 + len(name), 30)], [write_paragraphs(150), write_paragraphs(90)]]
    book, scaffold = make_book(chapters, book_id=name, authors=(author,), title=f"{title} {name}")
    scaffold = quarantine(scaffold, *lost).model_copy(update={"book_id": name, "trainable": trainable})
    return book, scaffold


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four books on three sides, one of them not to be trained on."""
    folder = tmp_path_factory.mktemp("data") / "out"
    books = [a_book("one", "Marsh, Ada"), a_book("two", "Author 11"), a_book("three", "Reve, T")]
    return write_data(folder, [*books, a_book("copy", "Tarn, B", trainable=False)])


def export(data, folder, form="hub", **wanted):
    manifest, store = data
    folder.mkdir(exist_ok=True)
    return export_snapshot(manifest, store, folder, form, ExportSelection(**wanted), is_head=True)


def digests(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_row_of_a_snapshot_is_in_an_export_once(data, tmp_path):
    manifest, _ = data
    contents = export(data, tmp_path)
    assert sum(file.rows for file in contents.files) == sum(shard.rows for shard in manifest.shards)
    layouts = ["chapter-window-2k", RUNG, "first-chapter", "full-book"]
    assert list(contents.rows) == [*layouts, "books"]
    assert contents.rows["books"] == {"train": 2, "validation": 1, "test": 1}
    for file in contents.files:
        assert pq.read_metadata(tmp_path / file.path).num_rows == file.rows
        assert hashlib.sha256((tmp_path / file.path).read_bytes()).hexdigest() == file.sha256
    assert json.loads((tmp_path / CONTENTS).read_text())["snapshot"] == manifest.version
    assert (tmp_path / "report" / "index.html").is_file()
    assert (tmp_path / "SNAPSHOT.md").is_file()


def test_datasets_polars_pyarrow_and_duckdb_read_an_export_and_agree(data, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    contents = export(data, tmp_path / "x")
    loaded = load_dataset(str(tmp_path / "x"), RUNG, split="train", cache_dir=str(tmp_path / "cache"))
    files = [str(tmp_path / "x" / file.path) for file in contents.files if (file.config, file.split) == (RUNG, "train")]
    ids = loaded["trajectory_id"]
    assert ids
    assert list(ids) == polars.read_parquet(files)["trajectory_id"].to_list()
    assert list(ids) == pq.read_table(files[0])["trajectory_id"].to_pylist()
    assert [(name,) for name in ids] == duckdb.sql(f"select trajectory_id from read_parquet({files})").fetchall()
    assert {(row["layout"], row["window"]) for row in loaded} == {("chapter-window", 8_192)}


def test_equal_snapshots_give_equal_files(data, tmp_path):
    export(data, tmp_path / "a")
    export(data, tmp_path / "b")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_the_card_lists_every_file_under_its_config_and_side(data, tmp_path):
    contents = export(data, tmp_path)
    front = yaml.safe_load((tmp_path / CARD).read_text().split("---\n")[1])
    listed = [
        (config["config_name"], part["split"], path)
        for config in front["configs"]
        for part in config["data_files"]
        for path in part["path"]
    ]
    assert listed == [(file.config, file.split, file.path) for file in contents.files]
    assert front["license"] == "other"
    assert [config["config_name"] for config in front["configs"] if config.get("default")] == ["chapter-window-2k"]


def test_only_what_is_wanted_is_exported_and_the_rest_is_counted(data, tmp_path):
    manifest, _ = data
    contents = export(data, tmp_path, windows=(8_192,), splits=("train",), trainable_only=True)
    assert set(contents.rows) - {"rejected"} == {RUNG, "books"}
    assert all(set(splits) == {"train"} for splits in contents.rows.values())
    num_out = sum(file.rows for file in contents.files)
    assert num_out + sum(contents.left_out.values()) == sum(shard.rows for shard in manifest.shards)
    left_out = {"books: other-split": 2, "books: untrainable": 1}
    assert {name: number for name, number in contents.left_out.items() if name.startswith("books")} == left_out
    assert contents.left_out["trajectories: untrainable"] > 0


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"layouts": ("sonnet",)}, "--layout sonnet: snapshot 1 has chapter-window, first-chapter, full-book"),
        ({"splits": ("dev",)}, "--split dev: snapshot 1 has train, validation, test"),
        ({"windows": (512,)}, "no trajectory is left of windows"),
    ],
)
def test_what_a_snapshot_does_not_hold_is_one_clear_line(data, tmp_path, wanted, told):
    with pytest.raises(ConfigError, match=told):
        export(data, tmp_path, **wanted)


def test_files_are_of_bounded_size_and_numbered(data, tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.exporting.series.GROUP_BYTES", 1)
    manifest, store = data
    series = Series(tmp_path, "train", SCHEMAS["trajectories"], file_bytes=1)
    for table in iter_tables(manifest, "trajectories", store):
        for at in range(table.num_rows):
            series.add(table.slice(at, 1))
    names = [path.name for path in series.close()]
    assert len(names) == series.num_rows > 2
    assert names[1] == f"train-00001-of-{len(names):05d}.parquet"
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_file_that_lost_a_row_on_the_way_is_found(data, tmp_path, monkeypatch):
    manifest, store = data
    series = Series(tmp_path, "train", SCHEMAS["trajectories"])
    series.add(next(iter_tables(manifest, "trajectories", store)))
    series._pending = [series._pending[0].slice(1)]
    with pytest.raises(PipelineError, match="or in another order"):
        series.close()


def test_rows_of_an_earlier_schema_get_the_columns_that_came_later(data, tmp_path):
    manifest, store = data
    held = next(iter_tables(manifest, "books", store))
    pq.write_table(held.drop_columns(["kind", "public_domain", "outlines"]), tmp_path / "old.parquet")
    table = pa.Table.from_batches(read_batches(tmp_path / "old.parquet", "books"))
    assert table.schema == SCHEMAS["books"]
    assert table["kind"].to_pylist() == [None] * table.num_rows
    assert table["text"].to_pylist() == held["text"].to_pylist()


def test_a_shard_that_is_gone_or_short_is_one_clear_line(data):
    manifest, store = data
    gone = ShardInfo(kind="books", path="data/books/0.parquet", sha256="0", rows=1, bytes=1, bucket=0)
    with pytest.raises(PipelineError, match="missing or damaged"):
        list(reading._iter_shard(gone, store))
    shard = next(one for one in manifest.shards if one.kind == "books")
    with pytest.raises(PipelineError, match="the manifest says 99"):
        list(reading._iter_shard(shard.model_copy(update={"rows": 99}), store))


def test_an_export_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "there"

    def stop_halfway():
        with writing_folder(str(target), first=CONTENTS, last=CARD, force=False) as folder:
            (folder / "half").write_text("x")
            raise PipelineError("lost")

    with pytest.raises(PipelineError, match="lost"):
        stop_halfway()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_is_refused_and_an_earlier_export_only_replaced_by_force(tmp_path):
    def write(text, *, force):
        with writing_folder(str(tmp_path / "there"), first=CONTENTS, last=CARD, force=force) as folder:
            (folder / CONTENTS).write_text(text)

    (tmp_path / "there").mkdir()
    write("1", force=False)
    with pytest.raises(ConfigError, match="--force replaces it"):
        write("2", force=False)
    write("3", force=True)
    assert (tmp_path / "there" / CONTENTS).read_text() == "3"
    (tmp_path / "there" / CONTENTS).rename(tmp_path / "there" / "thesis.txt")
    with pytest.raises(ConfigError, match=r"something else \(thesis.txt\)"):
        write("4", force=True)
    with pytest.raises(ConfigError, match="no folder"):
        writing_folder(str(tmp_path / "there" / "thesis.txt"), first=CONTENTS, last=CARD, force=True).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_a_tree_of_divisions_is_built_again_from_its_rows():
    book, _ = make_book([*TWO_CHAPTERS, *TWO_CHAPTERS], parts=(2, 1))
    rows = [row for division in book.divisions for row in _division_rows(division, 0)]

    def shape(divisions):
        return [(one.label, one.start, one.end, shape(one.children)) for one in divisions]

    assert shape(build_tree(rows)) == shape(book.divisions)


def test_longpage_columns_hold_whole_trainable_books_and_the_others_are_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    books = [
        a_book("good", "Marsh, Ada"),
        a_book("gap", "Marsh, Ada", lost=(2,), title="Gap"),
        a_book("copy", "Marsh, Ada", trainable=False, title="Copy"),
    ]
    data = write_data(tmp_path / "out", books)
    contents = export(data, tmp_path / "x", "longpage")
    assert contents.left_out == {"quarantined": 1, "untrainable": 1}
    row = load_dataset(str(tmp_path / "x"), split="train", cache_dir=str(tmp_path / "cache"))[0]
    scaffold: Scaffold = books[0][1]
    assert list(row["book_chapters"]) == [chapter.name for chapter in scaffold.chapters]
    assert row["character_archetypes"] == {"The keeper": ["Stays where she is."]}
    first, told = scaffold.chapters[0], row["book_chapters"]["Chapter 1"]
    assert told["chapter"] == books[0][0].text[first.start : first.end]
    assert told["embedding_space"] == first.vector.model_dump()
    assert told["scene_breakdown"][0]["word_count"] == first.scenes[0].num_words
    assert export(data, tmp_path / "y", "longpage", untrainable=True).rows == {"default": {"train": 2}}
    [path] = (tmp_path / "x" / "data").iterdir()
    found = duckdb.sql(f"select json_extract_string(book_chapters, '$.\"Chapter 1\".chapter') from '{path}'").fetchall()
    assert found == [(told["chapter"],)]
    assert json.loads(polars.read_parquet(path)["book_chapters"].to_arrow().to_pylist()[0]) == row["book_chapters"]


def test_a_snapshot_without_a_book_for_longpage_says_why(tmp_path):
    data = write_data(tmp_path / "out", [a_book("copy", "Marsh, Ada", trainable=False)])
    with pytest.raises(ConfigError, match=r"\(1 untrainable\); --untrainable takes"):
        export(data, tmp_path / "x", "longpage")


def test_a_snapshot_of_the_first_schema_is_exported_in_todays_columns(data, tmp_path):
    manifest, store = data
    shard = next(one for one in manifest.shards if one.kind == "books")
    table = pq.read_table(store.root / shard.path).drop_columns(["kind", "repetition", "outlines", "tags"])
    pq.write_table(table, store.root / "old.parquet")
    old = shard.model_copy(update={"path": "old.parquet"})
    shards = [old if one == shard else one for one in manifest.shards]
    first = manifest.model_copy(update={"schema_version": 1, "shards": tuple(shards)})
    contents = export((first, store), tmp_path / "x")
    books = [pq.read_table(tmp_path / "x" / file.path) for file in contents.files if file.config == "books"]
    assert sum(table.num_rows for table in books) == 4
    assert {tuple(table.schema.names) for table in books} == {tuple(SCHEMAS["books"].names)}
    assert export((first, store), tmp_path / "y", "longpage").rows["default"]["train"] == 1
