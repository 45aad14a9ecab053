"""Outlines + text -> rows of `outline-to-text`: one a passage that has an outline, by one of two templates."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.books import SegmentedBook
from schemas.outlines import OUTLINE_TO_TEXT, OutlinedPassage, Outlines
from schemas.plans import OutlinePrompt, Passage
from schemas.recipe_settings import OutlineSettings
from schemas.trajectories import Refusal
from schemas.value import Span
from tasks.checking.overlap import RunIndex, share_runs
from tasks.checking.spans import Hashes
from tasks.composing.job import Draft, RowDraft, TokenCounter, trim_span
from tasks.grammar.outline_words import PAPER_LEAD

NO_REFERENCE = "no-style-reference"


@dataclass
class PairJob:
    """One book's passages in the hands of a template; `notes` counts what a reader of the data set may want to know."""

    segmented: SegmentedBook
    outlines: Outlines
    settings: OutlineSettings
    tokens: TokenCounter
    prose_loss: float
    notes: Counter[str] = field(default_factory=Counter)
    runs: dict[int, Hashes] = field(init=False)  # by number of the passage

    def __post_init__(self) -> None:
        """Read the runs of 8 words of every passage."""
        index = RunIndex()
        self.runs = {passage.number: index.read(self.text_of(passage)) for passage in self.outlines.told}

    def span_of(self, passage: OutlinedPassage) -> Span:
        """Return a passage's range without the blank lines around it."""
        return trim_span(self.segmented.text, Span(passage.start, passage.end))

    def text_of(self, passage: OutlinedPassage) -> str:
        """Return a passage's text, trimmed."""
        start, end = self.span_of(passage)
        return self.segmented.text[start:end]


def compose_pairs(job: PairJob) -> tuple[list[RowDraft], tuple[Refusal, ...]]:
    """Return a row for every passage that has an outline, and notes."""
    write = TEMPLATES[job.settings.template]
    drafts = [_draft_row(job, passage, *write(job, passage)) for passage in job.outlines.told]
    notes = tuple(
        Refusal(layout=OUTLINE_TO_TEXT, reason=reason, detail=f"{number} of {len(drafts)} passages")
        for reason, number in sorted(job.notes.items())
    )
    return drafts, notes


def write_clean(job: PairJob, passage: OutlinedPassage) -> tuple[OutlinePrompt, Passage]:
    """Return a prompt with the whole instruction, and the passage alone as the target."""
    reference = ""
    if job.settings.style_reference:
        found = choose_reference(job, passage)
        if found is None:
            job.notes[NO_REFERENCE] += 1
        else:
            reference = job.text_of(found)
    return OutlinePrompt("clean", _lines(passage), reference), Passage(job.text_of(passage))


def write_paper(job: PairJob, passage: OutlinedPassage) -> tuple[OutlinePrompt, Passage]:
    """Return both as the report prints them: the last sentence of the instruction stands at the target's head.

    Its reference text is the target itself, so no other passage is shown.
    """
    *lines, last = _lines(passage)
    outline = (*lines, last.removesuffix(".") or last)  # the template has a full stop of its own
    return OutlinePrompt("paper", outline), Passage(job.text_of(passage), PAPER_LEAD)


def choose_reference(job: PairJob, passage: OutlinedPassage) -> OutlinedPassage | None:
    """Return another passage of the work that shares no 8 words in a row with this one and is not beside it.

    One of another chapter is preferred; where a search begins, a hash of the ids decides. None where no passage is fit.
    """
    seed = int(hashlib.sha256(f"{job.segmented.book_id}:{passage.number}".encode()).hexdigest()[:8], 16)
    far = [other for other in job.outlines.told if abs(other.number - passage.number) > 1]
    for is_same in (False, True):
        group = [other for other in far if (other.chapter == passage.chapter) == is_same]
        for step in range(len(group)):
            other = group[(seed + step) % len(group)]
            if not share_runs(job.runs[passage.number], job.runs[other.number]):
                return other
    return None


TEMPLATES: dict[str, Callable[[PairJob, OutlinedPassage], tuple[OutlinePrompt, Passage]]] = {
    "clean": write_clean,
    "paper": write_paper,
}


def _lines(passage: OutlinedPassage) -> tuple[str, ...]:
    return tuple(bullet.text for bullet in passage.bullets)


def _draft_row(job: PairJob, passage: OutlinedPassage, prompt: OutlinePrompt, target: Passage) -> RowDraft:
    stages = (Draft("prompt", prompt, 0.0), Draft("passage", target, job.prose_loss, job.span_of(passage)))
    num_tokens = sum(job.tokens.stage(stage.role, stage.plan) for stage in stages)
    window = 1 << (num_tokens - 1).bit_length()  # the smallest power of two that holds the row
    return RowDraft(f"{OUTLINE_TO_TEXT}:{passage.number:04}", window, (passage.chapter,), stages)
