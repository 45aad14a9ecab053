"""LookReport: what `look` tells of one book, for programs and for people."""

from __future__ import annotations

import hashlib
import json

from schemas.books import CatalogueEntry, RawBook, Reading
from schemas.corpus_settings import CleanSettings, SegmentSettings
from tasks.clean import clean_book
from tasks.look import describe_book, render_look
from tasks.segment import segment_book

PARAGRAPH = "The ferry went over the water in the grey light and came back with nobody aboard but the boy."
BODY = "\n\n".join([PARAGRAPH] * 10)
START, END = "*** START OF THE SAMPLE EBOOK ***", "*** END OF THE SAMPLE EBOOK ***"
PARTS = f"PART ONE\n\n\nI. The Ferry\n\n{BODY}\n\n\nII. The Mill\n\n{BODY}\n\n\nPART TWO\n\n\nI. The Boy\n\n{BODY}\n\n{BODY}"
TEXT = f"{START}\n\nProduced by A. B.\n\nTHE FERRY\n\nPREFACE\n\n{BODY}\n\n\n{PARTS}\n\nTHE END\n\n{END}\n"


def look(text, book_id="7", title="The Ferry"):
    data = text.encode()
    entry = CatalogueEntry(book_id=book_id, title=title)
    raw = RawBook(entry=entry, file="7.txt", source_sha256=hashlib.sha256(data).hexdigest(), data=data)
    clean = clean_book(raw, CleanSettings())
    return describe_book(clean, segment_book(clean, SegmentSettings()))


def line_of(text, needle):
    return text.split("\n").index(needle) + 1


def test_the_ends_are_raw_lines_of_the_book_and_of_its_story():
    report = look(TEXT)
    lines = TEXT.split("\n")
    assert (report.first_line, report.last_line) == (line_of(TEXT, "THE FERRY"), line_of(TEXT, "THE END"))
    assert report.narrative_first_line == line_of(TEXT, "I. The Ferry") + 2
    assert report.narrative_last_line == line_of(TEXT, "THE END") - 2
    assert lines[report.narrative_last_line - 1] == PARAGRAPH


def test_an_ornament_below_the_story_is_none_of_its_lines():
    text = TEXT.replace("\n\nTHE END", "\n\n* * * * *\n\nTHE END")
    assert text.split("\n")[look(text).narrative_last_line - 1] == PARAGRAPH


def test_headings_come_in_order_and_those_without_words_are_left_out():
    assert [(one.level, one.kind, one.label, one.title) for one in look(TEXT).divisions] == [
        ("chapter", "front", "PREFACE", ""),
        ("part", "narrative", "PART ONE", ""),
        ("chapter", "narrative", "I.", "The Ferry"),
        ("chapter", "narrative", "II.", "The Mill"),
        ("part", "narrative", "PART TWO", ""),
        ("chapter", "narrative", "I.", "The Boy"),
    ]


def test_the_json_has_the_fields_of_the_design_and_ranges_are_objects():
    row = json.loads(look(TEXT).to_json())
    assert list(row) == [
        "book_id",
        "title",
        "encoding",
        "first_line",
        "last_line",
        "narrative_first_line",
        "narrative_last_line",
        "removed",
        "divisions",
        "needs_review",
    ]
    assert row["removed"][1] == {"rule": "credits", "first_line": 3, "last_line": 3}
    assert list(row["divisions"][1]) == ["level", "kind", "label", "title", "line", "body_line"]
    assert row["divisions"][1]["body_line"] is None


def test_an_unknown_id_is_null_and_the_only_chapter_of_a_book_is_shown():
    report = look(f"THE FERRY\n\n{BODY}\n", book_id="unknown", title=None)
    assert report.book_id is None
    assert [(one.kind, one.line, one.label) for one in report.divisions] == [("narrative", 3, "")]
    assert report.removed == ()


def test_a_person_reads_ends_removals_and_an_indented_tree():
    shown = render_look(look(TEXT))
    assert shown.startswith("The Ferry (7), read as ascii\n")
    assert "  credits: 3 to 3" in shown
    assert ": PREFACE [front]" in shown
    tree = [line for line in shown.split("\n") if ": PART" in line or ": I." in line]
    assert [len(line) - len(line.lstrip()) for line in tree] == [2, 4, 2, 4]


def test_a_person_is_told_what_needs_review_and_what_has_no_heading():
    shown = render_look(look(BODY * 9, book_id="unknown", title=None))
    assert shown.startswith("no title (no id)")
    assert "removed: nothing" in shown
    assert "(no heading)" in shown
    contents = "CONTENTS\n\n" + "\n".join(f"{number}. The Way {number}" for number in range(1, 10))
    chapters = "\n\n\n".join(f"{number}\n\n{BODY}" for number in ("I", "II", "III"))
    readings = (Reading(evidence="headings", headings=("4: I", "9: II")),)
    doubtful = render_look(look(f"THE FERRY\n\n\n{contents}\n\n\n{chapters}\n"), readings)
    assert "needs review" in doubtful
    assert doubtful.endswith("  headings: 2")


def test_the_story_begins_below_the_argument_of_its_first_chapter():
    argument = "The ferryman tells of the mill, and the boy is lost and found again by the water."
    story = "\n\n".join(
        ["It was late when they came to the ferry, and nobody had seen the boy, as the miller said."] * 9
    )
    text = "\n\n\n".join(f"CHAPTER {number}\n\n{argument}\n\n{story}" for number in ("I", "II", "III", "IV"))
    report = look(text + "\n")
    assert report.divisions[0].body_line == 3
    assert report.narrative_first_line == 5


def test_the_lines_that_recommend_a_story_are_none_of_it():
    blurb = "_It may seem careless to lose a ferry, but the river is wide and the boy who rows it is\nyoung and tired tonight._"
    report = look(f"THE FERRY\n\nBy A. NOBODY\n\n{blurb}\n\nIllustrated by B. Reed\n\n\n{BODY}\n")
    assert report.narrative_first_line == 11
