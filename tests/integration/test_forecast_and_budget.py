"""What a build will cost, and a build that may cost no more: against a server that meters like a real one."""

from __future__ import annotations

import json

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

from flows.cli import app
from schemas.errors import BudgetError
from schemas.settings import CostSettings
from tasks.backends.llms.vllm import VllmLLM
from tasks.backends.stores import LocalStore
from tasks.pricing import price_usage
from tasks.shard import read_head
from tests.metered import MeteredServer

PROFILE = """
max_workers = 1
[chunk]
window_tokens = 900
[cost]
gpu_hour = 0.0
output_price = 1_000_000.0
"""  # a token of an answer costs 1
BUDGET = 30_000.0  # a sample novel costs about 26,000


@pytest.fixture(scope="module")
def server():
    with MeteredServer() as server:
        yield server


@pytest.fixture
def run(server, prefect_env, tmp_path):
    """The command line in this process, on the samples and against the server."""
    (tmp_path / "profile.toml").write_text(PROFILE)

    def run(command, out, *options, llm=server.url):
        arguments = [command, "--llm", llm, "--out", str(tmp_path / out), "--profile", str(tmp_path / "profile.toml")]
        with temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}):
            return CliRunner().invoke(app, [*arguments, *options])

    return run


def hold_to_budget(monkeypatch):
    """Hold the engine to its budget at the last moment, where it does not do so itself."""
    complete, rates = VllmLLM.complete, CostSettings(gpu_hour=0.0, output_price=1_000_000.0)

    async def complete_within_budget(self, *args, **options):
        spent = price_usage(self.ledger(), 0.0, rates)
        if spent >= BUDGET:
            raise BudgetError(f"the budget of {BUDGET:,.2f} is spent: {spent:,.2f}; run again to go on")
        return await complete(self, *args, **options)

    monkeypatch.setattr(VllmLLM, "complete", complete_within_budget)


def shards_of(out):
    return [shard.sha256 for shard in read_head(LocalStore(out)).shards]


def test_a_forecast_comes_within_15_percent_of_the_build_that_follows(run, server, tmp_path):
    forecast = json.loads(run("forecast", "out", "--pilot", "1", "--json").stdout)
    assert (forecast["books"], forecast["works"], len(forecast["pilot"])) == (3, 3, 1)
    assert not (tmp_path / "out" / "data").exists()
    assert not (tmp_path / "out" / "_manifests").exists()
    assert not (tmp_path / "out" / "work" / "outcome").exists()

    before = len(server.requests)
    done = run("build", "out", "--json")
    assert done.exit_code == 0, done.stderr
    ledger, remaining = json.loads(done.stdout)["ledger"], forecast["remaining"]
    assert ledger["prompt_tokens"] == pytest.approx(remaining["prompt_tokens"], rel=0.15)
    assert ledger["completion_tokens"] == pytest.approx(remaining["completion_tokens"], rel=0.15)
    asked = [body for body in server.requests[before:] if is_read(body)]
    read = sum(len(" ".join(m["content"] for m in body["messages"]).split()) + 7 for body in asked)
    piloted = [body for body in server.requests[:before] if is_read(body)]
    already = sum(len(" ".join(m["content"] for m in body["messages"]).split()) + 7 for body in piloted)
    assert forecast["levels"]["read"]["prompt_tokens"] == read + already  # exact
    assert forecast["windows"] == len(asked) + len(piloted)


def is_read(body):
    return body["response_format"]["json_schema"]["name"] == "ReadAnswer"


def test_a_forecast_asks_nothing_twice_and_knows_what_is_answered(run, server):
    first = json.loads(run("forecast", "again", "--pilot", "1", "--json").stdout)
    num_asked = len(server.requests)
    second = json.loads(run("forecast", "again", "--pilot", "1", "--json").stdout)
    assert second == first
    assert len(server.requests) == num_asked
    assert first["already_answered"]["calls"] > 10
    assert run("build", "again").exit_code == 0
    num_built = len(server.requests)
    after = json.loads(run("forecast", "again", "--json").stdout)
    assert len(server.requests) == num_built
    assert after["remaining"]["calls"] == after["cost"] == 0
    assert after["already_answered"] == after["total"]


def test_a_forecast_for_people_names_levels_and_what_is_assumed(run):
    said = run("forecast", "people", "--pilot", "1").output
    for words in ("read", "rate", "already answered", "remaining", "GPU hours", "cost", "tokens of a chat template"):
        assert words in said


def test_without_a_pilot_only_the_reading_is_counted(run, server):
    num_asked = len(server.requests)
    forecast = json.loads(run("forecast", "bare", "--pilot", "0", "--json").stdout)
    assert list(forecast["levels"]) == ["read"]
    assert forecast["total"]["completion_tokens"] == 0
    assert len(server.requests) == num_asked


def test_a_forecast_without_a_model_counts_input_and_says_what_it_needs(run):
    result = run("forecast", "extractive", "--json", llm="builtin")
    forecast = json.loads(result.stdout)
    assert forecast["levels"]["read"]["calls"] == forecast["windows"] > 30
    assert forecast["levels"]["read"]["prompt_tokens"] > 60_000
    assert forecast["pilot"] == []
    assert forecast["cost"] == 0
    assert "needs a model" in forecast["assumed"][1]


def test_a_spent_budget_stops_cleanly_and_further_runs_end_as_if_there_had_been_none(
    run, server, tmp_path, monkeypatch
):
    hold_to_budget(monkeypatch)
    server.requests.clear()
    stopped = run("build", "kept", "--budget", str(BUDGET), "--json")
    assert stopped.exit_code == 3, stopped.stderr
    summary = json.loads(stopped.stdout)
    assert summary["books"] == {"in": 3, "out": 1, "rejected": {"over-budget": 2}}
    assert len(summary["over_budget"]) == 2
    assert sum(sum(splits.values()) for splits in summary["trajectories"].values()) > 0
    num_stopped = len(server.requests)

    again = run("refresh", "kept", "--budget", str(BUDGET))
    assert again.exit_code == 3, again.stderr
    assert "The budget is spent: 1 books wait; the same command goes on" in again.output
    last = run("refresh", "kept", "--budget", str(BUDGET))
    assert last.exit_code == 0, last.stderr
    asked = [json.dumps(body, sort_keys=True) for body in server.requests]
    assert len(asked) == len(set(asked)) > num_stopped  # nothing that was answered is asked again

    monkeypatch.undo()
    assert run("build", "whole").exit_code == 0
    assert shards_of(tmp_path / "kept") == shards_of(tmp_path / "whole")


def test_a_budget_without_a_model_is_refused(run, tmp_path):
    result = run("build", "none", "--budget", "5", llm="builtin")
    assert result.exit_code == 2
    assert "the builtin model costs nothing" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", ["build", "refresh"])
def test_a_budget_of_nothing_is_refused(run, command):
    result = run(command, "nothing", "--budget", "0")
    assert result.exit_code == 2
    assert "cost.budget = 0.0" in result.stderr
