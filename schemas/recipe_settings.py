"""Settings of the recipes that make pairs: an outline and its passage, a prompt and its story."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.value import Value


class OutlineSettings(Value):
    """SegmentedBook -> Outlines -> pairs of an outline and the passage that it tells of (LSG 2024)."""

    template: Literal["clean", "paper"] = Field(
        "clean", description="'paper': as printed there, where the target begins with words of the instruction"
    )
    passage_tokens: int = Field(1_000, ge=50, description="most tokens of a passage, in the trainee's tokenizer")
    style_reference: bool = Field(True, description="show another passage of the same work, as a model of style")


class StorySettings(Value):
    """Files of stories -> pairs of a prompt or a title and its story."""

    seed: int = Field(0, ge=0, description="decides sides, examples and which tags are left out")
    split: tuple[float, float, float] = Field(
        (450, 151, 150),
        description="of titles, train, validation and test: their proportions, which are their numbers where the sum "
        "is that of the stories; shares where the sum is at most 1: then growth moves no title",
    )
    tag_dropout: float = Field(0.15, ge=0.0, le=1.0, description="share of tags that a training row does not show")
    max_words: int = Field(1_000, ge=20, description="longer stories are targets up to there, to a sentence's end")
    max_likeness: float = Field(
        0.7,
        gt=0.0,
        le=1.0,
        description="shared word shingles (Jaccard) from which prompts, or stories, must not be on two sides",
    )

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if min(self.split) < 0 or self.split[0] <= 0:
            raise ValueError(f"split {self.split}: no side may be negative, and train needs more than 0")
        return self
