"""SegmentedBook -> Scaffold: level by level, bottom-up, through the `LLM` seam."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from schemas.books import SegmentedBook
from schemas.errors import BookError
from schemas.scaffold import ChapterScaffold, Quarantine, Scaffold
from schemas.settings import ChunkSettings, SummarizeSettings, VerifySettings
from tasks.checking.answers import BookChecks
from tasks.chunk import chunk_chapter
from tasks.planning.assemble import build_chapter
from tasks.planning.chapters import list_chapters
from tasks.planning.merging import Teller
from tasks.planning.reading import read_chapters
from tasks.planning.roster import merge_people
from tasks.planning.story import Story, tell_story
from tasks.planning.windows import Desk
from tasks.protocols import LLM, Tokenizer

logger = logging.getLogger(__name__)


def summarize_book(
    book: SegmentedBook,
    settings: SummarizeSettings,
    *,
    llm: LLM,
    reader: Tokenizer,
    chunk: ChunkSettings,
    checks: VerifySettings,
) -> Scaffold:
    """Make the plan of a book: its windows are read, and rated right after, in one batch; then the book is asked about.

    What has no accepted answer in the end is quarantined, and the rest goes on.

    Raises:
        BookError: `no-chapters`; or `no-answer`, every chapter is quarantined.
    """
    chapters = list_chapters(book)
    enforced = BookChecks(book, checks, quoting=not llm.trainable) if checks.mode == "enforce" else None
    windows = [chunk_chapter(chapter.division, book.text, chunk, reader) for chapter in chapters]
    readings = read_chapters(chapters, windows, Desk(settings.num_ratings, checks.claims, enforced), llm)
    scaffolds = [build_chapter(chapter, found) for chapter, found in zip(chapters, readings, strict=True)]
    refused = [kept for found in readings for reading in found for kept in reading.quarantined]
    if all(chapter.quarantined for chapter in scaffolds):
        first = refused[0]
        detail = (
            f"all {len(scaffolds)} chapters: {first.node}, {first.call}: no answer ({first.reason}: {first.detail})"
        )
        raise BookError(book.book_id, "no-answer", detail)
    answers = [[reading.answer.people for reading in found if reading.answer] for found in readings]
    people = merge_people(answers, book.text)
    story = tell_story(book, scaffolds, people, settings, Teller(llm, reader, settings.context_tokens, enforced))
    num_scenes = sum(len(chapter.scenes) for chapter in scaffolds)
    num_refused = len(refused) + len(story.quarantined)
    logger.info(
        "book %s: plan of %d chapters, %d scenes, %d quarantined", book.book_id, len(scaffolds), num_scenes, num_refused
    )
    return join_scaffold(book, scaffolds, story, refused, llm)


def join_scaffold(
    book: SegmentedBook, chapters: Sequence[ChapterScaffold], story: Story, refused: Sequence[Quarantine], llm: LLM
) -> Scaffold:
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
        quarantined=(*refused, *story.quarantined),
        summarizer=llm.identity.split(" ")[0] if llm.trainable else "extractive",
        trainable=llm.trainable,
    )
