"""Scaffold or Outlines + text -> Trajectory: one function a layout; every row is read back before it counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

from schemas.books import SegmentedBook
from schemas.errors import BookError
from schemas.outlines import OUTLINE_TO_TEXT, Outlines
from schemas.recipe_settings import OutlineSettings
from schemas.scaffold import Scaffold, SceneScaffold
from schemas.settings import ComposeSettings
from schemas.trajectories import Refusal, Trajectories, Trajectory
from schemas.value import Span
from tasks.composing.job import DoesNotFitError, Job, RowDraft, TokenCounter, trim_span
from tasks.composing.outline_pairs import PairJob, compose_pairs
from tasks.composing.pagestorm import compose_first_chapter, compose_full_book
from tasks.composing.rows import Origin, build_row
from tasks.composing.splits import assign_split
from tasks.composing.text import clean_scaffold
from tasks.composing.window import compose_windows
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
    told = {"notes": scaffold.notes} if scaffold.notes else {}  # of an imported plan: what was guessed
    facts = {"scaffold_sha256": scaffold.digest(), "summarizer": scaffold.summarizer, **told}
    provenance = _describe(segmented, trainee, facts)
    split = assign_split(segmented.entry, settings.held_out_share)
    origin = Origin(segmented, job.tokens, split, scaffold.trainable, provenance)
    rows: list[Trajectory] = []
    for layout in dict.fromkeys(settings.layouts):
        try:
            drafts = LAYOUTS[layout](job)
        except DoesNotFitError as misfit:
            job.forget(layout)
            job.refused.append(Refusal(layout=layout, reason=misfit.reason, detail=misfit.detail))
            continue
        rows += [build_row(origin, layout, draft) for draft in drafts]
    refused, notes = tuple(job.refused), (*_tell_imported(scaffold), *job.tell_notes())
    return Trajectories(book_id=segmented.book_id, split=split, rows=tuple(rows), refused=refused, notes=notes)


def compose_outlines(
    segmented: SegmentedBook,
    outlines: Outlines,
    settings: ComposeSettings,
    *,
    outline: OutlineSettings,
    trainee: Tokenizer,
) -> Trajectories:
    """Return a book's pairs of an outline and its passage.

    Raises:
        BookError: a row does not come back equal when it is read.
    """
    tokens = TokenCounter(trainee)
    facts = {"outlines_sha256": outlines.digest(), "summarizer": outlines.summarizer}
    provenance = _describe(segmented, trainee, facts)
    split = assign_split(segmented.entry, settings.held_out_share)
    origin = Origin(segmented, tokens, split, outlines.trainable, provenance)
    drafts, notes = compose_pairs(PairJob(segmented, outlines, outline, tokens, settings.prose_loss))
    rows = tuple(build_row(origin, OUTLINE_TO_TEXT, draft) for draft in drafts)
    return Trajectories(book_id=segmented.book_id, split=split, rows=rows, notes=notes)


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


def _describe(segmented: SegmentedBook, trainee: Tokenizer, plan: Mapping[str, object]) -> str:
    """Return where the rows come from, as a JSON object; `plan` is who wrote their plans, and these plans' hash."""
    facts = {
        "source_sha256": segmented.source_sha256,
        "text_sha256": hashlib.sha256(segmented.text.encode()).hexdigest(),
        "trainee_tokenizer": trainee.identity,
        "layout_version": LAYOUT_VERSION,
        **plan,
    }
    return json.dumps(facts, sort_keys=True, ensure_ascii=False)
