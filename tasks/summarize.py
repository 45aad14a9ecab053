"""SegmentedBook -> Scaffold: level by level, bottom-up, through the `LLM` seam."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from schemas.books import SegmentedBook
from schemas.errors import BookError
from schemas.scaffold import ChapterScaffold, Scaffold
from schemas.settings import ChunkSettings, SummarizeSettings
from tasks.planning.assemble import Place, build_chapter
from tasks.planning.roster import merge_people
from tasks.planning.scenes import draft_scenes
from tasks.planning.story import Asker, Story, tell_story
from tasks.planning.tree import describe_book, label_chapters
from tasks.planning.windows import Chapter, rate_windows, read_windows
from tasks.planning.wording import tidy_heading
from tasks.protocols import LLM, Tokenizer

logger = logging.getLogger(__name__)


def summarize_book(
    book: SegmentedBook, settings: SummarizeSettings, *, llm: LLM, reader: Tokenizer, chunk: ChunkSettings
) -> Scaffold:
    """Make the plan of a book: all its windows are read in one batch, then rated in one, then the book is asked about.

    Raises:
        BookError: `no-chapters`; or `no-answer`, all answers about a node and about its halves were refused.
    """
    chapters = list_chapters(book)
    readings = read_windows(chapters, llm, reader, chunk)
    drafts = [
        draft_scenes(chapter.division, book.text, found) for chapter, found in zip(chapters, readings, strict=True)
    ]
    ratings = rate_windows(chapters, readings, drafts, settings.num_ratings, llm)
    scaffolds = tuple(
        build_chapter(chapter.division, book.text, chapter.place, found, list(zip(scenes, rated, strict=True)))
        for chapter, found, scenes, rated in zip(chapters, readings, drafts, ratings, strict=True)
    )
    people = merge_people([[reading.answer for reading in found] for found in readings], book.text)
    story = tell_story(book, scaffolds, people, settings, Asker(llm, reader, chunk.window_tokens))
    num_scenes = sum(len(chapter.scenes) for chapter in scaffolds)
    logger.info("book %s: plan of %d chapters, %d scenes", book.book_id, len(scaffolds), num_scenes)
    return join_scaffold(book, scaffolds, story, llm)


def list_chapters(book: SegmentedBook) -> list[Chapter]:
    """Return the narrative chapters that have text, numbered from 1; BookError where there are none."""
    divisions = [chapter for chapter in book.chapters() if book.text[chapter.body_start : chapter.end].strip()]
    if not divisions:
        raise BookError(book.book_id, "no-chapters", "0 narrative chapters with text found, at least 1 needed")
    head, labels = describe_book(book), label_chapters(book)
    chapters = []
    for number, division in enumerate(divisions, 1):
        label = labels[division.start]
        named = ": ".join(filter(None, (label, tidy_heading(division.title))))
        heading = f"{head}\nChapter {number} of {len(divisions)}" + (f" ({named})" if named else "")
        chapters.append(Chapter(book, division, Place(number, label), heading))
    return chapters


def join_scaffold(book: SegmentedBook, chapters: Sequence[ChapterScaffold], story: Story, llm: LLM) -> Scaffold:
    """Put the scaffold together; who wrote it is 'extractive' where nothing may be trained on, else the model."""
    return Scaffold(
        book_id=book.book_id,
        title=story.facts.title,
        num_words=story.facts.num_words,
        prompts=story.prompts,
        preview=story.preview,
        world_rules=story.world_rules,
        writing_style=story.writing_style,
        arcs=story.arcs,
        archetypes=story.archetypes,
        main_characters=story.main_characters,
        side_characters=story.side_characters,
        parts=story.parts,
        chapters=tuple(chapters),
        summarizer=llm.identity.split(" ")[0] if llm.trainable else "extractive",
        trainable=llm.trainable,
    )
