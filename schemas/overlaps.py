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

    @property
    def share(self) -> float:
        """The part of the evaluation text's runs that the work holds."""
        return self.num_shared / self.num_runs


class Overlap(Value):
    """The two evaluation texts that decide: no other shares more runs, no other stands in the work as fully."""

    work_id: str
    parent_id: str | None = Field(default=None, description="of a story: its collection")
    ngram_words: int
    most: SharedText | None = None
    fullest: SharedText | None = None


class Overlaps(Value):
    """Of the works of one shard, those that share anything."""

    works: tuple[Overlap, ...]
