"""CleanBook -> SegmentedBook: headings of every family, tables of contents, kinds, scenes, nothing lost."""

from __future__ import annotations

import hashlib

import pytest

from schemas.books import CatalogueEntry, RawBook
from schemas.corpus_settings import CleanSettings, SegmentSettings
from tasks.clean import clean_book
from tasks.dividing.headings import parse_heading
from tasks.dividing.numerals import parse_numeral
from tasks.segment import segment_book

PARAGRAPH = "The ferry went over the water in the grey light and came back with nobody aboard but the boy."
BODY = "\n\n".join([PARAGRAPH] * 12)  # 228 words: a chapter


def segment(text, **settings):
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()
    raw = RawBook(entry=CatalogueEntry(book_id="7"), file="7.txt", source_sha256=digest, data=data)
    return segment_book(clean_book(raw, CleanSettings()), SegmentSettings(**settings))


def book_of(headings, body=BODY, front="THE FERRY\n\nby A. Nobody"):
    return segment("\n\n\n".join([front, *(f"{heading}\n\n{body}" for heading in headings)]) + "\n")


def outline(book):
    return [(one.level, one.label, one.title) for one in walk(book.divisions) if one.label or one.title]


def walk(divisions):
    for division in divisions:
        yield division
        yield from walk(division.children)


def labels(book):
    return [chapter.label or chapter.title for chapter in book.chapters()]


@pytest.mark.parametrize(
    "headings",
    [
        ["CHAPTER I.", "CHAPTER II.", "CHAPTER III."],
        ["Chapter 1", "Chapter 2", "Chapter 3"],
        ["CHAPTER ONE", "CHAPTER TWO", "CHAPTER THREE"],
        ["Chapter the First", "Chapter the Second", "Chapter the Third"],
        ["FIRST CHAPTER", "SECOND CHAPTER", "THIRD CHAPTER"],
        ["Letter 1", "Letter 2", "Letter 3"],
        ["STAVE I.", "STAVE II.", "STAVE III."],
        ["I", "II", "III"],
        ["1.", "2.", "3."],
        ["_One_", "_Two_", "_Three_"],
        ["* I *", "* II *", "* III *"],
        ["PART ONE", "PART TWO", "PART THREE"],
        ["Chapter 1.I.", "Chapter 1.II.", "Chapter 1.III."],
    ],
)
def test_a_family_of_numbered_headings_makes_chapters(headings):
    book = book_of(headings)
    assert len(book.chapters()) == 3
    assert [chapter.level for chapter in book.chapters()] == ["chapter"] * 3
    assert book.divisions[0].kind == "front"
    assert "".join(book.texts) == book.text


@pytest.mark.parametrize(
    ("heading", "label", "title"),
    [
        ("CHAPTER I. The Ferry", "CHAPTER I.", "The Ferry"),
        ("CHAPTER I--THE FERRY", "CHAPTER I", "THE FERRY"),
        ("IV: Over the Water", "IV:", "Over the Water"),
        ("1 THE FERRY", "1", "THE FERRY"),
        ("_2. Over the Water._", "2.", "Over the Water."),
        ("Book the First--Over the Water", "Book the First", "Over the Water"),
        ("STAVE ONE.\nTHE FERRY", "STAVE ONE.", "THE FERRY"),
        ("P R E F A C E", "PREFACE", ""),
        ("Prologue: The Mill (1848)", "Prologue", "The Mill (1848)"),
        ("THE LIFE OF A FERRYMAN.—VOLUME THE SECOND", "THE LIFE OF A FERRYMAN.—VOLUME THE SECOND", ""),
    ],
)
def test_a_heading_is_read_into_label_and_title(heading, label, title):
    found = parse_heading(heading, 1 + heading.count("\n"))
    assert (found.label, found.title) == (label, title)


@pytest.mark.parametrize(
    "text",
    [
        "Part I have read with care",
        "I am the ferryman",
        "1848 was a dry year",
        "The Last Night",
        "“Chapter One,” he read",
        "chapter one of my life",
        "CHAPTER I. The Ferry\nCHAPTER II. The Water",
        "IV. the ferry,",
        "Chapter 999999",
        "*",
        "II. " + PARAGRAPH,
    ],
)
def test_a_sentence_is_no_heading(text):
    assert parse_heading(text, 1 + text.count("\n")) is None


@pytest.mark.parametrize(
    ("text", "number"), [("XLVI", 46), ("2.XII", 12), ("Twenty-one", 21), ("ninetieth", 90), ("IIII", 4), ("q", None)]
)
def test_numerals_are_read(text, number):
    assert parse_numeral(text) == number


def test_a_title_on_the_next_line_or_paragraph_belongs_to_its_number():
    book = book_of(["CHAPTER I\n\n\nThe Ferry", "CHAPTER II\n\n\nThe Mill", "CHAPTER III\n\n\nThe Water"])
    assert [chapter.title for chapter in book.chapters()] == ["The Ferry", "The Mill", "The Water"]


def test_a_short_first_sentence_is_no_title():
    book = book_of(["CHAPTER I\n\n“Tom!”", "CHAPTER II", "CHAPTER III"])
    assert [chapter.title for chapter in book.chapters()] == ["", "", ""]


def test_an_address_below_a_letter_is_no_title():
    book = book_of([f"LETTER {number}\n\nTo Mrs. Ferrier, Leith" for number in ("I", "II", "III")])
    assert [chapter.title for chapter in book.chapters()] == ["", "", ""]


@pytest.mark.parametrize(
    "contents",
    [
        "CONTENTS\n\nCHAPTER I. The Ferry\n\nCHAPTER II. The Mill\n\nCHAPTER III. The Water",
        "Contents\n\n I. The Ferry      1\n II. The Mill      9\n III. The Water      17",
        "I. The Ferry\nII. The Mill\nIII. The Water",
        "LIST OF ILLUSTRATIONS\n\nThe Ferry\n\nChapter I\n\nThe Mill",
    ],
)
def test_a_table_of_contents_makes_no_chapters(contents):
    headings = ["CHAPTER I. The Ferry", "CHAPTER II. The Mill", "CHAPTER III. The Water"]
    book = book_of(headings, front=f"THE FERRY\n\nby A. Nobody\n\n\n{contents}\n")
    assert [chapter.title for chapter in book.chapters()] == ["The Ferry", "The Mill", "The Water"]
    assert not book.needs_review


def test_a_dense_run_of_headings_without_a_heading_of_its_own_is_a_table():
    numbers = ["I", "II", "III", "IV", "V", "VI", "VII"]
    listed = "\n\n".join(f"Chapter {number}" for number in numbers)
    book = book_of([f"Chapter {number}" for number in numbers], front=f"THE FERRY\n\n\n{listed}\n\n")
    assert labels(book) == [f"Chapter {number}" for number in numbers]


def test_a_table_of_parts_that_number_anew_ends_where_the_first_part_comes_again():
    listed = "\n\n".join(f"PART {part}\n\nCHAPTER I\n\nCHAPTER II" for part in ("ONE", "TWO"))
    parts = [f"PART {part}\n\n\nCHAPTER I\n\n{BODY}\n\n\nCHAPTER II" for part in ("ONE", "TWO")]
    book = book_of(parts, front=f"THE FERRY\n\n\nCONTENTS\n\n{listed}\n\n")
    assert outline(book) == [
        ("part", "PART ONE", ""),
        ("chapter", "CHAPTER I", ""),
        ("chapter", "CHAPTER II", ""),
        ("part", "PART TWO", ""),
        ("chapter", "CHAPTER I", ""),
        ("chapter", "CHAPTER II", ""),
    ]


def test_a_table_ends_above_the_heading_of_the_first_paragraph():
    listed = "\n\n".join(["I. The Ferry", "II. The Mill", "III. The Water"])
    headings = ["A WORD BEFOREHAND", "CHAPTER I", "CHAPTER II", "CHAPTER III"]
    long = BODY.replace("nobody", "no one at all today, as the miller said,")
    book = book_of(headings, body=long, front=f"THE FERRY\n\n\nCONTENTS\n\n{listed}\n\n")
    assert [label for _, label, _ in outline(book)] == headings


def test_headings_below_a_dense_run_belong_to_the_text():
    numbers = ["I", "II", "III", "IV", "V", "VI", "VII"]
    listed = "\n\n".join(f"Chapter {number}" for number in numbers)
    parts = [
        f"PART {part}\n\n\n" + f"\n\n{BODY}\n\n\n".join(f"Chapter {one}" for one in numbers) for part in ("I", "II")
    ]
    book = book_of(parts, front=f"THE FERRY\n\n\n{listed}\n\n")
    assert [(one.label, len(one.children)) for one in book.divisions[1:]] == [("PART I", 7), ("PART II", 7)]


def test_titles_that_only_the_table_lists_are_chapters():
    titles = ["The Ferry", "Over the Water", "The Mill", "Back by Night"]
    contents = "CONTENTS\n\n" + "\n".join(titles)
    printed = [*titles[:2], "THE MILL", "Back by Nights"]
    book = book_of(printed, front=f"THE FERRYMAN\n\n\n{contents}\n\n")
    assert labels(book) == printed


def test_a_title_that_goes_on_in_the_text_is_found_in_the_table():
    titles = ["The Story Told by the Ferryman", "The Story Told by the Miller", "The Story Told by the Boy"]
    printed = [f"{titles[0]}, Thomas Reed, of Leith", *titles[1:]]
    book = book_of(printed, front="THE FERRY\n\n\nCONTENTS\n\n" + "\n".join(titles) + "\n\n")
    assert labels(book) == printed


def test_a_table_with_titles_below_its_numbers_names_no_sections():
    contents = (
        "CONTENTS\n\nCHAPTER I\n\nThe Log     1\n\nCHAPTER II\n\nThe Log     9\n\nCHAPTER III\n\nThe Log     17\n\n"
    )
    headings = [f"CHAPTER {number}\n\nTHE LOG\n\n{BODY}\n\n\nThe Log" for number in ("I", "II", "III")]
    book = book_of(headings, front=f"THE FERRY\n\n\n{contents}\n\n")
    assert labels(book) == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]


def test_lines_in_capitals_are_chapters_where_nothing_else_is():
    book = book_of(["THE FERRY", "OVER THE WATER", "THE MILL"], front="A TALE\n\nby A. Nobody")
    assert labels(book) == ["THE FERRY", "OVER THE WATER", "THE MILL"]


def test_chapters_numbered_anew_in_each_part_are_its_children():
    parts = [
        f"PART {part}\n\nThe {name}\n\n\nI.\n\n{BODY}\n\n\nII." for part, name in (("ONE", "Ferry"), ("TWO", "Mill"))
    ]
    book = book_of(parts)
    assert [(one.level, one.title, len(one.children)) for one in book.divisions[1:]] == [
        ("part", "The Ferry", 2),
        ("part", "The Mill", 2),
    ]
    assert book.divisions[1].body_line is None
    assert not book.needs_review


def test_volumes_hold_books_and_books_hold_chapters():
    chapters = f"CHAPTER I\n\n{BODY}\n\n\nCHAPTER II\n\n{BODY}"
    books = "\n\n\n".join(
        f"BOOK {number}--THE {name}\n\n\n{chapters}" for number, name in (("FIRST", "A"), ("SECOND", "B"))
    )
    book = segment("\n\n\n".join(f"VOLUME {number}\n\n\n{books}" for number in ("I", "II")))
    assert [one.level for one in walk(book.divisions)] == (["volume"] + ["book", "chapter", "chapter"] * 2) * 2


def test_of_a_container_printed_twice_the_nearer_one_holds_the_chapters():
    book = segment(
        f"PART ONE\n\n\nTHE FERRY\n\n\nPART ONE\n\n\nI\n\n{BODY}\n\n\nII\n\n{BODY}\n\n\nPART TWO\n\n\nI\n\n{BODY}"
    )
    assert [(one.level, len(one.children)) for one in book.divisions] == [("chapter", 0), ("part", 2), ("part", 1)]


def test_a_container_that_does_not_count_up_is_none():
    book = book_of(["CHAPTER I", f"CHAPTER II\n\n{BODY}\n\n\nBOOK IX. (Folio)", "CHAPTER III"])
    assert labels(book) == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]


def test_text_of_a_part_before_its_first_chapter_is_a_chapter_without_heading():
    book = segment(f"PART ONE\n\n\n{BODY}\n\n\nII\n\n{BODY}\n\n\nPART TWO\n\n\nI\n\n{BODY}\n\n\nII\n\n{BODY}")
    first = book.divisions[0]
    assert [(child.label, child.start == first.body_start) for child in first.children] == [("", True), ("II", False)]
    assert first.body_line == first.children[0].line


def test_an_epigraph_of_a_part_belongs_to_its_heading():
    book = book_of([f"PART ONE\n\n“Row on.”\n\n\nI\n\n{BODY}\n\n\nII", f"PART TWO\n\n\nI\n\n{BODY}\n\n\nII"])
    assert labels(book) == ["I", "II", "I", "II"]


def test_two_families_follow_each_other():
    book = book_of(["Letter 1", "Letter 2", "Chapter 1", "Chapter 2", "Chapter 3"])
    assert labels(book) == ["Letter 1", "Letter 2", "Chapter 1", "Chapter 2", "Chapter 3"]


def test_a_family_goes_on_in_another_form():
    book = book_of(["ADVENTURE I. THE FERRY", "ADVENTURE II. THE MILL", "III. THE WATER", "IV. THE BOY"])
    assert len(book.chapters()) == 4


def test_numbers_within_chapters_are_no_chapters():
    inner = "\n\n\n".join(f"{number}\n\n{PARAGRAPH}" for number in ("I", "II", "III", "IV"))
    book = book_of([f"CHAPTER {number}\n\n{inner}" for number in ("I", "II", "III")])
    assert labels(book) == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]


def test_stories_with_numbered_sections_are_books_and_one_without_is_one_too():
    sections = f"I\n\n{BODY}\n\n\nII\n\n{BODY}"
    stories = [
        f"THE FERRY\n\n\n{sections}",
        f"THE WATER\n\n{BODY}",
        f"THE MILL\n\n\n{sections}",
        f"THE BOY\n\n\n{sections}",
    ]
    book = segment("\n\n\n".join(["TALES\n\nby A. Nobody", *stories]))
    assert [(one.level, one.label, len(one.children)) for one in book.divisions[1:]] == [
        ("book", "THE FERRY", 2),
        ("book", "THE WATER", 0),
        ("book", "THE MILL", 2),
        ("book", "THE BOY", 2),
    ]


def test_a_misprinted_number_between_two_right_ones_is_a_chapter():
    assert len(book_of(["CHAPTER I", "CHAPTER II", "CHAPTER XIII", "CHAPTER IV", "CHAPTER V"]).chapters()) == 5


def test_two_misprinted_numbers_in_a_row_are_chapters():
    numbers = ["I", "II", "III", "IV", "V", "VI", "XVII", "XVIII", "IX", "X"]
    book = book_of([f"CHAPTER {number}" for number in numbers])
    assert labels(book) == [f"CHAPTER {number}" for number in numbers]
    assert not book.needs_review


def test_numbers_left_out_are_no_reason_to_lose_chapters_and_need_review():
    numbers = ["I", "II", "IV", "V", "VII", "VIII", "X", "the Last"]
    book = book_of([f"CHAPTER {number}" for number in numbers])
    sure = [chapter.confidence for chapter in book.chapters()]
    assert [value == max(sure) for value in sure] == [True, True, False, True, False, True, False, True]
    assert book.needs_review


def test_a_short_chapter_between_consistent_numbers_stays():
    text = f"CHAPTER I\n\n{BODY}\n\n\nCHAPTER II\n\n{PARAGRAPH}\n\n\nCHAPTER III\n\n{BODY}"
    assert len(segment(text).chapters()) == 3


def test_kinds_follow_the_names_and_the_places_of_sections():
    sections = ["PREFACE", "PROLOGUE", "CHAPTER I", "CHAPTER II", "EPILOGUE", "A NOTE ON THE TEXT", "APPENDIX"]
    book = book_of(sections)
    kinds = {one.label: one.kind for one in book.divisions if one.label}
    assert kinds == {
        "PREFACE": "front",
        "PROLOGUE": "narrative",
        "CHAPTER I": "narrative",
        "CHAPTER II": "narrative",
        "EPILOGUE": "narrative",
        "A NOTE ON THE TEXT": "back",
        "APPENDIX": "back",
    }


def test_a_letter_to_the_reader_in_capitals_is_front_matter():
    book = book_of(
        ["A LETTER FROM THE FERRYMAN", "CHAPTER I", "CHAPTER II"],
        body=BODY.replace("nobody", "no one at all today, as the miller said,"),
    )
    assert [(one.kind, one.label) for one in book.divisions[1:]] == [
        ("front", "A LETTER FROM THE FERRYMAN"),
        ("narrative", "CHAPTER I"),
        ("narrative", "CHAPTER II"),
    ]


def test_a_section_as_long_as_several_chapters_is_part_of_the_story():
    long = "\n\n".join([PARAGRAPH.replace("nobody", "no one at all in those days, as the miller said,")] * 60)
    text = f"TALE\n\nby A. B.\n\n\n\nTHE HARBOUR OFFICE\n\n{long}\n\n\nCHAPTER I\n\n{BODY}\n\n\nCHAPTER II\n\n{BODY}\n\n\nCHAPTER III\n\n{BODY}"
    assert labels(segment(text)) == ["THE HARBOUR OFFICE", "CHAPTER I", "CHAPTER II", "CHAPTER III"]


def test_an_epilogue_with_chapters_of_its_own_holds_them():
    parts = [f"PART {part}\n\n\nCHAPTER I\n\n{BODY}\n\n\nCHAPTER II" for part in ("I", "II")]
    book = book_of([*parts, f"EPILOGUE\n\n\nI\n\n{BODY}\n\n\nII"])
    assert [(one.level, one.label, len(one.children)) for one in book.divisions[1:]] == [
        ("part", "PART I", 2),
        ("part", "PART II", 2),
        ("part", "EPILOGUE", 2),
    ]


def test_sections_that_a_table_lists_around_the_chapters_have_their_places():
    contents = "CONTENTS\n\nWhat Went Before\n\nCHAPTER I\n\nCHAPTER II\n\nAn Interlude by Night\n\nCHAPTER III\n\nOf the Harbour"
    headings = ["What Went Before", "CHAPTER I", "CHAPTER II", "An Interlude by Night", "CHAPTER III", "Of the Harbour"]
    book = book_of(headings, front=f"THE FERRY\n\n\n{contents}\n\n")
    assert [one.kind for one in book.divisions[1:]] == [
        "front",
        "narrative",
        "narrative",
        "narrative",
        "narrative",
        "back",
    ]


@pytest.mark.parametrize(
    "tail",
    [
        "THE END",
        "FINIS.",
        "PRINTED BY A. PRESSMAN,\nEDINBURGH",
    ],
)
def test_what_follows_the_story_is_back_matter(tail):
    book = book_of(
        ["CHAPTER I", "CHAPTER II", "CHAPTER III", f"CHAPTER IV\n\n{BODY}\n\n{BODY}", f"CHAPTER V\n\n{BODY}"], BODY
    )
    whole = segment(f"{book.text}\n\n{tail}\n")
    assert whole.divisions[-1].kind == "back"
    assert whole.text[whole.divisions[-1].start :].startswith(tail.strip().split("\n")[0])


def test_a_book_without_divisions_is_one_chapter_after_its_title_page():
    book = segment(f"THE FERRY\n\nby A. Nobody\n\n\n{BODY}\n\n\nTHE END\n")
    assert [(one.kind, one.label) for one in book.divisions] == [("front", ""), ("narrative", ""), ("back", "")]
    assert book.chapters()[0].line == 6


def test_a_book_of_short_lines_only_is_one_chapter():
    book = segment("\n\n".join(["Row on."] * 20))
    assert [one.kind for one in book.divisions] == ["narrative"]


def test_a_long_book_without_divisions_is_one_chapter_of_which_nobody_is_sure():
    book = segment("\n\n".join([BODY] * 80))
    assert not book.needs_review
    assert [chapter.confidence for chapter in book.chapters()] == [0.5]


def test_a_long_book_whose_table_lists_what_nobody_finds_needs_review():
    contents = "CONTENTS\n\n" + "\n".join(["The Ferry House", "Over the Water", "The Mill by Night", "Home Again"])
    assert segment(f"THE FERRY\n\n\n{contents}\n\n\n" + "\n\n".join([BODY] * 80)).needs_review


def test_a_table_that_lists_other_chapters_needs_review():
    contents = "CONTENTS\n\n" + "\n".join(f"{number}. The Way {number}" for number in range(1, 10))
    book = book_of(["I", "II", "III"], front=f"THE FERRY\n\n\n{contents}\n\n")
    assert book.needs_review
    assert [(one.evidence, len(one.headings)) for one in book.readings] == [("headings", 3), ("table of contents", 9)]
    assert book.readings[0].headings[0] == "19: I"


@pytest.mark.parametrize(
    "headings",
    [
        ["CHAPTER I", "CHAPTER II", "CHAPTER II", "CHAPTER IV", "CHAPTER V"],  # a wrong number of the source
        ["CHAPTER I", "CHAPTER II", "CHAPTER III", "CHAPTER V", "CHAPTER VI"],  # one left out, no room for it
    ],
)
def test_wrong_numbers_of_the_source_are_no_doubt(headings):
    book = book_of(headings)
    assert len(book.chapters()) == 5
    assert not book.needs_review
    assert book.readings == ()


def test_a_table_that_leaves_chapters_out_is_no_doubt():
    contents = "CONTENTS\n\nCHAPTER I\n\nCHAPTER II\n\nCHAPTER III"
    headings = [f"CHAPTER {number}" for number in ("I", "II", "III", "IV", "V", "VI")]
    assert not book_of(headings, front=f"THE FERRY\n\n\n{contents}\n\n").needs_review


def test_chapters_that_are_there_twice_need_review():
    numbers = ["I", "II", "III", "IV", "V", "III", "IV", "V", "VI"]
    assert book_of([f"CHAPTER {number}" for number in numbers]).needs_review


def test_scenes_end_with_the_break_after_them():
    book = book_of(["CHAPTER I", f"CHAPTER II\n\n* * *\n\n{BODY}\n\n* * *\n\n{BODY}\n\n* * *"], body=BODY)
    scenes = book.chapters()[1].scenes
    texts = [book.text[scene.start : scene.end] for scene in scenes]
    assert len(scenes) == 3
    assert [text.rstrip().endswith("* * *") for text in texts] == [True, True, False]
    assert texts[0].startswith("* * *\n\nThe ferry")


def test_a_break_at_the_end_of_a_chapter_makes_no_scene():
    book = book_of(["CHAPTER I", "CHAPTER II"], body=f"{BODY}\n\n* * *")
    assert [len(chapter.scenes) for chapter in book.chapters()] == [1, 1]


def test_paragraphs_tile_their_scene_with_the_blank_lines_after_them():
    book = book_of(["CHAPTER I", "CHAPTER II"])
    scene = book.chapters()[0].scenes[0]
    assert scene.paragraphs[0].start == scene.start
    assert [one.end for one in scene.paragraphs[:-1]] == [one.start for one in scene.paragraphs[1:]]
    assert book.text[slice(*scene.paragraphs[0])] == f"{PARAGRAPH}\n\n"


def test_lines_are_those_of_the_raw_file():
    book = segment(f"THE FERRY\n\n\nCHAPTER I\n\nThe Mill\n\n\n{BODY}\n\nCHAPTER II\n\nThe Water\n\n{BODY}")
    assert [(chapter.line, chapter.body_line) for chapter in book.chapters()] == [(4, 9), (33, 37)]
