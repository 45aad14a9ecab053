"""The recipe `outline-to-text` by the command line: the samples, a model's outlines, and training on them."""

from __future__ import annotations

import json
from collections import Counter

import polars
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

from flows.cli import app
from schemas.outlines import Outlines
from tasks.backends.stores import LocalStore
from tasks.shard import read_head
from tests.stand_in.process import StandIn

RECIPE = ("--recipe", "outline-to-text")
PROFILE = """
[outline]
passage_tokens = 400
template = "{template}"
[verify]
mode = "enforce"
[train]
layouts = ["outline-to-text"]
steps = 2
"""


@pytest.fixture
def run(prefect_env, tmp_path):
    """The command line in this process; returns what it says with --json."""

    def run(*arguments, exit_code=0):
        with temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}):
            done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
        assert done.exit_code == exit_code, done.output
        return json.loads(done.stdout) if exit_code == 0 else done.stderr

    return run


@pytest.fixture
def profile(tmp_path):
    """A profile of short passages and enforced checks, in a template."""

    def write(template):
        path = tmp_path / f"{template}.toml"
        path.write_text(PROFILE.format(template=template))
        return path

    return write


def read(out, kind):
    shards = [shard for shard in read_head(LocalStore(out)).shards if shard.kind == kind]
    return polars.read_parquet([out / shard.path for shard in shards]).to_dicts() if shards else []


def shard_bytes(out):
    return {path.name: path.read_bytes() for path in sorted((out / "data").rglob("*.parquet"))}


def test_the_samples_become_pairs_and_a_second_build_makes_nothing(run, tmp_path):
    out = tmp_path / "out"
    built = run("build", *RECIPE, "--out", out)
    rows = read(out, "trajectories")
    assert built["books"]["out"] == 3
    assert built["accounting"]["layouts"] == {"outline-to-text": {"made": len(rows), "refused": {}}}
    assert len(rows) == sum(len(Outlines.model_validate_json(book["outlines"]).passages) for book in read(out, "books"))
    assert not any(row["trainable"] for row in rows)
    assert max(row["stages"][1]["num_tokens"] for row in rows) <= 1_000
    assert all("## Style Reference\n" in row["stages"][0]["text"] for row in rows)
    assert run("verify", out)["ok"]
    assert run("build", *RECIPE, "--out", out)["is_new"] is False
    run("build", *RECIPE, "--out", tmp_path / "again")
    assert shard_bytes(tmp_path / "again") == shard_bytes(out)


def test_a_data_set_of_pairs_takes_no_other_recipe(run, tmp_path):
    out = tmp_path / "out"
    run("build", *RECIPE, "--out", out, "--books", "top-water")
    said = run("build", "--out", out, "--books", "top-water", exit_code=2)
    assert "holds a data set of the recipe outline-to-text" in said


def test_a_model_s_outlines_are_kept_and_what_it_cannot_answer_is_quarantined(run, profile, tmp_path):
    out = tmp_path / "out"
    faults = {"faults": "content=0.3,stubborn=0.2", "kinds": "cut,json,name,copy"}
    with StandIn(tmp_path / "log.jsonl", **faults) as stand_in:
        options = (*RECIPE, "--out", out, "--profile", profile("clean"), "--llm", stand_in.url)
        built = run("build", *options)
        num_asked = len(stand_in.asked())
        again = run("build", *options)
        assert len(stand_in.asked()) == num_asked
    assert again["is_new"] is False
    books = {book["book_id"]: Outlines.model_validate_json(book["outlines"]) for book in read(out, "books")}
    quarantined = {(book, node.node) for book, outlines in books.items() for node in outlines.quarantined}
    nodes = [row for row in read(out, "rejected") if row["level"] == "node"]
    assert quarantined == {(row["book_id"], row["node"]) for row in nodes}
    assert len(nodes) == sum(built["accounting"]["nodes"].values()) > 0
    assert all(json.loads(row["evidence"])["answers"] for row in nodes)
    rows = read(out, "trajectories")
    assert Counter(row["book_id"] for row in rows) == {book: len(outlines.told) for book, outlines in books.items()}
    assert all(row["trainable"] for row in rows)
    assert not any("Zorblaxia" in row["stages"][0]["text"] for row in rows)
    assert run("verify", out)["ok"]


def test_what_outlines_cost_is_forecast_to_the_token(run, tmp_path):
    options = (*RECIPE, "--out", tmp_path / "out")
    with StandIn(tmp_path / "log.jsonl") as stand_in:
        told = run("forecast", *options, "--llm", stand_in.url, "--pilot", 1)
        built = run("build", *options, "--llm", stand_in.url)
    assert set(told["levels"]) == {"outline"}
    assert told["windows"] == told["total"]["calls"] == built["accounting"]["layouts"]["outline-to-text"]["made"]
    asked = built["ledger"]["levels"]["outline"]
    assert told["remaining"]["prompt_tokens"] == asked["prompt_tokens"]
    assert told["remaining"]["calls"] == asked["calls"]


def test_pairs_of_the_paper_s_template_are_trained_on(run, cli, profile, tmp_path):
    out = tmp_path / "out"
    with StandIn(tmp_path / "log.jsonl") as stand_in:
        options = ("--profile", profile("paper"), "--llm", stand_in.url, "--books", "top-water")
        run("build", *RECIPE, "--out", out, *options)
    rows = read(out, "trajectories")
    assert all(row["stages"][1]["text"].startswith("Try to write your text as well as this one: ") for row in rows)
    done = cli("finetune", str(out), "--profile", str(profile("paper")), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["num_samples"] == len(rows)
    assert (result["plan_loss"], result["min_grad_norm"] > 0) == (None, True)
