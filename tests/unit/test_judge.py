"""Duplicates and takedowns, judged against the books of a run and those of the data set."""

from __future__ import annotations

import hashlib

import pytest

from schemas.books import CatalogueEntry, Rejection
from schemas.errors import ConfigError
from schemas.outcomes import Outcome, Prepared, PreparedWork, WorkOutcome
from tasks.buckets import Withdrawal
from tasks.judge import judge_takedown, judge_works, read_known
from tasks.line import run_book, settle_book
from tasks.prepare import prepare_book
from tasks.shard import Changes, read_head
from tasks.snapshot import write_snapshot
from tasks.takedown import read_takedown
from tests.unit.test_shard import bench, facts, story  # noqa: F401  # the fixture

SHA = hashlib.sha256(b"a book").hexdigest()


def ready(book_id, *stories, sha=None):
    works = tuple(
        PreparedWork(work_id=name, segmented="-", signature="-", repetition="-", side_names=("author a",))
        for name in stories or (book_id,)
    )
    return Prepared(book_id=book_id, entry=CatalogueEntry(book_id=book_id), source_sha256=sha, works=works)


def test_a_takedown_list_holds_ids_and_hashes_and_words_for_people(tmp_path):
    file = tmp_path / "takedown.txt"
    file.write_text(f"# asked for by their owners\n84, a letter of May\n1661.03\n\n{SHA.upper()}  # the same\n")
    assert read_takedown(str(file)) == {"84", "1661.03", SHA}
    assert read_takedown(None) == frozenset()


def test_a_build_does_not_run_without_the_list_that_it_was_to_honour(tmp_path):
    with pytest.raises(ConfigError, match="takedown list cannot be read"):
        read_takedown(str(tmp_path / "none.txt"))


def test_books_are_taken_down_by_id_or_hash_and_stories_by_id():
    books = [ready("1"), ready("2", sha=SHA), ready("3", "3.01", "3.02"), ready("4")]
    verdicts = judge_takedown(books, frozenset({"1", SHA, "3.02"}))
    assert set(verdicts) == {"1", "2", "3.02"}
    assert verdicts["2"].detail == f"the takedown list names {SHA}"


def judge(books, bench, known=(), taken=(), failed=()):  # noqa: F811
    return judge_works(books, known, frozenset(taken), frozenset(failed), bench.work, bench.settings)


@pytest.fixture
def twins(bench):  # noqa: F811
    """Two files of one text, prepared."""
    (bench.source.root / "ship.txt").write_text(story())
    bench.source.relist()
    return [prepare_book(book_id, bench) for book_id in ("boat", "ship")]


def test_of_two_equal_books_one_is_a_duplicate_of_the_other(bench, twins):  # noqa: F811
    judgement = judge(twins, bench)
    ((loser, verdict),) = judgement.verdicts.items()
    winner = judgement.winners[loser]
    assert {loser, winner} == {"boat", "ship"}
    assert verdict.detail.startswith(f"duplicate of {winner}")
    rejected = next(book for book in twins if book.book_id == loser)
    assert settle_book(rejected, judgement.verdicts, bench).rejection == verdict


def test_a_duplicate_is_needed_after_all_where_the_better_one_failed(bench, twins):  # noqa: F811
    winner = next(iter(judge(twins, bench).winners.values()))
    assert judge(twins, bench, failed=[winner]).verdicts == {}


def test_a_new_book_is_judged_against_those_of_the_data_set(bench, twins, tmp_path):  # noqa: F811
    loser = next(iter(judge(twins, bench).verdicts))
    first = next(book.book_id for book in twins if book.book_id == loser)
    store = bench.work.store.__class__(tmp_path / "out")
    write_snapshot(Changes([run_book(first, bench)]), bench.work, store, facts(bench))
    known = read_known(read_head(store), store, bench.work)
    assert [one.work_id for one in known] == [first]
    other = [book for book in twins if book.book_id != first]
    judgement = judge(other, bench, known)
    assert judgement.verdicts == {}
    withdrawal = judgement.withdrawn[first]
    assert withdrawal.rejection.reason == "duplicate"
    changes = Changes([run_book(other[0].book_id, bench)], judgement.withdrawn)
    manifest, _ = write_snapshot(changes, bench.work, store, facts(bench))
    assert (manifest.accounting.books.out, manifest.accounting.books.rejected) == (1, {"duplicate": 1})


def test_a_book_of_the_data_set_is_taken_down_by_hash(bench, tmp_path):  # noqa: F811
    store = bench.work.store.__class__(tmp_path / "out")
    write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    known = read_known(read_head(store), store, bench.work)
    judgement = judge([], bench, known, taken=[known[0].file_sha256])
    manifest, is_new = write_snapshot(Changes([], judgement.withdrawn), bench.work, store, facts(bench))
    assert is_new
    assert manifest.trajectories == {}
    assert manifest.accounting.books.rejected == {"takedown": 1}


def collection(bench, *stories):  # noqa: F811
    """An outcome of a collection whose stories are all the same text, `None` for one that was rejected."""
    made = run_book("boat", bench).works[0]
    refused = Rejection(book_id="", stage="compose", reason="no-layout", detail="too long")
    works = [
        made.model_copy(update={"work_id": name})
        if is_out
        else WorkOutcome(work_id=name, rejection=refused.model_copy(update={"book_id": name}), values=made.values)
        for name, is_out in stories
    ]
    return Outcome(book_id="boat", status="out", entry=CatalogueEntry(book_id="boat"), works=tuple(works))


@pytest.fixture
def stories(bench, monkeypatch):  # noqa: F811
    """Make the only book a collection: rows bear the ids of its stories."""
    from tasks import tables

    def add(one, file_sha256, work, rows):
        row = dict.fromkeys(tables.SCHEMAS["books"].names) | {"book_id": one.work_id, "parent_id": "boat"}
        rows["books"].append(
            {
                **row,
                "title": one.work_id,
                "text": "",
                "source_sha256": "-",
                "provenance": "{}",
                "num_words": 1,
                "num_chapters": 1,
            }
        )
        empty = dict.fromkeys(tables.SCHEMAS["trajectories"].names) | {"window": 262_144, "stages": []}
        figures = {"num_tokens": 1, "plan_tokens": 0, "prose_tokens": 1, "layout": "full-book", "split": "train"}
        rows["trajectories"].append({**empty, **figures, "book_id": one.work_id, "trajectory_id": one.work_id})

    monkeypatch.setattr(tables, "_add_work", add)
    return bench


def test_stories_count_as_works_and_their_collection_as_one_book(stories, tmp_path):
    store = stories.work.store.__class__(tmp_path / "out")
    outcome = collection(stories, ("boat.01", True), ("boat.02", False), ("boat.03", True))
    manifest, _ = write_snapshot(Changes([outcome]), stories.work, store, facts(stories))
    books, works = manifest.accounting.books, manifest.accounting.works
    assert (books.in_, books.out, books.rejected) == (1, 1, {})
    assert (works.in_, works.out, works.rejected) == (3, 2, {"no-layout": 1})


def test_a_story_that_is_withdrawn_leaves_its_collection_and_the_last_one_ends_it(stories, tmp_path):
    store = stories.work.store.__class__(tmp_path / "out")
    write_snapshot(Changes([collection(stories, ("boat.01", True), ("boat.02", True))]), stories.work, store, facts(stories))  # fmt: skip
    refused = {
        name: Withdrawal("boat", Rejection(book_id=name, stage="takedown", reason="takedown", detail="named"))
        for name in ("boat.01", "boat.02")
    }
    one, _ = write_snapshot(Changes([], {"boat.01": refused["boat.01"]}), stories.work, store, facts(stories))
    assert (one.accounting.books.out, one.accounting.works.out) == (1, 1)
    two, _ = write_snapshot(Changes([], {"boat.02": refused["boat.02"]}), stories.work, store, facts(stories))
    assert (two.accounting.books.out, two.accounting.books.rejected) == (0, {"takedown": 1})
    assert (two.accounting.works.out, two.accounting.works.rejected) == (0, {"takedown": 2})
