"""Settings of the recipes that make pairs: an outline and its passage, a prompt and its story."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

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
        description="train, validation and test: numbers of titles, or shares where their sum is at most 1",
    )
    tag_dropout: float = Field(0.15, ge=0.0, le=1.0, description="share of tags that a training row does not show")
    max_words: int = Field(1_000, ge=1, description="longer stories are cut there at a sentence")
