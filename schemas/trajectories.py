"""Scaffold + text -> Trajectory: one training sequence from a prompt to the author's prose."""

from __future__ import annotations

from ctypes import c_float
from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.value import Value

Float32 = Annotated[float, AfterValidator(lambda value: c_float(value).value)]  # as Parquet holds it


class Stage(Value):
    """One stage of the grammar. Of prose, `start:end` are offsets into the book's clean text."""

    role: str
    text: str
    loss: Float32 = Field(ge=0.0, description="weight of its tokens in training; 0 is context")
    num_tokens: int = Field(ge=0, description="of `text` alone, in the trainee's tokenizer")
    start: int | None = None
    end: int | None = None


class Trajectory(Value):
    """A row of the data set but for `messages`, which follow from `stages`."""

    trajectory_id: str
    book_id: str
    layout: str
    window: int = Field(description="context in tokens that the row fits into")
    targets: tuple[int, ...] = Field(description="numbers of the chapters whose prose is a target")
    split: str
    trainable: bool
    stages: tuple[Stage, ...]
    num_tokens: int = Field(description="of the rendered sequence")
    plan_tokens: int
    prose_tokens: int
    source_sha256: str
    provenance: str = Field(description="JSON object: hashes, versions, models, prompts, seeds")


class Refusal(Value):
    """A layout that a book does not fit, a scene that had to be divided, a bullet that was dropped."""

    layout: str
    reason: str
    detail: str


class Trajectories(Value):
    """All rows of one book, and the layouts that it does not fit."""

    book_id: str
    split: str
    rows: tuple[Trajectory, ...]
    refused: tuple[Refusal, ...] = ()
    notes: tuple[Refusal, ...] = Field(default=(), description="divided chapters and scenes, shortened plans")
