"""Questions: what a call is asked about, as values; the messages say the same to a server in words."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from schemas.scaffold import Arc, Character, Vector
from schemas.value import Value


class Numbered(NamedTuple):
    """A paragraph, or a piece of an overlong one, under its number in the chapter (from 0)."""

    number: int
    text: str


class ReadInputs(Value):
    """One chapter window; `scene_starts` are the paragraphs that the author's own scene breaks give."""

    paragraphs: tuple[Numbered, ...]
    scene_starts: tuple[int, ...] = ()


class RateInputs(Value):
    """The scenes of one chapter window, as their texts under their numbers in the window (from 0)."""

    scenes: tuple[Numbered, ...]


class ClaimInputs(Value):
    """Statements under their numbers, and the numbered paragraphs of the window that they are to be held against."""

    statements: tuple[Numbered, ...]
    paragraphs: tuple[Numbered, ...]


class Facts(Value):
    """What is measured on a book and so never asked for."""

    title: str
    author: str
    num_words: int
    num_chapters: int
    dialogue_share: float = Field(description="share of words within quotation marks")
    first_person_share: float = Field(description="share of narrated words that are I, me, my and the like")
    present_share: float = Field(description="present-tense verbs among the common verbs of the narration")
    sentence_words: float = Field(description="mean length of a sentence in words")


class ChapterDigest(Value):
    """What is known of a chapter when the book is asked about."""

    number: int
    name: str
    num_words: int
    vector: Vector
    bullets: tuple[str, ...]


class PersonDigest(Value):
    """A person of the windows' registers, merged by name; `num_mentions` counts the names in the text."""

    name: str
    aliases: tuple[str, ...]
    roles: tuple[str, ...]
    num_mentions: int
    first_chapter: int
    num_chapters: int


class BookInputs(Value):
    """people, arcs, world, style: the whole book from above."""

    facts: Facts
    chapters: tuple[ChapterDigest, ...]
    people: tuple[PersonDigest, ...]
    passages: tuple[str, ...]


class PartInputs(Value):
    """parts: the chapters of one volume, part or book."""

    label: str
    chapters: tuple[ChapterDigest, ...]


class StoryInputs(Value):
    """preview, prompts: what the calls before them have answered."""

    facts: Facts
    main_characters: tuple[Character, ...]
    side_characters: tuple[Character, ...]
    arcs: tuple[Arc, ...]
    world_rules: tuple[str, ...]
    writing_style: tuple[str, ...]
    vector: Vector = Field(description="mean of the chapters, weighted by words")


class TagInputs(Value):
    """tags: one short story, and the prompt that it was written for."""

    prompt: str
    text: str
