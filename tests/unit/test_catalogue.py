"""pg_catalog.csv, RDF, or the text's own header -> CatalogueEntry."""

import bz2
import gzip
import io
import tarfile
from pathlib import Path

import pytest

from schemas.errors import BookError, ConfigError
from tasks.catalogue import Catalogue, iter_feed, read_catalogue, read_header, read_rdf
from tasks.cataloguing import table

HEADER = "Text#,Type,Issued,Title,Language,Authors,Subjects,LoCC,Bookshelves\n"
ROWS = (
    '7,Text,1999-01-01,"The Salt Road\nA Tale",de; en,"Brand, Ilse, 1842-1914?; Moor, T. [Translator]",'
    '"Roads -- Fiction; Salt",PZ; PR,Browsing: Fiction\n'
    "8,Sound,2001-02-03,No title,en,,,,\n"
)
SHARED = Path(__file__).resolve().parents[2].parent / "shared"

RDF = b"""<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns:dcam="http://purl.org/dc/dcam/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:dcterms="http://purl.org/dc/terms/" xmlns:pgterms="http://www.gutenberg.org/2009/pgterms/"
  xmlns:marcrel="http://id.loc.gov/vocabulary/relators/">
  <pgterms:ebook rdf:about="ebooks/7">
    <dcterms:title>The Salt Road&#13;
A Tale</dcterms:title>
    <dcterms:issued>1999-01-01</dcterms:issued>
    <dcterms:rights>Public domain in the USA.</dcterms:rights>
    <dcterms:language><rdf:Description><rdf:value>en</rdf:value></rdf:Description></dcterms:language>
    <dcterms:type><rdf:Description><rdf:value>Text</rdf:value></rdf:Description></dcterms:type>
    <dcterms:subject><rdf:Description>
      <dcam:memberOf rdf:resource="http://purl.org/dc/terms/LCSH"/><rdf:value>Salt -- Fiction</rdf:value>
    </rdf:Description></dcterms:subject>
    <dcterms:subject><rdf:Description>
      <dcam:memberOf rdf:resource="http://purl.org/dc/terms/LCC"/><rdf:value>PZ</rdf:value>
    </rdf:Description></dcterms:subject>
    <pgterms:bookshelf><rdf:Description><rdf:value>Travel</rdf:value></rdf:Description></pgterms:bookshelf>
    <dcterms:creator><pgterms:agent>
      <pgterms:name>Brand, Ilse</pgterms:name>
      <pgterms:birthdate>1842</pgterms:birthdate><pgterms:deathdate>1914</pgterms:deathdate>
    </pgterms:agent></dcterms:creator>
    <marcrel:trl><pgterms:agent><pgterms:name>Moor, T.</pgterms:name></pgterms:agent></marcrel:trl>
  </pgterms:ebook>
</rdf:RDF>"""


def test_a_row_becomes_a_typed_entry():
    entry = read_catalogue((HEADER + ROWS).encode(), "catalogue.csv")["7"]
    assert entry.title == "The Salt Road: A Tale"
    assert entry.languages == ("de", "en")
    assert entry.authors == ("Brand, Ilse, 1842-1914?", "Moor, T. [Translator]")
    assert entry.subjects == ("Roads -- Fiction", "Salt")
    assert entry.locc == ("PZ", "PR")


def test_an_unknown_author_stays_empty():
    assert read_catalogue((HEADER + ROWS).encode(), "c.csv")["8"].authors == ()


def test_a_gzip_file_reads_the_same():
    data = (HEADER + ROWS).encode()
    assert read_catalogue(gzip.compress(data), "c.csv.gz") == read_catalogue(data, "c.csv")


def test_a_reserved_number_has_no_title():
    assert read_catalogue((HEADER + ROWS).encode(), "c.csv")["8"].title is None


def test_entries_are_made_when_they_are_asked_for(monkeypatch):
    made = []
    make = table._entry_of_row
    monkeypatch.setattr(table, "_entry_of_row", lambda row: made.append(row[0]) or make(row))
    catalogue = read_catalogue((HEADER + ROWS).encode(), "c.csv")
    assert ("8" in catalogue, "9" in catalogue, list(catalogue), len(catalogue)) == (True, False, ["7", "8"], 2)
    assert catalogue.get("9") is None
    assert made == []
    assert catalogue["8"].type == "Sound"
    assert made == ["8"]


def test_line_ends_of_windows_a_bom_and_quotes_are_read():
    rows = '7,Text,1999-01-01,"The ""Salt"" Road\r\nA Tale",en,,,,\r\n8,Text,,Plain,en,,,,\r\n\r\n'
    catalogue = read_catalogue(b"\xef\xbb\xbf" + (HEADER.replace("\n", "\r\n") + rows).encode(), "c.csv")
    assert [entry.title for entry in catalogue.values()] == ['The "Salt" Road: A Tale', "Plain"]


def test_a_number_that_comes_twice_is_one_book():
    catalogue = read_catalogue((HEADER + ROWS + "7,Text,,Again,en,,,,\n").encode(), "c.csv")
    assert (len(catalogue), catalogue["7"].title) == (2, "Again")


def test_a_catalogue_can_be_made_of_entries():
    entries = read_catalogue((HEADER + ROWS).encode(), "c.csv").values()
    assert list(Catalogue.of(entries).values()) == list(entries)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (HEADER + "7,Text,,A\n" + ROWS, "line 2, after 0 entries"),
        (HEADER + ROWS + "9,Text,,A,en,,,,,\n" + ROWS, "line 5, after 2 entries"),
        (HEADER + ROWS + "9,Text,,\0,en,,,,\n", "NUL at byte"),
        (HEADER + ROWS + "nine,Text,,A,en,,,,\n", "'nine', which is no number"),
        (HEADER + ROWS + '9,Text,,"a"b,en,,,,\n', "damaged"),
        (HEADER + ROWS + "\n9,Text,,A,en,,,,\n", "line 5, after 2 entries"),
        (HEADER.rstrip(), "holds no entry"),
        ("<html><body>busy</body></html>\n", "its columns are '<html>"),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_said(data, said):
    with pytest.raises(ConfigError, match=r"^c\.csv: ") as caught:
        read_catalogue(data.encode(), "c.csv")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(table, "MAX_BYTES", 1_000_000)
    with pytest.raises(ConfigError, match="more than 1000000 bytes"):
        read_catalogue(gzip.compress(b"\0" * 50_000_000), "c.csv.gz")


@pytest.mark.parametrize(
    "data",
    [
        (HEADER + ROWS + '9,Text,2000-01-01,"A Title that is cut').encode(),
        (HEADER + "9,Text,2000").encode(),
        gzip.compress((HEADER + ROWS).encode())[:-12],
        HEADER.encode(),
        b"",
        b"id,name\n1,x\n",
        HEADER.encode() + b"\xff\xfe",
    ],
)
def test_a_damaged_catalogue_is_one_clear_line(data):
    with pytest.raises(ConfigError, match=r"^c\.csv: .*catalogue") as caught:
        read_catalogue(data, "c.csv")
    assert "\n" not in str(caught.value)


def test_rdf_becomes_the_same_kind_of_entry():
    entry = read_rdf(RDF, "7")
    assert entry.title == "The Salt Road: A Tale"
    assert entry.authors == ("Brand, Ilse, 1842-1914", "Moor, T. [Translator]")
    assert (entry.languages, entry.type, entry.issued) == (("en",), "Text", "1999-01-01")
    assert (entry.subjects, entry.locc, entry.bookshelves) == (("Salt -- Fiction",), ("PZ",), ("Travel",))
    assert entry.rights == "Public domain in the USA."


def test_an_agent_is_described_once_and_years_before_our_era_are_said():
    agent = b"""<pgterms:agent rdf:about="2009/agents/1"><pgterms:name>Brand, Ilse</pgterms:name>
      <pgterms:birthdate>-42</pgterms:birthdate></pgterms:agent>"""
    again = b"""<marcrel:aui rdf:resource="2009/agents/1"/><marcrel:trl>"""
    start, end = RDF.index(b"<pgterms:agent>"), RDF.index(b"</pgterms:agent>") + len(b"</pgterms:agent>")
    data = (RDF[:start] + agent + RDF[end:]).replace(b"<marcrel:trl>", again)
    author, introduced, _ = read_rdf(data, "7").authors
    assert author == "Brand, Ilse, 42 BCE-"
    assert introduced == "Brand, Ilse, 42 BCE- [Author of introduction, etc.]"


def feed(*records):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in records:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return bz2.compress(out.getvalue())


def test_a_feed_of_records_is_read_one_by_one(caplog):
    data = feed(
        ("cache/epub/7/pg7.rdf", RDF),
        ("cache/epub/8/pg8.rdf", RDF),  # a record of book 7
        ("cache/epub/9/pg9.rdf", RDF.replace(b"ebooks/7", b"ebooks/9")),
        ("cache/epub/9/notes.txt", b"no record"),
    )
    assert [entry.book_id for entry in iter_feed(io.BytesIO(data), "rdf-files.tar.bz2")] == ["7", "9"]
    assert "about book 7" in caplog.text


def test_a_feed_that_is_cut_off_is_one_clear_line():
    with pytest.raises(ConfigError, match=r"^feed: .* cut off or damaged"):
        list(iter_feed(io.BytesIO(feed(("pg7.rdf", RDF * 200))[:-40]), "feed"))


@pytest.mark.parametrize("data", [b"<rdf", b"<a/>", b"\0", RDF.replace(b"ebooks/7", b"ebooks/8")])
def test_broken_rdf_names_the_book(data):
    with pytest.raises(BookError, match="book 7"):
        read_rdf(data, "7")


def test_a_header_tells_what_it_knows_and_leaves_the_rest_null():
    text = (
        "The Project eBook of The Salt Road\n\nTitle: The Salt Road\n        A Tale\n\nAuthor: Ilse Brand\n\n"
        "Translator: T. Moor\n\nRelease date: May 1, 2020 [eBook #77]\n\nLanguage: English\n\n*** START ***\nTitle: no\n"
    )
    entry = read_header(text, None)
    assert entry.book_id == "77"
    assert entry.title == "The Salt Road A Tale"
    assert entry.authors == ("Ilse Brand", "T. Moor [Translator]")
    assert (entry.languages, entry.issued) == (("en",), "May 1, 2020")
    assert (entry.type, entry.rights, entry.subjects) == (None, None, ())


def test_a_title_on_the_line_of_the_licence_is_found():
    entry = read_header("or online at www.gutenberg.orgTitle: The Lamp\n\nAuthor: Ann Odd\n", "7")
    assert (entry.title, entry.authors) == ("The Lamp", ("Ann Odd",))


def test_a_text_without_a_header_is_unknown():
    entry = read_header("It was a wet morning.\n", None)
    assert (entry.book_id, entry.title, entry.authors) == ("unknown", None, ())


def test_a_last_record_without_a_line_end_is_left_out_and_said(caplog):
    entries = read_catalogue(
        (HEADER + ROWS + "9,Text,2000-01-01,The Sand Road,en,,,PZ,Browsing: Lit").encode(), "c.csv"
    )
    assert list(entries) == ["7", "8"]
    assert "book 9" in caplog.text


def test_the_real_excerpt_reads_but_for_its_cut_record():
    path = SHARED / "gutenberg" / "catalogue" / "pg_catalog_excerpt_1-7702.csv.gz"
    if not path.exists():
        pytest.skip("the shared test corpus is not beside the checkout")
    entries = read_catalogue(path.read_bytes(), path.name)
    assert len(entries) == 7659
    assert entries["1342"].title == "Pride and Prejudice"
