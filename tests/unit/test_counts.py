"""Rows of a shard -> what a card shows without reading them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tasks.counts import AXES, RowCounter
from tasks.describing.histograms import BINS, count_in_bins, spread_over_bins
from tasks.tables import SCHEMAS


def count_rows(kind, rows):
    counter = RowCounter(kind)
    counter.add(rows)
    return counter.counts()


def book(**told):
    scene = {"vector": dict.fromkeys(AXES, 15)}
    lost = {"vector": dict.fromkeys(AXES, 99)}
    scaffold = {"chapters": [{"scenes": [scene, scene]}, {"scenes": [lost], "quarantined": True}]}
    findings = [
        {"check": "copied-run", "value": 4.0, "passed": True},
        {"check": "copied-run", "value": 11.0, "passed": False},
    ]
    row = {
        "book_id": "1",
        "authors": ["Quill, Mara, 1775-1817", "Oddy, Ann, 1900-1980 [Translator]"],
        "num_words": 61_000,
        "num_chapters": 12,
        "scaffold": json.dumps(scaffold),
        "findings": json.dumps({"findings": findings}),
        "public_domain": ["US"],
    }
    return {**dict.fromkeys(SCHEMAS["books"].names), **row, **told}


def row(layout="chapter-window", window=8_192, trainable=True):
    stages = [{"role": "prompt", "num_tokens": 5}, {"role": "chapter_text", "num_tokens": 70}]
    numbers = {"num_tokens": 90, "plan_tokens": 10, "prose_tokens": 70}
    return {"layout": layout, "window": window, "trainable": trainable, "stages": stages, **numbers}


def test_a_book_is_counted_in_every_histogram_that_it_tells_of():
    counts = count_rows("books", [book()])
    assert counts["hist:words"] == {"60000": 1}
    assert counts["hist:chapters"] == {"10": 1}
    assert counts["hist:born"] == {"1775": 1}
    assert counts["hist:died"] == {"1800": 1}
    assert counts["hist:rating:pacing"] == {"10": 2}  # the scene without an accepted answer has no rating
    assert counts["hist:copied-run"] == {"4": 1, "10": 1}
    assert counts["told"]["words"] == counts["told"]["copied-run"] == 1
    assert counts["public_domain"] == {"US": 1}
    assert (counts["checked"], counts["outside"]) == ({"copied-run": 2}, {"copied-run": 1})


def test_a_row_without_plans_findings_and_years_tells_of_its_length_only():
    counts = count_rows("books", [book(scaffold=None, findings=None, authors=None, public_domain=None)])
    assert counts["told"] == {"words": 1, "chapters": 1}
    assert counts["public_domain"] == {"unknown": 1}
    assert "checked" not in counts


def test_counts_of_two_shards_add_up_to_those_of_one():
    rows = [book(book_id=str(number), num_words=number * 9_000) for number in range(1, 9)]
    whole, parts = count_rows("books", rows), [count_rows("books", rows[:3]), count_rows("books", rows[3:])]
    for group, counts in whole.items():
        assert sum((Counter(part[group]) for part in parts), Counter()) == Counter(counts), group


def test_rows_are_counted_by_rung_role_and_whether_they_are_for_training():
    counts = count_rows("trajectories", [row(), row(), row("full-book", 262_144, trainable=False)])
    assert counts["rung:chapter-window:8192"] == {"rows": 2, "num_tokens": 180, "plan_tokens": 20, "prose_tokens": 140}
    assert counts["roles:chapter-window:8192"] == {"prompt": 10, "chapter_text": 140}
    assert counts["rung:full-book:262144"]["rows"] == 1
    assert counts["trainable"] == {"no": 1, "yes": 2}
    assert counts["tokens"] == {"num_tokens": 270, "plan_tokens": 30, "prose_tokens": 210}


@pytest.mark.parametrize("name", BINS)
def test_bins_rise_and_take_everything(name):
    assert list(BINS[name]) == sorted(set(BINS[name]))
    assert count_in_bins(name, [-5_000, 10**9]).total() == 2


def test_bins_are_shown_from_the_first_that_holds_anything_to_the_last():
    assert spread_over_bins("chapters", Counter({"3": 2, "10": 1})) == [("3–4", 2), ("5–9", 0), ("10–14", 1)]
    assert spread_over_bins("copied-run", Counter({"100": 1})) == [("100+", 1)]
    assert spread_over_bins("words", Counter()) == []
    assert len(spread_over_bins("rating", Counter({"50": 1}))) == 10
