"""What has no accepted answer is halved, then quarantined; the rest of the book goes on."""

from __future__ import annotations

import pytest

from schemas.errors import BookError
from schemas.scaffold import Scaffold
from tasks.planning.assemble import NOTHING
from tasks.protocols import Failure
from tests.fakes import FakeLLM, WordTokenizer, build_book
from tests.scripted import PARAGRAPHS, script, summarize

LONG = [f"{sentence} {'The mill went round. ' * 20}" for sentence in PARAGRAPHS]
REFUSED = Failure("runaway", "too long", ("key-1", "key-2"), "and and and")


def refuse(call, *, where="", unless="never"):
    """A script that refuses a call at some nodes."""
    return lambda request: (
        REFUSED if request.call == call and where in request.node and unless not in request.node else script(request)
    )


def test_a_refused_window_is_halved_once():
    llm = FakeLLM(refuse("read", unless="half"))
    scaffold = summarize(build_book([LONG]), llm, window_tokens=4_000)
    assert [request.node for request in llm.asked("read")] == [
        "chapter 1, window 1",
        "chapter 1, window 1, half 1",
        "chapter 1, window 1, half 2",
    ]
    assert scaffold.chapters[0].scenes[-1].end == len(build_book([LONG]).text.rstrip())
    assert scaffold.quarantined == ()


def test_a_refused_rating_is_asked_for_by_halves():
    llm = FakeLLM(refuse("rate", unless="half"))
    scaffold = summarize(build_book([LONG]), llm, window_tokens=4_000)
    assert len(llm.asked("rate")) == 3
    assert len(llm.asked("read")) == 1
    assert scaffold.chapters[0].scenes[1].vector.action == 40
    assert not scaffold.chapters[0].quarantined


def test_a_window_that_no_half_answers_leaves_its_chapter_in_quarantine():
    book = build_book([LONG], [PARAGRAPHS])
    scaffold = summarize(book, FakeLLM(refuse("read", where="chapter 1")), window_tokens=4_000)
    broken, whole = scaffold.chapters
    assert (broken.quarantined, whole.quarantined) == (True, False)
    assert [bullet.text for bullet in broken.bullets] == [NOTHING]
    assert len(broken.scenes) == 1
    assert book.text[broken.scenes[0].start : broken.scenes[0].end] == "\n\n".join(LONG).strip()
    assert [kept.node for kept in scaffold.quarantined] == [
        "chapter 1, window 1, half 1",
        "chapter 1, window 1, half 2",
    ]
    kept = scaffold.quarantined[0]
    assert (kept.chapter, kept.call, kept.reason, kept.detail) == (1, "read", "runaway", "too long")
    assert (kept.answers, kept.text) == (("key-1", "key-2"), "and and and")
    assert Scaffold.model_validate_json(scaffold.to_json()) == scaffold


def test_half_a_window_that_is_read_keeps_what_it_says():
    scaffold = summarize(build_book([LONG], [PARAGRAPHS]), FakeLLM(refuse_but("half 2")), window_tokens=4_000)
    chapter = scaffold.chapters[0]
    assert chapter.quarantined
    assert [kept.node for kept in scaffold.quarantined] == ["chapter 1, window 1, half 1"]
    assert chapter.bullets[0].text == "Anna, the miller's daughter, waits."


def refuse_but(node):
    refusing = refuse("read", where="chapter 1", unless=node)
    return lambda request: refusing(request)


def test_a_rating_that_failed_leaves_the_chapter_in_quarantine():
    scaffold = summarize(build_book([LONG], [PARAGRAPHS]), FakeLLM(refuse("rate", where="chapter 1")))
    chapter = scaffold.chapters[0]
    assert chapter.quarantined
    assert chapter.vector.action == 0
    assert chapter.bullets[0].text == "Anna, the miller's daughter, waits."
    assert {kept.call for kept in scaffold.quarantined} == {"rate"}


def test_a_window_of_one_word_is_not_asked_about_twice():
    llm = FakeLLM(refuse("read", where="chapter 1"))
    scaffold = summarize(build_book([["Once."]], [PARAGRAPHS]), llm)
    assert [request.node for request in llm.asked("read")] == ["chapter 1, window 1", "chapter 2, window 1"]
    assert scaffold.chapters[0].quarantined


def test_a_book_without_any_chapter_that_is_answered_is_refused():
    with pytest.raises(
        BookError, match=r"book m1: all 2 chapters: chapter 1, window 1, half 1, rate: no ans"
    ) as caught:
        summarize(build_book([PARAGRAPHS], [PARAGRAPHS]), FakeLLM(refuse("rate")))
    assert caught.value.reason == "no-answer"


@pytest.mark.parametrize(
    ("call", "empty"),
    [
        ("people", {"main_characters": (), "side_characters": (), "archetypes": ()}),
        ("world", {"world_rules": ()}),
        ("style", {"writing_style": ()}),
        ("prompts", {"prompts": ()}),
    ],
)
def test_a_call_about_the_book_that_failed_leaves_its_place_empty(call, empty):
    scaffold = summarize(build_book([PARAGRAPHS]), FakeLLM(refuse(call)))
    assert {name: getattr(scaffold, name) for name in empty} == empty
    assert [(kept.node, kept.chapter, kept.call) for kept in scaffold.quarantined] == [("book", None, call)]
    assert not scaffold.chapters[0].quarantined
    assert Scaffold.model_validate_json(scaffold.to_json()) == scaffold


def test_arcs_and_preview_that_failed_say_nothing():
    def script_both(request):
        return REFUSED if request.call in ("arcs", "preview") else script(request)

    scaffold = summarize(build_book(*[[PARAGRAPHS] for _ in range(3)]), FakeLLM(script_both))
    assert [(arc.first_chapter, arc.last_chapter, arc.long) for arc in scaffold.arcs] == [(1, 3, (NOTHING,))]
    assert (scaffold.preview.title, scaffold.preview.tags) == ("The Mill", ())
    assert scaffold.preview.highlight == NOTHING
    assert {kept.call for kept in scaffold.quarantined} == {"arcs", "preview"}


def test_the_next_call_takes_the_place_of_the_first_that_failed():
    llm = FakeLLM(refuse("people"))
    scaffold = summarize(build_book([PARAGRAPHS]), llm)
    calls = [[request.call for request in batch] for batch in llm.batches]
    assert calls[2:] == [["people"], ["arcs"], ["world", "style"], ["preview"], ["prompts"]]
    assert scaffold.world_rules


def test_a_call_about_the_book_that_is_refused_is_asked_with_half_the_context():
    book = build_book(*[[PARAGRAPHS] for _ in range(8)])
    llm = FakeLLM(with_many_bullets(lambda request: request.call == "arcs" and "Step 1." in request.context))
    scaffold = summarize(book, llm)
    whole, half = llm.asked("arcs")
    assert WordTokenizer().count(half.context) <= 500 < WordTokenizer().count(whole.context) <= 1_000
    assert scaffold.quarantined == ()


def with_many_bullets(refused):
    """A script whose chapters have eight statements, so that there is much to show or to leave out."""

    def answer(request):
        if refused(request):
            return REFUSED
        said = script(request)
        if request.call == "read":
            bullet = said.bullets[0]
            told = tuple(bullet.model_copy(update={"text": f"{bullet.text} Step {step}."}) for step in range(8))
            return said.model_copy(update={"bullets": told})
        return said

    return answer
