"""RawBook -> CleanBook, rule by rule: footnotes, advertisements, notes of producers, codecs, files that are no books."""

from __future__ import annotations

import pytest

from schemas.errors import BookError
from tasks.cleaning.decoding import decode_text
from tests.unit.test_clean import END, FLAT, NOTE, PROSE, START, between, blocks, clean, raw_book, rules

NOTED = PROSE.replace("boy took", "boy[1] took")
NOTED_FLAT = " ".join(NOTED.split())


def marked(body):
    return f"{START}\n\n{body}\n\n{END}\n"


@pytest.mark.parametrize(
    ("anchor", "note"),
    [
        ("[1]", "[1] His name was Tom."),
        ("[A]", "[A] His name was Tom."),
        ("[*]", "[*] His name was Tom."),
        ("{514}", "{514} His name was Tom."),
        ("*", "* His name was Tom."),
        ("†", "† His name was Tom."),
        ("[1]", "[Footnote 1: His name was Tom.]"),
        ("", "[Footnote: His name was Tom.]"),
    ],
)
def test_a_footnote_moves_to_the_end_and_the_label_that_calls_it_goes(anchor, note):
    body = f"{PROSE.replace('boy', f'boy{anchor}')}\n\n{note}\n\n{PROSE}"
    book = clean(marked(body))
    assert blocks(book) == [FLAT, FLAT, "FOOTNOTES", note]
    assert ("footnote", 7, 7) in [tuple(one) for one in book.removed]
    assert (book.first_line, book.last_line) == (3, 11)
    assert blocks(clean(marked(body), footnotes="drop")) == [FLAT, FLAT]
    assert blocks(clean(marked(body), footnotes="keep"))[1] == note


def test_footnotes_of_a_chapter_go_with_their_heading_and_over_several_lines():
    notes = "FOOTNOTES:\n\n[1] His name was Tom,\nand he was ten.\n[2] A heron.\n\n[Footnote 3: It was\n\nnot so.]"
    body = f"{NOTED} It[2] was.\n\n{notes}\n\nCHAPTER II.\n\n{PROSE}\n\n{PROSE}"
    book = between(body)
    assert blocks(book)[1:5] == ["CHAPTER II.", FLAT, FLAT, "FOOTNOTES"]
    assert book.text.endswith("not so.]")
    assert "[1]" not in blocks(book)[0]
    assert "[2]" not in blocks(book)[0]


def test_a_list_of_notes_at_the_end_of_the_book_stays():
    book = between(f"{NOTED}\n\n{PROSE}\n\nNOTES\n\n[1] His name was Tom.")
    assert blocks(book) == [FLAT, FLAT, "NOTES", "[1] His name was Tom."]
    assert "footnote" not in rules(book)


@pytest.mark.parametrize(
    "body",
    [
        f"{PROSE}\n\n[1] is what the sign said.\n\n{PROSE}",  # nothing calls it
        f"{PROSE} It was *very* still.\n\n*Well,* said the boy, *well.*\n\n{PROSE}",  # emphasis
        f"{PROSE}\n\n* * *\n\n{PROSE}",
        f"{NOTED}\n\n{PROSE}",  # calls nothing
    ],
)
def test_what_only_looks_like_a_footnote_stays(body):
    assert between(body).text.count("heron") == body.count("heron")
    assert "FOOTNOTES" not in between(body).text
    assert not {"footnote", "footnote-anchor"}.intersection(rules(between(body)))


OFFERS = """          BOOKS FOR BOYS

The Mill. 12mo. $1.50.

The Ferry. Cloth, gilt. $1.00.

    A story of the river that no boy will lay down.

The Weir. Illustrated. 8vo. 6s. net.

A. HERON & CO., _Publishers_, REEDHAM"""


def test_advertisements_at_the_end_go_and_still_belong_to_the_book():
    book = between("\n\n".join([PROSE] * 12) + f"\n\nTHE END\n\n\n\n{OFFERS}")
    assert blocks(book)[-1] == "THE END"
    assert book.removed[-2][:1] == ("advertisement",)
    assert book.last_line == book.removed[-2].last_line


def test_a_book_that_speaks_of_prices_throughout_keeps_its_last_pages():
    body = "\n\n".join(["THE HERON\n\nPrice 6 cents.", PROSE] * 40)
    assert "advertisement" not in rules(between(f"{body}\n\n\n\n{OFFERS}"))


def test_a_boxed_note_goes_and_the_title_below_it_stays():
    box = "+-------+\n| Transcriber's Note |\n| Spelling was kept. |\n+-------+"
    book = between(f"*       *       *\n\n{box}\n\nTHE HERON\n\n{PROSE}")
    assert blocks(book) == ["THE HERON", FLAT]
    assert book.first_line == 12


def test_a_note_in_one_paragraph_ends_with_it():
    book = between(
        f"THE HERON\n\nTranscriber's Note: obvious errors were corrected.\n\nCONTENTS\n\nThe Mill\n\n{PROSE}"
    )
    assert blocks(book) == ["THE HERON", "CONTENTS", "The Mill", FLAT]


def test_a_list_of_errors_by_the_transcriber_goes():
    body = "\n\n".join([PROSE] * 6)
    book = between(f"{body}\n\n* * *\n\nTypographical errors corrected by the etext transcriber:\n\nteh=> the")
    assert blocks(book)[-1] == FLAT


def test_a_remark_in_brackets_goes_and_the_paragraph_around_it_stays():
    book = between(f"{PROSE} [Greek text deleted from etext.] So.\n\n{PROSE}\n\nAnd this etext is free.\n\n{PROSE}")
    assert blocks(book) == [f"{FLAT} So.", FLAT, FLAT]
    assert {"banner", "credits"}.intersection(rules(book))


def test_the_authors_own_words_stay():
    words = "The sound was produced by a reed, prepared by the boy, and the proofreader of Gutenberg's press heard it."
    assert blocks(between(f"{PROSE}\n\n{words}\n\n{PROSE}"))[1] == words


@pytest.mark.parametrize("mark", ["[Pg 12]", "[Pg xii]", "[Page 12]", "[p. 12]", "{12}", "{p. 12}", "[12]", "Page 12"])
def test_page_marks_of_every_style_go(mark):
    book = between(f"{PROSE}\n\n{mark}\n\n{PROSE}")
    assert blocks(book) == [FLAT, FLAT]
    assert "page-mark" in rules(book)


def test_a_year_in_brackets_is_no_page():
    assert blocks(between(f"THE HERON\n\n(1906)\n\n{PROSE}"))[1] == "(1906)"


def test_entities_are_read():
    assert blocks(between("The heron &amp; the boy&mdash;caf&eacute;&#8212;&c. of AT&T;"))[0] == (
        "The heron & the boy\u2014caf\u00e9\u2014&c. of AT&T;"
    )


@pytest.mark.parametrize(
    ("text", "encoding", "codec"),
    [
        ("Character set encoding: ISO-8859-1\n\nCaf\u00e9 \u201cnow\u201d", "utf-8", "utf-8"),
        ("Character set encoding: UTF-8\n\nCaf\u00e9s \u00e0 Rome", "latin-1", "iso-8859-1"),
        ("Character set encoding: ISO-8859-1\n\nLe h\u00e9ron \u00e9tait l\u00e0, tr\u00e8s \u00e9l\u00e9gant", "mac_roman", None),
        ("Character set encoding: ISO-8859-1\n\nLe h\u00e9ron \u00e9tait l\u00e0, tr\u00e8s \u00e9l\u00e9gant", "cp437", None),
        ("Character set encoding: UTF-16\n\nplain", "ascii", "ascii"),
        ("Character set encoding: unicode_escape\n\ncaf\u00e9s", "latin-1", None),
        ("h\u00e9ron", "utf-32", "utf-32-le"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_does_not_spoil_a_letter(text, encoding, codec):
    found = decode_text(text.encode(encoding))
    assert found.text == text
    assert codec is None or found.codec == codec


def test_text_that_was_misread_before_is_read_again_and_the_places_are_recorded():
    body = "The caf\u00e9 was \u201cfull\u201d \u2014 na\u00efve. " * 3
    book = clean(body.encode().decode("cp1252", "replace").replace("\ufffd", "\x9d").encode())
    assert book.text == body.strip()
    assert {"mojibake"} == {edit.rule for edit in book.iter_edits()} - {"blank-lines", "margin"}


def test_capitals_before_a_quotation_mark_are_no_misread_text():
    text = "\u00ab LA LIBERT\u00c9 \u00bb, dit-il. \u201cLA LIBERT\u00c9\u201d, N\u00c3\u201d " * 3
    assert clean(text.encode()).text == text.strip()


def test_a_character_that_was_cut_or_spoilt_is_marked_and_recorded():
    good = "Caf\u00e9. " * 400
    for data in (good.encode() + b"\xe2\x80", good.encode()[:700] + b"\xff" + good.encode()[700:]):
        book = clean(data)
        assert "\ufffd" in book.text
        assert "unreadable" in [edit.rule for edit in book.iter_edits()]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\n\n   \n", "empty"),
        (b"The heron\0stood. " * 50, "not-text"),
        (bytes(range(256)) * 40, "not-text"),
        (b"heron " * 400_000, "line-too-long"),
        (f"{PROSE} It s\xf7tood.\n".encode("latin-1") * 50, "unreadable"),
        (f"{PROSE} Caf\ufffd.\n".encode() * 50, "unreadable"),
        (marked("\n".join([PROSE] * 9)).encode() + b"\nA line of another book." * 1500, "over-stripped"),
        (b"A line of another book.\n" * 1500 + marked(PROSE).encode(), "over-stripped"),
        (marked(f"{PROSE}\n\n{PROSE}\n\nTranscriber's Note:\n\n{NOTE}").encode(), "over-stripped"),
    ],
)
def test_a_file_that_is_no_book_is_refused_with_id_and_reason(data, reason):
    with pytest.raises(BookError) as error:
        clean(data)
    assert error.value.reason == reason
    assert str(error.value).startswith("book 7: ")
    assert "\n" not in str(error.value)


def test_what_a_bracket_explains_may_be_more_than_the_text():
    book = between("\n\n".join(["[Illustration: A heron\nin the reeds\nby the mill]"] * 40) + f"\n\n{PROSE}")
    assert blocks(book) == [FLAT]


def test_a_file_with_bare_carriage_returns_has_lines():
    data = marked(f"THE HERON\n\n{PROSE}").replace("\n", "\r").encode()
    book = clean(data)
    assert blocks(book) == ["THE HERON", FLAT]
    assert raw_book(data).data[slice(*book.raw_span(0, 9))] == b"THE HERON"
