"""Answers about one short story; `schemas.answers.LEVELS` lists them with the others."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.answer_parts import LevelAnswer, PersonName, Phrase
from schemas.value import Value


class CastAnswer(Value):
    """One character of a story, as a reader would ask for it."""

    name: PersonName = Field(description="the name as the story has it, letter for letter")
    role: Phrase = Field(description="who this is, 2 to 6 words after the name: 'a retired pilot'")


class TagsAnswer(LevelAnswer):
    """tags: what a reader could have asked for who got this story."""

    call: ClassVar[str] = "tags"
    max_tokens: ClassVar[int] = 512

    genre: Phrase = Field(description="one genre, one or two words, lower case")
    tone: Phrase = Field(description="one tone, one or two adjectives, lower case")
    characters: tuple[CastAnswer, ...] = Field(
        min_length=0, max_length=3, description="those whose choices carry the story; none without a name"
    )
