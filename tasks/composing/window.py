"""Job -> rows of the layout `chapter-window`: samples that tile the book, one rung for every window.

DESIGN section 6: each sample has as many consecutive chapters as fit as its targets, after the premise, the plan so
far and a tail of at most a tenth of the window; every chapter is a target once a rung; a rung has at most 1.5 times
the prose's tokens plus its plans; a scene of more than 60 % of the window is divided between paragraphs, none else.

A chapter without a plan (quarantined, or with a text that has nothing in it) is no target and no part of the story so
far; it ends a run of targets, and its prose may be the text before the next. Where no prompt was accepted, one is made
of what is measured; without a preview the premise is the title and the main characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from schemas.plans import Plan
from schemas.scaffold import ChapterScaffold
from schemas.trajectories import Refusal
from schemas.value import Span
from tasks.composing.context import CONTEXT_SHARE, Place, build_context
from tasks.composing.divide import MAX_SCENES, Bounds, Cut, divide_chapters
from tasks.composing.job import DoesNotFitError, Draft, Job, Keep, RowDraft, fit_plan
from tasks.composing.plans import plan_breakdown
from tasks.grammar.limits import STAGE_LIMITS

LAYOUT = "chapter-window"
SCENE_SHARE = 0.6  # of the window: a longer scene is divided
CHAPTER_SHARE = 0.85  # of the window: a chapter with its plan that takes more is divided
LONE_PLAN_SHARE = 0.2  # of the window: what the plan of a lone scene may take, so that there is room for context
CONTEXT_PER_PROSE = 0.5  # tokens of context and frame for one of prose, over a rung
LEAST_CONTEXT = 64


@dataclass(frozen=True)
class Target:
    """A chapter or part of one, planned and rendered."""

    piece: ChapterScaffold
    stages: tuple[Draft, Draft]
    num_tokens: int  # of both stages, rendered
    num_prose: int  # of the text between the fences
    num_frame: int  # of what is neither plan nor text


def compose_windows(job: Job) -> list[RowDraft]:
    """Return the rows of every rung; a rung that fails is refused, the others stand.

    Raises:
        DoesNotFitError: there is no prompt or no chapter with a plan, or no rung could be made.
    """
    _check_plans(job)
    rows: list[RowDraft] = []
    failures: list[DoesNotFitError] = []
    job.check_prose([Span(chapter.start, chapter.end) for chapter in job.scaffold.chapters])
    for window in sorted(set(job.settings.windows)):
        try:
            rows += compose_rung(job, window)
        except DoesNotFitError as error:
            job.forget(name_rung(window))
            failures.append(error)
    if not rows:
        raise failures[0]
    job.refused += [Refusal(layout=LAYOUT, reason=failure.reason, detail=failure.detail) for failure in failures]
    return rows


def compose_rung(job: Job, window: int) -> list[RowDraft]:
    """Return the samples of one rung, in the order of the book."""
    name = name_rung(window)
    pieces = divide_chapters(job, name, job.scaffold.chapters, bound_targets(job, window))
    targets = [_build_target(job, name, piece, window) if job.is_told(piece) else None for piece in pieces]
    rows: list[RowDraft] = []
    first, slack = 0, 0.0
    while first < len(targets):
        if targets[first] is None:
            first += 1
            continue
        place = Place(pieces, first, len(rows))
        context = build_context(job, place, window * CONTEXT_SHARE)
        chosen = _choose_targets(islice(targets, first, None), window - _count(job, context))
        room = window - sum(target.num_tokens for target in chosen)
        allowed = CONTEXT_PER_PROSE * sum(target.num_prose for target in chosen) + slack
        allowed -= sum(target.num_frame for target in chosen)
        context = _shrink_context(job, place, context, min(room, max(allowed, LEAST_CONTEXT)))
        if _count(job, context) > room:
            raise DoesNotFitError(
                "window-too-small", f"{name}: chapter {chosen[0].piece.number} leaves {room} tokens for context"
            )
        slack = allowed - _count(job, context)
        numbers = tuple(dict.fromkeys(target.piece.number for target in chosen))
        stages = (*context, *(stage for target in chosen for stage in target.stages))
        rows.append(RowDraft(f"{name}:{len(rows) + 1:04}", window, numbers, stages))
        first += len(chosen)
    return rows


def name_rung(window: int) -> str:
    """Return 'chapter-window-8k' for 8,192."""
    return f"{LAYOUT}-{window // 1024}k" if window % 1024 == 0 else f"{LAYOUT}-{window}"


def bound_targets(job: Job, window: int) -> Bounds:
    """Return what a target and a scene may be in a window."""

    def prose(chapter: ChapterScaffold, cuts: Sequence[Cut]) -> int:
        text = job.prose(chapter.name, Span(cuts[0].span.start, cuts[-1].span.end))
        return job.tokens.stage("chapter_text", text)

    def plan(chapter: ChapterScaffold, cuts: Sequence[Cut]) -> int | None:
        """Tokens of the breakdown (an upper bound where a scene is divided), or None if it cannot be short enough."""
        scenes = tuple(chapter.scenes[cut.scene] for cut in cuts)
        fitted = _fit_breakdown(job, chapter.model_copy(update={"scenes": scenes}), window)
        return None if fitted is None else job.tokens.stage("scene_breakdown", fitted)

    def size(chapter: ChapterScaffold, cuts: Sequence[Cut]) -> int:
        return prose(chapter, cuts) + (plan(chapter, cuts) or 0)

    def most(cuts: Sequence[Cut]) -> int:
        return int(window * (SCENE_SHARE if len(cuts) == 1 else CHAPTER_SHARE))

    def fits(chapter: ChapterScaffold, cuts: Sequence[Cut]) -> bool:
        most_scene = window * SCENE_SHARE
        scenes = (job.text[cut.span.start : cut.span.end] for cut in cuts)
        if prose(chapter, cuts) > most_scene and any(job.tokens.count(scene) > most_scene for scene in scenes):
            return False
        planned = plan(chapter, cuts) if 1 < len(cuts) <= MAX_SCENES else None
        return len(cuts) == 1 or (planned is not None and prose(chapter, cuts) + planned <= most(cuts))

    return Bounds(size, lambda chapter, cuts: most(cuts), fits)


def _check_plans(job: Job) -> None:
    """Refuse a book without a chapter that has a plan; note the chapters that are no target."""
    scaffold = job.scaffold
    if not any(map(job.is_told, scaffold.chapters)):
        job.check_answered(scaffold.chapters, ())
        raise DoesNotFitError("empty-plan-text", "every chapter has names or lists with nothing in them")
    if not scaffold.prompts:
        job.note(LAYOUT, "measured-prompt", "no prompt was accepted: one is made of the book's length")
    for number in sorted(job.empty.chapters):
        job.note(LAYOUT, "empty-plan-text", f"chapter {number} is no target: its plan has something with nothing in it")


def _fit_breakdown(job: Job, piece: ChapterScaffold, window: int) -> Plan | None:
    limit = STAGE_LIMITS["scene_breakdown"]
    if len(piece.scenes) == 1:
        limit = min(limit, int(window * LONE_PLAN_SHARE))
    return fit_plan(partial(plan_breakdown, piece), lambda plan: job.tokens.text(plan) <= limit)


def _build_target(job: Job, layout: str, piece: ChapterScaffold, window: int) -> Target:
    plan, span = _fit_breakdown(job, piece, window), Span(piece.start, piece.end)
    if plan is None:
        raise DoesNotFitError("window-too-small", f"{layout}: no room for the plan of chapter {piece.number}")
    job.note_shortened(layout, "scene_breakdown", plan_breakdown(piece, Keep()), plan)
    prose = job.prose(piece.name, span)
    stages = (
        Draft("scene_breakdown", plan, job.weigh("scene_breakdown")),
        Draft("chapter_text", prose, job.weigh("chapter_text"), span),
    )
    num_tokens = _count(job, stages)
    num_prose = _count(job, stages[1:]) - job.tokens.stage("chapter_text", prose._replace(text=""))
    return Target(piece, stages, num_tokens, num_prose, num_tokens - num_prose - job.tokens.text(plan))


def _choose_targets(targets: Iterable[Target | None], room: int) -> list[Target]:
    """Return the consecutive targets at the beginning that fit; one at the least."""
    chosen: list[Target] = []
    for target in targets:
        if target is None or (chosen and target.num_tokens > room):
            break
        chosen.append(target)
        room -= target.num_tokens
    return chosen


def _shrink_context(job: Job, place: Place, context: tuple[Draft, ...], allowed: float) -> tuple[Draft, ...]:
    """Return the context within what is allowed, or as small as it gets."""
    budget = float(_count(job, context))
    while _count(job, context) > allowed and budget > LEAST_CONTEXT / 2:
        budget *= 0.8
        context = build_context(job, place, budget)
    return context


def _count(job: Job, drafts: Sequence[Draft]) -> int:
    return sum(job.tokens.stage(draft.role, draft.plan) for draft in drafts)
