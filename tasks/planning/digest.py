"""Chapter scaffolds + people -> what calls about the whole book are told: facts, digests, passages."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.books import SegmentedBook
from schemas.questions import BookInputs, ChapterDigest, Facts, PersonDigest
from schemas.scaffold import ChapterScaffold
from tasks.extraction.measure import measure_voice
from tasks.planning.wording import clean_line

PASSAGE_WORDS = 150  # of each of the three passages that show the style


def gather_book(
    book: SegmentedBook, chapters: Sequence[ChapterScaffold], people: tuple[PersonDigest, ...]
) -> BookInputs:
    """Return a book from above: what is measured on it, its chapters' statements, its people, three passages."""
    text = "\n\n".join(book.text[chapter.start : chapter.end] for chapter in chapters)
    facts = Facts(
        title=clean_line(": ".join((book.entry.title or f"Book {book.book_id}").splitlines()), 300),
        author=clean_line("; ".join(book.entry.authors), 300),
        num_words=sum(chapter.num_words for chapter in chapters),
        num_chapters=len(chapters),
        **measure_voice(text)._asdict(),
    )
    digests = tuple(
        ChapterDigest(
            number=chapter.number,
            name=chapter.name,
            num_words=chapter.num_words,
            vector=chapter.vector,
            bullets=tuple(bullet.text for bullet in chapter.bullets),
        )
        for chapter in chapters
    )
    return BookInputs(facts=facts, chapters=digests, people=people, passages=_sample_passages(book.text, chapters))


def _sample_passages(text: str, chapters: Sequence[ChapterScaffold]) -> tuple[str, ...]:
    """Return the beginning of the first, of the middle and of the last scene of the book."""
    scenes = [scene for chapter in chapters for scene in chapter.scenes]
    chosen = sorted({0, len(scenes) // 2, len(scenes) - 1})
    beginnings = (text[scenes[index].start : scenes[index].end].split() for index in chosen)
    return tuple(" ".join(words[:PASSAGE_WORDS]) for words in beginnings)
