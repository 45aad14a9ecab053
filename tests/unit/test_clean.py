"""RawBook -> CleanBook: every header style, notes of producers, residue of the page, paragraphs."""

from __future__ import annotations

import hashlib

import pytest

from schemas.books import CatalogueEntry, RawBook
from schemas.corpus_settings import CleanSettings
from schemas.errors import BookError
from tasks.clean import clean_book
from tasks.cleaning.decoding import decode_text

START = "*** START OF THE PROJECT GUTENBERG EBOOK THE HERON ***"
END = "*** END OF THE PROJECT GUTENBERG EBOOK THE HERON ***"
PROSE = """The heron stood in the shallow water beyond the mill and did not move
for so long that the miller's boy took it for a post. When at last it
bent its neck he cried out, and the whole bank of reeds shook."""
NOTE = "\n".join(["A comma was added on this page and another one on that page."] * 30)
FLAT = " ".join(PROSE.split())


def raw_book(text, encoding="utf-8"):
    data = text if isinstance(text, bytes) else text.encode(encoding)
    digest = hashlib.sha256(data).hexdigest()
    return RawBook(entry=CatalogueEntry(book_id="7"), file="7.txt", source_sha256=digest, data=data)


def clean(text, encoding="utf-8", **settings):
    return clean_book(raw_book(text, encoding), CleanSettings(**settings))


def between(body):
    return clean(f"Title: The Heron\n\n{START}\n\n{body}\n\n{END}\n\nLicence\n")


def blocks(book):
    return [book.text[block.start : block.end] for block in book.blocks]


def rules(book):
    return [removed.rule for removed in book.removed]


@pytest.mark.parametrize(
    ("header", "footer"),
    [
        ("The Project Gutenberg EBook of The Heron\n\n" + START, END),
        ("***START OF THE PROJECT GUTENBERG EBOOK THE HERON***", "***END OF THE PROJECT GUTENBERG EBOOK THE HERON***"),
        (START, " " * 12 + END),
        (
            "*** START OF THIS PROJECT GUTENBERG EBOOK THE HERON, OR\nTHE POST ***",
            "*** END OF THIS PROJECT GUTENBERG EBOOK THE HERON, OR\nTHE POST ***",
        ),
        (f"{START}\n\nThe whole header once more\n\n{START}", END),
        ("*** START OF THE SAMPLE EBOOK THE HERON ***", "*** END OF THE SAMPLE EBOOK THE HERON ***"),
        ("Small print\n" * 9 + "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*", ""),
        ("*END THE SMALL PRINT! FOR PUBLIC DOMAIN\nETEXTS*Ver.04.29.93*END*", "End of the Project Gutenberg Etext of"),
        ("", ""),
        (START, f"End of Project Gutenberg's The Heron,\nby Nobody\n\n{END}\n\nThe licence"),
    ],
)
def test_every_style_of_marks_leaves_the_book_alone(header, footer):
    body = f"{PROSE}\n\n" * 8
    book = clean(f"{header}\n\n{body}\n\n{footer}\n")
    assert blocks(book) == [FLAT] * 8
    lines = f"{header}\n\n{body}".split("\n")
    assert lines[book.first_line - 1].startswith("The heron stood")
    assert lines[book.last_line - 1].endswith("reeds shook.")


def test_credits_over_several_lines_and_paragraphs_go():
    book = between(
        f"Produced by A. Reader, B. Reader\nand a third one\n\nE-text prepared by C.\n\nTHE HERON\n\n{PROSE}"
    )
    assert blocks(book) == ["THE HERON", FLAT]
    assert rules(book).count("credits") == 2


def test_a_banner_that_holds_title_and_author_goes_whole():
    book = between(f"The Project Gutenberg Etext of The Heron\n\nby A. Nobody\n\nCONTENTS\n\n{PROSE}")
    assert blocks(book) == ["CONTENTS", FLAT]


def test_a_bracketed_note_of_the_transcriber_goes_over_several_paragraphs():
    book = between(f"THE HERON\n\n[ Transcriber's Notes:\n\n  Spelling was kept.\n ]\n\n{PROSE}")
    assert blocks(book) == ["THE HERON", FLAT]
    assert "transcriber-note" in rules(book)


def test_a_bracketed_note_that_never_closes_goes_to_the_end_of_its_paragraph():
    assert blocks(between(f"[Transcriber's Note: spelling\nwas kept.\n\n{PROSE}")) == [FLAT]


def test_a_headed_note_before_the_text_goes_to_the_gap_below_it():
    note = "Original Transcriber's Notes:\n\n\nThis text joins two older ones, and\nwas read against a third."
    assert blocks(between(f"THE HERON\n\n{note}\n\n\n\nETYMOLOGY.\n\n{PROSE}")) == ["THE HERON", "ETYMOLOGY.", FLAT]


def test_a_headed_note_after_the_text_goes_to_the_end():
    notes = "____________\n\nTranscriber's Notes:\n\nA comma was added.\n\n    page 7, 'teh'"
    book = between(f"{PROSE}\n\n{PROSE}\n\nTHE END\n\n\n{notes}")
    assert blocks(book)[-1] == "THE END"
    assert book.last_line == 13


def test_a_note_after_the_text_ends_where_an_index_begins():
    notes = "Transcriber's Notes:\n\nA comma was added.\n\nINDEX\n\nHeron, page 7"
    assert blocks(between(f"{PROSE}\n\n{PROSE}\n\n{PROSE}\n\n{notes}"))[-2:] == ["INDEX", "Heron, page 7"]


def test_a_paragraph_about_project_gutenberg_goes_wherever_it_stands():
    body = f"{PROSE}\n\n" * 40
    book = between(f"{body}See www.gutenberg.org for other\nbooks.\n\n{body}")
    assert blocks(book) == [FLAT] * 80
    assert "banner" in rules(book)


def test_of_a_long_paragraph_only_the_line_about_project_gutenberg_goes():
    lines = ["The heron stood in the shallow water beyond the mill and slept."] * 14
    lines[6] = "This line is of Project Gutenberg."
    book = between("\n".join(lines))
    assert "Gutenberg" not in book.text
    assert book.text.count("heron") == 13


def test_pictures_go_and_their_lines_still_belong_to_the_book():
    book = between(f"[Illustration]\n\nTHE HERON\n\n[Illustration: The heron\nsleeps [_by A. B._]]\n\n{PROSE}\n\ncover")
    assert blocks(book) == ["THE HERON", FLAT]
    assert book.first_line == 5
    assert rules(book).count("illustration") == 3


def test_a_heading_in_a_caption_and_words_after_its_bracket_stay():
    book = between(f"[Illustration: A heron\n\nChapter I.]\n\n{PROSE}\n\n[Illustration: tail] The end came.")
    assert blocks(book) == ["Chapter I.", FLAT, "The end came."]


def test_page_marks_tags_and_initial_pipes_go():
    book = between(
        f"[Pg 12]\n\n|{PROSE[:9]}[Pg 13] stood <a href='#n'>{{14}}</a>here.\n\nAll [Illustration] of <i>them</i>."
    )
    assert blocks(book) == ["The heron stood here.", "All of them."]


def test_kept_lines_that_held_only_residue_leave_no_empty_line():
    book = between(
        "    The reeds are low,\n    <br>\n    The reeds are high,\n    The heron knows\n    The reason why."
    )
    assert blocks(book) == ["The reeds are low,\nThe reeds are high,\nThe heron knows\nThe reason why."]


def test_white_space_is_normalised_and_letters_are_composed():
    body = PROSE.replace("heron", "he\u0301ron", 1).replace("stood in", "stood\u00a0in").replace("\n", "\r\n")
    book = clean(f"\ufeff{START}\r\n\r\n\x0c{body} \t\r\r\n\r\n{END}\r\n")
    assert book.text == FLAT.replace("heron", "h\u00e9ron", 1)
    assert book.encoding == "utf-8-sig"


def test_prose_is_unwrapped_with_one_blank():
    assert blocks(between(PROSE.replace("water beyond", "water  beyond"))) == [FLAT]


def test_unwrapped_files_keep_their_paragraphs():
    long = " ".join([FLAT] * 5)
    assert blocks(between(f"{long}\n\n“Yes,” said Tom. “No,” said Mr.\n{long}")) == [
        long,
        f"“Yes,” said Tom. “No,” said Mr. {long}",
    ]


def test_a_word_divided_at_a_line_end_becomes_whole_and_a_compound_keeps_its_hyphen():
    body = "The heron that the miller saw beyond the reeds was of the com-\nmon sort, and he let it stand where it stood, by the mill-\nstream."
    book = between(f"{PROSE}\n\n{body}\n\nIt was a common bird.")
    assert "was of the common sort, and" in book.text
    assert "by the mill-stream." in book.text


@pytest.mark.parametrize(
    "kept",
    [
        "Low in the reeds the heron stands,\nGrey as the morning, grey as stone;\nNobody knows what he commands,\nStanding alone.",
        "Your faithful friend and servant,\n                                   A. B.",
        "CHAPTER IV\nThe Mill",
        "Flour     12 sacks\nBarley     3 sacks\nOats       1 sack",
        "The Mill\nThe Weir\nThe Heron",
    ],
)
def test_verse_signatures_headings_tables_and_lists_keep_their_lines(kept):
    book = between(f"{PROSE}\n\n{kept}\n\n{PROSE}")
    assert blocks(book)[1] == kept
    assert [block.unwrapped for block in book.blocks] == [True, False, True]


def test_a_heading_without_a_blank_line_below_it_stands_apart():
    assert blocks(between(f"CHAPTER I.\n{PROSE}")) == ["CHAPTER I.", FLAT]
    assert blocks(between(f"PART ONE\nCHAPTER I.\n\n{PROSE}")) == ["PART ONE", "CHAPTER I.", FLAT]


def test_paragraphs_told_by_their_indent_stand_apart():
    indented = "  " + PROSE
    assert blocks(between(f"{PROSE}\n{indented}\n{indented}")) == [FLAT] * 3


def test_an_address_after_a_letter_stands_apart():
    book = between(f"{PROSE}\n                              THE MILLER.")
    assert blocks(book) == [FLAT, "THE MILLER."]


def test_a_scene_break_is_a_block_of_its_own():
    assert blocks(between(f"{PROSE}\n  *  *  *\n{PROSE}\n\n―――")) == [FLAT, "* * *", FLAT]


def test_a_fence_at_a_line_start_is_replaced():
    assert blocks(between(f"```{PROSE}"))[0].startswith("'''The heron")


def test_blocks_tile_the_text_and_know_their_raw_lines():
    text = f"{START}\n\nTHE HERON\n\n\n{PROSE}\n\n{END}"
    book = clean(text)
    assert "\n\n".join(blocks(book)) == book.text
    assert [(block.line, block.last_line, block.blank_before) for block in book.blocks] == [(3, 3, 0), (6, 8, 2)]
    assert (book.first_line, book.last_line) == (3, 8)
    assert [tuple(removed) for removed in book.removed] == [("header", 1, 1), ("footer", 10, 10)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (f"{START}\n\n{END}".encode(), "empty"),
        (b"PK\x03\x04\x00\x00" * 99, "not-text"),
        (bytes(range(1, 32)) * 40, "not-text"),
        (f"{START}\n\n{PROSE}\n\n{PROSE}\n\nTranscriber's Note:\n\n{NOTE}\n\n{END}".encode(), "over-stripped"),
    ],
)
def test_what_is_no_book_is_refused_with_one_clear_line(data, reason):
    with pytest.raises(BookError) as error:
        clean(data)
    assert error.value.reason == reason
    assert str(error.value).startswith("book 7: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "encoding", "codec"),
    [
        ("Character set encoding: ISO-8859-1\n\né", "latin-1", "iso-8859-1"),
        ("Character set encoding: ISO-8859-1\n\n“é”", "cp1252", "cp1252"),
        ("Character set encoding: ISO-646-US (US-ASCII)\n\ne", "ascii", "ascii"),
        ("Character set encoding: ASCII\n\né", "utf-8", "utf-8"),
        ("Character set encoding: nonsense\n\né", "utf-8", "utf-8"),
        ("\ufeffé", "utf-8", "utf-8-sig"),
        ("é", "utf-16", "utf-16-le"),
    ],
)
def test_bytes_are_read_with_the_right_codec(text, encoding, codec):
    read, name, *_ = decode_text(text.encode(encoding))
    assert read == text.lstrip("\ufeff")
    assert name == codec


def test_undeclared_latin_bytes_are_read_all_the_same():
    text = "Où est le héron? Il était là, près de l'étang, à côté du moulin, où il dormait. " * 20
    read, codec, *_ = decode_text(text.encode("latin-1"))
    assert read == text
    assert codec == "iso-8859-1"


def test_undeclared_cyrillic_bytes_are_guessed():
    text = "Цапля стояла в мелкой воде за мельницей и долго не двигалась с места. " * 20
    assert decode_text(text.encode("koi8-r"))[0] == text


def test_bytes_of_no_known_encoding_fall_back_to_latin_1():
    text, codec, *_ = decode_text(b"\x81\xfe\xff" * 5)
    assert len(text) > 0
    assert codec
