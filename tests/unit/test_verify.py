"""What the checks say of good plans, and of the same plans damaged on purpose."""

from __future__ import annotations

import numpy as np

from schemas.scaffold import Bullet, Doubt
from schemas.settings import VerifySettings
from tasks.checking.spans import COPIED_WORDS, SHORT_WORDS, find_copies, measure_density, sort_runs
from tasks.verify import CHECKS, verify_scaffold
from tests.scaffolds import make_book
from tests.village import GOOD, PEOPLE, write_paragraph

RUNS = [sort_runs([np.arange(100)], size) for size in (COPIED_WORDS, SHORT_WORDS)]


def plan(statements):
    book, scaffold = make_book([[[write_paragraph(index) for index in range(16)]]])
    bullets = tuple(Bullet(text=text) for text in statements)
    scene = scaffold.chapters[0].scenes[0].model_copy(update={"bullets": bullets[:1]})
    chapter = scaffold.chapters[0].model_copy(update={"bullets": bullets, "scenes": (scene,)})
    return book, scaffold.model_copy(update={"chapters": (chapter,)})


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
        *("people-in-summary", "order", "quarters-covered", "compression", "density", "introduced"),
        *("names-in-children", "support", "scenes-partition", "openings-located"),
    }


def test_a_copied_sentence_is_caught_with_its_words():
    leaked = write_paragraph(8).split(". ")[0] + "."
    finding = check((*GOOD[:2], leaked, *GOOD[3:]))["copied-run", "chapter 1"]
    assert finding.value == len(leaked.split()) > finding.limit == 8
    assert finding.detail.startswith("anna said that the fever and the blanket")


def test_the_longest_run_is_measured_word_by_word():
    plans = ([5, 6, 7, 8, 9, 10, 11, 12, 13, -1, 20, 21], [50, 51, 52, 53, 54, 99], [0, 1, 2])
    long, short, none = (find_copies([np.array(plan)], *RUNS) for plan in plans)
    assert (long.longest, long.start, long.share) == (9, 0, 2 / 5)
    assert (short.longest, short.share) == (5, 0.0)
    assert none.longest == 3


def test_density_weighs_long_fragments_by_their_square():
    prose = np.arange(100)
    assert measure_density([np.array([5, 90, 30, -1])], prose) == 3 / 4
    assert measure_density([np.arange(20, 40)], prose) == 20
    assert measure_density([np.arange(20, 24), np.arange(24, 28)], prose) == 4


def test_a_run_does_not_go_on_in_the_next_statement():
    copies = find_copies([np.arange(0, 6), np.arange(6, 12)], *RUNS)
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
    assert nodes == {"book", "chapter 1", "arc 1", "arc 1, short", "arc 1, medium", "arc 1, long"}
    assert len(CHECKS) == 10


def test_a_quarantined_chapter_is_left_out_and_said_so():
    book, scaffold = plan((GOOD[0], GOOD[0], "Boswell comes."))
    chapter = scaffold.chapters[0].model_copy(update={"quarantined": True})
    found = verify_scaffold(book, scaffold.model_copy(update={"chapters": (chapter,)}), VerifySettings()).findings
    assert [finding.check for finding in found if finding.node == "chapter 1"] == ["quarantined"]
    assert not next(finding for finding in found if finding.check == "quarantined").passed


def test_a_fault_of_a_scene_is_reported_at_the_scene():
    book, scaffold = plan(GOOD)
    chapter = scaffold.chapters[0]
    scene = chapter.scenes[0].model_copy(update={"bullets": (Bullet(text="Anna meets Boswell by the lantern."),)})
    damaged = scaffold.model_copy(update={"chapters": (chapter.model_copy(update={"scenes": (scene,)}),)})
    failures = verify_scaffold(book, damaged, VerifySettings()).failed
    assert ("invented-names", "chapter 1, scene 1", "boswell") in {
        (one.check, one.node, one.detail) for one in failures
    }


def test_a_quoted_opening_that_stands_elsewhere_is_caught():
    book, scaffold = plan(GOOD)
    chapter = scaffold.chapters[0]
    for opening, num_wrong in (("Anna said that the lantern and the kettle", 0), ("Nobody said a word that night", 1)):
        scene = chapter.scenes[0].model_copy(update={"opening": opening})
        changed = scaffold.model_copy(update={"chapters": (chapter.model_copy(update={"scenes": (scene,)}),)})
        found = verify_scaffold(book, changed, VerifySettings()).findings
        assert [one.value for one in found if one.check == "openings-located"] == [num_wrong]


def test_a_preview_outside_the_grammar_is_caught():
    preview = make_book([[["One."]]])[1].preview.model_copy(update={"highlight": "Too short.", "tags": ("One",) * 7})
    finding = check(GOOD, preview=preview)["grammar", "book"]
    assert finding.detail == "the highlight has 2 words, 55 to 140 allowed; 1 different tags, 7 needed"


def test_arcs_that_do_not_grow_are_caught():
    _, scaffold = plan(GOOD)
    texts = {"short": GOOD[:1], "medium": GOOD, "long": (*GOOD, *GOOD, *GOOD)}
    arc = scaffold.arcs[0].model_copy(update=texts)
    assert check(GOOD, arcs=(arc,))["lengths-fall", "book"].passed
    flat = arc.model_copy(update={"medium": arc.long})
    assert check(GOOD, arcs=(flat,))["lengths-fall", "book"].detail.startswith("arc 1, medium")
    brief = arc.model_copy(update={"long": (*GOOD, GOOD[0])})
    assert check(GOOD, arcs=(brief,))["lengths-fall", "book"].detail.startswith("premise (84 words over ")


def test_a_contradiction_counts_only_with_words_that_stand_in_the_text():
    book, scaffold = plan(GOOD)
    doubt = Doubt(statement=GOOD[1], verdict="contradicted", evidence="a debt", located=True)
    for located, passed in ((True, False), (False, True)):
        doubts = (doubt.model_copy(update={"located": located}),)
        chapter = scaffold.chapters[0].model_copy(update={"num_claims": 5, "doubts": doubts})
        found = verify_scaffold(book, scaffold.model_copy(update={"chapters": (chapter,)}), VerifySettings()).findings
        values = {one.check: one for one in found if one.check.startswith("claims")}
        assert values["claims-contradicted"].passed is passed
        assert values["claims-not-found"].value == (0.0 if located else 0.2)
        assert values["claims-not-found"].passed


def test_an_alarm_passes_on_either_side_of_its_limit():
    finding = check((*GOOD, "Harding praises Marl for his velvet seam."))["support", "chapter 1"]
    assert finding.value < finding.limit
    assert finding.passed


def test_chapters_that_say_the_same_are_caught():
    paragraphs = [write_paragraph(index) for index in range(16)]
    book, scaffold = make_book([[paragraphs[:8]], [paragraphs[8:]]])
    bullets = tuple(Bullet(text=text) for text in GOOD[:2])
    chapters = tuple(chapter.model_copy(update={"bullets": bullets}) for chapter in scaffold.chapters)
    found = verify_scaffold(book, scaffold.model_copy(update={"chapters": chapters}), VerifySettings())
    failures = {(one.check, one.node) for one in found.failed}
    assert {("like-a-sibling", "chapter 1"), ("like-a-sibling", "chapter 2")} <= failures
    assert ("own-rank-first", "book") in failures
