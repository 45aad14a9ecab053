"""CleanBook -> SegmentedBook: a tree of volumes, parts, books, chapters, scenes and paragraphs that loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from schemas.books import CleanBook, SegmentedBook
from schemas.corpus_settings import SegmentSettings
from tasks.dividing.confidence import weigh_headings
from tasks.dividing.contents import Item
from tasks.dividing.division_tree import build_divisions
from tasks.dividing.doubts import find_doubts, read_both
from tasks.dividing.headings import MAX_CHARS, parse_heading
from tasks.dividing.outline import find_outline
from tasks.dividing.run_in import cut_headings

logger = logging.getLogger(__name__)


def segment_book(book: CleanBook, settings: SegmentSettings) -> SegmentedBook:
    """Return the book's divisions, scenes and paragraphs; a book without divisions is one chapter after its title page.

    Source: keyword families and dynamic programming over the numbers, as in chapterize and Chapter Captor (EMNLP
    2020), with the table of contents as evidence.
    """
    book = book.model_copy(update={"blocks": tuple(cut_headings(book.text, book.blocks))})
    items = read_items(book)
    starts = [block.start for block in book.blocks]
    outline = find_outline(items, starts, len(book.text), settings.min_chapter_words, book.entry.title or "")
    confidences = weigh_headings(outline.draft, outline.headings)
    doubts = find_doubts(outline, confidences)
    headings = [one._replace(confidence=value) for one, value in zip(outline.headings, confidences, strict=True)]
    tables = outline.draft.contents.blocks
    own = [item._replace(num_words=0) if item.at in tables else item for item in items]
    divisions = build_divisions(book, own, headings, settings.min_chapter_words)
    segmented = SegmentedBook(
        entry=book.entry,
        source_sha256=book.source_sha256,
        text=book.text,
        divisions=divisions,
        needs_review=bool(doubts),
        readings=read_both(outline, doubts, book.blocks) if doubts else (),
    )
    chapters = segmented.chapters()
    num_scenes = sum(len(chapter.scenes) for chapter in chapters)
    logger.info("book %s: %d chapters, %d scenes", book.book_id, len(chapters), num_scenes)
    return segmented


def read_items(book: CleanBook) -> Sequence[Item]:
    """Return the blocks with their words counted; only short ones are read as headings."""
    items = []
    for index, block in enumerate(book.blocks):
        text = book.text[block.start : block.end].rstrip()
        num_lines = block.last_line - block.line + 1
        heading = parse_heading(text, num_lines) if len(text) <= MAX_CHARS else None
        is_short = len(text) <= MAX_CHARS or not block.unwrapped
        num_words = len(text.split()) if is_short else text.count(" ") + 1
        items.append(
            Item(
                index,
                text if is_short else "",
                num_lines,
                num_words,
                block.blank_before,
                block.unwrapped,
                heading,
                text[:1] + text[-1:],
            )
        )
    return items
