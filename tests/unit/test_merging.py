"""A book too long for a call's context is told by groups of its chapters; none is left out."""

from __future__ import annotations

import re

import pytest

from tasks.protocols import Failure
from tests.fakes import FakeLLM, WordTokenizer, build_book
from tests.scripted import ANSWERS, PARAGRAPHS, arc, script, summarize


def plan(num_chapters, context_tokens, *, in_parts=False, **others):
    book = build_book(*[[PARAGRAPHS[:2]] for _ in range(num_chapters)], in_parts=in_parts)
    answers = {"arcs": ANSWERS["arcs"].model_copy(update={"arcs": (arc(1, num_chapters),)}), **others}
    llm = FakeLLM(lambda request: answers.get(request.call) or with_two_statements(request))
    return llm, summarize(book, llm, context_tokens=context_tokens)


def with_two_statements(request):
    said = script(request)
    if request.call != "read":
        return said
    chapter = request.node.split(",")[0].split()[1]
    lines = (
        f"Anna, the miller's daughter, waits at ford number {chapter} until the evening.",
        f"Leaves ford {chapter}.",
    )
    bullets = tuple(said.bullets[0].model_copy(update={"text": line}) for line in lines)
    return said.model_copy(update={"bullets": bullets})


def test_a_book_that_fits_is_shown_by_two_whole_statements_a_chapter_at_least():
    llm, _ = plan(20, 1_000)
    (people,) = llm.asked("people")
    assert len(re.findall(r"waits at ford number \d+ until the evening\. Leaves ford", people.context)) == 20
    assert llm.asked("parts") == []


def test_a_long_book_is_told_by_groups_that_hold_every_chapter():
    llm, scaffold = plan(60, 800)
    groups = llm.asked("parts")
    spans = [tuple(map(int, re.findall(r"\d+", request.node))) for request in groups]
    assert len(spans) > 1
    assert [number for first, last in spans for number in range(first, last + 1)] == list(range(1, 61))
    assert all(request.node.startswith("chapters ") for request in groups)
    assert all(WordTokenizer().count(request.context) <= 800 for request in groups)
    shown = "\n".join(request.context for request in groups)
    assert len(set(re.findall(r"Leaves ford (\d+)\.", shown))) == 60
    (people,) = llm.asked("people")
    assert WordTokenizer().count(people.context) <= 800
    assert people.context.count("The mill stops.") == len(spans)
    assert "60 Chapter 60" in people.context
    assert scaffold.parts == ()


def test_groups_are_told_by_groups_where_that_is_still_too_long():
    told = ANSWERS["parts"].model_copy(
        update={"bullets": ("Many words are said of the mill, the ford and Anna. " * 5,)}
    )
    llm, scaffold = plan(200, 300, parts=told)
    levels = [
        [tuple(map(int, re.findall(r"\d+", one.node))) for one in batch]
        for batch in llm.batches
        if batch[0].call == "parts"
    ]
    assert len(levels) > 1
    for level in levels:
        assert [number for first, last in level for number in range(first, last + 1)] == list(range(1, 201))
    assert [len(level) for level in levels] == sorted((len(level) for level in levels), reverse=True)
    assert scaffold.arcs[-1].last_chapter == 200


def test_the_authors_parts_are_the_groups_and_are_told_once():
    llm, scaffold = plan(12, 350, in_parts=True)
    assert [request.node for request in llm.asked("parts")].count("chapters 1 to 12") <= 1
    assert scaffold.parts[0].bullets == ("The mill stops.",)


def test_a_group_without_an_answer_is_shown_by_statements_of_its_chapters():
    llm, scaffold = plan(60, 800, parts=Failure("runaway", "too long"))
    (people,) = llm.asked("people")
    assert "waits at ford number" in people.context
    assert {kept.call for kept in scaffold.quarantined} == {"parts"}
    assert all(kept.chapter is None for kept in scaffold.quarantined)


@pytest.mark.parametrize("context_tokens", [1_000, 8_000])
def test_the_parts_of_a_book_that_fits_are_asked_in_the_books_own_context(context_tokens):
    llm, _ = plan(3, context_tokens, in_parts=True)
    (people,), (part,) = llm.asked("people"), llm.asked("parts")
    assert part.context == people.context
    assert "The part: Part 1, chapters 1 to 3." in part.question
