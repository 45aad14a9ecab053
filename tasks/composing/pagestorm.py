"""Job -> rows of the layouts `full-book` and `first-chapter`, inside all that the PageStorm runner allows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial

from schemas.plans import Plan
from schemas.scaffold import ChapterScaffold, Preview, Scaffold
from schemas.value import Span
from tasks.composing.divide import MAX_SCENES, Bounds, Cut, divide_chapters
from tasks.composing.job import DoesNotFitError, Draft, Job, Keep, RowDraft, fit_plan
from tasks.composing.plans import (
    group_by_arc,
    plan_book,
    plan_breakdown,
    plan_characters,
    plan_first_chapter,
    plan_later_chapters,
    plan_opening,
    plan_opening_chapter,
)
from tasks.composing.text import fit_preview
from tasks.grammar.limits import STAGE_LIMITS, limit_stage
from tasks.grammar.sequence import round_words

_NAME_MARGIN = 8  # tokens that a part's number may add to its name
# What both layouts ask of the book as a whole.
BOOK_CALLS = frozenset(("people", "arcs", "world", "style", "preview", "prompts"))
# Upper end of a word count's range, its step, and how far the runner lets prose go beyond it.
_WORD_MARGINS = ((99, 10, 1.5), (999, 50, 1.25), (9_999, 100, 1.15), (10**9, 500, 1.08))


def compose_full_book(job: Job) -> list[RowDraft]:
    """Return the book as one row: chapter 1 planned and written, then all the others planned, then written.

    Raises:
        DoesNotFitError: anything quarantined, one chapter, no side character, a plan outside the grammar, or too many
            tokens.
    """
    layout, scaffold, window = "full-book", job.scaffold, job.settings.full_book_window
    job.check_answered(scaffold.chapters, BOOK_CALLS)
    if len(scaffold.chapters) == 1:
        raise DoesNotFitError("one-chapter", "1 chapter, at least 2 needed")
    for people, kind in ((scaffold.main_characters, "main"), (scaffold.side_characters, "side")):
        if not people:
            raise DoesNotFitError(f"no-{kind}-character", f"no {kind} character, at least 1 needed")
    preview = check_texts(job)
    pieces = divide_chapters(job, layout, scaffold.chapters, bound_prose(job, {scaffold.chapters[0].number}))
    job.check_prose([Span(piece.start, piece.end) for piece in pieces])
    num_prose = sum(job.tokens.text(job.prose(piece.name, Span(piece.start, piece.end))) for piece in pieces)
    if num_prose > window:  # counted already: the plans of a book that is over anyway need not be made
        raise DoesNotFitError("over-window", f"{num_prose} tokens of prose alone, {window} allowed")
    arcs = group_by_arc(scaffold, pieces)
    stages = [
        choose_prompt(job, 0),
        write_plan(job, layout, "book_preview", lambda keep: preview),
        write_plan(job, layout, "book_plan", partial(plan_book, scaffold, arcs)),
        write_plan(job, layout, "first_chapter_plan", partial(plan_first_chapter, pieces[0])),
        write_prose(job, "first_chapter_text", pieces[0]),
        write_plan(job, layout, "full_book_chapters_plan", partial(plan_later_chapters, pieces)),
        write_plan(job, layout, "book_characters_list", partial(plan_characters, scaffold)),
    ]
    for piece in pieces[1:]:
        stages.append(write_plan(job, layout, "scene_breakdown", partial(plan_breakdown, piece)))
        stages.append(write_prose(job, "chapter_text", piece))
    _note_long_prose(job, layout, pieces)
    targets = tuple(dict.fromkeys(piece.number for piece in pieces))
    return [check_window(job, RowDraft(layout, window, targets, tuple(stages)))]


def compose_first_chapter(job: Job) -> list[RowDraft]:
    """Return the way from the prompt to the end of chapter 1 (or of its first part) as one row.

    Raises:
        DoesNotFitError: chapter 1 or the book's plan quarantined, a plan outside the grammar, or too many tokens.
    """
    layout, scaffold = "first-chapter", job.scaffold
    job.check_answered(scaffold.chapters[:1], BOOK_CALLS)
    preview = check_texts(job)
    first = scaffold.chapters[0]
    piece = divide_chapters(job, layout, [first], bound_prose(job, {first.number}))[0]
    job.check_prose([Span(piece.start, piece.end)])
    opening_chapter = partial(plan_opening_chapter, piece)
    stages = (
        choose_prompt(job, 1),
        write_plan(job, layout, "book_plan", partial(plan_opening, scaffold, preview)),
        write_plan(job, layout, "first_chapter_plan", opening_chapter),
        write_plan(job, layout, "first_chapter_scene_breakdown", partial(plan_breakdown, piece)),
        write_prose(job, "first_chapter_text", piece),
    )
    _note_long_prose(job, layout, [piece])
    row = RowDraft(layout, job.settings.first_chapter_window, (piece.number,), stages)
    return [check_window(job, row)]


def check_texts(job: Job) -> Preview:
    """Return the preview inside the grammar; DoesNotFitError where it, or any text of the plans, says too little."""
    if job.empty.num_texts:
        raise DoesNotFitError(
            "empty-plan-text", f"{job.empty.num_texts} names or lists of the plans have nothing in them"
        )
    preview, problem = fit_preview(job.scaffold.preview)
    if preview is None:
        raise DoesNotFitError("preview-too-short", problem)
    return preview


def choose_prompt(job: Job, turn: int) -> Draft:
    """Return one of the user prompts as a stage."""
    return Draft("prompt", pick_prompt(job.scaffold, turn), 0.0)


def pick_prompt(scaffold: Scaffold, turn: int) -> str:
    """Return one of the user prompts, spread over the books by their ids (there must be one)."""
    number = int(hashlib.sha256(scaffold.book_id.encode()).hexdigest()[:8], 16)
    return scaffold.prompts[(number + turn) % len(scaffold.prompts)].text


def write_prose(job: Job, role: str, piece: ChapterScaffold) -> Draft:
    """Return a chapter's text as a stage."""
    span = Span(piece.start, piece.end)
    return Draft(role, job.prose(piece.name, span), job.weigh(role), span)


def write_plan(job: Job, layout: str, role: str, build: Callable[[Keep], Plan]) -> Draft:
    """Return a plan as a stage within its tokens, shortened if need be and noted.

    Raises:
        DoesNotFitError: the shortest plan is over the limit.
    """
    most = limit_stage(layout, role)
    assert most is not None
    plan = fit_plan(build, lambda plan: job.tokens.text(plan) <= most)
    if plan is None:
        found = job.tokens.text(build(Keep(1, 1, 20)))
        raise DoesNotFitError("stage-over-limit", f"{role}: {found} tokens at the shortest, {most} allowed")
    job.note_shortened(layout, role, build(Keep()), plan)
    return Draft(role, plan, job.weigh(role))


def check_window(job: Job, row: RowDraft) -> RowDraft:
    """Return the row if every stage and the whole are inside their limits."""
    for stage in row.stages:
        limit, found = STAGE_LIMITS.get(stage.role), job.tokens.text(stage.plan)
        if limit and found > limit:
            raise DoesNotFitError("stage-over-limit", f"{stage.role}: {found} tokens, {limit} allowed")
    total = sum(job.tokens.stage(stage.role, stage.plan) for stage in row.stages)
    if total > row.window:
        raise DoesNotFitError("over-window", f"{total} tokens, {row.window} allowed")
    return row


def bound_prose(job: Job, opening: set[int]) -> Bounds:
    """Return what a chapter's text may be; `opening` are the chapters under the first chapter's tighter limit."""

    def most(chapter: ChapterScaffold, cuts: Sequence[Cut]) -> int:
        return STAGE_LIMITS["first_chapter_text" if chapter.number in opening else "chapter_text"]

    def size(chapter: ChapterScaffold, cuts: Sequence[Cut]) -> int:
        return job.tokens.text(job.prose(chapter.name, Span(cuts[0].span.start, cuts[-1].span.end)))

    def fits(chapter: ChapterScaffold, cuts: Sequence[Cut]) -> bool:
        whole = (cuts[0].span.start, cuts[-1].span.end) == (chapter.start, chapter.end)
        return len(cuts) <= MAX_SCENES and size(chapter, cuts) <= most(chapter, cuts) - (0 if whole else _NAME_MARGIN)

    return Bounds(size, most, fits)


def _note_long_prose(job: Job, layout: str, pieces: Sequence[ChapterScaffold]) -> None:
    """Count the chapters that the runner would cut: prose of more tokens than twice the words it may plan for."""
    num_long = 0
    for piece in pieces:
        words = round_words(piece.num_words)
        _, step, margin = next(margin for margin in _WORD_MARGINS if words <= margin[0])
        text = job.prose(piece.name, Span(piece.start, piece.end))
        num_long += job.tokens.text(text) > 2 * (words + step / 2) * margin
    if num_long:
        job.note(layout, "long-prose", f"{num_long} chapters have more than twice as many tokens as words planned for")
