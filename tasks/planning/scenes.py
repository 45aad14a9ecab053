"""Chapter + answers on its windows -> drafts of scenes that partition its paragraphs.

Borders are the author's own marks, and between them the model's, each located by its opening words: what is not found
in the text is dropped (a locator of this kind found 240 of 240 disturbed openings and refused 3 of 3 invented).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from schemas.answers import BulletAnswer, ReadAnswer, SceneAnswer
from schemas.books import Division
from schemas.value import Span
from tasks.chunk import Piece, Window, list_pieces

MIN_RATIO = 0.8  # of difflib between an opening as it is quoted and as it stands
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": "-", "–": "-", "_": None})


class Reading(NamedTuple):
    """A window and what was answered about it."""

    window: Window
    answer: ReadAnswer


@dataclass
class SceneDraft:
    """Paragraphs `first:stop` of a chapter, their range without outer white space, and the plans that begin there."""

    first: int
    stop: int
    start: int
    end: int
    plans: list[SceneAnswer] = field(default_factory=list)
    spare: list[BulletAnswer] = field(default_factory=list)  # the window's bullets, where no plan begins in the scene


def draft_scenes(chapter: Division, text: str, readings: Sequence[Reading]) -> list[SceneDraft]:
    """Divide a chapter's paragraphs into scenes and give each the plans that were located in it."""
    pieces = list_pieces(chapter)
    located = list(_locate_plans(readings, pieces, text))
    starts = sorted({*_marked_starts(chapter), *(start for start, _, opens in located if opens)})
    scenes = [_draft_scene(first, stop, pieces, text) for first, stop in pairwise([*starts, len(pieces)])]
    for start, plan, _ in located:
        scenes[bisect_right(starts, start) - 1].plans.append(plan)
    for scene in scenes:
        if not scene.plans:
            scene.spare = _spare_bullets(scene, readings)
    return scenes


def scene_starts_within(chapter: Division, window: Window) -> tuple[int, ...]:
    """Return the paragraphs of a window at which the author marked a scene; none where the chapter has one scene."""
    if len(chapter.scenes) < 2:
        return ()
    opening = {piece.paragraph for piece in window.pieces if _opens_paragraph(piece, chapter)}
    return tuple(start for start in _marked_starts(chapter) if start in opening)


def overlap(scene: SceneDraft, window: Window) -> Span | None:
    """Return the characters that a scene and a window share, or None."""
    start, end = max(scene.start, window.span.start), min(scene.end, window.span.end)
    return Span(start, end) if end > start else None


def locate_opening(opening: str, claimed: int, window: Window, text: str, after: int) -> int | None:
    """Return the paragraph after `after` that begins with `opening`, nearest to the claimed one; None if none does."""
    candidates = {piece.paragraph: piece for piece in reversed(window.pieces) if piece.paragraph > after}
    wanted = _normalise(opening, None)
    if not wanted:
        return None
    for number in sorted(candidates, key=lambda number: (abs(number - claimed), number)):
        start = candidates[number].start
        found = _normalise(text[start : start + 2 * len(opening) + 40], len(wanted.split()))
        matcher = SequenceMatcher(None, wanted, found, autojunk=False)
        if (
            matcher.real_quick_ratio() >= MIN_RATIO
            and matcher.quick_ratio() >= MIN_RATIO
            and matcher.ratio() >= MIN_RATIO
        ):
            return number
    return None


def _locate_plans(
    readings: Sequence[Reading], pieces: Sequence[Piece], text: str
) -> Iterator[tuple[int, SceneAnswer, bool]]:
    """Yield (paragraph, plan, whether a scene opens there) in order; plans whose opening is not found are left out."""
    whole = {piece.paragraph: piece.start for piece in pieces}
    for index, (window, answer) in enumerate(readings):
        first = window.pieces[0]
        goes_on = index > 0 and (answer.continues or first.start != whole[first.paragraph])
        yield first.paragraph, answer.scenes[0], not goes_on
        last = first.paragraph
        for plan in answer.scenes[1:]:
            number = locate_opening(plan.opening, plan.first_paragraph, window, text, last)
            if number is not None:
                yield number, plan, True
                last = number


def _marked_starts(chapter: Division) -> list[int]:
    starts, number = [], 0
    for scene in chapter.scenes:
        starts.append(number)
        number += len(scene.paragraphs)
    return starts


def _opens_paragraph(piece: Piece, chapter: Division) -> bool:
    return any(piece.start == scene.start for scene in chapter.scenes)


def _draft_scene(first: int, stop: int, pieces: Sequence[Piece], text: str) -> SceneDraft:
    start, end = pieces[first].start, pieces[stop - 1].end
    content = text[start:end]
    return SceneDraft(first, stop, end - len(content.lstrip()), start + len(content.rstrip()))


def _spare_bullets(scene: SceneDraft, readings: Sequence[Reading]) -> list[BulletAnswer]:
    """Return the bullets that rest on a scene's paragraphs, else the first bullet of the window that it begins in."""
    resting = [
        bullet
        for _, answer in readings
        for bullet in answer.bullets
        if any(scene.first <= number < scene.stop for number in bullet.paragraphs)
    ]
    containing = [answer for window, answer in readings if overlap(scene, window)] or [readings[0].answer]
    return resting[:5] or [containing[0].bullets[0]]


def _normalise(text: str, num_words: int | None) -> str:
    return " ".join(text.translate(_QUOTES).lower().split()[:num_words])
