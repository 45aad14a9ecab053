"""What answers cost, as people are told it; old manifests, which know less."""

import json
from dataclasses import dataclass, field
from functools import partial

import pytest

from flows import ledgers
from flows.inspect_data import read_status, show_status
from flows.ledgers import describe_ledger, list_dearest, publish_ledger
from schemas.books import CatalogueEntry
from schemas.errors import BudgetError, TransientError
from schemas.ledger import Ledger, Usage
from schemas.outcomes import Prepared, PreparedWork
from schemas.runs import Manifest
from schemas.settings import CostSettings, Settings
from tasks import steps
from tasks.backends.stores import LocalStore
from tasks.buckets import is_over_budget, is_passing
from tasks.work import Work
from tests.fakes import WordTokenizer, build_book

READ = Usage(calls=4, prompt_tokens=800, cached_tokens=200, completion_tokens=300, wasted_tokens=30, seconds=6.0)
ARCS = Usage(calls=1, prompt_tokens=200, cached_tokens=100, completion_tokens=100, seconds=2.0)
LEDGER = Ledger(
    calls=6,
    replayed=12,
    prompt_tokens=1_010,
    cached_tokens=303,
    completion_tokens=401,
    wasted_tokens=30,
    seconds=8.0,
    levels={"probe": Usage(calls=1, prompt_tokens=10), "read": READ, "arcs": ARCS},
    books={"": {"probe": Usage(calls=1, prompt_tokens=10)}, "m1": {"read": READ}, "m2": {"arcs": ARCS}},
    busy_seconds=4.0,
    gpu_hours=0.25,
    cost=1.5,
)
OLD_LEDGER = {
    "calls": 2,
    "replayed": 3,
    "refused": 0,
    "lenient": 0,
    "failures": 0,
    "prompt_tokens": 100,
    "cached_tokens": 50,
    "completion_tokens": 10,
    "seconds": 1.5,
}


class SilentTokenizer:
    identity = "silent"

    def count(self, text):
        raise TransientError("the server went away")


@dataclass
class Bench:
    """What the tables need of a bench."""

    work: Work
    reader: object = field(default_factory=WordTokenizer)
    settings: Settings = Settings(cost=CostSettings(gpu_hour=3_600.0))  # a second costs 1  # noqa: RUF009


@pytest.fixture
def bench(tmp_path):
    return Bench(Work(LocalStore(tmp_path)))


@pytest.fixture
def prepared(bench):
    book = build_book([["Salt and tide. " * 25, "A lamp was lit. " * 25]])
    bench.work.save("segment/m1", book)
    work = PreparedWork(work_id="m1", segmented="segment/m1", signature="", repetition="", side_names=("a",))
    return {"m1": Prepared(book_id="m1", entry=CatalogueEntry(book_id="m1"), works=(work,))}


def test_a_run_is_told_in_calls_tokens_shares_and_money():
    assert describe_ledger(LEDGER) == [
        ("answers", "6 calls, 12 taken from the answer store"),
        ("tokens in", "1,010, 30.0% of them cached"),
        ("tokens out", "401, 7.5% of them wasted"),
        ("cost", "1.50, 0.25 GPU hours"),
    ]


def test_where_no_model_was_asked_there_is_nothing_to_tell():
    assert describe_ledger(Ledger(calls=9)) == []
    assert describe_ledger(Ledger(replayed=9)) == [("answers", "9 taken from the answer store")]


def test_the_dearest_works_come_first_with_what_a_token_of_theirs_took(bench, prepared):
    first, second = list_dearest(LEDGER, prepared, bench)
    assert (first["work"], second["work"]) == ("m1", "m2")
    num_tokens = WordTokenizer().count("Salt and tide. A lamp was lit. ") * 25
    assert first["computed_per_book_token"] == round(600 / num_tokens, 3)
    assert second["computed_per_book_token"] is None  # its text is not at hand
    assert (first["cost"], second["cost"]) == (3.0, 1.0)  # its share of the busy time
    assert (first["tokens_in"], first["cached"], first["tokens_out"], first["wasted"]) == (800, 200, 300, 30)


def test_a_server_that_no_longer_counts_leaves_a_gap(bench, prepared, caplog):
    bench.reader = SilentTokenizer()
    assert list_dearest(LEDGER, prepared, bench)[0]["computed_per_book_token"] is None
    assert "the server went away" in caplog.text


def test_at_most_500_works_are_listed(bench):
    books = {f"{number:04}": {"read": Usage(calls=1, prompt_tokens=number)} for number in range(600)}
    rows = list_dearest(Ledger(prompt_tokens=1, books=books), {}, bench)
    assert len(rows) == 500
    assert rows[0]["work"] == "0599"


def test_the_tables_are_published_by_level_with_a_total_and_by_work(bench, prepared, monkeypatch):
    tables = {}
    monkeypatch.setattr(ledgers, "create_table_artifact", lambda rows, key, description: tables.update({key: rows}))
    publish_ledger(Ledger(calls=5), prepared, bench)
    assert tables == {}
    publish_ledger(LEDGER, prepared, bench)
    assert [row["level"] for row in tables["ledger"]] == ["arcs", "probe", "read", "total"]
    assert tables["ledger"][-1]["tokens_in"] == 1_010
    assert [row["work"] for row in tables["ledger-books"]] == ["m1", "m2"]


def old_manifest(out):
    manifest = {
        "version": 1,
        "shards": [],
        "accounting": {"books": {"in": 0}, "works": {"in": 0}, "layouts": {}},
        "trajectories": {},
        "tokens": {},
        "num_buckets": 8,
        "settings": {},
        "models": {},
        "prompts": {},
        "versions": {},
        "content_sha256": "",
        "run_sha256": "",
        "writer": "",
        "created": "2026-01-01T00:00:00+00:00",
        "ledger": OLD_LEDGER,
    }
    folder = out / "_manifests"
    folder.mkdir(parents=True)
    (folder / f"{1:020d}.json").write_text(json.dumps(manifest))
    return manifest


class Lines:
    def __init__(self):
        self.text = ""

    def print(self, line, **_):
        self.text += f"{line}\n"


def test_a_manifest_of_before_is_read_and_its_cost_shown_as_far_as_it_goes(tmp_path):
    assert Manifest.model_validate(old_manifest(tmp_path)).ledger == Ledger(**OLD_LEDGER)
    shown = Lines()
    show_status(read_status(str(tmp_path)), shown)
    assert "answers (last run)     2 calls, 3 taken from the answer store" in shown.text
    assert "tokens in (last run)   100, 50.0% of them cached" in shown.text


def test_a_spent_budget_leaves_the_book_for_another_run():
    def spend():
        raise BudgetError("the budget of 5.00 is spent")

    outcome = steps.run_guarded("boat", partial(spend))
    assert (outcome.status, outcome.rejection.reason) == ("rejected", "over-budget")
    assert outcome.rejection.detail == "the budget of 5.00 is spent"
    assert is_passing(outcome)
    assert is_over_budget(outcome)
    assert not is_over_budget(steps.unavailable("boat", TransientError("no answer")))
