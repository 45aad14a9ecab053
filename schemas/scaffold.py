"""SegmentedBook -> Scaffold -> Findings: the plan of a book, level by level, and what checking it found."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.value import Value

NOT_STATED = "(not stated)"  # a line for which there is no answer, or an empty one; no trajectory holds it
QUARANTINED = "quarantined"  # reason of what is refused for want of a quarantined node
Score = Annotated[int, Field(ge=0, le=99)]
BulletText = Annotated[str, Field(min_length=1, max_length=300)]
Focus = Annotated[str, Field(min_length=1, max_length=65)]
Name = Annotated[str, Field(min_length=1, max_length=120)]


class Vector(Value):
    """Seven ratings of a scene or chapter, 0 to 99 (trajectory grammar, 'vector')."""

    action: Score
    dialog: Score
    world_building: Score
    exposition: Score
    romantic: Score
    erotic: Score
    pacing: Score


class Bullet(Value):
    """One statement of a plan and the paragraphs of its chapter that it rests on (from 0)."""

    text: BulletText
    paragraphs: tuple[int, ...] = ()


class Doubt(Value):
    """A statement that the claim check did not find in the paragraphs it rests on."""

    statement: str
    verdict: Literal["contradicted", "not-in-text"]
    evidence: str = Field(default="", description="the words quoted against it")
    located: bool = Field(default=False, description="whether these words stand in the text")


class Quarantine(Value):
    """A node of a scaffold for which no answer was accepted, and what is needed to look at it later."""

    node: str = Field(description="'chapter 3, window 1', 'book'")
    chapter: int | None = Field(default=None, description="its chapter; null for the book and its parts")
    call: str
    reason: str
    detail: str
    answers: tuple[str, ...] = Field(default=(), description="keys of the refused answers in the answer store")
    text: str = Field(default="", description="the last of them, cut")


class SceneScaffold(Value):
    """Plan of one scene; `start:end` are offsets into the book's clean text, without outer white space."""

    title: Name
    start: int
    end: int
    first_paragraph: int = Field(ge=0, description="index in the chapter's paragraphs")
    opening: str = Field(
        default="", description="the model's quotation of its first words; empty where none was located"
    )
    num_words: int = Field(ge=0)
    focuses: tuple[Focus, ...] = Field(min_length=1, max_length=7)
    perspective: Annotated[str, Field(min_length=1, max_length=200)]
    vector: Vector
    spread: float = Field(default=0.0, ge=0.0, description="mean standard deviation of the ratings")
    bullets: tuple[Bullet, ...] = Field(min_length=1, max_length=20)


class ChapterScaffold(Value):
    """Plan of one chapter; its scenes tile its prose, `start:end`, but for blank lines."""

    number: int = Field(ge=1, description="place among the book's narrative chapters")
    label: str = Field(default="", description="as printed, with what contains it: 'Part One, Chapter 3'")
    name: Name
    start: int
    end: int
    num_words: int = Field(ge=0)
    focuses: tuple[Focus, ...] = Field(min_length=1, max_length=7)
    vector: Vector
    bullets: tuple[Bullet, ...] = Field(min_length=1, max_length=80)
    scenes: tuple[SceneScaffold, ...] = Field(min_length=1)
    num_unlocated: int = Field(default=0, description="scenes of the model whose quoted opening is not in the text")
    num_claims: int = Field(default=0, description="statements that the claim check has judged")
    doubts: tuple[Doubt, ...] = ()
    quarantined: bool = Field(default=False, description="a part of it has no accepted answer: no target of any layout")


class Character(Value):
    """A person of the book; the name is the fullest form, the aliases the others."""

    name: Name
    aliases: tuple[Name, ...] = ()
    bullets: tuple[BulletText, ...] = Field(min_length=1, max_length=20)


class Archetype(Value):
    """The role that a main character plays, in general terms."""

    name: Name
    bullets: tuple[BulletText, ...] = Field(min_length=1, max_length=10)


class Arc(Value):
    """A run of chapters that forms one movement of the story; arcs partition the chapters."""

    name: Name
    first_chapter: int = Field(ge=1)
    last_chapter: int = Field(ge=1)
    short: tuple[BulletText, ...] = Field(min_length=1, max_length=20)
    medium: tuple[BulletText, ...] = Field(min_length=1, max_length=40)
    long: tuple[BulletText, ...] = Field(min_length=1, max_length=80)


class PartScaffold(Value):
    """Summary of a volume, part or book that the author made."""

    label: str
    title: str
    first_chapter: int = Field(ge=1)
    last_chapter: int = Field(ge=1)
    bullets: tuple[BulletText, ...] = Field(max_length=20)


class Preview(Value):
    """What a reader is told beforehand."""

    highlight: str
    title: str
    tags: tuple[str, ...] = Field(max_length=7, description="seven; none where the call has no accepted answer")
    archetype: str


class UserPrompt(Value):
    """One way in which a person might ask for this book."""

    style: Literal["terse", "normal", "detailed", "tagged"]
    text: str


class Scaffold(Value):
    """Everything the trajectory grammar needs about one book; what a quarantined call would have told is empty."""

    book_id: str
    title: str
    num_words: int
    prompts: tuple[UserPrompt, ...]
    preview: Preview
    world_rules: tuple[BulletText, ...] = Field(max_length=90)
    writing_style: tuple[BulletText, ...] = Field(max_length=40)
    arcs: tuple[Arc, ...] = Field(min_length=1, max_length=12)
    archetypes: tuple[Archetype, ...] = Field(max_length=32)
    main_characters: tuple[Character, ...] = Field(max_length=20)
    side_characters: tuple[Character, ...] = Field(max_length=20)
    parts: tuple[PartScaffold, ...] = ()
    chapters: tuple[ChapterScaffold, ...] = Field(min_length=1)
    quarantined: tuple[Quarantine, ...] = ()
    summarizer: str = Field(description="who wrote it: 'extractive', or a model's name")
    trainable: bool = Field(description="False where plans quote the prose")
    notes: tuple[str, ...] = Field(default=(), description="what an imported plan did not tell, and was guessed")

    @property
    def num_chapters(self) -> int:
        """How many chapters it plans."""
        return len(self.chapters)


class Finding(Value):
    """One thing that `verify` found; a finding of a report triggers nothing."""

    check: str
    node: str = Field(description="'book', 'world', 'arc 2, long', 'chapter 3', 'chapter 3, scene 2'")
    value: float
    limit: float
    passed: bool
    detail: str = ""


class Findings(Value):
    """Scaffold + text -> Findings."""

    book_id: str
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that are outside their limits."""
        return tuple(finding for finding in self.findings if not finding.passed)
