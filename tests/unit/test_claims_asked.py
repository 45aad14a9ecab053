"""The claim check: asked on the text of its window, stored in report mode, and asked again for in enforce mode."""

from __future__ import annotations

import pytest

from schemas.answers import ClaimAnswer, ClaimsAnswer
from schemas.settings import ChunkSettings, VerifySettings
from tasks.planning.claims import ask_claims
from tasks.planning.windows import MAX_CLAIMS
from tasks.protocols import Failure
from tests.fakes import FakeLLM, WordTokenizer, build_book
from tests.scripted import ANSWERS, PARAGRAPHS, scene, script, summarize

REPORT = VerifySettings(claims=True)
ENFORCE = VerifySettings(mode="enforce", claims=True)
LONG = [f"{sentence} {'The mill went round. ' * 20}" for sentence in PARAGRAPHS]
WRONG = "Anna waits."  # what a scene of the script says


def judge(request):
    """Find every statement borne out but one."""
    return ClaimsAnswer(
        claims=tuple(
            ClaimAnswer(
                statement=number,
                paragraph=0,
                evidence="came down to the mill",
                verdict="contradicted" if text == WRONG else "supported",
            )
            for number, text in request.inputs.statements
        )
    )


def answer(request):
    return judge(request) if request.call == "claims" else script(request)


def answer_better_when_told(request):
    """Mend the statement when the request says that it is wrong."""
    if request.call == "read" and "which the text contradicts" in request.question:
        return ANSWERS["read"].model_copy(update={"scenes": (scene(0, PARAGRAPHS[0], text="Anna comes down."),)})
    return answer(request)


def test_claims_are_asked_after_the_reading_in_the_same_context():
    llm = FakeLLM(answer)
    chapter = summarize(build_book([PARAGRAPHS]), llm, checks=REPORT).chapters[0]
    assert [[request.call for request in batch] for batch in llm.batches][:2] == [["read"], ["rate", "claims"]]
    (read,), (claims,) = llm.asked("read"), llm.asked("claims")
    assert (claims.instructions, claims.context) == (read.instructions, read.context)
    assert "0: Anna, the miller's daughter, waits.\n1: Anna waits." in claims.question
    assert claims.question.endswith("Answer by the form claims.")
    assert chapter.num_claims == 2


def test_in_report_mode_a_doubt_is_stored_and_triggers_nothing():
    llm = FakeLLM(answer)
    chapter = summarize(build_book([PARAGRAPHS]), llm, checks=REPORT).chapters[0]
    assert [(doubt.statement, doubt.verdict) for doubt in chapter.doubts] == [(WRONG, "contradicted")]
    assert len(llm.asked("read")) == 1
    assert not chapter.quarantined


def test_in_enforce_mode_a_contradicted_reading_is_asked_again_with_its_errors():
    llm = FakeLLM(answer_better_when_told)
    chapter = summarize(build_book([PARAGRAPHS]), llm, checks=ENFORCE).chapters[0]
    first, second = llm.asked("read")
    assert first.context == second.context
    assert "- Anna waits. (against it: came down to the mill)" in second.question
    assert chapter.scenes[0].bullets[0].text == "Anna comes down."
    assert chapter.doubts == ()


def test_what_stays_contradicted_is_halved_and_then_quarantined():
    llm = FakeLLM(lambda request: script(request) if "chapter 2" in request.node else answer(request))
    scaffold = summarize(build_book([LONG], [PARAGRAPHS]), llm, window_tokens=4_000, checks=ENFORCE)
    nodes = [request.node for request in llm.asked("read") if "chapter 1" in request.node]
    assert nodes == ["chapter 1, window 1"] * 2 + ["chapter 1, window 1, half 1", "chapter 1, window 1, half 2"]
    assert scaffold.chapters[0].quarantined
    against = f"{WRONG} (against it: came down to the mill)"
    assert {(kept.call, kept.reason, kept.detail) for kept in scaffold.quarantined} == {
        ("read", "contradicted", against)
    }
    assert all(WRONG in kept.text for kept in scaffold.quarantined)


def test_a_claim_check_without_an_answer_is_no_verdict_and_where_enforced_a_quarantine():
    refusing = FakeLLM(lambda request: Failure("runaway", "too long") if request.call == "claims" else script(request))
    chapter = summarize(build_book([PARAGRAPHS]), refusing, checks=REPORT).chapters[0]
    assert (chapter.num_claims, chapter.quarantined) == (0, False)
    other = FakeLLM(lambda request: refusing.script(request) if "chapter 1" in request.node else script(request))
    scaffold = summarize(build_book([PARAGRAPHS], [PARAGRAPHS]), other, checks=ENFORCE)
    assert [kept.call for kept in scaffold.quarantined] == ["claims"]


def test_many_statements_are_judged_in_several_requests():
    bullet = ANSWERS["read"].bullets[0]
    many = tuple(bullet.model_copy(update={"text": f"Step {step} is taken."}) for step in range(16))
    scenes = tuple(
        scene(place, PARAGRAPHS[place]).model_copy(
            update={"bullets": tuple(bullet.model_copy(update={"text": f"In {place}, {n}."}) for n in range(8))}
        )
        for place in range(4)
    )
    read = ANSWERS["read"].model_copy(update={"bullets": many, "scenes": scenes})
    llm = FakeLLM(lambda request: read if request.call == "read" else answer(request))
    chapter = summarize(build_book([PARAGRAPHS]), llm, checks=REPORT).chapters[0]
    assert [len(request.inputs.statements) for request in llm.asked("claims")] == [MAX_CLAIMS, 48 - MAX_CLAIMS]
    assert chapter.num_claims == 48


def test_the_statements_of_a_plan_that_exists_are_judged_in_the_windows_they_rest_on():
    book = build_book([LONG], [PARAGRAPHS])
    scaffold = summarize(book, FakeLLM(script), window_tokens=200)
    llm = FakeLLM(answer)
    judged = ask_claims(book, scaffold, llm, WordTokenizer(), ChunkSettings(window_tokens=200))
    assert {request.call for batch in llm.batches for request in batch} == {"claims"}
    statements = [text for request in llm.asked("claims") for _, text in request.inputs.statements]
    assert sum(chapter.num_claims for chapter in judged.chapters) == len(statements)
    assert {doubt.statement for chapter in judged.chapters for doubt in chapter.doubts} == {WRONG}
    assert judged.model_copy(update={"chapters": scaffold.chapters}) == scaffold


@pytest.mark.parametrize("mode", ["report", "enforce"])
def test_answers_are_checked_in_enforce_mode_alone(mode):
    llm = FakeLLM(script)
    summarize(build_book([PARAGRAPHS], in_parts=True), llm, checks=VerifySettings(mode=mode))
    checked = {request.call for batch in llm.batches for request in batch if request.check is not None}
    everything = {"read", "rate", "people", "arcs", "world", "style", "parts", "preview", "prompts"}
    assert checked == (everything if mode == "enforce" else set())
