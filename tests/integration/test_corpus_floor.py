"""The floor under the corpus stages: what benchmarks/corpus.py prints for the reference data, but speed and memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scoring.measures import measure_corpus
from benchmarks.scoring.peers import open_peers
from benchmarks.scoring.reading import read_file
from benchmarks.scoring.reference import load_reference
from flows.inspect_data import look_at_file
from schemas.settings import Settings

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "gutenberg"

pytestmark = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="the shared reference data (../shared/gutenberg) is not beside the checkout"
)


@pytest.fixture(scope="module")
def measured():
    return measure_corpus(load_reference(REFERENCE), open_peers())


@pytest.fixture(scope="module")
def figures(measured):
    return measured[0]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("both_ends_exact", 0.95),
        ("narrative_both_ends_exact", 0.95),
        ("chapter_f1_mean", 0.985),
        ("chapter_f1_worst", 0.90),
        ("chapter_leaves_f1_mean", 0.99),
        ("all_divisions_f1_mean", 0.985),
        ("labels_and_titles_right", 0.97),
        ("lossless_share", 1.0),
        ("files_mapped_share", 1.0),
    ],
)
def test_figures_stay_above_their_floor(figures, measured, name, least):
    assert figures[name] >= least, "\n".join(measured[1])


@pytest.mark.parametrize("name", ["boilerplate_left", "characters_cut", "files_cut", "offsets_lost", "files_refused"])
def test_nothing_is_left_cut_or_lost(figures, measured, name):
    assert figures[name] == 0, "\n".join(measured[1])


def test_works_are_screened_for_the_right_reason(figures, measured):
    assert (figures["narrative_works"], figures["other_works"]) == (66, 14)
    assert figures["other_works_rejected_rightly"] == 14, "\n".join(measured[1])
    assert figures["narrative_works_lost"] == 0, "\n".join(measured[1])


def test_no_peer_finds_the_ends_as_often(figures):
    peers = [name for name in open_peers() if figures[f"{name}_installed"]]
    if not peers:
        pytest.skip("gutenberg_cleaner and gutenbergpy are not installed: pip install -e '.[bench]'")
    assert all(figures[f"{name}_both_ends_exact"] < figures["both_ends_exact"] for name in peers)
    assert figures["chapterize_chapter_f1_mean"] < figures["chapter_f1_mean"]


def test_the_scores_are_of_what_look_prints():
    for file in load_reference(REFERENCE)[::25]:
        assert read_file(file.path, Settings()).report == look_at_file(file.path, Settings())[0]
