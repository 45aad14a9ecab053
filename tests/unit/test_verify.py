"""What the checks say of good plans, and of the same plans damaged on purpose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from schemas.scaffold import Bullet
from schemas.settings import VerifySettings
from tasks.checking.spans import find_copies
from tasks.verify import CHECKS, verify_scaffold
from tests.scaffolds import GOLD_TEXTS, load_gold, make_book

SHARED = Path(__file__).resolve().parents[2].parent / "shared"

# sixteen paragraphs of about 80 words, each with a matter of its own
MATTERS = (
    ("lantern", "kettle", "oilcloth", "wick"),
    ("ferry", "rope", "pulley", "mooring"),
    ("orchard", "ladder", "basket", "wasp"),
    ("ledger", "ink", "column", "debt"),
    ("chapel", "bell", "sexton", "candle"),
    ("goose", "gander", "feather", "nest"),
    ("quarry", "chisel", "slate", "wagon"),
    ("violin", "bow", "rosin", "string"),
    ("fever", "blanket", "broth", "nurse"),
    ("poacher", "snare", "hare", "keeper"),
    ("thimble", "needle", "seam", "velvet"),
    ("sermon", "pulpit", "hymn", "vicar"),
    ("anvil", "bellows", "forge", "horseshoe"),
    ("widow", "veil", "coffin", "grave"),
    ("parrot", "cage", "perch", "seed"),
    ("comet", "telescope", "night", "star"),
)
PEOPLE = ("Anna", "Harding", "Marl")


def write_paragraph(index):
    one, two, three, four = MATTERS[index]
    return " ".join(
        f"{name} said that the {one} and the {two} were wanted, for {name} had seen the {three} beside the {four}."
        for name in (*PEOPLE, PEOPLE[index % 3])
    )


def plan(statements):
    book, scaffold = make_book([[[write_paragraph(index) for index in range(16)]]])
    bullets = tuple(Bullet(text=text) for text in statements)
    scene = scaffold.chapters[0].scenes[0].model_copy(update={"bullets": bullets[:1]})
    chapter = scaffold.chapters[0].model_copy(update={"bullets": bullets, "scenes": (scene,)})
    return book, scaffold.model_copy(update={"chapters": (chapter,)})


GOOD = (
    "A lantern needs its wick, and Anna asks for it.",
    "Harding weighs the debt in his ledger against the slate quarry.",
    "While a fever keeps the nurse busy, Marl follows the poacher and his snare.",
    "Harding takes up the anvil again after the widow leaves the grave.",
    "Anna shows Marl a comet through the telescope.",
)


def check(statements, **changes):
    book, scaffold = plan(statements)
    found = verify_scaffold(book, scaffold.model_copy(update=changes), VerifySettings())
    return {(finding.check, finding.node): finding for finding in found.findings}


def failed(findings, node="chapter 1"):
    return {name for (name, place), finding in findings.items() if place == node and not finding.passed}


def test_a_good_plan_passes_every_check_of_its_chapter():
    findings = check(GOOD)
    assert failed(findings) == set()
    assert {name for name, place in findings if place == "chapter 1"} == {
        *("copied-run", "copied-8-grams", "invented-names", "people-covered", "duplicates"),
        *("order", "quarters-covered", "scenes-partition"),
    }


def test_a_copied_sentence_is_caught_with_its_words():
    leaked = write_paragraph(8).split(". ")[0] + "."
    finding = check((*GOOD[:2], leaked, *GOOD[3:]))["copied-run", "chapter 1"]
    assert finding.value == len(leaked.split()) > finding.limit == 8
    assert finding.detail.startswith("anna said that the fever and the blanket")


def test_the_longest_run_is_measured_word_by_word():
    prose = [np.arange(100)]
    plans = [
        [np.array([5, 6, 7, 8, 9, 10, 11, 12, 13, -1, 20, 21])],
        [np.array([50, 51, 52, 53, 54, 99])],
        [np.arange(3)],
    ]
    long, short, none = find_copies(plans, prose)
    assert (long.longest, long.start, long.share) == (9, 0, 2 / 5)
    assert (short.longest, short.share) == (5, 0.0)
    assert none.longest == 3


def test_a_run_does_not_go_on_in_the_next_statement():
    (copies,) = find_copies([[np.arange(0, 6), np.arange(6, 12)]], [np.arange(100)])
    assert (copies.longest, copies.share) == (6, 0.0)


def test_an_invented_name_is_caught_and_a_misspelt_one_forgiven():
    assert failed(check((*GOOD, "At the comet stands Boswell, and then Hardin comes."))) == {"invented-names"}
    finding = check((*GOOD, "At the comet stands Boswell, and then Hardin comes."))["invented-names", "chapter 1"]
    assert (finding.value, finding.detail) == (0.1667, "boswell")


def test_a_plan_without_the_people_is_caught():
    nameless = tuple(" ".join(word for word in text.split() if word not in PEOPLE) for text in GOOD)
    assert "people-covered" in failed(check(nameless))


def test_a_repeated_statement_is_caught():
    assert failed(check((*GOOD, GOOD[-1]))) == {"duplicates"}


def test_a_plan_in_the_wrong_order_is_caught():
    findings = check(tuple(reversed(GOOD)))
    assert failed(findings) == {"order"}
    assert findings["order", "chapter 1"].value == -1.0


def test_a_plan_of_the_beginning_alone_is_caught():
    start = (
        *GOOD[:1],
        "Anna ties the ferry rope.",
        "Harding picks a wasp off the orchard ladder.",
        "Marl reads the ledger.",
    )
    assert "quarters-covered" in failed(check(start))


def test_arcs_that_leave_a_chapter_out_are_caught():
    _, scaffold = plan(GOOD)
    arc = scaffold.arcs[0].model_copy(update={"last_chapter": 2})
    assert check(GOOD)["arcs-partition", "book"].passed
    assert check(GOOD, arcs=(arc,))["arcs-partition", "book"].value == 1


def test_scenes_that_leave_text_out_are_caught():
    book, scaffold = make_book([[[write_paragraph(0), write_paragraph(1)], [write_paragraph(2)]]])
    chapter = scaffold.chapters[0]
    short = chapter.scenes[0].model_copy(update={"end": chapter.scenes[0].start + len(write_paragraph(0))})
    damaged = chapter.model_copy(update={"scenes": (short, chapter.scenes[1])})
    broken = verify_scaffold(book, scaffold.model_copy(update={"chapters": (damaged,)}), VerifySettings())
    whole = verify_scaffold(book, scaffold, VerifySettings())
    assert [finding.value for finding in broken.findings if finding.check == "scenes-partition"] == [1]
    assert [finding.value for finding in whole.findings if finding.check == "scenes-partition"] == [0]
    assert "scenes-partition" in {finding.check for finding in broken.failed}


def test_every_check_reports_on_the_book_or_on_a_chapter():
    nodes = {place for _, place in check(GOOD)}
    assert nodes == {"book", "chapter 1"}
    assert len(CHECKS) == 7


@pytest.mark.skipif(not (SHARED / "gold").exists(), reason="the shared test corpus is not beside the checkout")
@pytest.mark.parametrize("book_id", GOLD_TEXTS)
def test_a_plan_written_with_care_raises_no_alarm(book_id):
    book, scaffold = load_gold(SHARED, book_id)
    failures = {finding.check for finding in verify_scaffold(book, scaffold, VerifySettings()).failed}
    # the narrator of 68283 is named only before the first scene, which the book made here leaves out
    assert failures == ({"invented-names"} if book_id == "68283" else set())
