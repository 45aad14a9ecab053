"""Segmentation of any text: no exception, nothing lost, whatever the blocks say."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.books import Block, CatalogueEntry, CleanBook, RawBook
from schemas.corpus_settings import CleanSettings, SegmentSettings
from tasks.clean import clean_book
from tasks.dividing.works import split_works
from tasks.look import describe_book
from tasks.segment import segment_book

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "gutenberg"
SETTINGS = SegmentSettings(min_chapter_words=5)
LINES = [
    "CHAPTER I", "CHAPTER II.", "Chapter 3", "CHAPTER THE LAST", "I", "II", "III.", "1", "2", "IV. The Ferry", "PART ONE",
    "BOOK II. The Mill", "VOLUME I", "THE OLD HOUSE", "The Old House", "PREFACE", "NOTE", "APPENDIX", "EPILOGUE", "CONTENTS",
    "THE END", "* * *", "Monday", "May 4.", "To Mrs. Reed", "“Yes.”", "¹", "²³", "§ 1. Of Ferries", "[12]", "_A_", "—", "it went on",
    "CHAPTER I. The Ferry\nCHAPTER II. The Mill\nCHAPTER III. The Water", "I. One\nII. Two\nIII. Three", "    so he sang\n    and went",
    "The boy rowed over the water in the grey light and came back alone, as the miller had said. " * 3,
]  # fmt: skip
blocks = st.lists(st.tuples(st.sampled_from(LINES) | st.text(min_size=1, max_size=40), st.integers(0, 6)), min_size=1)


def clean_of(parts):
    """A clean book of paragraphs, each with its blank lines above."""
    rows, texts, at, line = [], [], 0, 1
    for text, gap in parts:
        bare = "\n".join(one.rstrip() for one in text.split("\n") if one.strip()) or "x"
        num_lines = bare.count("\n") + 1
        rows.append(Block(at, at + len(bare), line + gap, line + gap + num_lines - 1, gap, num_lines == 1))
        texts.append(bare)
        at, line = at + len(bare) + 2, line + gap + num_lines
    return CleanBook(
        entry=CatalogueEntry(book_id="7", title="Tales"),
        source_sha256="0" * 64,
        encoding="utf-8",
        text="\n\n".join(texts),
        blocks=tuple(rows),
        first_line=1,
        last_line=line,
    )


def check(clean):
    """Divide a book and its stories: nothing is lost, every confidence a share, and it can be shown."""
    book = segment_book(clean, SETTINGS)
    assert "".join(book.texts) == book.text == clean.text
    assert all(0.0 <= chapter.confidence <= 1.0 for chapter in book.chapters())
    assert bool(book.readings) == book.needs_review
    describe_book(clean, book)
    for work in split_works(book, SETTINGS):
        assert "".join(work.texts) == work.text
    return book


@given(blocks)
@settings(max_examples=150, deadline=None)
def test_any_blocks_are_divided_and_lose_nothing(parts):
    assert check(clean_of(parts)).divisions


@pytest.mark.parametrize("line", ["I", "CHAPTER I", "THE OLD HOUSE", "* * *", "NOTE", "CONTENTS", "The End", "May 4."])
def test_a_text_of_one_line_over_and_over_is_divided(line):
    assert check(clean_of([(line, 2)] * 2_000)).divisions


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared test corpus is not beside the checkout")
@pytest.mark.parametrize("seed", range(6))
def test_real_books_cut_and_spliced_lose_nothing(seed):
    chance = random.Random(seed)
    files = chance.sample(sorted(CORPUS.glob("mirror/?/**/*.txt")), 3)
    lines = [line for file in files for line in file.read_bytes().split(b"\n")[600:-600][:4_000]]  # no banners
    pieces = [lines[start : start + 300] for start in range(0, len(lines), 300)]
    chance.shuffle(pieces)
    data = b"\n".join(line for piece in [*pieces[:20], *pieces[:3]] for line in piece)
    raw = RawBook(entry=CatalogueEntry(book_id="7"), file="7.txt", source_sha256="0" * 64, data=data)
    assert check(clean_book(raw, CleanSettings())).divisions
