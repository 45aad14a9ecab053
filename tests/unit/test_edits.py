"""The way back: any offset of a clean text to its raw bytes, every edit with its rule, whatever the file holds."""

from __future__ import annotations

import hashlib
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.books import CatalogueEntry, CleanBook, RawBook
from schemas.corpus_settings import CleanSettings
from schemas.edits import MOVED, Edit, EditLog
from schemas.errors import BookError
from tasks.clean import clean_book
from tasks.cleaning.traced import COPY, Segment, Traced

START, END = "*** START OF THE SAMPLE EBOOK ***", "*** END OF THE SAMPLE EBOOK ***"
PIECES = [
    "The heron stood in the shallow water beyond the mill and did not move",
    "for so long that the miller's boy took it for a post.  When at last it",
    "bent its neck he cried out, and the whole bank of reeds shook.",
    "    Low in the reeds the heron stands,", "\tA tab\tand another", "CHAPTER I.", "  * * *", "mill-", "stream ran dry",
    "Where\u00a0it was[1] there*", "[1] A note.", "* Another note", "[Illustration: A heron]", "[Pg 12]", "a<br>b &mdash; c",
    "he\u0301ron na\u0131\u0308ve", "\ufeffmark", "so\u00adft", "stray\r sign", "_Yes_, he =said=", "|The end", "{514} odd",
    "Transcriber's Note: a comma was added.", "Produced by A. B.", "\u201cQuoted\u201d \u2014 so", "\x1a", "caf\u00e9",
    "Project Gutenberg", "[Footnote 2: It was", "not so.]", START, END, "", "", "",
]  # fmt: skip
CODECS = ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "ascii"]


def clean(data, **options):
    digest = hashlib.sha256(data).hexdigest()
    raw = RawBook(entry=CatalogueEntry(book_id="7"), file="7.txt", source_sha256=digest, data=data)
    return clean_book(raw, CleanSettings(**options))


def check_way_back(book, data):
    """Between edits text and file are equal, edits and copies cover the file, and every offset finds its bytes."""
    codec = book.encoding.removesuffix("-sig")
    at, raw_at, covered = 0, 0, []
    tail = Edit("end", len(book.text), len(book.text), len(data), len(data))
    for edit in (*book.iter_edits(), tail):
        copy = book.text[at : edit.start].encode(codec)
        assert data[raw_at : raw_at + len(copy)].decode(codec) == book.text[at : edit.start]
        assert edit.rule == MOVED or edit.raw_start == raw_at + len(copy)
        for offset in range(at, edit.start):
            start, end = book.raw_span(offset, offset + 1)
            assert data[start:end].decode(codec) == book.text[offset]
            assert book.raw_offset(offset) == start
        covered += [(raw_at, raw_at + len(copy)), (edit.raw_start, edit.raw_end)]
        at, raw_at = edit.end, edit.raw_end
    reached = 0
    for start, end in sorted(covered):
        assert start <= reached
        reached = max(reached, end)
    assert reached == len(data)


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(st.sampled_from(PIECES), max_size=30),
    line_end=st.sampled_from(["\n", "\r\n", "\r\r\n", "\r"]),
    codec=st.sampled_from(CODECS),
    noise=st.binary(max_size=3),
    footnotes=st.sampled_from(["move", "drop", "keep"]),
    emphasis=st.sampled_from(["keep", "strip"]),
)
def test_every_offset_leads_back_to_its_bytes(lines, line_end, codec, noise, footnotes, emphasis):
    data = line_end.join(lines).encode(codec, "replace")
    data = data[: len(data) // 2] + noise + data[len(data) // 2 :]
    try:
        book = clean(data, footnotes=footnotes, emphasis=emphasis, max_unreadable_share=1.0)
    except BookError:
        return
    check_way_back(book, data)
    assert unicodedata.is_normalized("NFC", book.text)
    assert all(line == line.rstrip() for line in book.text.split("\n"))
    assert not re.search("[^\\S \n]|[\x00-\x09\x7f\u200b\ufeff\ud800-\udfff]", book.text)
    assert "\n\n".join(book.text[block.start : block.end] for block in book.blocks) == book.text


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400))
def test_bytes_of_any_kind_are_read_or_refused(data):
    refused = None
    try:
        book = clean(data)
        check_way_back(book, data)
    except BookError as error:
        refused = error.reason
    assert refused in {None, "empty", "not-text", "unreadable", "line-too-long", "over-stripped"}
    assert refused or book.text


def rules_of(text, codec="utf-8", **options):
    return [edit.rule for edit in clean(text.encode(codec), **options).iter_edits()]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The heron stood in the shallow water that ran\nbeyond the mill.", "unwrap"),
        ("Low in the reeds,\r\nGrey as the stone,\r\nHerons alone,\r\nStand in the sun.", "line-end"),
        ("The heron\tstood.", "tab"),
        ("The heron  stood.", "space"),
        ("The heron\u00a0stood.", "space"),
        ("The he\u0301ron stood.", "nfc"),
        ("The her\u00adon stood.", "invisible"),
        ("The heron stood.\x1a more", "control"),
        ("The <i>heron</i> stood.", "tag"),
        ("The heron &amp; the boy.", "entity"),
        ("The heron [Pg 3] stood.", "page-mark"),
        ("The heron.\n\n[Pg 3]\n\nThe boy.", "page-mark"),
        ("|The heron stood.", "initial-pipe"),
        ("The heron[1] stood.\n\n[1] In the water.\n\nThe boy ran.", "footnote-anchor"),
        ("The heron[1] stood.\n\n[1] In the water.\n\nThe boy ran.", MOVED),
        ("Produced by A. B.\n\nThe heron stood.", "credits"),
    ],
)
def test_an_edit_knows_its_rule(text, rule):
    assert rule in rules_of(text)


def test_marks_of_emphasis_are_edits_where_the_setting_takes_them():
    text = "The _heron_ =stood= un_believ_ably +still+, 2_3 + 4 = 7."
    assert clean(text.encode(), emphasis="strip").text == "The heron stood unbelievably still, 2_3 + 4 = 7."
    assert rules_of(text, emphasis="strip").count("emphasis") == 8
    assert clean(text.encode()).text == text


def test_a_span_covers_what_was_rewritten_within_it():
    data = "Low in the reeds the <i>heron</i>  stood\r\nstill beyond the mill, and slept.".encode("utf-16")
    book = clean(data)
    start, end = book.raw_span(*(book.text.index("heron stood still") + edge for edge in (0, 17)))
    assert data[start:end].decode(book.encoding) == "heron</i>  stood\r\nstill"
    assert book.raw_span(3, 3) == (book.raw_offset(3), book.raw_offset(3))
    with pytest.raises(IndexError, match="outside of 0 to"):
        book.raw_offset(len(book.text) + 1)


def test_the_log_survives_the_store_and_is_small():
    line = "The heron stood in the shallow water beyond the mill and did not move"
    data = "\r\n".join([line] * 4000).encode()
    book = clean(data)
    again = CleanBook.model_validate_json(book.to_json())
    assert again == book
    assert list(again.iter_edits()) == list(book.iter_edits())
    assert len(book.edits.packed) < len(data) / 8


def test_columns_are_as_wide_as_they_need():
    columns = ([0, 1], [0, 127], [-128, 128], [32_768, 0], [0, 0])
    log = EditLog.pack(("one", "two"), columns)
    assert log.codes == "bbhib"
    assert [list(column) for column in log.columns()] == [list(column) for column in columns]


@given(
    raw=st.text("abc", max_size=12),
    rounds=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["", "X", "YZ"]))), max_size=4
    ),
)
def test_a_traced_text_is_tiled_by_what_was_copied_and_what_was_rewritten(raw, rounds):
    trace = Traced(raw)
    for rewrites in rounds:
        spans, expected, at = [], "", 0
        for skip, length, text in rewrites:
            start, end = at + skip, at + skip + length
            if end > len(trace.text):
                break
            spans.append(Segment(start, end, text, "rule"))
            expected, at = expected + trace.text[at:start] + text, end
        expected += trace.text[at:]
        trace.replace(spans)
        assert trace.text == expected
        assert [segment.start for segment in trace.segments[1:]] == [segment.end for segment in trace.segments[:-1]]
        assert sum(segment.end - segment.start for segment in trace.segments) == len(raw)
        assert all(raw[one.start : one.end] == one.text for one in trace.segments if one.rule == COPY)
