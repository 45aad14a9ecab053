"""What the stages of a book work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.books import CatalogueEntry
from schemas.settings import ChunkSettings, Settings
from tasks.likeness.evaluation import EvaluationTexts
from tasks.protocols import LLM, TextSource, Tokenizer
from tasks.stories.source import StorySource
from tasks.work import Work


@dataclass(frozen=True)
class Bench:
    """One a process, shared by all its books."""

    settings: Settings
    work: Work
    source: TextSource
    catalogue: Mapping[str, CatalogueEntry]
    llm: LLM
    chunk: ChunkSettings
    reader: Tokenizer
    trainee: Tokenizer
    stories: StorySource | None = None  # of the recipes that are made of stories
    texts: EvaluationTexts | None = None  # what no work may hold

    @property
    def avoided(self) -> str | None:
        """The identity of the evaluation texts, if there are any."""
        return self.texts.identity if self.texts else None
