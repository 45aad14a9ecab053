"""RawBook -> CleanBook: boilerplate out, author's text in, every edit recorded."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from schemas.books import Block, CleanBook, RawBook, Removed
from schemas.corpus_settings import CleanSettings
from tasks.cleaning.advertisements import remove_advertisements
from tasks.cleaning.decoding import decode_text
from tasks.cleaning.footnotes import remove_footnotes
from tasks.cleaning.gutenberg_marks import Bounds, find_bounds
from tasks.cleaning.page_residue import remove_residue
from tasks.cleaning.paragraphs import Paragraph, build_paragraphs
from tasks.cleaning.producer_notes import remove_producer_notes
from tasks.cleaning.recording import Recorder
from tasks.cleaning.soundness import check_bytes, check_rest, check_text
from tasks.cleaning.source_text import SourceText

logger = logging.getLogger(__name__)

SEPARATOR = "\n\n"
NOTES_HEADING = "FOOTNOTES"  # above the notes that were moved to the end
HEADING_GAP = 4  # blank lines above it, as above any other part of a book


def clean_book(raw: RawBook, settings: CleanSettings) -> CleanBook:
    """Return the author's text in paragraphs, with the way back to the raw bytes.

    Raises:
        BookError: the bytes are no text ("not-text"), or cannot be read without guessing at letters ("unreadable"),
            nothing is left of it ("empty"), or more would go than the rules can explain ("over-stripped").
    """
    check_bytes(raw.book_id, raw.data, settings)
    decoded = decode_text(raw.data)
    check_text(raw.book_id, decoded, settings)
    source = SourceText(decoded.text)
    bounds = find_bounds(source.lines)
    remove_producer_notes(source, *bounds)
    printed = shrink_bounds(source.lines, bounds)
    source.removed += outer_ranges(bounds, len(source.lines))
    num_printed = sum(map(bool, source.lines[printed.start : printed.end]))
    remove_residue(source, *printed)
    remove_advertisements(source, *printed)
    notes = remove_footnotes(source, *printed, settings.footnotes)
    paragraphs = build_paragraphs(source, *printed, settings.emphasis)
    check_rest(raw.book_id, source, bounds, num_printed if paragraphs else 0, settings)
    recorder = Recorder(source, decoded.codec, decoded.first_byte)
    text, blocks = join_paragraphs(paragraphs, notes, recorder)
    logger.info("book %s: %d paragraphs of %d lines, %s", raw.book_id, len(blocks), num_printed, decoded.codec)
    return CleanBook(
        entry=raw.entry,
        source_sha256=raw.source_sha256,
        encoding=decoded.codec,
        text=text,
        blocks=blocks,
        removed=tuple(sorted(source.removed, key=lambda one: (one.first_line, one.last_line))),
        edits=recorder.finish(len(raw.data)),
        first_line=printed.start + 1,
        last_line=printed.end,
    )


def shrink_bounds(lines: Sequence[str], bounds: Bounds) -> Bounds:
    """Return the range from the first to the last filled line within bounds."""
    first = next((index for index in range(*bounds) if lines[index]), None)
    if first is None:
        return Bounds(bounds.start, bounds.start)
    return Bounds(first, 1 + next(index for index in range(bounds.end - 1, first - 1, -1) if lines[index]))


def join_paragraphs(
    paragraphs: Sequence[Paragraph], notes: Sequence[Removed], recorder: Recorder
) -> tuple[str, tuple[Block, ...]]:
    """Return the text, a blank line between paragraphs, and where each one stands in it.

    Notes that are to be moved follow after the rest, under a heading: back matter is no target of training, and
    nothing of the author's is lost.
    """
    noted = {line for _, first_line, last_line in notes for line in range(first_line, last_line + 1)}
    body = [paragraph for paragraph in paragraphs if paragraph.line not in noted]
    moved = [paragraph for paragraph in paragraphs if paragraph.line in noted]
    for index, paragraph in enumerate(body):
        recorder.add_paragraph(paragraph, len(SEPARATOR) if index else 0)
    if moved:
        separator = SEPARATOR if body else ""
        recorder.add_moved(moved, len(separator + NOTES_HEADING + SEPARATOR), len(SEPARATOR))
        line = moved[0].line
        body.append(Paragraph(NOTES_HEADING, line, line, HEADING_GAP, unwrapped=True))
    blocks, start = [], 0
    for one in (*body, *moved):
        end = start + len(one.text)
        blocks.append(Block(start, end, one.line, last_kept_line(one), one.blank_before, one.unwrapped))
        start = end + len(SEPARATOR)
    return SEPARATOR.join(paragraph.text for paragraph in (*body, *moved)), tuple(blocks)


def last_kept_line(paragraph: Paragraph) -> int:
    """Return the last raw line of which something is left."""
    if paragraph.trace is None:
        return paragraph.last_line
    kept = max((segment.end for segment in paragraph.trace.segments if segment.text.strip()), default=0)
    gone = paragraph.trace.raw[kept:].rstrip()
    return paragraph.last_line - max(gone.count("\n"), gone.count("\r"))


def outer_ranges(bounds: Bounds, num_lines: int) -> list[Removed]:
    """Return the records of Gutenberg's header and footer."""
    header = [Removed("header", 1, bounds.start)] if bounds.start else []
    footer = [Removed("footer", bounds.end + 1, num_lines)] if bounds.end < num_lines else []
    return header + footer
