"""What a work shares with evaluation texts."""

from __future__ import annotations

from pydantic import Field

from schemas.value import Value


class SharedText(Value):
    """One evaluation text that a work shares runs of words with."""

    text: str = Field(description="its file, and the line or row of it: 'questions.jsonl:12'")
    num_shared: int = Field(ge=1, description="different runs that stand in both")
    num_runs: int = Field(ge=1, description="different runs of the evaluation text")
    offset: int = Field(ge=0, description="character of the work's text where the first of them begins")


class Overlap(Value):
    """The evaluation texts that decide: of each, none that is as short or shorter shares as many runs."""

    work_id: str
    parent_id: str | None = Field(default=None, description="of a story: its collection")
    ngram_words: int
    shared: tuple[SharedText, ...] = Field(default=(), description="from the shortest text with fewest shared runs")


class Overlaps(Value):
    """Of the works of one shard, those that share anything."""

    works: tuple[Overlap, ...]
