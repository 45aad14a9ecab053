"""SegmentedBook -> Outlines: the narrative cut into passages, each with an outline of its plot."""

from __future__ import annotations

from pydantic import Field

from schemas.scaffold import Bullet, Quarantine
from schemas.value import Value

OUTLINE_TO_TEXT = "outline-to-text"  # the recipe, and its one layout
MAX_BULLETS = 8  # of an outline


class OutlinedPassage(Value):
    """A passage of one chapter; `start:end` are offsets into the book's clean text, blank lines at its end included."""

    number: int = Field(ge=1, description="place among the passages of the book")
    chapter: int = Field(ge=1, description="place of its chapter among the narrative chapters")
    start: int
    end: int
    num_words: int = Field(ge=0)
    bullets: tuple[Bullet, ...] = Field(
        max_length=MAX_BULLETS, description="its outline; none where no answer was accepted: then it is no target"
    )


class Outlines(Value):
    """All passages of a book in order; they tile the bodies of its narrative chapters."""

    book_id: str
    num_words: int
    num_chapters: int
    passages: tuple[OutlinedPassage, ...] = Field(min_length=1)
    quarantined: tuple[Quarantine, ...] = ()
    summarizer: str = Field(description="who wrote the outlines: 'extractive', or a model's name")
    trainable: bool = Field(description="False where outlines quote the prose")

    @property
    def told(self) -> tuple[OutlinedPassage, ...]:
        """The passages that have an outline."""
        return tuple(passage for passage in self.passages if passage.bullets)
