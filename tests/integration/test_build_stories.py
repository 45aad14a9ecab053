"""tagged-story and title-to-story by the command line: built, verified, built again, grown."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli import app
from tests.stand_in.process import StandIn
from tests.unit.test_story_sides import words

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples" / "stories"
RECIPES = ("tagged-story", "title-to-story")


def call(*args):
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    return result.exit_code, result.stdout, result.stderr


def build(out, recipe, *more):
    code, stdout, stderr = call("build", "--recipe", recipe, "--out", out, "--json", *more)
    assert code == 0, stderr
    return json.loads(stdout)


def shards(out, kind="*"):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in out.glob(f"data/{kind}/*.parquet")}


def rows(out, kind):
    return pl.concat([pl.read_parquet(path) for path in sorted(out.glob(f"data/{kind}/*.parquet"))]).to_dicts()


def verified(out):
    code, stdout, _ = call("verify", out, "--json")
    return code == 0 and json.loads(stdout)["ok"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stories")
    return {recipe: (folder / recipe, build(folder / recipe, recipe)) for recipe in RECIPES}


@pytest.mark.parametrize("recipe", RECIPES)
def test_without_a_source_the_samples_are_built_and_verified(built, recipe):
    out, summary = built[recipe]
    assert summary["trajectories"] == {recipe: {"train": 6, "validation": 2, "test": 2}}
    assert (summary["accounting"]["works"]["in"], summary["trainable"]) == (10, True)
    assert verified(out)
    stories = rows(out, "books")
    assert {story["kind"] for story in stories} == {"story"}
    assert all(story["parent_id"].startswith("stories-") and story["scaffold"] is None for story in stories)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_second_build_makes_nothing_and_a_fresh_one_the_same_shards(built, recipe, tmp_path):
    out, first = built[recipe]
    before = shards(out)
    again = build(out, recipe)
    assert (again["is_new"], again["version"], shards(out)) == (False, first["version"], before)
    build(tmp_path / "fresh", recipe)
    assert shards(tmp_path / "fresh") == before


@pytest.mark.parametrize("recipe", RECIPES)
def test_status_tells_what_a_data_set_of_stories_holds(built, recipe):
    code, stdout, _ = call("status", built[recipe][0], "--json")
    status = json.loads(stdout)
    assert code == 0
    assert (status["missing"], status["build"]) == ([], 10)


def test_a_data_set_takes_no_other_recipe(built):
    code, _, stderr = call("build", "--recipe", "title-to-story", "--out", built["tagged-story"][0])
    assert code == 2
    assert "holds a data set of the recipe tagged-story" in stderr


def test_unequal_files_are_told_before_anything_is_written(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "train.wp_source").write_text("[ WP ] A .\n[ WP ] B .\n")
    (tmp_path / "in" / "train.wp_target").write_text("C .\n")
    code, _, stderr = call("build", "--recipe", "tagged-story", "--source", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 2
    assert "train.wp_source has 2 lines" in stderr
    assert "train.wp_target has 1" in stderr
    assert not list((tmp_path / "out").rglob("*.*"))


def test_what_is_refused_is_counted_and_a_grown_source_keeps_what_it_had(tmp_path):
    source, out = tmp_path / "set", tmp_path / "out"
    source.mkdir()
    for path in SAMPLES.glob("*.wp_*"):
        shutil.copy(path, source)
    text = words(1, 80)
    pairs = [
        ("[ WP ] A gate", f"{text} ."),
        ("[ WP ] A wall", f"{text} ."),
        ("[ WP ] A door", "[ deleted ]"),
        ("[ WP ]", "B ."),
    ]
    (source / "mine.wp_source").write_text("".join(f"{prompt}\n" for prompt, _ in pairs))
    (source / "mine.wp_target").write_text("".join(f"{story}\n" for _, story in pairs))
    works = build(out, "tagged-story", "--source", source)["accounting"]["works"]
    assert (works["in"], works["out"]) == (14, 11)
    assert works["rejected"] == {"deleted": 1, "duplicate": 1, "empty-prompt": 1}
    before = {row["book_id"]: row for row in rows(out, "trajectories")}
    (source / "new.wp_source").write_text("[ WP ] A well\n")
    (source / "new.wp_target").write_text(f"{words(2, 80)} .\n")
    assert build(out, "tagged-story", "--source", source)["accounting"]["works"]["in"] == 15
    assert verified(out)
    newest = json.loads(max(out.glob("_manifests/*.json")).read_text())
    paths = [out / shard["path"] for shard in newest["shards"] if shard["kind"] == "trajectories"]
    after = {row["book_id"]: row for path in paths for row in pl.read_parquet(path).to_dicts()}
    assert after.keys() - before.keys() == {"set-new-000001"}
    assert {name: after[name] for name in before} == before
    for name in ("mine", "new"):
        (source / f"{name}.wp_source").unlink()
        (source / f"{name}.wp_target").unlink()
    shrunk = build(out, "tagged-story", "--source", source)
    assert shrunk["trajectories"]["tagged-story"] == {"train": 6, "validation": 2, "test": 2}
    assert "not-in-source" in shrunk["accounting"]["books"]["rejected"]
    assert verified(out)
    assert not build(out, "tagged-story", "--source", source)["is_new"]


def test_a_model_tells_genre_and_tone_once_a_story(tmp_path):
    with StandIn(tmp_path / "log.jsonl") as stand_in:
        args = ("--llm", stand_in.url, "--reader-tokenizer", "samples")
        summary = build(tmp_path / "out", "tagged-story", *args)
        assert build(tmp_path / "out", "tagged-story", *args)["ledger"]["calls"] == 0
    assert summary["ledger"]["levels"]["tags"]["calls"] == 10
    held_out = [row for row in rows(tmp_path / "out", "trajectories") if row["split"] != "train"]
    assert len(held_out) == 4
    assert all(row["stages"][0]["text"].startswith("<|genre:") for row in held_out)
    assert all(json.loads(row["tags"])["all"][1][0] == "tone" for row in rows(tmp_path / "out", "books"))
    assert {json.loads(row["provenance"])["tagger"] for row in held_out} != {None}


@pytest.mark.parametrize(
    ("command", "told"), [("forecast", "a forecast counts books"), ("refresh", "a refresh looks for books")]
)
def test_commands_about_books_say_so_of_a_recipe_of_stories(command, told, tmp_path):
    (tmp_path / "mine.toml").write_text('recipe = "tagged-story"\n')
    code, _, stderr = call(command, "--profile", tmp_path / "mine.toml", "--out", tmp_path / "out")
    assert (code, told in stderr) == (2, True)
