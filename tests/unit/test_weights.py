"""Weights of stages: from the settings through composing and Parquet into the loss, and what is counted under them."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.settings import ComposeSettings, TrainSettings
from tasks.audit import audit_snapshot
from tasks.backends.stores import LocalStore
from tasks.backends.tokenizers import open_tokenizer
from tasks.compose import compose_book
from tasks.grammar.sequence import PROSE_ROLES, check_trajectory, messages, stages_from_messages
from tasks.line import run_book
from tasks.shard import Changes
from tasks.snapshot import write_snapshot
from tasks.tables import SCHEMAS, trajectory_row
from tasks.training.samples import load_samples
from tests.compositions import TWO_CHAPTERS, compose
from tests.fakes import WordTokenizer
from tests.scaffolds import make_book
from tests.unit.test_shard import bench, facts  # noqa: F401  # the fixture
from tests.unit.test_training import data_of

LAYOUTS = ("full-book", "first-chapter", "chapter-window")
ROLES = ("book_preview", "book_plan", "first_chapter_plan", "scene_breakdown", "chapter_text", "first_chapter_text")
WEIGHTS = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0]), st.floats(0, 1_000))


def weigh(**weights):
    return ComposeSettings(windows=(2_048,), **weights)


def test_weights_reach_the_loss_through_a_shard_as_they_were_composed(tmp_path):
    tokenizer = open_tokenizer("samples")
    asked = weigh(plan_loss=0.1, prose_loss=0.7, role_loss={"scene_breakdown": 1 / 3, "book_preview": 2.5})
    rows = compose_book(*make_book(TWO_CHAPTERS), asked, tokenizer).rows
    table = pa.Table.from_pylist([trajectory_row(row) for row in rows], SCHEMAS["trajectories"])
    pq.write_table(table, tmp_path / "a.parquet")
    training = TrainSettings(layouts=LAYOUTS, max_tokens=1_000_000)
    samples = load_samples(data_of(str(tmp_path)), training, tokenizer).samples
    assert len(samples) == len(rows)
    for row, sample in zip(rows, samples, strict=True):
        runs = [float(weight) for weight, _ in groupby(sample.weights_T[sample.weights_T > 0].tolist())]
        targets = [stage.loss for stage in row.stages if stage.loss > 0]
        assert runs == [weight for weight, _ in groupby(targets)]
        assert sample.weights_T.sum(dtype=np.float64) == pytest.approx(
            sum(stage.loss * (1 + tokenizer.count(f"\n\n{stage.text}")) for stage in row.stages)
        )
    read = {stage["role"]: stage["loss"] for row in table.to_pylist() for stage in row["stages"]}
    assert read == {stage.role: stage.loss for row in rows for stage in row.stages}
    assert read["scene_breakdown"] == pytest.approx(1 / 3)
    assert (read["book_preview"], read["chapter_text"]) == (2.5, pytest.approx(0.7))


@settings(max_examples=40, deadline=None)
@given(plan=WEIGHTS, prose=WEIGHTS, roles=st.dictionaries(st.sampled_from(ROLES), WEIGHTS))
def test_plan_and_prose_tokens_are_those_of_stages_with_a_weight(plan, prose, roles):
    book, scaffold = make_book(TWO_CHAPTERS)
    for row in compose(book, scaffold, weigh(plan_loss=plan, prose_loss=prose, role_loss=roles)).rows:
        counted = {True: 0, False: 0}
        for stage in row.stages:
            counted[stage.role in PROSE_ROLES] += stage.num_tokens * (stage.loss > 0)
        assert (row.prose_tokens, row.plan_tokens) == (counted[True], counted[False])
        assert check_trajectory(row, book.text, WordTokenizer()) == []
        told = [(stage.role, stage.text) for stage in row.stages]
        assert stages_from_messages(row.layout, messages(row.stages)) == told
        taught = [turn["content"] for turn in messages(row.stages) if turn["role"] == "assistant"]
        assert taught == [stage.text for stage in row.stages if stage.loss > 0]


def test_a_role_without_weight_is_context_and_not_counted():
    rows = compose(*make_book(TWO_CHAPTERS), weigh(role_loss={"scene_breakdown": 0})).rows
    (row,) = [row for row in rows if row.layout == "chapter-window"]
    assert row.plan_tokens == 0
    assert row.prose_tokens > 0
    assert "<scene_breakdown>" in messages(row.stages)[0]["content"]


@pytest.mark.parametrize("weights", [{"prompt": 1.0}, {"scene": 1.0}, {"book_plan": -1.0}, {"book_plan": float("nan")}])
def test_a_weight_of_no_target_or_no_number_is_refused(weights):
    with pytest.raises(ValidationError, match="role_loss"):
        weigh(role_loss=weights)


@pytest.mark.parametrize("weights", [{"prose_loss": 0.0}, {"role_loss": {"first_chapter_text": 0.0}, "plan_loss": 0.3}])
def test_a_snapshot_whose_prose_has_no_weight_passes_its_audit(bench, tmp_path, weights):  # noqa: F811
    compose_settings = bench.settings.compose.model_copy(update=weights)
    object.__setattr__(bench, "settings", bench.settings.model_copy(update={"compose": compose_settings}))
    store = LocalStore(tmp_path / "out")
    manifest, _ = write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    audit = audit_snapshot(manifest, store, bench.trainee)
    assert audit.ok, audit.problems
