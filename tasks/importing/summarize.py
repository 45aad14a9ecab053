"""LongPageBook + SegmentedBook -> Scaffold: the plan that came with the book, and what had to be guessed of it.

Guessed, and said so in `notes`: which chapters an arc spans, its short and medium forms (every fourth and every second
statement of the long one), a chapter's focuses (those of its scenes), where a scene begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TypeVar

from schemas.books import Division, SegmentedBook
from schemas.errors import BookError
from schemas.longpage import ImportSettings, LongPageArc, LongPageBook, LongPageChapter, LongPageCharacter
from schemas.scaffold import (
    NOT_STATED,
    Arc,
    Archetype,
    Bullet,
    ChapterScaffold,
    Character,
    Preview,
    Scaffold,
    SceneScaffold,
    UserPrompt,
)
from tasks.composing.text import MAX_BULLET, MAX_FOCUS, MAX_NAME, MAX_PERSPECTIVE, cut_text, fold
from tasks.importing.arcs import place_arcs

SUMMARIZER = "longpage"
MAX_ARCS, MAX_FOCUSES, MAX_TAGS = 12, 7, 7
_T = TypeVar("_T")
GUESSED = (
    "arcs: their chapters were guessed by the words they share, their short and medium forms are parts of the long one",
    "scenes: their beginnings were guessed by their numbers of words",
    "chapters: their focuses are those of their scenes",
)


def scaffold_row(row: LongPageBook, segmented: SegmentedBook, settings: ImportSettings) -> Scaffold:
    """Return the scaffold of a row; texts over the scaffold's limits are cut, lists shortened, and that is counted.

    Raises:
        BookError: `arcs`, there are more than 12, or more than chapters.
    """
    _check_arcs(row, segmented.book_id)
    fit = _Fit()
    chapters = tuple(
        _plan_chapter(number, told, division, segmented.text, fit)
        for number, (told, division) in enumerate(zip(row.book_chapters.values(), segmented.chapters(), strict=True), 1)
    )
    return Scaffold(
        book_id=segmented.book_id,
        title=segmented.entry.title or segmented.book_id,
        num_words=sum(chapter.num_words for chapter in chapters),
        prompts=(UserPrompt(style="normal", text=row.use_prompt),),
        preview=_preview(row, fit),
        world_rules=fit.lines(row.world_rules, 90),
        writing_style=fit.lines(row.writing_style, 40),
        arcs=_place(row.story_arcs, chapters, fit),
        archetypes=tuple(
            Archetype(name=fit.line(name, MAX_NAME), bullets=fit.lines(bullets, 10))
            for name, bullets in fit.first(tuple(row.character_archetypes.items()), 32)
        ),
        main_characters=_cast(row.book_characters.main_characters, fit),
        side_characters=_cast(row.book_characters.side_characters, fit),
        chapters=chapters,
        summarizer=SUMMARIZER,
        trainable=settings.trainable,
        notes=(*GUESSED, *fit.tell()),
    )


def _check_arcs(row: LongPageBook, book_id: str) -> None:
    if len(row.story_arcs) > min(MAX_ARCS, len(row.book_chapters)):
        detail = (
            f"{len(row.story_arcs)} arcs for {len(row.book_chapters)} chapters, at most one a chapter and {MAX_ARCS}"
        )
        raise BookError(book_id, "arcs", detail)


class _Fit:
    """Puts texts and lists inside the scaffold's limits and counts what that took away."""

    def __init__(self) -> None:
        self.num_cut = self.num_dropped = 0

    def line(self, text: str, most: int) -> str:
        """A text on one line; a placeholder, which no trajectory holds, where it says nothing."""
        folded = fold(text)
        kept = cut_text(folded, most)
        self.num_cut += kept != folded
        return kept or NOT_STATED

    def lines(self, texts: Sequence[str], most: int) -> tuple[str, ...]:
        """Statements, each once said; at least a placeholder."""
        kept = tuple(self.line(text, MAX_BULLET) for text in self.first(texts, most))
        return kept or (NOT_STATED,)

    def bullets(self, texts: Sequence[str], most: int) -> tuple[Bullet, ...]:
        """Statements of which no paragraph is known."""
        return tuple(Bullet(text=text) for text in self.lines(texts, most))

    def focuses(self, told: Iterable[str]) -> tuple[str, ...]:
        """Focuses of a scene, or of several by turns, each once."""
        lists = ([one.strip() for one in text.split(";")] for text in told)
        every = (one for turn in zip_longest(*lists) for one in turn if one)
        kept = tuple(dict.fromkeys(self.line(one, MAX_FOCUS) for one in every))
        return kept[:MAX_FOCUSES] or (NOT_STATED,)

    def first(self, items: Sequence[_T], most: int) -> tuple[_T, ...]:
        """The first of a list."""
        self.num_dropped += max(len(items) - most, 0)
        return tuple(items[:most])

    def tell(self) -> tuple[str, ...]:
        """Return what was taken away, if anything was."""
        if not (self.num_cut or self.num_dropped):
            return ()
        return (f"limits: {self.num_cut} texts were cut, {self.num_dropped} entries of lists dropped",)


def _preview(row: LongPageBook, fit: _Fit) -> Preview:
    tags = fit.first(row.book_tags, MAX_TAGS)
    return Preview(highlight=row.book_highlight, title=row.book_title, tags=tags, archetype=row.book_archetype)


def _plan_chapter(number: int, told: LongPageChapter, division: Division, text: str, fit: _Fit) -> ChapterScaffold:
    scenes, paragraph = [], 0
    for one, scene in zip(told.scene_breakdown, division.scenes, strict=True):
        prose = text[scene.start : scene.end].rstrip()
        scenes.append(
            SceneScaffold(
                title=fit.line(one.scene_name, MAX_NAME),
                start=scene.start,
                end=scene.start + len(prose),
                first_paragraph=paragraph,
                num_words=len(prose.split()),
                focuses=fit.focuses([one.narrative_focus]),
                perspective=fit.line(one.narrative_perspective, MAX_PERSPECTIVE),
                vector=one.embedding_space,
                bullets=fit.bullets(one.scene_summary_short, 20),
            )
        )
        paragraph += len(scene.paragraphs)
    return ChapterScaffold(
        number=number,
        name=division.title or f"Chapter {number}",
        start=scenes[0].start,
        end=scenes[-1].end,
        num_words=sum(scene.num_words for scene in scenes),
        focuses=fit.focuses(one.narrative_focus for one in told.scene_breakdown),
        vector=told.embedding_space,
        bullets=fit.bullets(told.chapter_summary, 80),
        scenes=tuple(scenes),
    )


def _place(told: Sequence[LongPageArc], chapters: Sequence[ChapterScaffold], fit: _Fit) -> tuple[Arc, ...]:
    texts = [(arc.arc_name, *arc.arc_summary) for arc in told]
    ranges = place_arcs(texts, [[bullet.text for bullet in chapter.bullets] for chapter in chapters])
    arcs = []
    for arc, (first, last) in zip(told, ranges, strict=True):
        long = fit.lines(arc.arc_summary, 80)
        name = fit.line(arc.arc_name, MAX_NAME)
        arcs.append(
            Arc(name=name, first_chapter=first, last_chapter=last, short=long[::4], medium=long[::2], long=long)
        )
    return tuple(arcs)


def _cast(told: Sequence[LongPageCharacter], fit: _Fit) -> tuple[Character, ...]:
    return tuple(
        Character(name=fit.line(one.name, MAX_NAME), bullets=fit.lines(one.description, 20))
        for one in fit.first(told, 20)
    )
