"""What answers cost: by book and level, and what they will cost before a run."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from schemas.value import Value


class Usage(Value):
    """What some answers cost; tokens are the server's own counts."""

    calls: int = Field(default=0, description="requests that a server answered")
    replayed: int = Field(default=0, description="samples taken from the answer store")
    prompt_tokens: int = 0
    cached_tokens: int = Field(default=0, description="of the prompts, those found in the server's prefix cache")
    completion_tokens: int = 0
    wasted_tokens: int = Field(default=0, description="of the completions, those of answers that were refused")
    refused: int = Field(default=0, description="answers that were cut, did not validate, or failed their check")
    runaways: int = Field(default=0, description="of the refused, those that would not end")
    lenient: int = Field(default=0, description="answers accepted although their JSON held raw control characters")
    failures: int = Field(default=0, description="requests given up")
    seconds: float = Field(default=0.0, description="sum over the calls, of which many run at once")


class Ledger(Usage):
    """What the answers of one process cost, in all and by book and level (the call: read, rate, ...).

    A build that was stopped and run again shows its last process here; `replayed` says what earlier ones left it.
    """

    levels: dict[str, Usage] = Field(default_factory=dict)
    books: dict[str, dict[str, Usage]] = Field(default_factory=dict, description="book or work, then level")
    busy_seconds: float = Field(default=0.0, description="time with at least one request in flight")
    gpu_hours: float = Field(default=0.0, description="busy time on all GPUs of the settings")
    cost: float = Field(default=0.0, description="at the rates of the settings, in their currency")


class Point(NamedTuple):
    """What one request cost: `size` is its window's input as the reader counts it, 0 where it is about a whole book."""

    size: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


class Pilot(Value):
    """What the answers of one work cost, measured: a forecast rests on it."""

    points: dict[str, tuple[Point, ...]] = Field(description="by level, the first try of every request")
    usage: dict[str, Usage] = Field(description="by level, of what was really asked now: repairs and seconds, too")
    concurrency: float = Field(description="requests in flight on average; 0 where nothing was asked")


class Forecast(Value):
    """What a build will cost: input counted, output estimated from a pilot."""

    books: int
    works: int
    pilot: tuple[str, ...] = Field(description="works whose answers are known, on which the estimates rest")
    windows: int = Field(description="chapter windows of all works")
    levels: dict[str, Usage] = Field(description="expected usage of each level, of all works, answered or not")
    total: Usage
    already_answered: Usage = Field(description="the part of the total that the answer store holds, the pilot's, too")
    remaining: Usage = Field(description="the other part: what the build will ask, as its ledger will count it")
    gpu_hours: float = Field(description="of what remains")
    cost: float = Field(description="of what remains, at the rates of the settings, in their currency")
    assumed: tuple[str, ...] = Field(default=(), description="what the numbers rest on, in words")
