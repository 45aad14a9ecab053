"""Small books with their scaffolds, and the reference scaffolds of the shared corpus as ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.books import CatalogueEntry, Division, Scene, SegmentedBook
from schemas.scaffold import (
    Arc,
    Archetype,
    Bullet,
    ChapterScaffold,
    Character,
    Preview,
    Scaffold,
    SceneScaffold,
    UserPrompt,
    Vector,
)
from schemas.value import Span

Paragraphs = Sequence[str]
Chapters = Sequence[Sequence[Paragraphs]]  # chapters of scenes of paragraphs

VECTOR = Vector(action=1, dialog=22, world_building=3, exposition=40, romantic=5, erotic=0, pacing=99)
HIGHLIGHT = " ".join(["The lamp went out, and nobody on the island asked who had done it."] * 6)
ARCHETYPE = " ".join(["A keeper who stays; a stranger who should have gone."] * 6)
PREVIEW = Preview(
    highlight=HIGHLIGHT,
    title="The Lamp",
    tags=("Island", "Sea & storm", "Two sisters", "Slow dread", "Letters", "A debt", "Winter"),
    archetype=ARCHETYPE,
)
SENTENCES = ("The tide turned at noon.", "She counted the boats twice.", "Nobody came up the path that day.")


def write_paragraphs(num_words: int, paragraph_words: int = 60) -> list[str]:
    """Return prose of exactly so many words."""
    words = (" ".join(SENTENCES) + " ").split() * (num_words // 10 + 1)
    return [" ".join(words[at : min(at + paragraph_words, num_words)]) for at in range(0, num_words, paragraph_words)]


def make_book(chapters: Chapters, parts: Sequence[int] = (), **entry: Any) -> tuple[SegmentedBook, Scaffold]:
    """Return a book of these chapters and a plain scaffold of it; `parts` are numbers of chapters under one part."""
    text = ""
    divisions: list[Division] = []
    plans: list[ChapterScaffold] = []
    for number, scenes in enumerate(chapters, 1):
        start, text = len(text), text + f"CHAPTER {number}.\n\n"
        body_start, ranges = len(text), []
        for paragraphs in scenes:
            spans = []
            for paragraph in paragraphs:
                begin, text = len(text), text + paragraph + "\n\n"
                spans.append(Span(begin, len(text)))
            ranges.append(Scene(start=spans[0].start, end=spans[-1].end, paragraphs=tuple(spans)))
        label = f"CHAPTER {number}."
        division = {"level": "chapter", "kind": "narrative", "label": label, "start": start, "body_start": body_start}
        divisions.append(Division(**division, end=len(text), line=number, scenes=tuple(ranges)))
        plans.append(_plan_chapter(number, f"Chapter {number}", text, ranges))
    grouped, at = [], 0
    for number, size in enumerate(parts, 1):
        children = tuple(divisions[at : at + size])
        span = {"start": children[0].start, "body_start": children[0].start, "end": children[-1].end}
        grouped.append(
            Division(level="part", kind="narrative", label=f"PART {number}.", line=1, children=children, **span)
        )
        at += size
    known = {"book_id": "7", "title": "The Lamp", "authors": ("Marsh, Ada, 1801-1877",), **entry}
    book = SegmentedBook(
        entry=CatalogueEntry(**known), source_sha256="ab" * 32, text=text, divisions=tuple(grouped + divisions[at:])
    )
    return book, make_scaffold(tuple(plans))


def make_scaffold(chapters: tuple[ChapterScaffold, ...]) -> Scaffold:
    """Return a scaffold around chapters, its arcs of up to 40 chapters."""
    size = max(40, -(-len(chapters) // 12))
    starts = range(1, len(chapters) + 1, size)
    arcs = [_plan_arc(number, start, min(start + size - 1, len(chapters))) for number, start in enumerate(starts, 1)]
    return Scaffold(
        book_id="7",
        title="The Lamp",
        num_words=sum(chapter.num_words for chapter in chapters),
        prompts=(
            UserPrompt(style="terse", text="Write about a lamp."),
            UserPrompt(style="tagged", text="<|genre:gothic|>\nTwo sisters keep a lamp."),
        ),
        preview=PREVIEW,
        world_rules=("The lamp must burn.", "Boats come on Fridays."),
        writing_style=("Short sentences.",),
        arcs=tuple(arcs),
        archetypes=(Archetype(name="The keeper", bullets=("Stays where she is.",)),),
        main_characters=(Character(name="Ada", bullets=("Keeps the lamp.", "Counts boats.")),),
        side_characters=(Character(name="Old Marl", bullets=("Brings the post.",)),),
        chapters=chapters,
        summarizer="hand",
        trainable=True,
    )


def _plan_arc(number: int, first: int, last: int) -> Arc:
    bullets = tuple(f"Movement {number}, step {step}." for step in range(1, 8))
    return Arc(
        name=f"Movement {number}",
        first_chapter=first,
        last_chapter=last,
        short=bullets[:2],
        medium=bullets[:4],
        long=bullets,
    )


def _plan_chapter(number: int, name: str, text: str, ranges: Sequence[Scene]) -> ChapterScaffold:
    scenes, paragraph = [], 0
    for place, span in enumerate(ranges, 1):
        body = text[span.start : span.end].rstrip()
        bullets = tuple(
            Bullet(text=f"In {number}.{place} thing {k} happens.", paragraphs=(paragraph + k,))
            for k in range(min(3, len(span.paragraphs)))
        )
        scenes.append(
            SceneScaffold(
                title=f"Scene {place} of {number}",
                start=span.start,
                end=span.start + len(body),
                first_paragraph=paragraph,
                num_words=len(body.split()),
                focuses=("a lamp", "the sea"),
                perspective="third person, close",
                vector=VECTOR,
                bullets=bullets,
            )
        )
        paragraph += len(span.paragraphs)
    return ChapterScaffold(
        number=number,
        name=name,
        start=scenes[0].start,
        end=scenes[-1].end,
        num_words=sum(scene.num_words for scene in scenes),
        focuses=("a lamp",),
        vector=VECTOR,
        bullets=tuple(bullet for scene in scenes for bullet in scene.bullets)[:80],
        scenes=tuple(scenes),
    )
