"""Rules of segmentation for books whose headings are odd: pages, letters, journals, titles, numbers above numbers."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.books import CatalogueEntry, RawBook
from schemas.corpus_settings import CleanSettings, SegmentSettings
from tasks.clean import clean_book
from tasks.dividing.confidence import WEIGHTS, Evidence, weigh
from tasks.dividing.dates import is_dated
from tasks.dividing.headings import parse_heading
from tasks.dividing.matching import longest_increasing
from tasks.dividing.numerals import parse_numeral
from tasks.dividing.styles import is_addressed
from tasks.segment import segment_book

SENTENCE = "The ferry went over the water in the grey light and came back with nobody aboard but the boy."
BODY = "\n\n".join([SENTENCE] * 12)  # 228 words: a chapter
LONG = "\n\n".join([f"{SENTENCE} {SENTENCE}"] * 40)
ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]


def segment(text):
    data = text.encode()
    raw = RawBook(
        entry=CatalogueEntry(book_id="7"), file="7.txt", source_sha256=hashlib.sha256(data).hexdigest(), data=data
    )
    return segment_book(clean_book(raw, CleanSettings()), SegmentSettings())


def book_of(headings, body=BODY, front="THE FERRY\n\nby A. Nobody"):
    return segment("\n\n\n\n".join([front, *(f"{heading}\n\n{body}" for heading in headings)]) + "\n")


def shape(book):
    def walk(divisions):
        for one in divisions:
            yield one
            yield from walk(one.children)

    return [(one.level, one.label, one.title) for one in walk(book.divisions) if one.label or one.title]


def names(book):
    return [chapter.label or chapter.title for chapter in book.chapters()]


@pytest.mark.parametrize(
    ("text", "number"), [("premier", 1), ("Troisième", 3), ("zweites", 2), ("siebentes", 7), ("¹", None)]
)
def test_number_words_of_other_languages_are_read(text, number):
    assert parse_numeral(text) == number


@pytest.mark.parametrize(
    ("heading", "family", "title"),
    [
        ("Livre deuxième--La chute", "book", "La chute"),
        ("Erster Teil", "part", ""),
        ("FIRST NARRATIVE", "book", ""),
        ("§ 4. Of the Ferry", "arabic and title", "Of the Ferry"),
        ("II\nOver the Water", "roman and title", "Over the Water"),
        ("SEVEN -- The Mill by Night", "word and title", "The Mill by Night"),
        ("APPENDIX: The Ferryman's Song", "named back", "The Ferryman's Song"),
        ("CHAPTER I.[1]", "chapter", ""),
    ],
)
def test_more_forms_of_headings_are_read(heading, family, title):
    found = parse_heading(heading, 1 + heading.count("\n"))
    assert (found.family, found.title) == (family, title)


def test_a_sentence_that_begins_with_the_name_of_a_section_is_none():
    assert parse_heading("The conclusion of that sentence nobody heard.", 1) is None


@pytest.mark.parametrize("text", ["Monday", "_3 May. Leith._", "June the 4th.", "Friday, the fifth day", "2nd April"])
def test_a_date_heads_an_entry(text):
    assert is_dated(text)


@pytest.mark.parametrize("text", ["Monday came and went", "May I come in?", "“Monday”", "The May fair", "4 pounds"])
def test_other_words_are_no_date(text):
    assert not is_dated(text)


@pytest.mark.parametrize(
    ("text", "claim"),
    [("To Mrs. Ferrier, at Leith", True), ("Anna Reed to Robert Marsh", True), ("To be or not to be", False)],
)
def test_an_address_names_people(text, claim):
    assert is_addressed(text) == claim


def test_headings_that_run_into_the_first_paragraph_are_kept_apart_from_it():
    chapters = "\n\n".join(f"CHAPTER {number}. {SENTENCE} {SENTENCE}\n\n{BODY}" for number in ROMAN[:4])
    book = segment(f"THE FERRY\n\nby A. Nobody\n\n\n{chapters}\n")
    assert names(book) == [f"CHAPTER {number}." for number in ROMAN[:4]]
    first = book.chapters()[0]
    assert book.text[first.start : first.body_start] == "CHAPTER I. "
    assert book.text[first.body_start :].startswith("The ferry went")
    assert first.body_line == first.line


def test_a_number_in_a_sentence_is_no_run_in_heading():
    book = segment(
        "\n\n".join([f"Letter 2 was lost at the mill, so they said. {SENTENCE} {SENTENCE}", *[SENTENCE] * 20])
    )
    assert len(book.chapters()) == 1


def test_numbers_of_pages_are_no_chapters():
    words = (f"{SENTENCE[:-1]} and " * 12).split()
    pages = "\n\n".join(f"{' '.join(words[:200])}\n\n{page}" for page in range(1, 30))
    assert len(segment(f"THE FERRY\n\n\n{pages}\n").chapters()) == 1


def test_bare_numbers_that_end_with_sentences_are_chapters():
    assert names(book_of([str(number) for number in range(1, 20)])) == [str(number) for number in range(1, 20)]


def test_a_single_number_word_among_other_numbers_is_text():
    book = book_of(["I", f"II\n\n{BODY}\n\nThree.", "III", "IV"])
    assert names(book) == ["I", "II", "III", "IV"]


def test_numbers_in_lists_of_the_text_are_no_chapters():
    lists = "\n\n".join(f"{number}. We Rowed Again\n\n{BODY}" for number in ("IV", "VI", "IV", "VII"))
    assert len(segment(f"THE FERRY\n\n\n{BODY}\n\n{lists}\n").chapters()) == 1


def test_numbers_above_numbers_are_parts():
    parts = [f"— {part} —\n\n\n\n[ {first} ]\n\n{BODY}\n\n\n\n[ {first + 1} ]" for part, first in (("I", 1), ("II", 3))]
    assert shape(book_of(parts)) == [
        ("part", "I", ""),
        ("chapter", "1", ""),
        ("chapter", "2", ""),
        ("part", "II", ""),
        ("chapter", "3", ""),
        ("chapter", "4", ""),
    ]


def test_titles_with_numbers_in_no_form_are_chapters_where_a_table_lists_them():
    titles = ["My Early Home", "The Hunt", "The Mill", "Back by Night"]
    contents = "Contents\n\n" + "\n".join(f"     0{place}      {title}" for place, title in enumerate(titles, 1))
    book = book_of(
        [f"0{place} {title}" for place, title in enumerate(titles, 1)], front=f"THE FERRY\n\n\n{contents}\n\n"
    )
    assert [(chapter.label, chapter.title) for chapter in book.chapters()] == [
        (f"0{place}", title) for place, title in enumerate(titles, 1)
    ]


def test_lines_of_a_table_that_are_wrapped_are_one_entry():
    contents = "CONTENTS\n\n   I  OF THE FERRY AND WHAT THE BOY\n      SAW THERE\n  II  OF THE MILL\n III  OF THE WATER"
    headings = [
        "CHAPTER I\n\nOF THE FERRY AND WHAT THE BOY SAW THERE",
        "CHAPTER II\n\nOF THE MILL",
        "CHAPTER III\n\nOF THE WATER",
    ]
    book = book_of(headings, front=f"THE FERRY\n\n\n{contents}\n\n")
    assert book.chapters()[0].title == "OF THE FERRY AND WHAT THE BOY SAW THERE"
    assert not book.needs_review


def test_a_table_may_number_anew_below_each_story():
    titles = ["THE FERRY", "THE MILL", "THE WATER"]
    listed = "\n\n".join(f"{title}\n\nCHAPTER I\n\nCHAPTER II" for title in titles)
    stories = [f"{title}\n\n\nCHAPTER I\n\n{BODY}\n\n\nCHAPTER II" for title in titles]
    book = book_of(
        [*stories, "A REFLECTION"], front=f"TALES\n\nby A. Nobody\n\n\nCONTENTS\n\n{listed}\n\nA REFLECTION\n\n"
    )
    assert [(one.level, one.kind, one.label, len(one.children)) for one in book.divisions if one.label] == [
        ("book", "narrative", "THE FERRY", 2),
        ("book", "narrative", "THE MILL", 2),
        ("book", "narrative", "THE WATER", 2),
        ("book", "narrative", "A REFLECTION", 0),
    ]


def test_a_table_at_the_end_lists_the_titles_too():
    titles = ["The Ferry by Night", "Over the Water", "The Mill and the Boy", "Home Again at Last"]
    chapters = "\n\n\n".join(f"{title}\n\n{LONG}" for title in titles)
    book = segment(f"THE FERRYMAN\n\n\n\n{chapters}\n\n\nTABLE DES MATIÈRES\n\n" + "\n".join(titles) + "\n")
    assert names(book) == titles


@pytest.mark.parametrize(
    "headings",
    [
        ["To Mrs. Ferrier, at Leith", "To Robert Marsh", "To Mrs. Ferrier, at Leith", "To Miss Reed"],
        ["MAY 4.", "MAY 10.", "JUNE 2.", "JUNE 21."],
        ["The Old House", "A Meeting by Night", "What Robert Found", "Home Again"],
    ],
)
def test_headings_of_one_style_without_numbers_are_chapters(headings):
    assert names(book_of(headings)) == headings


def test_dates_divide_a_chapter_that_is_far_longer_than_the_others():
    days = [f"{day}, June {number}." for number, day in enumerate(("Monday", "Tuesday", "Friday", "Sunday") * 3, 4)]
    journal = "\n\n\n".join(f"{day}\n\n{BODY}" for day in days)
    book = book_of([*(f"LETTER {number}" for number in ROMAN[:4]), f"LETTER V\n\n{BODY}\n\n\n{journal}"])
    assert names(book) == [*(f"LETTER {number}" for number in ROMAN[:5]), *days]
    assert not book.needs_review


def test_dates_in_chapters_of_the_usual_length_divide_nothing():
    book = book_of([f"CHAPTER {number}\n\n3 May.\n\n{BODY}\n\n\n5 May." for number in ROMAN[:6]])
    assert len(book.chapters()) == 6


def test_what_stands_below_a_half_title_is_the_story():
    text = "\n\n\n\n".join(
        ["THE FERRY\n\nby A. Nobody", *(f"{one}\n\n{LONG}" for one in ("THE FERRY", "I", "II", "III"))]
    )
    assert names(segment(f"{text}\n")) == ["THE FERRY", "I", "II", "III"]


def test_a_long_opening_without_heading_is_the_first_chapter():
    opening = "\n\n".join([LONG] * 2)
    book = segment(
        "\n\n\n".join([f"THE FERRY\n\nby A. Nobody\n\n\n{opening}", *(f"MAY {day}.\n\n{BODY}" for day in range(3, 14))])
    )
    assert [one.kind for one in book.divisions[:3]] == ["front", "narrative", "narrative"]
    assert names(book)[:2] == ["", "MAY 3."]


def test_a_song_with_numbers_in_a_chapter_is_no_division():
    song = "THE FERRYMAN'S SONG.\n\n1.\n\n  Row on, row on,\n    The boy is gone.\n\n2.\n\n  Row back, row back,\n    The night is black."
    book = book_of([f"{number}. THE FERRY\n\n{BODY}\n\n\n{song}" for number in ROMAN[:5]])
    assert [chapter.label for chapter in book.chapters()] == [f"{number}." for number in ROMAN[:5]]


def test_a_named_section_right_below_another_is_lost_in_it_and_nothing_else_is():
    book = segment(f"EPILOGUE\n\nPREFACE\n\nCHAPTER I\n\n{BODY}\n")
    assert "".join(book.texts) == book.text


def test_the_end_of_a_volume_is_no_volume():
    assert parse_heading("THE END OF VOLUME I", 1) is None


def test_a_short_note_before_the_end_belongs_to_the_story():
    book = book_of([*(f"CHAPTER {number}" for number in ROMAN[:6]), "NOTE"], BODY)
    told = segment(f"{book.text}\n\n\nTHE END\n")
    assert names(book)[-1] == "CHAPTER VI"
    assert names(told)[-1] == "NOTE"


def test_numbers_below_a_heading_of_back_matter_are_not_chapters():
    notes = "\n\n\n".join(f"{number}. On the Ferry\n\n{BODY}" for number in ROMAN[:2])
    book = book_of([*(f"CHAPTER {number}\n\n{LONG}" for number in ROMAN), f"HISTORICAL NOTES\n\n{notes}"])
    assert len(book.chapters()) == 12
    assert book.divisions[-1].kind == "back"


def test_sections_of_a_preface_are_not_chapters():
    sections = "\n\n\n".join(f"{number}: ON THE FERRY\n\n{BODY}" for number in ("I", "II"))
    book = book_of([f"PREFACE\n\n\n{sections}", *(f"CHAPTER {number}" for number in ROMAN[:5])])
    assert names(book) == [f"CHAPTER {number}" for number in ROMAN[:5]]


def test_a_table_below_the_heading_of_a_part_is_no_text_of_its_own():
    contents = "CONTENTS\n\n" + "\n".join(f"Chapter {number} " + "Of the Ferry and the Mill " * 4 for number in ROMAN)
    chapters = "\n\n\n".join(f"Chapter {number}\n\n{BODY}" for number in ROMAN)
    book = segment(f"Volume I\n\n\n{contents}\n\n\n\n{chapters}\n")
    assert names(book)[0] == "Chapter I"


def test_wide_gaps_part_scenes_where_few_paragraphs_have_them():
    chapter = f"{BODY}\n\n\n\nIn the morning the ferry was gone from the bank.\n\n{BODY}\n\n{BODY}"
    book = book_of([f"CHAPTER {number}" for number in ROMAN[:4]], body=chapter)
    assert [len(one.scenes) for one in book.chapters()] == [2] * 4
    scene = book.chapters()[0].scenes[1]
    assert book.text[scene.start :].startswith("In the morning")


def test_wide_gaps_part_nothing_where_every_paragraph_has_one():
    body = "\n\n\n".join([SENTENCE] * 12)
    assert [len(one.scenes) for one in book_of(["CHAPTER I", "CHAPTER II"], body=body).chapters()] == [1, 1]


def test_the_longest_run_takes_one_place_a_block():
    assert longest_increasing([(0, 3), (1, 5), (1, 0), (2, 1), (3, 6), (3, 2)]) == [(1, 0), (2, 1), (3, 2)]
    assert longest_increasing([]) == []


parts_of_evidence = st.none() | st.floats(0, 1)


@given(
    st.builds(Evidence, st.floats(0, 1), *[parts_of_evidence] * 5), st.sampled_from(Evidence._fields), st.floats(0, 1)
)
def test_more_evidence_never_makes_a_heading_less_sure(evidence, field, more):
    value = getattr(evidence, field)
    if value is not None:
        better = evidence._replace(**{field: max(value, more)})
        assert 0.0 <= weigh(evidence) <= weigh(better) <= 1.0


def test_evidence_weighs_as_said():
    assert sum(value for value in WEIGHTS if value is not None) == pytest.approx(1.0)
    assert weigh(Evidence(form=1.0)) == 1.0
    assert weigh(Evidence(form=1.0, sequence=0.0)) == pytest.approx(0.2 / 0.45, abs=0.01)


def test_headings_with_less_to_say_for_them_are_less_sure():
    keyword = book_of([f"CHAPTER {number}" for number in ROMAN[:4]]).chapters()[1].confidence
    number = book_of(ROMAN[:4]).chapters()[1].confidence
    title = book_of(["THE FERRY HOUSE", "THE MILL", "THE WATER"]).chapters()[1].confidence
    assert 1.0 == keyword > number > title > 0.5
