"""The main job over the samples, through the flow."""

from __future__ import annotations

import json

import polars
import pyarrow.dataset
import pytest
import yaml
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.build_trajectories import build_trajectories
from flows.run_local import run_build
from schemas.books import SegmentedBook
from schemas.corpus_settings import SourceSettings
from schemas.settings import Settings
from tasks.backends.stores import LocalStore
from tasks.shard import read_head
from tasks.work import Work
from tests.tales import tale


def shard_bytes(out):
    return {path.name: path.read_bytes() for path in sorted((out / "data").rglob("*.parquet"))}


def test_every_book_is_accounted_for_and_has_trajectories(built):
    manifest = read_head(LocalStore(built))
    books = manifest.accounting.books
    assert books.in_ == books.out + books.num_rejected == 3
    assert books.out == 3
    assert {name for name, tally in manifest.accounting.layouts.items() if tally.made} == {
        "full-book",
        "first-chapter",
        "chapter-window",
    }


def test_rows_read_the_same_in_polars_and_pyarrow(built):
    manifest = read_head(LocalStore(built))
    files = [str(built / shard.path) for shard in manifest.shards if shard.kind == "trajectories"]
    frame, table = polars.read_parquet(files), pyarrow.dataset.dataset(files).to_table()
    assert frame.height == table.num_rows == sum(sum(s.values()) for s in manifest.trajectories.values())
    assert frame["num_tokens"].sum() == manifest.tokens.total
    assert not frame["trainable"].any()
    first = frame.row(0, named=True)
    assert first["messages"][0]["role"] == "user"


def test_prose_stages_are_the_books_own_text(built):
    manifest = read_head(LocalStore(built))
    paths = {
        kind: [str(built / s.path) for s in manifest.shards if s.kind == kind] for kind in ("books", "trajectories")
    }
    texts = {row["book_id"]: row["text"] for row in polars.read_parquet(paths["books"]).iter_rows(named=True)}
    num_prose = 0
    for row in polars.read_parquet(paths["trajectories"]).iter_rows(named=True):
        for stage in row["stages"]:
            if stage["start"] is not None and stage["loss"] > 0:
                num_prose += 1
                assert texts[row["book_id"]][stage["start"] : stage["end"]] in stage["text"]
    assert num_prose > 30


def test_the_leaves_of_every_book_are_its_text(built):
    work = Work(LocalStore(built / "work"))
    books = [work.load(SegmentedBook, key) for key in work.store.keys("segment")]
    assert len(books) == 3
    assert all("".join(book.texts) == book.text for book in books)


def test_report_and_card_are_there_and_escaped(built):
    report = (built / "report" / "index.html").read_text()
    assert '<a href="books/top-water.html">Top Water</a>' in report
    assert report.count("<script") == 1  # the report's own
    card = (built / "README.md").read_text()
    manifest = read_head(LocalStore(built))
    for shard in manifest.shards:
        if shard.kind == "trajectories":
            assert shard.path in card
    front = yaml.safe_load(card.split("---")[1])
    listed = [path for entry in front["configs"][0]["data_files"] for path in entry["path"]]
    assert sorted(listed) == sorted(shard.path for shard in manifest.shards if shard.kind == "trajectories")


def test_a_second_build_makes_nothing(built, cli):
    before = {
        path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file() and "sqlite" not in path.name
    }
    done = cli("build", "--out", str(built), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["is_new"] is False
    after = {path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file() and "sqlite" not in path.name}
    assert after == before


def test_two_builds_make_the_same_bytes_in_whatever_order(built, prefect_env, tmp_path):
    settings = Settings(out=str(tmp_path / "again"), max_workers=1)
    with temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}):
        run_build(settings)
    assert shard_bytes(tmp_path / "again") == shard_bytes(built)


def test_one_bad_book_stops_no_other(prefect_env, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "noise.txt").write_bytes(bytes(range(256)) * 200)
    (source / "empty.txt").write_bytes(b"\n")
    (source / "note.txt").write_text("A short note.\n")
    (source / "story.txt").write_text(tale(3))
    (source / "loop.txt").write_text("CHAPTER I\n\n" + "Mara walked down to the harbour and said nothing.\n\n" * 900)
    settings = Settings(out=str(tmp_path / "out"), source=SourceSettings(location=str(source)))
    with temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}):
        summary = build_trajectories(settings)
    assert (summary.books.in_, summary.books.out) == (5, 1)
    assert summary.books.rejected == {"binary": 1, "empty-file": 1, "too-repetitive": 1, "too-short": 1}


def test_builds_add_up_and_a_rebuilt_book_replaces_itself(prefect_env, tmp_path):
    out = tmp_path / "out"
    with temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}):
        one = run_build(Settings(out=str(out), source=SourceSettings(books="top-water")))
        two = run_build(Settings(out=str(out), source=SourceSettings(books="the-skarvoe-account")))
    assert one.accounting.books.in_ == 1
    assert two.accounting.books.in_ == 2
    assert two.books.in_ == 1
    assert read_head(LocalStore(out)).parent == 1


def test_a_changed_setting_remakes_only_what_follows_from_it(built, prefect_env, tmp_path):
    work = tmp_path / "work"
    for path in (built / "work").rglob("*.zst"):
        copy = work / path.relative_to(built / "work")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    before = {path.relative_to(work) for path in work.rglob("*.zst")}
    compose = Settings().compose.model_copy(update={"plan_loss": 0.5})
    with temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}):
        run_build(Settings(out=str(tmp_path / "out"), work=str(work), compose=compose))
    new = {path.relative_to(work).parts[0] for path in work.rglob("*.zst") if path.relative_to(work) not in before}
    assert new == {"compose", "outcome"}


@pytest.mark.parametrize("name", ["build-trajectories", "finetune"])
def test_flows_bear_the_names_of_their_deployments(name):
    from flows.finetune import finetune

    assert name in {build_trajectories.name, finetune.name}
