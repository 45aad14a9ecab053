"""The narrative is cut into passages that lose nothing, and each is told by one call."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.answers import BulletAnswer, OutlineAnswer
from schemas.errors import BookError
from schemas.settings import VerifySettings
from tasks.checking.answers import BookChecks
from tasks.chunk import list_pieces
from tasks.extraction.extractive import answer_extractively
from tasks.outline import ask_outline, find_fault, list_tasks
from tasks.planning.ask import describe_answer, load_prompt
from tasks.planning.passages import cut_passages
from tests.fakes import FakeLLM, WordTokenizer, build_book
from tests.tellers import outline, refuse, tell, write_book, write_paragraph

ENFORCED = VerifySettings(mode="enforce")


def spoken(*lines, paragraph=0):
    return OutlineAnswer(bullets=tuple(BulletAnswer(text=line, paragraphs=(paragraph,)) for line in lines))


def passages_of(book, budget, place=0):
    return cut_passages(book.chapters()[place], book.text, budget, WordTokenizer())


def words_in(book, window):
    return WordTokenizer().count(book.text[window.span.start : window.span.end].strip())


# ---- passages ----


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.lists(st.integers(1, 130), min_size=1, max_size=4), min_size=1, max_size=2), min_size=1, max_size=2
    ),
    st.integers(50, 300),
)
def test_passages_tile_the_narrative_within_their_budget(chapters, budget):
    numbers = iter(range(10_000))
    book = build_book(
        *[[[write_paragraph(next(numbers), size) for size in sizes] for sizes in scenes] for scenes in chapters]
    )
    passages = outline(book, passage_tokens=budget).passages
    told = "".join(book.text[one.start : one.end] for one in passages)
    assert told == "".join(book.text[one.body_start : one.end] for one in book.chapters())
    assert all(later.start >= earlier.end for earlier, later in pairwise(passages))
    assert all(WordTokenizer().count(book.text[one.start : one.end].strip()) <= budget for one in passages)


def test_a_chapter_that_fits_is_one_passage_and_chapters_are_never_joined():
    passages = outline(write_book([1], [1, 1])).passages
    assert [(one.number, one.chapter) for one in passages] == [(1, 1), (2, 2)]


def test_passages_end_between_paragraphs_and_at_a_scene_where_it_leaves_them_half_full():
    book = write_book([5, 5])
    (scene, _) = book.chapters()[0].scenes
    windows = passages_of(book, 300)
    assert windows[0].span.end == scene.end
    assert [piece for window in windows for piece in window.pieces] == list(list_pieces(book.chapters()[0]))


def test_a_paragraph_over_the_budget_is_cut_between_sentences():
    book = build_book([[" ".join(write_paragraph(number, 30) for number in range(12))]])
    windows = passages_of(book, 100)
    assert len(windows) >= 4
    assert all(book.text[window.span.start : window.span.end].rstrip().endswith(".") for window in windows)


def test_a_rest_of_a_few_lines_shares_the_text_of_the_passage_before_it():
    book = write_book([11])
    sizes = [words_in(book, window) for window in passages_of(book, 420)]
    assert sum(sizes) == WordTokenizer().count("\n".join(write_paragraph(number) for number in range(11)))
    assert len(sizes) == 2
    assert min(sizes) > 420 / 4


# ---- calls ----


def test_every_passage_is_one_call_of_one_batch_with_its_own_prompt():
    book, llm = write_book([6], [3]), FakeLLM(tell)
    tasks = list_tasks(book, 100, WordTokenizer())
    requests = [ask_outline(task, None) for task in tasks]
    assert [request.node for request in requests] == [f"passage {number}" for number in range(1, len(tasks) + 1)]
    assert {request.instructions for request in requests} == {load_prompt("outline")}
    assert all(request.question.endswith(describe_answer(OutlineAnswer)) for request in requests)
    assert all(task.text.split()[1] in request.context for task, request in zip(tasks, requests, strict=True))
    assert "Chapter 2 of 2" in requests[-1].context
    llm.answer(requests)
    assert len(llm.batches) == 1


def test_statements_become_bullets_of_the_grammar_and_one_without_words_falls_out():
    def mumble(request):
        return spoken("- * She goes.", " \u200b ", "<|eot_id|>")

    (passage,) = outline(write_book([1]), mumble).passages
    assert [bullet.text for bullet in passage.bullets] == ["She goes."]


def test_a_passage_without_an_accepted_answer_is_quarantined_and_the_others_stand():
    found = outline(write_book([6]), refuse(2))
    assert [bool(passage.bullets) for passage in found.passages] == [True, False, True]
    (node,) = found.quarantined
    assert (node.node, node.chapter, node.call, node.reason) == ("passage 2", 1, "outline", "length")
    assert (node.answers, node.text) == (("ab",), "{")
    assert found.told == (found.passages[0], found.passages[2])


def test_an_answer_with_nothing_in_it_is_no_outline():
    found = outline(write_book([4]), lambda request: spoken("\u200b") if request.node == "passage 1" else tell(request))
    assert [node.reason for node in found.quarantined] == ["empty-plan-text"]


def test_a_passage_that_no_row_can_hold_is_not_asked_about():
    book = build_book([[write_paragraph(1, 90), f"{write_paragraph(2, 20)} \n{write_paragraph(3, 60)}"]])
    found = outline(book)
    (node,) = found.quarantined
    assert (node.node, node.reason) == ("passage 2", "prose-breaks-grammar")
    assert "ends in white space" in node.detail


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("She went.", None),
        ("She <|eot_id|> went.", "control token"),
        ("Try to write your text as well as this one: She went.", "words of a template"),
    ],
)
def test_what_no_row_can_hold_is_named(text, fault):
    found = find_fault(text)
    assert found is None if fault is None else found is not None and fault in found


def test_a_book_without_any_outline_is_rejected_with_the_first_reason():
    with pytest.raises(BookError, match=r"all 2 passages: passage 1: no answer \(length: cut at 1536 tokens\)"):
        outline(write_book([4]), refuse(1, 2))


def test_the_builtin_model_tells_a_passage_in_its_own_sentences_and_nothing_is_trained_on():
    book = write_book([6])
    found = outline(book, lambda request: answer_extractively(request.call, request.inputs), trainable=False)
    assert (found.trainable, found.summarizer) == (False, "extractive")
    text = " ".join(book.text.split())
    assert all(bullet.text in text for passage in found.passages for bullet in passage.bullets)


# ---- checks ----


def check(*lines, paragraph=0, quoting=False):
    book = write_book([3])
    (task,) = list_tasks(book, 400, WordTokenizer())
    checks = BookChecks(book, ENFORCED, quoting=quoting)
    return " ".join(ask_outline(task, checks).check(spoken(*lines, paragraph=paragraph)))


GOOD = ("She sets out before anybody is up.", "What she looks for is not there.", "She tells no one of it.")


def test_a_clean_outline_passes_its_check():
    assert check(*GOOD) == ""


def test_words_of_the_passage_in_a_row_are_refused_but_not_of_a_model_that_quotes():
    copied = " ".join(write_paragraph(1).split()[3:15])
    assert "words in a row from the text" in check(*GOOD, copied)
    assert check(*GOOD, copied, quoting=True) == ""


def test_a_name_that_the_book_does_not_have_is_refused():
    assert "names zorblaxia" in check("There she meets Zorblaxia.", *GOOD[1:]).lower()


def test_evidence_outside_of_the_passage_is_refused():
    assert "it rests on paragraph 7, but the paragraphs are 0 to 2" in check(*GOOD, paragraph=7)


def test_too_few_statements_are_refused_for_a_passage_of_a_hundred_words():
    assert "1 given, at least 3 needed" in check(GOOD[0])


def test_checks_are_asked_only_where_they_are_enforced():
    seen = []

    def watch(request):
        seen.append(request.check is not None)
        return tell(request)

    outline(write_book([1]), watch)
    outline(write_book([1]), watch, ENFORCED)
    assert seen == [False, True]
