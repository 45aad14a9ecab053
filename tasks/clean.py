"""RawBook -> CleanBook: boilerplate out, author's text in, every removed range of lines recorded."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence

from schemas.books import Block, CleanBook, RawBook, Removed
from schemas.errors import BookError
from schemas.settings import CleanSettings
from tasks.cleaning.decoding import decode_text
from tasks.cleaning.gutenberg_marks import Bounds, find_bounds
from tasks.cleaning.page_residue import remove_residue
from tasks.cleaning.paragraphs import Paragraph, build_paragraphs
from tasks.cleaning.producer_notes import remove_producer_notes

logger = logging.getLogger(__name__)

BLANKS = "\u00a0\u2007\u202f\u2028\u2029\x0b\x0c\x1c\x1d\x1e\x85\r"  # white space that is neither blank nor line end
INVISIBLE = "\ufeff\u200b\u00ad"  # byte order mark, zero-width space, soft hyphen
SAMPLE_CHARS = 200_000
SEPARATOR = "\n\n"


def clean_book(raw: RawBook, settings: CleanSettings) -> CleanBook:
    """Return the author's text in paragraphs.

    Raises:
        BookError: the bytes are no text ("not-text"), nothing is left of it ("empty"), or more of the printed
            lines would go than the settings allow ("over-stripped").
    """
    text, codec = decode_text(raw.data)
    check_text(raw.book_id, text, settings)
    lines = [line.rstrip() for line in normalize_text(text).split("\n")]
    bounds = find_bounds(lines)
    removed = remove_producer_notes(lines, *bounds)
    printed = shrink_bounds(lines, bounds)
    num_printed = sum(1 for line in lines[printed.start : printed.end] if line)
    removed += remove_residue(lines, *printed)
    paragraphs = build_paragraphs(lines, *printed)
    check_rest(raw.book_id, paragraphs, num_printed, settings)
    text, blocks = join_paragraphs(paragraphs)
    removed += outer_ranges(bounds, len(lines))
    logger.info("book %s: %d paragraphs of %d lines, %s", raw.book_id, len(blocks), num_printed, codec)
    return CleanBook(
        entry=raw.entry,
        source_sha256=raw.source_sha256,
        encoding=codec,
        text=text,
        blocks=blocks,
        removed=merge_removed(removed),
        first_line=printed.start + 1,
        last_line=printed.end,
    )


def check_text(book_id: str, text: str, settings: CleanSettings) -> None:
    """Raise BookError for bytes that are no text: NUL characters, or too few that can be printed."""
    sample = text[:SAMPLE_CHARS]
    if not sample.strip():
        raise BookError(book_id, "empty", "the file holds no text: look at what the source delivered")
    num_printable = sum(1 for char in sample if char.isprintable() or char in "\t\n\r\f")
    share = 0.0 if "\0" in sample else num_printable / len(sample)
    if share < settings.min_text_share:
        detail = f"no text: {share:.2f} of its characters can be printed, at least {settings.min_text_share} needed"
        raise BookError(book_id, "not-text", f"{detail}; is this an archive or an image?")


def normalize_text(text: str) -> str:
    """Return text in NFC, with LF line ends and no other white space than blanks, so that lines keep their numbers."""
    text = text.replace("\r\n", "\n")
    for char in BLANKS:
        text = text.replace(char, " ")
    for char in INVISIBLE:
        text = text.replace(char, "")
    if "\t" in text:
        text = text.expandtabs(8)
    return unicodedata.normalize("NFC", text)


def shrink_bounds(lines: Sequence[str], bounds: Bounds) -> Bounds:
    """Return the range from the first to the last filled line within bounds."""
    filled = [index for index in range(*bounds) if lines[index]]
    return Bounds(filled[0], filled[-1] + 1) if filled else Bounds(bounds.start, bounds.start)


def check_rest(book_id: str, paragraphs: Sequence[Paragraph], num_printed: int, settings: CleanSettings) -> None:
    """Raise BookError where nothing or too little of the printed book is left."""
    if not paragraphs:
        raise BookError(
            book_id, "empty", "no line of text is left between the file's marks: 0 found, at least 1 needed"
        )
    kept = sum(paragraph.last_line - paragraph.line + 1 for paragraph in paragraphs)
    share = 1 - kept / num_printed
    if share > settings.max_removed_share:
        detail = f"{share:.2f} of {num_printed} printed lines would go, at most {settings.max_removed_share} allowed"
        raise BookError(book_id, "over-stripped", f"{detail}: raise clean.max_removed_share if that is right")


def join_paragraphs(paragraphs: Sequence[Paragraph]) -> tuple[str, tuple[Block, ...]]:
    """Return the text, a blank line between paragraphs, and where each one stands in it."""
    blocks, texts, start = [], [], 0
    for index, paragraph in enumerate(paragraphs):
        text = paragraph.text.strip() if index == 0 else paragraph.text
        end = start + len(text)
        lines = (paragraph.line, paragraph.last_line, paragraph.blank_before, paragraph.unwrapped)
        blocks.append(Block(start, end, *lines))
        texts.append(text)
        start = end + len(SEPARATOR)
    return SEPARATOR.join(texts), tuple(blocks)


def outer_ranges(bounds: Bounds, num_lines: int) -> list[Removed]:
    """Return the records of Gutenberg's header and footer."""
    header = [Removed("header", 1, bounds.start)] if bounds.start else []
    footer = [Removed("footer", bounds.end + 1, num_lines)] if bounds.end < num_lines else []
    return header + footer


def merge_removed(removed: Sequence[Removed]) -> tuple[Removed, ...]:
    """Return the records in order of lines."""
    return tuple(sorted(removed, key=lambda one: (one.first_line, one.last_line)))
