"""Prompts: a file for every call, none that names a book, the question last."""

from __future__ import annotations

import re

import pytest

from schemas.answers import LEVELS
from schemas.questions import PartInputs
from tasks.planning.ask import PROMPTS, Node, load_prompt, make_request


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


def test_the_question_comes_last_and_the_context_before_it_is_shared():
    inputs = PartInputs(label="Part One", chapters=())
    told = make_request("parts", Node("m1", "Part One"), "Book: The Mill", inputs)
    listed = make_request("world", Node("m1", "book"), "Book: The Mill", inputs, details="Only the mill.")
    assert told.messages[0] == listed.messages[0]
    shared = len("Book: The Mill\n\n")
    assert told.messages[1]["content"][:shared] == listed.messages[1]["content"][:shared]
    assert listed.question.startswith(load_prompt("world"))
    assert listed.question.index("Only the mill.") < listed.question.index("- rules (")
    assert told.max_tokens == LEVELS["parts"].max_tokens
