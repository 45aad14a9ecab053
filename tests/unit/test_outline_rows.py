"""A book down the whole line of `outline-to-text`: rows, accounting, and an audit that notices damage."""

from __future__ import annotations

import json
from functools import wraps

import pytest

from schemas.outlines import Outlines
from schemas.scaffold import Quarantine
from tasks import line
from tasks.audit import audit_snapshot
from tasks.backends.stores import LocalStore
from tasks.buckets import read_rows
from tasks.line import find_outcome, run_book
from tasks.outline import outline_book
from tasks.prepare import prepare_book
from tasks.shard import Changes
from tasks.snapshot import write_snapshot
from tests.unit.test_quarantined_rows import rewrite
from tests.unit.test_shard import bench, facts  # noqa: F401  # the fixture


@pytest.fixture
def desk(bench):  # noqa: F811
    """The bench of an invented book with the settings of this recipe."""
    outline = bench.settings.outline.model_copy(update={"passage_tokens": 300})
    changes = {"recipe": "outline-to-text", "outline": outline}
    object.__setattr__(bench, "settings", bench.settings.model_copy(update=changes))
    return bench


@pytest.fixture
def snapshot(desk, tmp_path):
    """Give a function that builds the book: its manifest, its rows by kind, the store."""
    store = LocalStore(tmp_path / "out")

    def build():
        manifest, _ = write_snapshot(Changes([run_book("boat", desk)]), desk.work, store, facts(desk))
        rows = {"trajectories": [], "books": [], "rejected": []}
        for shard in manifest.shards:
            rows[shard.kind] += read_rows(shard, store)
        return manifest, rows, store

    return build


@pytest.fixture
def lose(monkeypatch):
    """Give a function that lets every book lose the outlines of some passages."""

    def install(*numbers):
        @wraps(outline_book)
        def outline(book, settings, **seams):
            found = outline_book(book, settings, **seams)
            kept = [one.model_copy(update={"bullets": ()}) if one.number in numbers else one for one in found.passages]
            nodes = [
                Quarantine(node=f"passage {number}", chapter=1, call="outline", reason="length", detail="cut")
                for number in numbers
            ]
            return found.model_copy(update={"passages": tuple(kept), "quarantined": tuple(nodes)})

        monkeypatch.setattr(line, "outline_book", outline)

    return install


def test_the_books_row_holds_the_outlines_and_no_scaffold(snapshot):
    manifest, rows, _ = snapshot()
    (book,) = rows["books"]
    outlines = Outlines.model_validate_json(book["outlines"])
    assert (book["scaffold"], book["findings"], book["num_chapters"]) == (None, None, 3)
    assert book["num_words"] == sum(len(book["text"][one.start : one.end].split()) for one in outlines.passages)
    assert json.loads(book["provenance"])["outlines_sha256"] == outlines.digest()
    assert manifest.recipe == "outline-to-text"
    assert manifest.accounting.layouts["outline-to-text"].made == len(outlines.passages) == len(rows["trajectories"])


def test_the_audit_finds_nothing_wrong_and_a_second_run_makes_nothing(snapshot, desk):
    manifest, _, store = snapshot()
    audit = audit_snapshot(manifest, store, desk.trainee)
    assert audit.ok, audit.problems
    assert find_outcome(prepare_book("boat", desk), {}, desk) is not None
    assert {key.split("/")[0] for key in desk.work.store.keys("")} >= {"outline", "compose", "outcome"}
    assert not desk.work.store.keys("summarize")


def test_the_recipes_of_one_work_store_do_not_take_each_other_s_outcomes(desk):
    pairs = run_book("boat", desk)
    object.__setattr__(desk, "settings", desk.settings.model_copy(update={"recipe": "prompt-to-book"}))
    book = run_book("boat", desk)
    assert set(pairs.works[0].values) == {"segment", "sign", "repetition", "outline", "compose"}
    assert set(book.works[0].values) == {"segment", "sign", "repetition", "summarize", "verify", "compose"}
    assert pairs.works[0].values["segment"] == book.works[0].values["segment"]


def test_a_quarantined_passage_is_a_node_in_rejected_and_no_target(snapshot, lose, desk):
    lose(2)
    manifest, rows, store = snapshot()
    (node,) = [row for row in rows["rejected"] if row["level"] == "node"]
    assert (node["stage"], node["node"], node["reason"]) == ("outline", "passage 2", "length")
    assert manifest.accounting.nodes == {"length": 1}
    assert "boat:outline-to-text:0002" not in {row["trajectory_id"] for row in rows["trajectories"]}
    audit = audit_snapshot(manifest, store, desk.trainee)
    assert audit.ok, audit.problems


def problems_after(kind, change, snapshot, desk):
    """What an audit says of the snapshot once one of its tables was changed by hand."""
    manifest, _, store = snapshot()
    shard = next(shard for shard in manifest.shards if shard.kind == kind)
    rows = read_rows(shard, store)
    rewrite(shard, change(rows), store)
    return "\n".join(audit_snapshot(manifest, store, desk.trainee).problems)


def test_the_audit_names_a_passage_that_is_no_target(snapshot, desk):
    said = problems_after("trajectories", lambda rows: rows[1:], snapshot, desk)
    assert "each has to be a target once" in said


def test_the_audit_names_a_quarantined_passage_that_rejected_does_not_have(snapshot, lose, desk):
    lose(2, 3)
    said = problems_after("rejected", lambda rows: rows[1:], snapshot, desk)
    assert "has no outline, and is not in rejected" in said


def test_the_audit_names_passages_that_are_not_the_narrative(snapshot, desk):
    def forget(rows):
        outlines = Outlines.model_validate_json(rows[0]["outlines"])
        rows[0]["outlines"] = outlines.model_copy(update={"passages": outlines.passages[:-1]}).model_dump_json()
        return rows

    assert "are not the text of its narrative chapters" in problems_after("books", forget, snapshot, desk)


def test_the_audit_names_a_reference_with_words_of_its_target_and_one_of_no_book(snapshot, desk):
    def leak(rows):
        for row, other in zip(rows, ("target", "invented"), strict=False):
            prompt, passage = row["stages"]
            head, _, _ = prompt["text"].partition("\n\n## Style Reference")
            shown = passage["text"] if other == "target" else "Nobody ever wrote this."
            prompt["text"] = (
                f"{head}\n\n## Style Reference\nAnother passage of the same work follows. Write in its manner; take "
                f"over neither its events nor its sentences.\n\n{shown}"
            )
            row["messages"][0]["content"] = prompt["text"]
        return rows

    said = problems_after("trajectories", leak, snapshot, desk)
    assert "runs of 8 words with the target, 0 allowed" in said
    assert "its style reference is not in the book's text" in said


def test_a_prompt_is_the_whole_user_turn(snapshot):
    _, rows, _ = snapshot()
    row = rows["trajectories"][0]
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
    assert [turn["content"] for turn in row["messages"]] == [stage["text"] for stage in row["stages"]]
