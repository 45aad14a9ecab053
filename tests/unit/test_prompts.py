"""Prompts: a file for every call, none that names a book, the question last."""

from __future__ import annotations

import re

import pytest

from schemas.answers import LEVELS
from schemas.questions import PartInputs
from tasks.backends.tokenizers import open_tokenizer
from tasks.planning.ask import (
    PROMPTS,
    SHARED_FORMS,
    Node,
    describe_answer,
    load_prompt,
    make_request,
    write_instructions,
)


def test_every_call_has_its_prompt_file_and_every_file_its_call():
    assert {path.stem for path in PROMPTS.glob("*.md")} == {*LEVELS, "instructions"}


@pytest.mark.parametrize("path", sorted(PROMPTS.glob("*.md")), ids=lambda path: path.stem)
def test_a_prompt_is_prose_without_holes_or_markup(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.split()) > 50
    assert not re.search(r"[{}]|TODO|^#", text, re.MULTILINE)


@pytest.mark.parametrize("path", sorted(PROMPTS.glob("*.md")), ids=lambda path: path.stem)
def test_prompts_name_no_book(path):
    inner = set(re.findall(r"(?<=[a-z,;] )[A-Z][a-z]+", path.read_text(encoding="utf-8")))
    assert inner <= {"English"}


def test_instructions_forbid_copying_eight_words():
    assert "eight words in a row" in load_prompt("instructions")


def ask(call, details=""):
    return make_request(call, Node("m1", "book"), "Book: The Mill", PartInputs(label="Part One", chapters=()), details)


def test_the_question_comes_last_and_the_context_before_it_is_shared():
    told, listed = ask("parts"), ask("world", "Only the mill.")
    assert told.messages[0] == listed.messages[0]
    shared = len("Book: The Mill\n\n")
    assert told.messages[1]["content"][:shared] == listed.messages[1]["content"][:shared]
    assert listed.question.startswith(load_prompt("world"))
    assert listed.question.index("Only the mill.") < listed.question.index("- rules (")
    assert told.max_tokens == LEVELS["parts"].max_tokens


@pytest.mark.parametrize("call", SHARED_FORMS)
def test_forms_that_every_window_needs_are_in_the_shared_message_and_named_by_the_question(call):
    request = ask(call)
    assert f"Form {call}:\n{describe_answer(LEVELS[call])}" in request.instructions
    assert describe_answer(LEVELS[call]) not in request.question
    assert request.question.endswith(f"Answer by the form {call}.")


@pytest.mark.parametrize("call", sorted(set(LEVELS) - set(SHARED_FORMS)))
def test_forms_of_calls_about_the_book_are_in_the_question(call):
    assert ask(call).question.endswith(describe_answer(LEVELS[call]))
    assert describe_answer(LEVELS[call]) not in write_instructions()


def test_questions_about_a_window_are_short_for_each_is_computed_anew():
    reader = open_tokenizer("samples")
    assert reader.count(ask("read").question) <= 110
    assert reader.count(ask("rate").question) <= 110
    assert reader.count(write_instructions()) <= 3_200


@pytest.mark.parametrize("edited", ["read", "rate", "world", "instructions"])
def test_an_edited_prompt_changes_its_own_requests_alone(edited, tmp_path, monkeypatch):
    before = {call: ask(call).messages for call in LEVELS}
    for path in PROMPTS.glob("*.md"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with (tmp_path / f"{edited}.md").open("a", encoding="utf-8") as file:
        file.write("Take care.\n")
    monkeypatch.setattr("tasks.planning.ask.PROMPTS", tmp_path)
    for cached in (load_prompt, write_instructions):
        cached.cache_clear()
    changed = {call for call in LEVELS if ask(call).messages != before[call]}
    monkeypatch.undo()
    for cached in (load_prompt, write_instructions):
        cached.cache_clear()
    assert changed == (set(LEVELS) if edited == "instructions" else {edited})
