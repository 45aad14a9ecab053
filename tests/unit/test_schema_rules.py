"""A schema that a server can hold to has an end everywhere."""

from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from schemas.value import Value
from tasks.backends.llms.schema_rules import check_schema

Word = Annotated[str, Field(min_length=1, max_length=20)]


class Tone(Enum):
    DARK = "dark"
    LIGHT = "light"


class Person(Value):
    name: Word
    role: Literal["keeper", "guest"]
    tone: Tone = Tone.DARK
    home: Word | None = None


class Whole(Value):
    people: tuple[Person, ...] = Field(max_length=3)
    pair: tuple[Word, Word]
    score: int = Field(ge=0, le=99)
    share: float = Field(ge=0, lt=1)
    sure: bool
    born: date


class Link(Value):
    next: "Link | None" = None


class Loose(Value):
    word: str


class LooseList(Value):
    words: tuple[Word, ...]


class LooseNumber(Value):
    score: int = Field(ge=0)


class LooseObject(Value):
    scores: dict[str, int]


class LooseAnything(Value):
    thing: Any


class Nested(Value):
    inner: tuple[Loose, ...] = Field(max_length=2)


def test_a_bounded_schema_has_no_problem():
    assert check_schema(Whole.model_json_schema()) == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Loose, "answer.word: a string needs max_length"),
        (LooseList, "answer.words: a list needs max_length"),
        (LooseNumber, "answer.score: a number needs a lower and an upper bound"),
        (LooseObject, "answer.scores: an object needs extra='forbid' and fixed fields"),
        (LooseAnything, "answer.thing: a type is needed, found None"),
        (Nested, "answer.inner[].word: a string needs max_length"),
        (Link, "answer.next: Link holds itself, so an answer may be endless"),
    ],
)
def test_what_has_no_end_is_named_with_its_path(answer, problem):
    assert check_schema(answer.model_json_schema()) == [problem]


@pytest.mark.parametrize("keyword", ["uniqueItems", "contains", "not", "if", "propertyNames", "multipleOf", "allOf"])
def test_a_keyword_that_some_server_ignores_is_a_problem(keyword):
    schema = {"type": "boolean", keyword: {}}
    assert check_schema(schema) == [f"answer: '{keyword}' is not held to by every server"]


def test_a_reference_to_nothing_is_a_problem():
    assert check_schema({"$ref": "#/$defs/Ghost"}) == ["answer: #/$defs/Ghost is not defined"]


def test_a_field_named_like_a_keyword_is_a_field():
    schema = {"type": "object", "additionalProperties": False, "properties": {"not": {"type": "boolean"}}}
    assert check_schema(schema) == []
