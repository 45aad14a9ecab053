"""Drafts of scenes + ratings -> ChapterScaffold: lines cleaned, numbers computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import NamedTuple

from schemas.answers import BulletAnswer, RateAnswer, RatingAnswer
from schemas.books import Division
from schemas.scaffold import Bullet, ChapterScaffold, SceneScaffold, Vector
from tasks.planning.scenes import Reading, SceneDraft
from tasks.planning.wording import clean_focuses, clean_line, name_chapter

NOTHING = "(not stated)"  # where a model's text has nothing in it


class Rated(NamedTuple):
    """Ratings of the part of a scene that one window holds, one a sample."""

    num_words: int
    samples: tuple[Vector, ...]


class Place(NamedTuple):
    """A chapter's place in the book."""

    number: int
    label: str


def collect_ratings(scenes: Sequence[tuple[int, int]], answers: Sequence[RateAnswer]) -> dict[int, Rated]:
    """Return the ratings of a window's scenes, given as (number, words); one without its number takes its place's."""
    return {
        number: Rated(num_words, tuple(_find_rating(answer.ratings, number, index) for answer in answers))
        for index, (number, num_words) in enumerate(scenes)
    }


def build_chapter(
    chapter: Division,
    text: str,
    place: Place,
    readings: Sequence[Reading],
    drafts: Sequence[tuple[SceneDraft, Sequence[Rated]]],
) -> ChapterScaffold:
    """Put a chapter's plan together from its scenes and its windows' answers."""
    scenes = tuple(_build_scene(index, draft, rated, text) for index, (draft, rated) in enumerate(drafts, 1))
    answers = [reading.answer for reading in readings]
    num_paragraphs = drafts[-1][0].stop
    return ChapterScaffold(
        number=place.number,
        label=clean_line(place.label, 300),
        name=name_chapter(chapter.title, chapter.label, answers[0].chapter_title, place.number),
        start=scenes[0].start,
        end=scenes[-1].end,
        num_words=sum(scene.num_words for scene in scenes),
        focuses=clean_focuses((focus for answer in answers for focus in answer.focuses), NOTHING),
        vector=mean_vector([(scene.vector, scene.num_words) for scene in scenes]),
        bullets=clean_bullets((bullet for answer in answers for bullet in answer.bullets), range(num_paragraphs), 80),
        scenes=scenes,
    )


def mean_vector(weighted: Sequence[tuple[Vector, int]]) -> Vector:
    """Return the mean of vectors, weighted by words."""
    total = sum(weight for _, weight in weighted)
    means = {
        name: round(sum(getattr(vector, name) * weight for vector, weight in weighted) / total)
        for name in Vector.model_fields
    }
    return Vector(**means)


def clean_bullets(bullets: Iterable[BulletAnswer], allowed: range, max_items: int) -> tuple[Bullet, ...]:
    """Return bullets of a line each, each text once, with those of their paragraphs that exist; at least one."""
    found: dict[str, Bullet] = {}
    for bullet in bullets:
        line = clean_line(bullet.text, 300)
        rests_on = tuple(sorted({number for number in bullet.paragraphs if number in allowed}))
        if line and line not in found:
            found[line] = Bullet(text=line, paragraphs=rests_on)
    return tuple(found.values())[:max_items] or (Bullet(text=NOTHING),)


def _find_rating(ratings: Sequence[RatingAnswer], number: int, index: int) -> Vector:
    by_number: Mapping[int, RatingAnswer] = {rating.scene: rating for rating in reversed(ratings)}
    rating = by_number.get(number, ratings[min(index, len(ratings) - 1)])
    return Vector(**rating.model_dump(exclude={"scene"}))


def _build_scene(index: int, draft: SceneDraft, rated: Sequence[Rated], text: str) -> SceneScaffold:
    plans = draft.plans
    bullets = [bullet for plan in plans for bullet in plan.bullets] or draft.spare
    perspectives = [line for plan in plans if (line := clean_line(plan.perspective, 200))]
    titles = [line for plan in plans if (line := clean_line(plan.title, 80))]
    vectors = [(mean_vector([(sample, 1) for sample in part.samples]), part.num_words) for part in rated]
    return SceneScaffold(
        title=titles[0] if titles else f"Scene {index}",
        start=draft.start,
        end=draft.end,
        first_paragraph=draft.first,
        num_words=len(text[draft.start : draft.end].split()),
        focuses=clean_focuses((focus for plan in plans for focus in plan.focuses), NOTHING),
        perspective=perspectives[0] if perspectives else NOTHING,
        vector=mean_vector(vectors),
        spread=_measure_spread(rated),
        bullets=clean_bullets(bullets, range(draft.first, draft.stop), 20),
    )


def _measure_spread(rated: Sequence[Rated]) -> float:
    """Return the standard deviation over samples, averaged over ratings and windows."""
    deviations = [
        pstdev(getattr(sample, name) for sample in part.samples) for part in rated for name in Vector.model_fields
    ]
    return round(fmean(deviations), 3)
