"""SegmentedBook -> works: stories of a collection for themselves, a novel whole."""

from __future__ import annotations

import hashlib

import pytest

from schemas.books import CatalogueEntry, RawBook
from schemas.corpus_settings import CleanSettings, SegmentSettings
from tasks.clean import clean_book
from tasks.dividing.works import list_stories, score_collection, split_works
from tasks.segment import segment_book

PEOPLE = ["Anna", "Robert", "Harriet", "Giles", "Eliza", "Stephen", "Miriam", "Walter"]
TITLES = ["THE FERRY", "THE MILL", "THE WATER", "THE BOY"]


def tell(first, second, times=30):
    """Prose about two people."""
    one = f"It was late when {first} came to the ferry, and there {second} was waiting, as nobody had told {first}."
    return "\n\n".join([one] * times)


def collection(headings, front="TALES\n\nby A. Nobody", same_people=False, **entry):
    people = [("Anna", "Robert")] * len(headings) if same_people else list(zip(PEOPLE[::2], PEOPLE[1::2], strict=True))
    stories = [f"{heading}\n\n{tell(*pair)}" for heading, pair in zip(headings, people, strict=True)]
    data = ("\n\n\n\n".join([front, *stories]) + "\n").encode()
    digest = hashlib.sha256(data).hexdigest()
    raw = RawBook(entry=CatalogueEntry(book_id="7", **entry), file="7.txt", source_sha256=digest, data=data)
    return segment_book(clean_book(raw, CleanSettings()), SegmentSettings())


def test_each_story_of_a_collection_is_a_work_of_its_own():
    book = collection(TITLES, authors=("Nobody, A.",))
    works = split_works(book, SegmentSettings())
    assert [work.entry.book_id for work in works] == ["7.01", "7.02", "7.03", "7.04"]
    assert {work.entry.parent_id for work in works} == {"7"}
    assert [work.entry.title for work in works] == TITLES
    assert works[1].entry.authors == ("Nobody, A.",)
    for work, story in zip(works, list_stories(book), strict=True):
        assert work.text == book.text[story.body_start : story.end].rstrip()
        assert "".join(work.texts) == work.text
        assert work.chapters()[0].line == story.body_line
        assert work.source_sha256 == book.source_sha256


def test_sections_of_a_story_are_its_chapters():
    sections = f"I\n\n{tell('Anna', 'Robert')}\n\n\nII\n\n"
    works = split_works(collection([f"{title}\n\n\n{sections}" for title in TITLES]), SegmentSettings())
    assert [[chapter.label for chapter in work.chapters()] for work in works] == [["I", "II"]] * 4


def test_a_novel_with_titled_chapters_is_one_work():
    novel = collection(TITLES, same_people=True)
    assert split_works(novel, SegmentSettings()) == (novel,)


@pytest.mark.parametrize("key", ["CHAPTER", "LETTER", "PART", "BOOK"])
def test_parts_with_a_keyword_of_novels_are_no_stories(key):
    book = collection(
        [f"{key} {number}. {title}" for number, title in zip(("I", "II", "III", "IV"), TITLES, strict=True)]
    )
    assert len(split_works(book, SegmentSettings())) == 1


def test_dates_are_no_titles_of_stories():
    assert len(split_works(collection(["MAY 4.", "MAY 10.", "JUNE 2.", "JUNE 21."]), SegmentSettings())) == 1


def test_adventures_with_numbers_are_stories():
    numbers = ("I", "II", "III", "IV")
    book = collection([f"ADVENTURE {number}. {title}" for number, title in zip(numbers, TITLES, strict=True)])
    assert [work.entry.title for work in split_works(book, SegmentSettings())] == TITLES


@pytest.mark.parametrize(
    "entry",
    [
        {"subjects": ("Short stories",)},
        {"subjects": ("Detective and mystery stories, English",)},
        {"title": "The Ferry, and Other Stories"},
    ],
)
def test_the_catalogue_speaks_for_a_collection(entry):
    headings = [f"{number}. {title}" for number, title in zip(("I", "II", "III", "IV"), TITLES, strict=True)]
    plain, known = (collection(headings, same_people=True, **one) for one in ({}, entry))
    stories = list_stories(plain)
    assert score_collection(known, stories) > score_collection(plain, stories)


def test_a_subject_of_novels_too_says_nothing():
    headings = [f"{number}. {title}" for number, title in zip(("I", "II", "III", "IV"), TITLES, strict=True)]
    novel = collection(headings, same_people=True, subjects=("Sea stories", "Detective and mystery stories"))
    assert len(split_works(novel, SegmentSettings())) == 1


def test_two_parts_are_no_collection():
    book = collection(TITLES)
    assert list_stories(book.model_copy(update={"divisions": book.divisions[:3]})) == []


def test_a_higher_score_leaves_books_whole():
    assert len(split_works(collection(TITLES), SegmentSettings(min_collection_score=9.0))) == 1


def test_more_than_ninety_nine_stories_have_three_digits():
    words = [f"{one} {other}" for one in "ABCDEFGHIJK" for other in "ABCDEFGHIJ"]
    stories = "\n\n\n\n".join(
        f"THE FERRY OF {word}\n\n{tell(f'Anna{place}', f'Giles{place}', 12)}" for place, word in enumerate(words)
    )
    data = f"TALES\n\nby A. Nobody\n\n\n\n{stories}\n".encode()
    raw = RawBook(
        entry=CatalogueEntry(book_id="7", subjects=("Short stories",)),
        file="7.txt",
        source_sha256=hashlib.sha256(data).hexdigest(),
        data=data,
    )
    works = split_works(segment_book(clean_book(raw, CleanSettings()), SegmentSettings()), SegmentSettings())
    assert [works[0].book_id, works[-1].book_id] == ["7.001", "7.110"]
