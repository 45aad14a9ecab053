"""Answers: what the model is asked for at each level of a book; field descriptions are sent to it.

Every string and list is bounded from both sides and nothing is used that a grammar backend of a server
ignores, so that an answer which decodes also validates. `max_tokens` holds the longest answer that a
careful reader would give, not the product of all bounds.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.answer_parts import Aliases, Index, LevelAnswer, Line, Number, PersonName, Phrase, Rating, RestsOn
from schemas.story_answers import TagsAnswer
from schemas.value import Value


class BulletAnswer(Value):
    """One statement of a plan with its evidence."""

    text: Line = Field(description="one sentence of a plan, in your own words, present tense, 12 to 40 words")
    paragraphs: RestsOn = Field(description="numbers of the paragraphs that it rests on")


class SceneAnswer(Value):
    """One scene of the window."""

    first_paragraph: Index = Field(description="number of the paragraph that the scene begins with")
    opening: str = Field(
        min_length=1, max_length=160, description="the first 8 to 12 words of that paragraph, letter for letter"
    )
    title: str = Field(min_length=1, max_length=80, description="a plain name for the scene, 2 to 7 words")
    focuses: tuple[Phrase, ...] = Field(
        min_length=1, max_length=7, description="what the scene is about beneath its events: short noun phrases"
    )
    perspective: str = Field(
        min_length=1,
        max_length=160,
        description="person, tense, and whose eyes: 'Third person, past tense, close to the younger sister'",
    )
    bullets: tuple[BulletAnswer, ...] = Field(
        min_length=1, max_length=8, description="3 to 6 statements: what a writer must know to write this scene"
    )


class PersonAnswer(Value):
    """One person of the window."""

    name: PersonName = Field(description="the fullest form of the name in this text")
    aliases: Aliases = Field(description="other names and titles by which the text calls the person")
    role: str = Field(
        min_length=1, max_length=200, description="who this is and what he or she does here, in one sentence"
    )


class ReadAnswer(LevelAnswer):
    """read: what happens in one chapter window."""

    call: ClassVar[str] = "read"
    max_tokens: ClassVar[int] = 5120

    continues: bool = Field(description="true if the first paragraph goes on with a scene that began before this text")
    scenes: tuple[SceneAnswer, ...] = Field(
        min_length=1, max_length=12, description="all scenes in order; the first begins with the first paragraph"
    )
    bullets: tuple[BulletAnswer, ...] = Field(
        min_length=1, max_length=16, description="6 to 14 statements that tell the whole text in order"
    )
    focuses: tuple[Phrase, ...] = Field(
        min_length=1, max_length=7, description="what the whole text is about: short noun phrases"
    )
    chapter_title: str = Field(
        min_length=1, max_length=80, description="a title that an author might give this chapter, 2 to 6 words"
    )
    people: tuple[PersonAnswer, ...] = Field(
        min_length=0, max_length=12, description="people who act, speak or matter here; not people merely mentioned"
    )


class RatingAnswer(Value):
    """Seven numbers for one scene; its number comes first, so that no two can be confused."""

    scene: Index = Field(description="number of the scene in the list")
    action: Rating = Field(description="bodily events: fights, journeys, flights, work")
    dialog: Rating = Field(description="share of the scene that is talk")
    world_building: Rating = Field(description="places, customs, things described")
    exposition: Rating = Field(description="telling, reflection, background, summary of time")
    romantic: Rating = Field(description="love, courtship, longing")
    erotic: Rating = Field(description="sexual desire or acts, shown or plainly meant")
    pacing: Rating = Field(description="0 stands still, 50 ordinary, 99 breathless")


class RateAnswer(LevelAnswer):
    """rate: seven numbers a scene."""

    call: ClassVar[str] = "rate"
    max_tokens: ClassVar[int] = 2048

    ratings: tuple[RatingAnswer, ...] = Field(
        min_length=1, max_length=40, description="one entry a scene, in the order of the list"
    )


class ClaimAnswer(Value):
    """Whether one statement holds; the evidence comes before the verdict, so that it is looked for first."""

    statement: Index = Field(description="number of the statement in the list")
    paragraph: Index = Field(description="number of the paragraph that decides it")
    evidence: str = Field(
        min_length=1,
        max_length=200,
        description="the words of that paragraph that decide it, letter for letter, 4 to 25 words",
    )
    verdict: Literal["supported", "contradicted", "not-in-text"] = Field(
        description="whether these words bear the statement out, in who does what to whom, too"
    )


class ClaimsAnswer(LevelAnswer):
    """claims: whether each statement holds in the paragraphs that it rests on."""

    call: ClassVar[str] = "claims"
    max_tokens: ClassVar[int] = 4096

    claims: tuple[ClaimAnswer, ...] = Field(
        min_length=1, max_length=60, description="one entry a statement, in the order of the list"
    )


class CharacterAnswer(Value):
    """One person of the book."""

    name: PersonName = Field(description="the fullest form of the name")
    aliases: Aliases = Field(description="every other name, nickname and title that means this person")
    bullets: tuple[Line, ...] = Field(
        min_length=1,
        max_length=8,
        description="look and station, want, fear or secret, manner of speech, ties to others, change through the book",
    )


class ArchetypeAnswer(Value):
    """A role in general terms."""

    name: PersonName = Field(description="the role without any name from the book: 'The Reluctant Heir'")
    bullets: tuple[Line, ...] = Field(min_length=1, max_length=4, description="2 or 3 statements without names")


class PeopleAnswer(LevelAnswer):
    """people: the register of the book."""

    call: ClassVar[str] = "people"
    max_tokens: ClassVar[int] = 4096

    main: tuple[CharacterAnswer, ...] = Field(
        min_length=1, max_length=7, description="those whose choices carry the story, most important first"
    )
    side: tuple[CharacterAnswer, ...] = Field(
        min_length=0, max_length=14, description="the others who matter, 1 to 4 statements each"
    )
    archetypes: tuple[ArchetypeAnswer, ...] = Field(
        min_length=1, max_length=8, description="the roles that the main characters play"
    )


class PartAnswer(LevelAnswer):
    """parts: summary of a volume, part or book that the author made."""

    call: ClassVar[str] = "parts"
    max_tokens: ClassVar[int] = 1024

    bullets: tuple[Line, ...] = Field(
        min_length=1, max_length=10, description="4 to 8 statements that tell this part in order"
    )


class ArcAnswer(Value):
    """A run of chapters that forms one movement."""

    name: str = Field(min_length=1, max_length=80, description="a name for the movement, 2 to 6 words")
    first_chapter: Number = Field(description="number of its first chapter")
    last_chapter: Number = Field(description="number of its last chapter")
    short: tuple[Line, ...] = Field(min_length=1, max_length=5, description="3 or 4 statements: the bare movement")
    medium: tuple[Line, ...] = Field(
        min_length=1, max_length=10, description="5 to 9 statements: with causes and turning points"
    )
    long: tuple[Line, ...] = Field(
        min_length=1, max_length=20, description="10 to 18 statements: every event that matters, in order"
    )


class ArcsAnswer(LevelAnswer):
    """arcs: the movements of the story."""

    call: ClassVar[str] = "arcs"
    max_tokens: ClassVar[int] = 6144

    arcs: tuple[ArcAnswer, ...] = Field(
        min_length=1, max_length=8, description="in order, without gap or overlap, from the first chapter to the last"
    )


class WorldAnswer(LevelAnswer):
    """world: what holds true in the book's world."""

    call: ClassVar[str] = "world"
    max_tokens: ClassVar[int] = 2048

    rules: tuple[Line, ...] = Field(
        min_length=1, max_length=18, description="8 to 15 rules: one fact, custom, place or law each"
    )


class StyleAnswer(LevelAnswer):
    """style: how the book is written."""

    call: ClassVar[str] = "style"
    max_tokens: ClassVar[int] = 2048

    rules: tuple[Line, ...] = Field(
        min_length=1, max_length=15, description="8 to 12 statements that another writer could follow"
    )


class PreviewAnswer(LevelAnswer):
    """preview: what a reader is told beforehand."""

    call: ClassVar[str] = "preview"
    max_tokens: ClassVar[int] = 1536

    highlight: str = Field(
        min_length=1,
        max_length=800,
        description="one paragraph of 70 to 120 words: situation, pressure and promise, not the end",
    )
    tags: tuple[Phrase, ...] = Field(
        min_length=7, max_length=7, description="seven tags of 1 to 6 words: genre, setting, theme, form, mood"
    )
    archetype: str = Field(
        min_length=1,
        max_length=1100,
        description="one paragraph of 80 to 160 words: the story in general terms, no names, its end included",
    )


class PromptsAnswer(LevelAnswer):
    """prompts: how people might ask for this book."""

    call: ClassVar[str] = "prompts"
    max_tokens: ClassVar[int] = 2048

    terse: str = Field(min_length=1, max_length=200, description="one plain sentence of 10 to 25 words")
    normal: str = Field(min_length=1, max_length=700, description="50 to 100 words, as a reader would ask")
    detailed: str = Field(
        min_length=1,
        max_length=1600,
        description="120 to 230 words, as an exacting reader would ask, with length, chapters and voice",
    )
    tagged: str = Field(
        min_length=1, max_length=500, description="30 to 60 words that ask for the story; the tags stand before it"
    )
    genre: Phrase = Field(description="genre, lower case")
    tone: Phrase = Field(description="two or three adjectives")
    setting: Phrase = Field(description="place and time")
    pov: Phrase = Field(description="person and closeness: 'first person, a letter writer'")
    theme: Phrase = Field(description="one theme, lower case")


class OutlineAnswer(LevelAnswer):
    """outline: what happens in one passage, of the recipe `outline-to-text`."""

    call: ClassVar[str] = "outline"
    max_tokens: ClassVar[int] = 1536

    bullets: tuple[BulletAnswer, ...] = Field(
        min_length=1, max_length=8, description="3 to 8 statements that tell the whole passage in order"
    )


LEVELS: dict[str, type[LevelAnswer]] = {
    level.call: level
    for level in (
        ReadAnswer,
        RateAnswer,
        ClaimsAnswer,
        PeopleAnswer,
        PartAnswer,
        ArcsAnswer,
        WorldAnswer,
        StyleAnswer,
        PreviewAnswer,
        PromptsAnswer,
        OutlineAnswer,
        TagsAnswer,
    )
}
