"""Scaffold + pieces -> plans: what each stage says, as full or as short as `Keep` wants it."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.plans import (
    ArcPlan,
    BookPlan,
    ChapterEntry,
    ChapterPlan,
    ChaptersPlan,
    CharactersList,
    FirstChapterPlan,
    Named,
    OpeningPlan,
    SceneBreakdown,
    ScenePlan,
)
from schemas.scaffold import Arc, Archetype, Bullet, ChapterScaffold, Character, Preview, Scaffold, SceneScaffold
from tasks.composing.divide import deal_bullets, number_text, partition_evenly
from tasks.composing.job import DoesNotFitError, Keep
from tasks.composing.text import cut_text
from tasks.grammar.sequence import round_words

MAX_ARCS, MAX_ARC_CHAPTERS, MAX_OPENING_BULLETS = 12, 99, 32


class ArcOfPieces(Arc):
    """An arc with the pieces that it spans."""

    pieces: tuple[ChapterScaffold, ...]


def plan_scenes(scenes: Sequence[SceneScaffold], keep: Keep) -> tuple[ScenePlan, ...]:
    """Return the scene blocks."""
    return tuple(
        ScenePlan(
            title=cut_text(scene.title, keep.chars),
            word_count=round_words(scene.num_words),
            vector=scene.vector,
            focuses=scene.focuses[: keep.focuses],
            perspective=cut_text(scene.perspective, keep.chars),
            bullets=keep.lines([bullet.text for bullet in scene.bullets]),
        )
        for scene in scenes
    )


def plan_breakdown(piece: ChapterScaffold, keep: Keep) -> SceneBreakdown:
    """Return a chapter's scene breakdown."""
    return SceneBreakdown(piece.name, plan_scenes(piece.scenes, keep))


def plan_chapter(piece: ChapterScaffold, keep: Keep) -> ChapterPlan:
    """Return the chapter block."""
    bullets = keep.lines([bullet.text for bullet in piece.bullets])
    return ChapterPlan(piece.name, round_words(piece.num_words), piece.vector, piece.focuses[: keep.focuses], bullets)


def plan_opening_chapter(piece: ChapterScaffold, keep: Keep) -> ChapterPlan:
    """Return the chapter block of the layout `first-chapter`, which takes fewer bullets."""
    plan = plan_chapter(piece, keep)
    return plan._replace(bullets=plan.bullets[:MAX_OPENING_BULLETS])


def plan_first_chapter(piece: ChapterScaffold, keep: Keep) -> FirstChapterPlan:
    """Return the chapter block with its scenes."""
    return FirstChapterPlan(plan_chapter(piece, keep), plan_scenes(piece.scenes, keep))


def plan_later_chapters(pieces: Sequence[ChapterScaffold], keep: Keep) -> ChaptersPlan:
    """Return the chapter blocks of chapters 2 to N."""
    return ChaptersPlan(tuple(plan_chapter(piece, keep) for piece in pieces[1:]))


def plan_characters(scaffold: Scaffold, keep: Keep) -> CharactersList:
    """Return the people."""
    return CharactersList(_named(scaffold.main_characters, keep), _named(scaffold.side_characters, keep))


def plan_book(scaffold: Scaffold, arcs: Sequence[ArcOfPieces], keep: Keep) -> BookPlan:
    """Return the book's plan of the layout `full-book`."""
    return BookPlan(
        world_rules=keep.lines(scaffold.world_rules),
        arcs=tuple(
            ArcPlan(
                arc.name,
                keep.lines(arc.short),
                keep.lines(arc.medium),
                keep.lines(arc.long),
                tuple(ChapterEntry(piece.name, piece.vector, round_words(piece.num_words)) for piece in arc.pieces),
            )
            for arc in arcs
        ),
        archetypes=_named(scaffold.archetypes, keep),
        writing_style=keep.lines(scaffold.writing_style),
    )


def plan_opening(scaffold: Scaffold, preview: Preview, keep: Keep) -> OpeningPlan:
    """Return the book's plan of the layout `first-chapter`."""
    arcs = tuple(Named(arc.name, keep.lines(arc.short)) for arc in scaffold.arcs)
    archetypes = _named(scaffold.archetypes, keep)
    return OpeningPlan(preview, keep.lines(scaffold.world_rules), arcs, archetypes, keep.lines(scaffold.writing_style))


def group_by_arc(scaffold: Scaffold, pieces: Sequence[ChapterScaffold]) -> list[ArcOfPieces]:
    """Return the arcs with their pieces; one of more than 99 pieces is divided.

    Raises:
        DoesNotFitError: the arcs do not partition the chapters, or there are more than 12.
    """
    arcs: list[ArcOfPieces] = []
    for arc in scaffold.arcs:
        own = [piece for piece in pieces if arc.first_chapter <= piece.number <= arc.last_chapter]
        if not own:
            raise DoesNotFitError("arcs", f"arc {arc.name!r} has no chapter: {arc.first_chapter} to {arc.last_chapter}")
        arcs += _divide_arc(arc, own)
    if [piece for arc in arcs for piece in arc.pieces] != list(pieces):
        raise DoesNotFitError("arcs", "the arcs do not partition the chapters")
    if len(arcs) > MAX_ARCS:
        raise DoesNotFitError("arcs", f"{len(arcs)} arcs of at most {MAX_ARC_CHAPTERS} chapters, {MAX_ARCS} allowed")
    return arcs


def _divide_arc(arc: Arc, pieces: Sequence[ChapterScaffold]) -> list[ArcOfPieces]:
    groups = partition_evenly(pieces, [1] * len(pieces), -(-len(pieces) // MAX_ARC_CHAPTERS))
    shares = [len(group) for group in groups]
    short, medium, long = (_deal(bullets, shares) for bullets in (arc.short, arc.medium, arc.long))
    return [
        ArcOfPieces(
            name=number_text(arc.name, part + 1),
            first_chapter=group[0].number,
            last_chapter=group[-1].number,
            short=short[part],
            medium=medium[part],
            long=long[part],
            pieces=tuple(group),
        )
        for part, group in enumerate(groups)
    ]


def _deal(texts: Sequence[str], shares: Sequence[int]) -> list[tuple[str, ...]]:
    hands = deal_bullets([Bullet(text=text) for text in texts], [(0, -1)] * len(shares), shares)
    return [tuple(bullet.text for bullet in hand) for hand in hands]


def _named(items: Sequence[Archetype | Character], keep: Keep) -> tuple[Named, ...]:
    return tuple(Named(item.name, keep.lines(item.bullets)) for item in items)
