"""Readings of a chapter's windows -> ChapterScaffold: windows joined, lines cleaned, numbers computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from statistics import fmean, pstdev

from schemas.answers import BulletAnswer
from schemas.scaffold import NOT_STATED, Bullet, ChapterScaffold, SceneScaffold, Vector
from tasks.planning.chapters import Chapter
from tasks.planning.reading import Reading
from tasks.planning.scenes import Rated, SceneDraft, join_scenes
from tasks.planning.wording import clean_focuses, clean_line, name_chapter, spread

NOTHING = NOT_STATED  # where a model's text has nothing in it, or no answer was accepted
MAX_CHAPTER_BULLETS, MAX_SCENE_BULLETS = 80, 20  # trajectory grammar
UNRATED = Vector(**dict.fromkeys(Vector.model_fields, 0))


def build_chapter(chapter: Chapter, readings: Sequence[Reading]) -> ChapterScaffold:
    """Put a chapter's plan together from its windows; what no window tells is said to be not stated."""
    drafts = join_scenes([*zip(reading.divided.stretches, reading.rated, strict=True)] for reading in readings)
    text, division, place = chapter.book.text, chapter.division, chapter.place
    scenes = tuple(_build_scene(index, draft, text) for index, draft in enumerate(drafts, 1))
    answers = [reading.answer for reading in readings if reading.answer is not None]
    rated = [(scene.vector, scene.num_words) for scene, draft in zip(scenes, drafts, strict=True) if draft.rated]
    return ChapterScaffold(
        number=place.number,
        label=clean_line(place.label, 300),
        name=name_chapter(division.title, division.label, answers[0].chapter_title if answers else "", place.number),
        start=scenes[0].start,
        end=scenes[-1].end,
        num_words=sum(scene.num_words for scene in scenes),
        focuses=clean_focuses(_alternate([answer.focuses for answer in answers]), NOTHING),
        vector=mean_vector(rated) if rated else UNRATED,
        bullets=clean_bullets(
            (bullet for answer in answers for bullet in answer.bullets), range(drafts[-1].stop), MAX_CHAPTER_BULLETS
        ),
        scenes=scenes,
        num_unlocated=sum(reading.divided.num_unlocated for reading in readings),
        num_claims=sum(reading.num_claims for reading in readings),
        doubts=tuple(doubt for reading in readings for doubt in reading.doubts),
        quarantined=any(reading.quarantined for reading in readings),
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
    """Return bullets of a line each, each text once, with those of their paragraphs that exist; at least one.

    Where there are too many, as in a long chapter of many windows, those that are kept lie at even distances.
    """
    found: dict[str, Bullet] = {}
    for bullet in bullets:
        line = clean_line(bullet.text, 300)
        rests_on = tuple(sorted({number for number in bullet.paragraphs if number in allowed}))
        if line and line not in found:
            found[line] = Bullet(text=line, paragraphs=rests_on)
    return tuple(spread(list(found.values()), max_items)) or (Bullet(text=NOTHING),)


def _build_scene(index: int, draft: SceneDraft, text: str) -> SceneScaffold:
    plans = draft.plans
    bullets = [bullet for plan in plans for bullet in plan.bullets] or draft.spare
    perspectives = [line for plan in plans if (line := clean_line(plan.perspective, 200))]
    titles = [line for plan in plans if (line := clean_line(plan.title, 80))]
    vectors = [(mean_vector([(sample, 1) for sample in part.samples]), part.num_words) for part in draft.rated]
    return SceneScaffold(
        title=titles[0] if titles else f"Scene {index}",
        start=draft.start,
        end=draft.end,
        first_paragraph=draft.first,
        opening=" ".join(draft.opening.split()),
        num_words=len(text[draft.start : draft.end].split()),
        focuses=clean_focuses(_alternate([plan.focuses for plan in plans]), NOTHING),
        perspective=perspectives[0] if perspectives else NOTHING,
        vector=mean_vector(vectors) if vectors else UNRATED,
        spread=_measure_spread(draft.rated),
        bullets=clean_bullets(bullets, range(draft.first, draft.stop), MAX_SCENE_BULLETS),
    )


def _alternate(lists: Sequence[Sequence[str]]) -> list[str]:
    """Return the first of each list, then the second of each, so that no window speaks alone."""
    return [item for item in chain.from_iterable(zip_longest(*lists)) if item is not None]


def _measure_spread(rated: Sequence[Rated]) -> float:
    """Return the standard deviation over samples, averaged over ratings and windows."""
    deviations = [
        pstdev(getattr(sample, name) for sample in part.samples) for part in rated for name in Vector.model_fields
    ]
    return round(fmean(deviations), 3) if deviations else 0.0
