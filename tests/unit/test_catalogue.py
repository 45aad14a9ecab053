"""pg_catalog.csv, RDF, or the text's own header -> CatalogueEntry."""

import gzip
from pathlib import Path

import pytest

from schemas.errors import BookError, ConfigError
from tasks.catalogue import read_catalogue, read_header, read_rdf

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


@pytest.mark.parametrize("data", [b"<rdf", b"<a/>"])
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
