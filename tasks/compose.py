"""Scaffold + text -> Trajectory: one function a layout, listed in LAYOUTS; every row is read back before it counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from schemas.books import SegmentedBook
from schemas.errors import BookError
from schemas.scaffold import Scaffold, SceneScaffold
from schemas.settings import ComposeSettings
from schemas.trajectories import Refusal, Stage, Trajectories, Trajectory
from schemas.value import Span
from tasks.composing.job import DoesNotFitError, Draft, Job, RowDraft, TokenCounter, trim_span
from tasks.composing.pagestorm import compose_first_chapter, compose_full_book
from tasks.composing.splits import assign_split
from tasks.composing.text import clean_scaffold
from tasks.composing.window import compose_windows
from tasks.grammar.render import render_stage
from tasks.grammar.sequence import check_trajectory, parse_trajectory, sum_tokens
from tasks.protocols import Tokenizer

LAYOUT_VERSION = 1  # raised when a reader of the rows would have to change
LAYOUTS: dict[str, Callable[[Job], list[RowDraft]]] = {
    "full-book": compose_full_book,
    "first-chapter": compose_first_chapter,
    "chapter-window": compose_windows,
}


def compose_book(
    segmented: SegmentedBook, scaffold: Scaffold, settings: ComposeSettings, trainee: Tokenizer
) -> Trajectories:
    """Return a book's rows in every layout of the settings that it fits, and why it does not fit the others.

    Raises:
        BookError: the scaffold is not of this text, or a row does not come back equal when it is read.
    """
    clean, empty = clean_scaffold(_measure(segmented, scaffold))
    job = Job(segmented, clean, empty, settings, TokenCounter(trainee))
    provenance = _describe(segmented, scaffold, trainee)
    split = assign_split(segmented.entry, settings.held_out_share)
    rows: list[Trajectory] = []
    for layout in dict.fromkeys(settings.layouts):
        try:
            drafts = LAYOUTS[layout](job)
        except DoesNotFitError as misfit:
            job.forget(layout)
            job.refused.append(Refusal(layout=layout, reason=misfit.reason, detail=misfit.detail))
            continue
        rows += [_build_row(job, layout, draft, split, provenance) for draft in drafts]
    refused, notes = tuple(job.refused), (*_tell_imported(scaffold), *job.tell_notes())
    return Trajectories(book_id=segmented.book_id, split=split, rows=tuple(rows), refused=refused, notes=notes)


def _tell_imported(scaffold: Scaffold) -> tuple[Refusal, ...]:
    """Return what an imported plan did not tell; it concerns every row."""
    return tuple(Refusal(layout="all", reason="imported-plan", detail=note) for note in scaffold.notes)


def _measure(segmented: SegmentedBook, scaffold: Scaffold) -> Scaffold:
    """Return the scaffold with its ranges trimmed and its words counted in this very text."""
    at = 0
    chapters = []
    for chapter in scaffold.chapters:
        scenes: list[SceneScaffold] = []
        for scene in chapter.scenes:
            text = segmented.text[scene.start : scene.end]
            lost = segmented.text[at : scene.start] if scenes else ""
            if scene.start < at or scene.end > len(segmented.text) or not text.strip() or lost.strip():
                raise BookError(
                    segmented.book_id,
                    "scaffold-mismatch",
                    f"chapter {chapter.number}: scene at {scene.start}:{scene.end} after {at} of {len(segmented.text)} "
                    "characters; scenes must tile the chapter in order: summarise the book anew",
                )
            at = scene.end
            start, end = trim_span(segmented.text, Span(scene.start, scene.end))
            scenes.append(scene.model_copy(update={"start": start, "end": end, "num_words": len(text.split())}))
        update = {"start": scenes[0].start, "end": scenes[-1].end, "num_words": sum(s.num_words for s in scenes)}
        chapters.append(chapter.model_copy(update={**update, "scenes": tuple(scenes)}))
    return scaffold.model_copy(update={"chapters": tuple(chapters)})


def _describe(segmented: SegmentedBook, scaffold: Scaffold, trainee: Tokenizer) -> str:
    """Return where the rows come from, as a JSON object."""
    facts = {
        "source_sha256": segmented.source_sha256,
        "text_sha256": hashlib.sha256(segmented.text.encode()).hexdigest(),
        "scaffold_sha256": scaffold.digest(),
        "summarizer": scaffold.summarizer,
        "trainee_tokenizer": trainee.identity,
        "layout_version": LAYOUT_VERSION,
        **({"notes": scaffold.notes} if scaffold.notes else {}),
    }
    return json.dumps(facts, sort_keys=True, ensure_ascii=False)


def _build_row(job: Job, layout: str, draft: RowDraft, split: str, provenance: str) -> Trajectory:
    """Return the row of a draft.

    Raises:
        BookError: read back, the row says something else than the draft.
    """
    stages = tuple(_build_stage(job, stage) for stage in draft.stages)
    row = Trajectory(
        trajectory_id=f"{job.segmented.book_id}:{draft.name}",
        book_id=job.segmented.book_id,
        layout=layout,
        window=draft.window,
        targets=draft.targets,
        split=split,
        trainable=job.scaffold.trainable,
        stages=stages,
        num_tokens=sum(job.tokens.stage(stage.role, stage.plan) for stage in draft.stages),
        plan_tokens=sum_tokens(stages, prose=False),
        prose_tokens=sum_tokens(stages, prose=True),
        source_sha256=job.segmented.source_sha256,
        provenance=provenance,
    )
    problems = check_trajectory(row, job.text)
    if not problems and parse_trajectory(row).plans != tuple(stage.plan for stage in draft.stages):
        problems = ["read back, it is not what was written"]
    if problems:
        raise BookError(job.segmented.book_id, "row-outside-grammar", f"{row.trajectory_id}: {'; '.join(problems[:3])}")
    return row


def _build_stage(job: Job, draft: Draft) -> Stage:
    text = render_stage(draft.plan)
    span = draft.span
    start, end = (span.start, span.end) if span else (None, None)
    return Stage(role=draft.role, text=text, loss=draft.loss, num_tokens=job.tokens.count(text), start=start, end=end)
