"""Trajectory -> Parquet + Manifest, without Prefect: one invented book through every stage."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.books import CatalogueEntry, Rejection
from schemas.corpus_settings import ScreenSettings
from schemas.errors import PipelineError, TransientError
from schemas.ledger import Ledger
from schemas.outcomes import Outcome
from schemas.settings import LLMSettings, Settings
from tasks import steps
from tasks.audit import audit_snapshot
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.builtin import BuiltinLLM
from tasks.backends.sources import FolderSource
from tasks.backends.stores import LocalStore
from tasks.bench import Bench
from tasks.buckets import bucket_of, read_rows
from tasks.line import find_outcome, run_book
from tasks.prepare import prepare_book
from tasks.shard import Changes, commit, read_head, total, write_shards
from tasks.snapshot import Facts, write_snapshot
from tasks.tables import SCHEMAS
from tasks.work import Work
from tests.fakes import WordTokenizer

SENTENCES = (
    "Mara Quill walked down to the harbour before the lamps were out, and Tomas Reve was there already.",
    '"You are late," said Tomas, who had counted the boats twice and found one missing.',
    "The harbour master, Mrs. Oddy, came out with her ledger and would not look at Mara Quill at all.",
    '"Nobody took it," Mara said to Mrs. Oddy. "It went by itself, as boats do when they are left."',
    "Then Tomas Reve laughed, and the gulls went up, and the tide began to turn along the wall.",
)


def story(num_chapters=3, num_paragraphs=40):
    chapters = []
    for number in range(1, num_chapters + 1):
        paragraphs = [
            f"{SENTENCES[(number + at) % 5]} It was the {at} hour of day {number}. {SENTENCES[(number * at) % 5]}"
            for at in range(num_paragraphs)
        ]
        chapters.append("\n\n\n".join([f"CHAPTER {number}", "\n\n".join(paragraphs)]))
    return "Title: The Missing Boat\n\nAuthor: Ann Invented\n\n\n\n" + "\n\n\n\n".join(chapters) + "\n"


def told_anew():
    """A screen that lets `story` pass: five sentences are all there is of it."""
    return ScreenSettings(free_words=100_000, free_top_words=100_000)


@pytest.fixture
def bench(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "boat.txt").write_text(story())
    (source / "short.txt").write_text("A short note.\n")
    work = LocalStore(tmp_path / "work")
    with BuiltinLLM(LLMSettings(), AnswerStore(tmp_path / "answers.sqlite")) as llm:
        words = WordTokenizer()
        settings = Settings(out=str(tmp_path / "out"), screen=told_anew())
        yield Bench(settings, Work(work), FolderSource(str(source)), {}, llm, settings.chunk, words, words)


def facts(bench):
    models = {"summarizer": bench.llm.identity, "reader": bench.reader.identity, "trainee": bench.trainee.identity}
    return Facts(bench.settings, models, Ledger())


def rejected(book_id, reason):
    rejection = Rejection(book_id=book_id, stage="fetch", reason=reason, detail="away")
    return Outcome(book_id=book_id, status="rejected", entry=CatalogueEntry(book_id=book_id), rejection=rejection)


def test_a_book_goes_down_the_whole_line_and_is_done_then(bench):
    assert not bench.work.store.keys("outcome")
    outcome = run_book("boat", bench)
    assert outcome.status == "out", outcome
    assert outcome.entry.title == "The Missing Boat"
    assert set(outcome.values) == {"fetch", "clean", "segment"}
    assert set(outcome.works[0].values) == {"segment", "sign", "repetition", "summarize", "verify", "compose"}
    assert find_outcome(prepare_book("boat", bench), {}, bench) == outcome
    assert run_book("boat", bench) == outcome


def test_a_broken_record_does_not_stop_a_book(bench, tmp_path, caplog):
    (tmp_path / "source" / "pgboat.rdf").write_text("<rdf")
    assert run_book("boat", bench).entry.title == "The Missing Boat"
    assert "its header is read instead" in caplog.text


def test_an_outcome_whose_values_are_gone_is_not_done(bench):
    outcome = run_book("boat", bench)
    bench.work.store.delete(outcome.works[0].values["compose"])
    assert find_outcome(prepare_book("boat", bench), {}, bench) is None
    assert run_book("boat", bench) == outcome


def test_a_snapshot_holds_every_book_and_passes_its_audit(bench, tmp_path):
    outcomes = [run_book(book_id, bench) for book_id in ("boat", "short")]
    store = LocalStore(tmp_path / "out")
    manifest, is_new = write_snapshot(Changes(outcomes), bench.work, store, facts(bench))
    assert is_new
    assert json.loads(manifest.to_json())["accounting"]["books"] == {"in": 2, "out": 1, "rejected": {"too-short": 1}}
    audit = audit_snapshot(manifest, store, bench.trainee)
    assert audit.ok, audit.problems
    assert write_snapshot(Changes(outcomes), bench.work, store, facts(bench)) == (manifest, False)


def test_a_book_that_is_away_keeps_what_the_data_set_held(bench, tmp_path):
    store = LocalStore(tmp_path / "out")
    write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    away = [rejected("boat", "unavailable"), rejected("other", "unavailable")]
    manifest, _ = write_snapshot(Changes(away), bench.work, store, facts(bench))
    assert manifest.accounting.books.out == 1
    assert manifest.accounting.books.rejected == {"unavailable": 1}


class BrokenLLM:
    """A model with a bug, or one that went away."""

    identity = "broken"
    trainable = True

    def __init__(self, error):
        self.error = error

    def answer(self, requests):
        raise self.error


def test_a_bug_rejects_the_book_that_hit_it_and_is_not_remembered(bench, caplog):
    broken = replace(bench, llm=BrokenLLM(RuntimeError("index out of range")))
    outcome = steps.run_guarded("boat", partial(run_book, "boat", broken))
    assert outcome.rejection.reason == "crashed"
    assert "index out of range" in outcome.rejection.detail
    assert "Traceback" in caplog.text
    assert find_outcome(prepare_book("boat", bench), {}, broken) is None


def test_a_server_that_went_away_leaves_the_book_for_the_next_run(bench):
    error = TransientError("no answer", retried=True)
    with pytest.raises(TransientError):
        steps.run_guarded("boat", partial(run_book, "boat", replace(bench, llm=BrokenLLM(error))))
    assert steps.unavailable("boat", error).rejection.reason == "unavailable"


def test_a_batch_has_one_patience_with_a_mirror_that_is_down(monkeypatch):
    waits, asked = [], []
    monkeypatch.setattr(steps.time, "sleep", waits.append)

    def ask(name):
        asked.append(name)
        raise TransientError("no answer")

    delays = iter([5.0, 10.0])
    outcomes = [steps._guard(name, partial(ask, name), delays) for name in ("a", "b", "c")]
    assert [one.rejection.reason for one in outcomes] == ["unavailable"] * 3
    assert waits == [5.0, 10.0]
    assert asked == ["a", "a", "a", "b", "c"]


def test_a_book_that_is_rejected_now_leaves_the_data_set(bench, tmp_path):
    store = LocalStore(tmp_path / "out")
    write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    manifest, _ = write_snapshot(Changes([rejected("boat", "verse")]), bench.work, store, facts(bench))
    assert (manifest.accounting.books.out, manifest.accounting.books.rejected) == (0, {"verse": 1})
    assert manifest.trajectories == {}


def test_rows_are_read_back_from_shards_when_old_work_is_gone(bench, tmp_path):
    store = LocalStore(tmp_path / "out")
    first, _ = write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    for key in bench.work.store.keys("compose"):
        bench.work.store.delete(key)
    bucket = bucket_of("boat", first.num_buckets)
    neighbour = next(f"x{n}" for n in range(999) if bucket_of(f"x{n}", first.num_buckets) == bucket)
    second, _ = write_snapshot(Changes([rejected(neighbour, "verse")]), bench.work, store, facts(bench))
    kept = {shard.path for shard in first.shards} & {shard.path for shard in second.shards}
    assert len(kept) == len(first.shards)  # equal rows, equal bytes, equal names


def test_one_changed_book_makes_new_shards_in_its_bucket_only(bench, tmp_path):
    store, others = LocalStore(tmp_path / "out"), [rejected(f"x{at}", "verse") for at in range(40)]
    first, _ = write_snapshot(Changes([run_book("boat", bench), *others]), bench.work, store, facts(bench))
    (tmp_path / "source" / "boat.txt").write_text(story().replace("lamps", "lanterns"))
    second, _ = write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    own = bucket_of("boat", first.num_buckets)
    new = [shard for shard in second.shards if shard not in first.shards]
    assert {shard.bucket for shard in first.shards} == set(range(8))
    assert {(shard.kind, shard.bucket) for shard in new} == {("books", own), ("trajectories", own)}
    assert second.accounting.books.in_ == 41


def test_an_audit_names_what_is_wrong_with_a_row(bench, tmp_path):
    store = LocalStore(tmp_path / "out")
    manifest, _ = write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    shard = next(shard for shard in manifest.shards if shard.kind == "trajectories")
    rows = read_rows(shard, store)
    rows[0]["num_tokens"] += 1
    rows[1]["messages"] = []
    rows[1]["split"] = "test"
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, SCHEMAS["trajectories"]), sink)
    store.put(shard.path, sink.getvalue())
    audit = audit_snapshot(manifest, store, bench.trainee)
    said = "\n".join(audit.problems)
    for words in ("sha256", "stated", "messages differ", "another split", "split or source differ"):
        assert words in said


def test_an_audit_finds_a_chapter_that_is_no_target(bench, tmp_path):
    (tmp_path / "source" / "boat.txt").write_text(story(num_chapters=8, num_paragraphs=60))
    store = LocalStore(tmp_path / "out")
    manifest, _ = write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    shard = next(shard for shard in manifest.shards if shard.kind == "trajectories")
    kept = [row for row in read_rows(shard, store) if not row["trajectory_id"].endswith(":0001")]
    assert len(kept) < shard.rows
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(kept, SCHEMAS["trajectories"]), sink)
    store.put(shard.path, sink.getvalue())
    assert any("words as targets" in problem for problem in audit_snapshot(manifest, store, bench.trainee).problems)


def test_a_bucket_whose_books_do_not_add_up_is_not_written(bench, tmp_path):
    outcome = run_book("boat", bench)
    store = LocalStore(tmp_path / "out")
    with pytest.raises(PipelineError, match="not accounted for"):
        write_shards(Changes([outcome, outcome]), None, bench.work, store, bench.settings.shard)
    assert not store.keys("_manifests")


def test_the_second_of_two_writers_builds_on_the_first(bench, tmp_path):
    store = LocalStore(tmp_path / "out")
    manifest, _ = write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    assert not commit(manifest.model_copy(update={"writer": "another"}), store)
    later, _ = write_snapshot(Changes([run_book("short", bench)]), bench.work, store, facts(bench))
    assert (later.version, later.parent, later.accounting.books.in_) == (2, 1, 2)
    assert read_head(store) == later


def test_totals_come_from_the_shards_alone(bench, tmp_path):
    store = LocalStore(tmp_path / "out")
    manifest, _ = write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    accounting, trajectories, tokens = total(manifest.shards)
    assert accounting == manifest.accounting
    assert trajectories == manifest.trajectories
    assert tokens.total > tokens.prose > 0


def test_a_report_escapes_what_a_book_says(bench, tmp_path):
    (tmp_path / "source" / "boat.txt").write_text(story().replace("The Missing Boat", "<script>alert(1)</script>"))
    store = LocalStore(tmp_path / "out")
    write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    for name in ("index.html", "books/boat.html"):
        page = store.get(f"report/{name}").decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
