"""EPUB -> the text of its documents, laid out like one of Gutenberg's plain texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.books import CatalogueEntry
from schemas.corpus_settings import FetchSettings
from schemas.errors import BookError
from tasks.fetch import read_file
from tasks.fetching.layout import WIDTH, wrap
from tasks.fetching.soundness import RefusedError
from tasks.fetching.unpacking import unpack_text
from tests.epubs import CONTAINER, make_epub, make_zip, page

LONG = "The ferry went over the water in the grey light and came back with nobody aboard but the boy, who said nothing."
FONTS = '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptedData><e:EncryptionMethod Algorithm="{}"/></e:EncryptedData></encryption>'
AES = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"


def text_of(*pages, **kwargs):
    return unpack_text("book.epub", make_epub(*pages, **kwargs), 1_000_000).data.decode()


def body(text):
    return text_of(page(text))


def refusal(data, max_bytes=1_000_000):
    with pytest.raises(BookError) as caught:
        read_file(CatalogueEntry(book_id="b1"), "book.epub", data, FetchSettings(max_bytes=max_bytes))
    assert caught.value.book_id == "b1"
    assert "book.epub" in caught.value.detail
    return caught.value.reason


def test_headings_stand_apart_as_in_a_plain_text():
    text = body(f"<h2>CHAPTER I<br/>The <i>Grey</i> Ferry</h2><p>{LONG}</p><p>Two.</p><h2>CHAPTER II</h2><p>Three.</p>")
    lines = text.split("\n")
    assert text.startswith("CHAPTER I\nThe Grey Ferry\n\n\nThe ferry went over")
    assert "\n\nTwo.\n\n\n\n\nCHAPTER II\n\n\nThree.\n" in text
    assert max(map(len, lines)) <= WIDTH


def test_documents_are_read_in_the_order_of_the_spine():
    spine = '<itemref idref="p1"/><itemref idref="p0"/><itemref idref="p2" linear="no"/>'
    assert text_of(page("<p>One.</p>"), page("<p>Two.</p>"), page("<p>Note.</p>"), spine=spine) == "Two.\n\nOne.\n"


def test_a_document_split_within_a_chapter_leaves_no_gap():
    assert text_of(page("<p>One.</p>"), page("<p>Two.</p>")) == "One.\n\nTwo.\n"


def test_emphasis_is_marked_and_headings_and_initials_are_not():
    text = body(
        "<h1>A <em>B</em></h1><p><b>T</b>he <em>grey </em>boat, <span class='italic'>so</span> <i>A<i>b</i></i>.</p>"
    )
    assert text == "A B\n\n\nThe _grey_ boat, _so_ A_b_.\n"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<p>One.</p><hr/><p>Two.</p>", "One.\n\n       *       *       *       *       *\n\nTwo.\n"),
        ("<hr/><p>One.</p><hr class='chap'/><h2>II</h2><p>Two.</p><hr/>", "One.\n\n\n\n\nII\n\n\nTwo.\n"),
        ("<p>One.</p><p>&nbsp;</p><p>Two.</p><p>Three.</p><p>Four.</p>", "One.\n\n\nTwo.\n\nThree.\n\nFour.\n"),
        ("<p>One.</p><p> </p><p>Two.</p><p> </p><p>Three.</p>", "One.\n\nTwo.\n\nThree.\n"),
    ],
    ids=["rule", "rules about headings", "one empty paragraph", "empty paragraphs everywhere"],
)
def test_scene_breaks_are_told_from_ornaments_and_spacing(inner, expected):
    assert body(inner) == expected


def test_verse_and_line_breaks_stay_lines():
    poem = "<div class='poem'><div class='stanza'><div class='verse'>A</div><div class='verse'>B</div></div><p class='stanza'>C<br/>D</p></div>"
    assert body(f"{poem}<p>One<br/>two</p>") == "    A\n    B\n\n    C\n    D\n\n    One\n    two\n"


def test_paragraphs_made_of_line_breaks_are_paragraphs():
    assert body(f"<p>{LONG}<br/><br/>Two.</p>").endswith("\n\nTwo.\n")
    assert body(f"<div>{LONG}<br/>{LONG}</div>").count("\n\nThe ferry") == 1


def test_tables_and_lists_keep_their_rows():
    table = "<table><tr><td><p>1</p></td><td>One</td></tr><tr><td>2</td><td>Two</td></tr></table>"
    assert (
        body(f"{table}<ul><li>apples</li><li><p>pears</p></li></ul>")
        == "    1    One\n    2    Two\n\n    apples\n    pears\n"
    )
    assert body("<table><tr><td><p>One.</p><p>Two.</p></td></tr></table>") == "One.\n\nTwo.\n"


def test_pictures_are_named_and_drawn_letters_read():
    assert (
        body('<p>One.</p><p><img src="a" alt="A map"/></p><p><img src="b"/>Two.</p>')
        == "One.\n\n[Illustration: A map]\n\nTwo.\n"
    )
    assert body('<h2><img src="a" alt="CHAPTER I"/></h2><p><img alt="T"/>he boy.</p>') == "CHAPTER I\n\n\nThe boy.\n"
    assert body('<figure><img alt="x"/><figcaption>The ferry</figcaption></figure>') == "[Illustration: The ferry]\n"


def test_what_is_not_the_book_stays_out():
    inner = '<p><span class="pagenum">[Pg 3]</span>One.<a id="x"/><script>bad()</script></p><nav><ol><li>One</li></ol></nav><p style="display: none">no</p>'
    assert body(inner) == "One.\n"


def test_note_marks_are_told_from_the_word_before_them():
    assert body('<p>word<a epub:type="noteref"><sup>12</sup></a> and 5<sup>th</sup></p>') == "word[12] and 5th\n"


def test_the_table_of_contents_is_not_in_the_text_twice():
    nav = '<nav epub:type="toc"><ol><li><a href="p1.xhtml">The Ferry</a></li></ol></nav>'
    links = "".join(f'<p><a href="p1.xhtml#c{number}">Chapter {number}</a></p>' for number in range(9))
    items = '<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    text = text_of(
        page(links),
        page("<p>The Ferry</p><p>One.</p>"),
        items=items,
        extra={"OEBPS/nav.xhtml": page(nav)},
        spine='<itemref idref="n"/><itemref idref="p0"/><itemref idref="p1"/>',
        guide='<reference type="toc" href="p0.xhtml#top"/>',
    )
    assert text == "The Ferry\n\n\nOne.\n"


def test_a_short_paragraph_that_the_contents_name_is_a_heading():
    ncx = (
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>Chapter 1: The Boy</text></navLabel>'
        '<content src="p1.xhtml#a"/></navPoint></navMap></ncx>'
    )
    items = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    pages = page("<p>One.</p>"), page("<p>Chapter 1</p><p>The Boy</p><p>Two.</p><p>Chapter 1</p>")
    text = text_of(*pages, items=items, extra={"OEBPS/toc.ncx": ncx})
    assert text == "One.\n\n\n\n\nChapter 1\n\n\nThe Boy\n\n\nTwo.\n\nChapter 1\n"


@pytest.mark.parametrize("inner", ["<p>One<br>two &copy; <b>three</p><p>Four", "<p>One &unknown; two</p>"])
def test_a_page_that_is_no_xml_is_read_as_html(inner):
    assert body(inner).startswith("    One\n" if "br" in inner else "One ")


def test_names_of_characters_are_understood_and_entities_of_ones_own_are_not():
    bomb = '<!DOCTYPE html [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;">]>'
    text = text_of(page("<p>a&mdash;b&b;c&hellip;</p>").replace("<html", f"{bomb}<html", 1))
    assert "a—b" in text
    assert "boom" not in text


def test_an_epub_says_who_wrote_it():
    raw = read_file(CatalogueEntry(book_id="b1", title="Mine"), "b.epub", make_epub(page("<p>x</p>")), FetchSettings())
    assert raw.entry.title == "Mine"
    assert raw.entry.authors == ("Reed, Ada", "Jon Pike [Translator]")
    assert (raw.entry.languages, raw.entry.rights) == (("en",), "CC0")
    assert raw.data == b"x\n"
    assert raw.file_sha256 != raw.source_sha256


def test_the_same_epub_gives_the_same_bytes():
    data = make_epub(page(f"<h1>A</h1><p>{LONG}</p>"), page("<p>Two.</p>"))
    assert unpack_text("b.epub", data, 10**6) == unpack_text("b.epub", data, 10**6)


def test_a_locked_epub_is_refused_and_scrambled_fonts_are_not():
    locked = {"META-INF/encryption.xml": FONTS.format(AES)}
    assert refusal(make_epub(page("<p>x</p>"), extra=locked)) == "drm"
    assert refusal(make_epub(page("<p>x</p>"), extra={"META-INF/encryption.xml": "<encryption/>"})) == "drm"
    fonts = {"META-INF/encryption.xml": FONTS.format("http://www.idpf.org/2008/embedding")}
    assert text_of(page("<p>x</p>"), extra=fonts) == "x\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (make_epub(page("<p>x</p>"))[:-400], "damaged-archive"),
        (b"no zip at all", "damaged-archive"),
        (make_zip({"META-INF/container.xml": CONTAINER}), "damaged-epub"),
        (make_zip({"META-INF/container.xml": "<container"}), "damaged-epub"),
        (make_zip({"META-INF/container.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}), "damaged-epub"),
        (make_epub(), "damaged-epub"),
        (make_epub(page("<p>x</p>"), spine='<itemref idref="gone"/>'), "damaged-epub"),
        (make_epub(page("")), "empty-file"),
        (make_epub(items='<item id="e" href="../../../etc/passwd" media-type="text/html"/>'), "unsafe-archive"),
        (make_epub(page("<p>x</p>"), extra={"../evil.txt": "x"}), "unsafe-archive"),
    ],
    ids=["cut off", "no zip", "no package", "broken xml", "entities", "no pages", "unknown", "empty", "climbs", "slip"],
)
def test_a_broken_epub_is_refused_with_its_reason(data, reason):
    assert refusal(data) == reason


def test_an_epub_that_unpacks_to_more_than_allowed_is_refused():
    bomb = make_epub(page("<p>" + "x" * 3_000_000 + "</p>"))
    assert len(bomb) < 100_000
    assert refusal(bomb, max_bytes=1_000_000) == "too-large"
    many = make_epub(*[page("<p>" + "x" * 300_000 + "</p>")] * 5)
    assert refusal(many, max_bytes=1_000_000) == "too-large"


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"))), st.integers(0, 8))
def test_wrapping_loses_no_word(text, indent):
    lines = list(wrap(text.strip(), indent, hang=2))
    assert " ".join(lines).split() == text.split()
    assert all(len(line) <= WIDTH or " " not in line.strip() for line in lines)


@given(st.text("<>/&;abp! '\"=\n", max_size=200))
def test_no_page_breaks_the_reader(inner):
    refused, text = None, ""
    try:
        text = text_of(page(f"<p>x</p>{inner}"))
    except RefusedError as error:
        refused = error.reason
    assert refused == "damaged-epub" or (refused is None and "x" in text)
