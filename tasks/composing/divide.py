"""Chapters -> pieces that fit: a chapter over its bounds is divided at scene borders, a scene between paragraphs.

A piece is a ChapterScaffold like any other: it keeps its chapter's number, vector and focuses, has a name of its own,
the bullets that rest on its paragraphs, and its words counted anew.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import NamedTuple, TypeVar

from schemas.books import Division
from schemas.scaffold import Bullet, ChapterScaffold, SceneScaffold
from schemas.value import Span
from tasks.composing.job import DoesNotFitError, Job
from tasks.composing.text import MAX_NAME, cut_text, fold

MAX_SCENES = 12  # of a chapter's breakdown (trajectory grammar)

T = TypeVar("T")


class Cut(NamedTuple):
    """A scene, or a range of one that had to be divided."""

    span: Span
    scene: int  # place of the whole scene in its chapter


class Bounds(NamedTuple):
    """Whether a run of scenes may be a piece; what it takes in tokens, and the most it may take."""

    size: Callable[[ChapterScaffold, Sequence[Cut]], int]
    most: Callable[[ChapterScaffold, Sequence[Cut]], int]
    fits: Callable[[ChapterScaffold, Sequence[Cut]], bool]


def divide_chapters(
    job: Job, layout: str, chapters: Sequence[ChapterScaffold], bounds: Bounds
) -> list[ChapterScaffold]:
    """Return the chapters with unlike names, those that are out of bounds divided; what was divided is noted.

    A chapter without a plan stays whole: it is no target.
    """
    named = name_chapters(job.segmented.divisions, chapters)
    taken = {chapter.name for chapter in named}
    pieces: list[ChapterScaffold] = []
    for chapter in named:
        if not job.is_told(chapter):
            pieces.append(chapter)
            continue
        cuts = [Cut(Span(scene.start, scene.end), place) for place, scene in enumerate(chapter.scenes)]
        groups = list(_divide(job, chapter, cuts, bounds))
        num_scenes_cut = len(
            [scene for scene, num in Counter(cut.scene for group in groups for cut in group).items() if num > 1]
        )
        if num_scenes_cut:
            job.note(layout, "divided-scene", f"chapter {chapter.number}: {num_scenes_cut} scenes between paragraphs")
        if len(groups) == 1 and not num_scenes_cut:
            pieces.append(chapter)
            continue
        job.note(layout, "divided-chapter", f"chapter {chapter.number}: {len(groups)} parts")
        pieces += _build_pieces(job, chapter, groups, taken)
    return pieces


def name_chapters(divisions: Sequence[Division], chapters: Sequence[ChapterScaffold]) -> list[ChapterScaffold]:
    """Return the chapters with names of their own: a repeated one is prefixed by what contains it, then numbered."""
    repeated = {name for name, num in Counter(chapter.name for chapter in chapters).items() if num > 1}
    containers = _containers(divisions) if repeated else {}
    taken: set[str] = set()
    named = []
    for chapter in chapters:
        labels = containers.get(chapter.number, ()) if chapter.name in repeated else ()
        name = _number_name(cut_text(", ".join([*labels, chapter.name]), MAX_NAME), taken)
        taken.add(name)
        named.append(chapter.model_copy(update={"name": name}))
    return named


def deal_bullets(
    bullets: Sequence[Bullet], ranges: Sequence[tuple[int, int]], shares: Sequence[int]
) -> list[tuple[Bullet, ...]]:
    """Return each part's bullets: those that rest on its paragraphs, or else its share of them; one at the least.

    Args:
        bullets: of the whole, in order.
        ranges: first and last paragraph of each part.
        shares: how much of the whole each part is, in words.
    """
    ends = list(accumulate(shares))
    hands: list[list[Bullet]] = [[] for _ in ranges]
    for place, bullet in enumerate(bullets):
        resting = [sum(first <= paragraph <= last for paragraph in bullet.paragraphs) for first, last in ranges]
        if not any(resting):
            at = (place + 0.5) / len(bullets) * ends[-1]
            hands[next((part for part, end in enumerate(ends) if at < end), len(ends) - 1)].append(bullet)
        else:
            hands[resting.index(max(resting))].append(bullet)
    for hand, end, share in zip(hands, ends, shares, strict=True):
        if not hand:
            hand.append(bullets[min(int((end - share / 2) / max(ends[-1], 1) * len(bullets)), len(bullets) - 1)])
    return [tuple(hand) for hand in hands]


def partition_evenly(items: Sequence[T], sizes: Sequence[int], num_groups: int) -> list[Sequence[T]]:
    """Return the items in at most `num_groups` runs of about equal size, none empty."""
    num_groups = min(num_groups, len(items))
    ends = list(accumulate(sizes))
    borders = [0]
    for group in range(1, num_groups):
        goal = ends[-1] * group / num_groups
        least, most = borders[-1] + 1, len(items) - (num_groups - group)
        borders.append(min(range(least, most + 1), key=lambda border: abs(ends[border - 1] - goal)))
    return [items[start:end] for start, end in zip(borders, [*borders[1:], len(items)], strict=True)]


def _divide(job: Job, chapter: ChapterScaffold, cuts: Sequence[Cut], bounds: Bounds) -> Iterator[Sequence[Cut]]:
    """Yield runs of scenes that fit, as few and as even as it goes."""
    if bounds.fits(chapter, cuts):
        yield cuts
        return
    if len(cuts) > 1:
        sizes = [bounds.size(chapter, [cut]) for cut in cuts]
        num_groups = max(math.ceil(sum(sizes) / bounds.most(chapter, cuts)), math.ceil(len(cuts) / MAX_SCENES), 2)
        groups = partition_evenly(cuts, sizes, num_groups)
    else:
        num_parts = max(2, math.ceil(bounds.size(chapter, cuts) / bounds.most(chapter, cuts)))
        groups = [[cut] for cut in _divide_scene(job, cuts[0], num_parts)]
    for group in groups:
        yield from _divide(job, chapter, group, bounds)


def _divide_scene(job: Job, cut: Cut, num_parts: int) -> list[Cut]:
    """Return a scene in about even parts: between paragraphs, else sentences, else words."""
    for split in (job.paragraphs_in, job.sentences_in, job.words_in):
        atoms = split(cut.span)
        if len(atoms) > 1:
            sizes = [atom.end - atom.start for atom in atoms]
            runs = partition_evenly(atoms, sizes, num_parts)
            return [Cut(Span(run[0].start, run[-1].end), cut.scene) for run in runs]
    raise DoesNotFitError("no-border", f"the text at {cut.span.start}:{cut.span.end} has no border to divide it at")


def _build_pieces(
    job: Job, chapter: ChapterScaffold, groups: Sequence[Sequence[Cut]], taken: set[str]
) -> Iterator[ChapterScaffold]:
    scenes = _build_scenes(job, chapter, [cut for group in groups for cut in group])
    spans = [Span(group[0].span.start, group[-1].span.end) for group in groups]
    shares = [_count_words(job, span) for span in spans]
    hands = deal_bullets(chapter.bullets, [job.paragraph_range(chapter, span) for span in spans], shares)
    for part, (group, span) in enumerate(zip(groups, spans, strict=True)):
        name = _number_name(chapter.name, taken) if part else chapter.name
        taken.add(name)
        update = {"name": name, "start": span.start, "end": span.end, "num_words": shares[part], "bullets": hands[part]}
        yield chapter.model_copy(update={**update, "scenes": tuple(next(scenes) for _ in group)})


def _build_scenes(job: Job, chapter: ChapterScaffold, cuts: Sequence[Cut]) -> Iterator[SceneScaffold]:
    """Yield a scene for every cut; the parts of one are numbered and share its bullets out."""
    for place, parts in groupby(cuts, key=lambda cut: cut.scene):
        scene, spans = chapter.scenes[place], [part.span for part in parts]
        if len(spans) == 1:
            yield scene
            continue
        ranges = [job.paragraph_range(chapter, span) for span in spans]
        shares = [_count_words(job, span) for span in spans]
        hands = deal_bullets(scene.bullets, ranges, shares)
        for part, span in enumerate(spans):
            update = {
                "start": span.start,
                "end": span.end,
                "first_paragraph": ranges[part][0],
                "num_words": shares[part],
            }
            title = number_text(scene.title, part + 1)
            yield scene.model_copy(update={**update, "title": title, "bullets": hands[part]})


def _count_words(job: Job, span: Span) -> int:
    return len(job.text[span.start : span.end].split())


def _number_name(name: str, taken: set[str]) -> str:
    """Return the name, or it with the first number that makes it new."""
    numbered, number = name, 2
    while numbered in taken:
        numbered, number = number_text(name, number), number + 1
    return numbered


def number_text(name: str, number: int) -> str:
    """Return a name with its number, suffix included in the limit; the first has none."""
    suffix = f" ({number})" if number > 1 else ""
    return cut_text(name, MAX_NAME - len(suffix)) + suffix


def _containers(divisions: Sequence[Division]) -> dict[int, tuple[str, ...]]:
    """Return what contains each narrative chapter, by its number, outermost first."""
    leaves = [leaf for division in divisions for leaf in _leaves(division, ())]
    narrative = [labels for leaf, labels in leaves if leaf.kind == "narrative"]
    return dict(enumerate(narrative, 1))


def _leaves(division: Division, labels: tuple[str, ...]) -> Iterator[tuple[Division, tuple[str, ...]]]:
    if not division.children:
        yield division, labels
    label = fold(division.label or division.title).rstrip(".")
    for child in division.children:
        yield from _leaves(child, (*labels, label) if label else labels)
