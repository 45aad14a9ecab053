"""LongPageBook -> SegmentedBook: its chapters under their names, joined, with the scenes located."""

from __future__ import annotations

import hashlib
import unicodedata

from schemas.books import CatalogueEntry, Division, Scene, SegmentedBook
from schemas.errors import BookError
from schemas.longpage import LongPageBook
from schemas.value import Span
from tasks.composing.text import cut_text, fold
from tasks.importing.locate import Scenes, locate_scenes

MAX_HEADING = 120  # as a chapter's name


def name_book(row: LongPageBook) -> str:
    """Return the id of a book: by its title and prose, so that better plans of the same book replace the old ones."""
    prose = [row.book_title, *(chapter.chapter for chapter in row.book_chapters.values())]
    return f"lp-{hashlib.sha256(chr(0).join(prose).encode(errors='surrogatepass')).hexdigest()[:12]}"


def segment_row(row: LongPageBook) -> SegmentedBook:
    """Return a row's book: every chapter is its name, a blank line, its prose and a blank line.

    Raises:
        BookError: a chapter has no prose, or fewer words than scenes.
    """
    book_id, text = name_book(row), ""
    divisions = []
    for number, (name, chapter) in enumerate(row.book_chapters.items(), 1):
        prose = tidy_prose(chapter.chapter)
        if not prose.strip():
            raise BookError(book_id, "empty-chapter", f"chapter {number}, {name!r}: no prose")
        prose += "\n\n"
        scenes = locate_scenes(prose, [scene.word_count for scene in chapter.scene_breakdown])
        if scenes is None:
            detail = f"chapter {number}, {name!r}: {len(prose.split())} words, {len(chapter.scene_breakdown)} scenes"
            raise BookError(book_id, "fewer-words-than-scenes", detail)
        title = cut_text(fold(name), MAX_HEADING)
        heading = f"{title}\n\n" if title else ""
        divisions.append(_divide(title, Span(len(text), len(text) + len(heading)), scenes))
        text += heading + prose
    entry = CatalogueEntry(book_id=book_id, title=fold(row.book_title) or None)
    return SegmentedBook(entry=entry, source_sha256=row.digest(), text=text, divisions=tuple(divisions))


def tidy_prose(text: str) -> str:
    """Return prose as this project has it: NFC, line ends of one character, no line with white space at its end."""
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _divide(title: str, heading: Span, located: Scenes) -> Division:
    at = heading.end
    scenes = tuple(
        Scene(
            start=at + pieces[0].start,
            end=at + pieces[-1].end,
            paragraphs=tuple(Span(at + start, at + end) for start, end in pieces),
        )
        for pieces in located
    )
    return Division(
        level="chapter",
        kind="narrative",
        title=title,
        start=heading.start,
        body_start=at,
        end=scenes[-1].end,
        line=1,
        scenes=scenes,
    )
