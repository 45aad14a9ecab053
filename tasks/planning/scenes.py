"""Windows of a chapter + what was answered about them -> scenes that partition its paragraphs, joined without a seam.

Borders are the author's own marks, and between them the model's, each located by its opening words: what is not found
in the text is dropped (a locator of this kind found 240 of 240 disturbed openings and refused 3 of 3 invented).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from schemas.answers import BulletAnswer, ReadAnswer, SceneAnswer
from schemas.books import Division
from schemas.scaffold import Vector
from schemas.value import Span
from tasks.chunk import Piece, Window

MIN_RATIO = 0.8  # of difflib between an opening as it is quoted and as it stands
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": "-", "–": "-", "_": None})


class Rated(NamedTuple):
    """Ratings of a part of a scene that one request showed, one a sample."""

    num_words: int
    samples: tuple[Vector, ...]


@dataclass(frozen=True)
class Stretch:
    """A scene as one window shows it: paragraphs `first:stop` of the chapter, `start:end` without outer white space."""

    first: int
    stop: int
    start: int
    end: int
    opens: bool  # False where it goes on from the window before
    plan: SceneAnswer | None = None
    opening: str = ""  # the plan's quotation, where it was found
    spare: tuple[BulletAnswer, ...] = ()  # of the window, where no plan begins here


class Divided(NamedTuple):
    """The scenes of one window, and how many of the model's quoted openings are not where they should be."""

    stretches: tuple[Stretch, ...]
    num_unlocated: int


@dataclass
class SceneDraft:
    """A scene of a chapter, put together from the windows that show it."""

    first: int
    stop: int
    start: int
    end: int
    opening: str
    plans: list[SceneAnswer] = field(default_factory=list)
    spare: list[BulletAnswer] = field(default_factory=list)
    rated: list[Rated] = field(default_factory=list)


def divide_window(chapter: Division, window: Window, answer: ReadAnswer | None, text: str) -> Divided:
    """Divide a window into scenes and give each the plan that was located in it; without an answer, by marks alone."""
    located, num_unlocated = _locate_plans(window, answer, text)
    first = window.pieces[0]
    marked = set(scene_starts_within(chapter, window))
    whole = _paragraph_start(chapter, first.paragraph) == first.start
    begins = first.paragraph == 0 and whole
    opens = begins or (first.paragraph in marked and whole) or (answer is not None and whole and not answer.continues)
    starts = sorted({first.paragraph, *marked, *located})
    groups = [
        [piece for piece in window.pieces if low <= piece.paragraph and (high is None or piece.paragraph < high)]
        for low, high in pairwise([*starts, None])
        if low is not None
    ]
    stretches = []
    for index, pieces in enumerate(groups):
        plan, opening = located.get(starts[index], (None, ""))
        spare = () if plan or answer is None else _spare_bullets(pieces, answer)
        stretches.append(_make_stretch(pieces, text, index > 0 or opens, plan, opening, spare))
    return Divided(tuple(stretches), num_unlocated)


def join_scenes(windows: Iterable[Sequence[tuple[Stretch, Sequence[Rated]]]]) -> list[SceneDraft]:
    """Join a chapter's windows: a scene that goes on in the next window is one, its plans in the order of the text."""
    drafts: list[SceneDraft] = []
    for stretches in windows:
        for stretch, rated in stretches:
            if stretch.opens or not drafts:
                drafts.append(SceneDraft(stretch.first, stretch.stop, stretch.start, stretch.end, stretch.opening))
            draft = drafts[-1]
            draft.stop, draft.end = stretch.stop, stretch.end
            draft.plans += [stretch.plan] if stretch.plan else []
            draft.spare += stretch.spare
            draft.rated += rated
    return drafts


def scene_starts_within(chapter: Division, window: Window) -> tuple[int, ...]:
    """Return the paragraphs of a window at which the author marked a scene; none where the chapter has one scene."""
    if len(chapter.scenes) < 2:
        return ()
    marks = {scene.start for scene in chapter.scenes}
    return tuple(dict.fromkeys(piece.paragraph for piece in window.pieces if piece.start in marks))


def overlap(stretch: Stretch, window: Window) -> Span | None:
    """Return the characters that a scene and a window share, or None."""
    start, end = max(stretch.start, window.span.start), min(stretch.end, window.span.end)
    return Span(start, end) if end > start else None


def locate_opening(opening: str, claimed: int, window: Window, text: str, after: int) -> int | None:
    """Return the paragraph after `after` that begins with `opening`, nearest to the claimed one; None if none does."""
    candidates = {piece.paragraph: piece for piece in reversed(window.pieces) if piece.paragraph > after}
    ordered = sorted(candidates, key=lambda number: (abs(number - claimed), number))
    return next((number for number in ordered if _begins_with(candidates[number], opening, text)), None)


def _begins_with(piece: Piece, opening: str, text: str) -> bool:
    wanted = _normalise(opening, None)
    if not wanted:
        return False
    found = _normalise(text[piece.start : piece.start + 2 * len(opening) + 40], len(wanted.split()))
    matcher = SequenceMatcher(None, wanted, found, autojunk=False)
    return (
        matcher.real_quick_ratio() >= MIN_RATIO and matcher.quick_ratio() >= MIN_RATIO and matcher.ratio() >= MIN_RATIO
    )


def _locate_plans(
    window: Window, answer: ReadAnswer | None, text: str
) -> tuple[dict[int, tuple[SceneAnswer | None, str]], int]:
    """Return plans and quoted openings by paragraph; the first plan is the window's beginning, quoted right or not."""
    if answer is None:
        return {}, 0
    first, plan = window.pieces[0], answer.scenes[0]
    begins = _begins_with(first, plan.opening, text)
    located: dict[int, tuple[SceneAnswer | None, str]] = {first.paragraph: (plan, plan.opening if begins else "")}
    num_unlocated, last = int(not begins), first.paragraph
    for plan in answer.scenes[1:]:
        number = locate_opening(plan.opening, plan.first_paragraph, window, text, last)
        if number is None:
            num_unlocated += 1
        else:
            located[number], last = (plan, plan.opening), number
    return located, num_unlocated


def _paragraph_start(chapter: Division, number: int) -> int:
    return [paragraph.start for scene in chapter.scenes for paragraph in scene.paragraphs][number]


def _make_stretch(
    pieces: Sequence[Piece],
    text: str,
    opens: bool,
    plan: SceneAnswer | None,
    opening: str,
    spare: tuple[BulletAnswer, ...],
) -> Stretch:
    start, end = pieces[0].start, pieces[-1].end
    content = text[start:end]
    return Stretch(
        first=pieces[0].paragraph,
        stop=pieces[-1].paragraph + 1,
        start=end - len(content.lstrip()),
        end=start + len(content.rstrip()),
        opens=opens,
        plan=plan,
        opening=opening,
        spare=spare,
    )


def _spare_bullets(pieces: Sequence[Piece], answer: ReadAnswer) -> tuple[BulletAnswer, ...]:
    """Return the window's bullets that rest on these paragraphs, else its first."""
    numbers = {piece.paragraph for piece in pieces}
    resting = tuple(bullet for bullet in answer.bullets if numbers.intersection(bullet.paragraphs))
    return resting[:5] or answer.bullets[:1]


def _normalise(text: str, num_words: int | None) -> str:
    return " ".join(text.translate(_QUOTES).lower().split()[:num_words])
