"""All entries of a catalogue and settings -> Selection."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schemas.books import CatalogueEntry
from schemas.corpus_settings import SelectSettings
from tasks.catalogue import Catalogue, read_catalogue, select_entries
from tasks.cataloguing.selection import RULES

GUTENBERG = Path(__file__).resolve().parents[2].parent / "shared" / "gutenberg"
NOVEL = {"type": "Text", "languages": ("en",), "locc": ("PR",), "subjects": ("Roads -- Fiction",)}
ALL = SelectSettings(types=(), languages=(), locc=(), subjects_include=(), subjects_exclude=())


def one(**fields):
    return CatalogueEntry(**{"book_id": "1", "title": "The Salt Road", **NOVEL, **fields})


def reason(settings=None, **fields):
    selection = select_entries(Catalogue.of([one(**fields)]), settings or SelectSettings())
    assert selection.num_entries == 1
    return next(iter(selection.left_out), None)


def test_english_narrative_fiction_is_chosen_by_default():
    assert reason() is None


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"type": "Sound"}, "other-type"),
        ({"languages": ("de",)}, "other-language"),
        ({"languages": ("de", "en")}, "other-language"),
        ({"languages": ()}, "other-language"),
        ({"locc": ("QA",)}, "other-class"),
        ({"locc": ("QA", "PZ")}, None),
        ({"locc": ()}, None),
        ({"subjects": ("Roads -- Poetry",)}, "excluded-subject"),
        ({"subjects": ("Roads -- Fiction", "Salt -- Drama")}, "excluded-subject"),
        ({"subjects": ("Fiction -- History and criticism",)}, "excluded-subject"),
        ({"subjects": ("Road stories -- Bibliography",)}, "excluded-subject"),
        ({"subjects": ("Stories in rhyme",)}, "excluded-subject"),
        ({"subjects": ("Poets -- Correspondence -- Fiction",)}, None),
        ({"subjects": ("Fairy tales -- Iceland",)}, None),
        ({"subjects": ("Short stories, English -- Translations into Finnish",)}, None),
        ({"subjects": ("Roads", "Salt mines")}, "other-subject"),
        ({"subjects": ("Roads",), "bookshelves": ("Browsing: Fiction",)}, None),
        ({"subjects": ("Roads",), "bookshelves": ("Crime Nonfiction",)}, "other-subject"),
        ({"subjects": ("Roads -- Poetry",), "bookshelves": ("Browsing: Fiction",)}, "excluded-subject"),
        ({"subjects": ()}, "other-subject"),
    ],
)
def test_the_first_rule_that_fails_is_the_reason(fields, rule):
    assert reason(**fields) == rule


def test_where_both_lists_know_a_word_it_speaks_against():
    settings = SelectSettings(subjects_exclude=("science fiction",))
    assert reason(settings, subjects=("Science fiction",)) == "excluded-subject"
    assert reason(settings, subjects=("Sea fiction",)) is None


def test_bookshelves_are_asked_for_and_left_out():
    shelves = ("Browsing: Humour", "Western")
    assert reason(SelectSettings(shelves_include=("western",)), bookshelves=shelves) is None
    assert reason(SelectSettings(shelves_include=("horror",)), bookshelves=shelves) == "other-shelf"
    assert reason(SelectSettings(shelves_exclude=("humour",)), bookshelves=shelves) == "excluded-shelf"


@pytest.mark.parametrize(
    ("asked", "passes"),
    [
        ({"died_before": 1930}, True),
        ({"died_before": 1900}, False),
        ({"born_after": 1800, "born_before": 1850}, True),
        ({"born_after": 1842}, False),
        ({"active_before": 1843}, True),
        ({"active_before": 1842}, False),
        ({"died_after": 1914}, False),
    ],
)
def test_years_of_the_author(asked, passes):
    authors = ("Brand, Ilse, 1842-1914?", "Moor, T., 1950-1999 [Translator]")
    assert (reason(SelectSettings(**asked), authors=authors) is None) == passes


@pytest.mark.parametrize("authors", [(), ("Anonymous",), ("Brand, Ilse",), ("Brand, Ilse, 1842-",)])
def test_years_that_nobody_knows_pass_only_where_that_is_said(authors):
    assert reason(SelectSettings(died_before=1930), authors=authors) == "other-years"
    assert reason(SelectSettings(died_before=1930, unknown_years=True), authors=authors) is None


def test_years_before_our_era_compare_as_numbers():
    assert reason(SelectSettings(died_before=-300), authors=("Brandes, 428? BCE-348? BCE",)) is None


def test_ids_alone_choose():
    entries = [CatalogueEntry(book_id=str(number)) for number in range(5)]
    selection = select_entries(Catalogue.of(entries), ALL.model_copy(update={"ids": ("3", "1", "99")}))
    assert (selection.book_ids, selection.left_out) == (("1", "3"), {"other-id": 3})


words = st.lists(st.sampled_from(["Fiction", "Poetry", "Roads -- Fiction", "A.*(b", "Salt"]), max_size=3).map(tuple)
entries = st.builds(
    one,
    type=st.sampled_from(["Text", "Sound", None]),
    languages=st.lists(st.sampled_from(["en", "de"]), max_size=2).map(tuple),
    locc=st.lists(st.sampled_from(["PR", "QA"]), max_size=2).map(tuple),
    subjects=words,
    bookshelves=words,
    authors=st.lists(st.sampled_from(["Brand, Ilse, 1842-1914?", "Various"]), max_size=2).map(tuple),
)
settings = st.builds(
    SelectSettings,
    languages=st.sampled_from([(), ("en",), ("de", "en")]),
    subjects_include=words,
    subjects_exclude=words,
    shelves_exclude=words,
    died_before=st.sampled_from([None, 1900, 1950]),
)


@hypothesis_settings(deadline=None)  # the first example loads what selecting needs
@given(st.lists(entries, max_size=8), settings)
def test_every_entry_is_kept_or_counted_once(found, chosen):
    catalogue = Catalogue.of(entry.model_copy(update={"book_id": str(at)}) for at, entry in enumerate(found))
    selection = select_entries(catalogue, chosen)
    assert selection.num_entries == len(found)
    names = [rule.__name__.replace("_", "-") for rule in RULES]
    assert list(selection.left_out) == [name for name in names if name in selection.left_out]
    for book_id, entry in catalogue.items():  # whatever stands beside it
        alone = select_entries(Catalogue.of([entry]), chosen)
        assert alone.book_ids == ((book_id,) if book_id in selection.book_ids else ())


def test_of_the_reference_works_just_the_english_narratives_are_chosen():
    path = GUTENBERG / "catalogue" / "pg_catalog_excerpt_1-7702.csv.gz"
    if not path.exists():
        pytest.skip("the shared test corpus is not beside the checkout")
    catalogue = read_catalogue(path.read_bytes(), path.name)
    selection = select_entries(catalogue, SelectSettings())
    assert selection.num_entries == len(catalogue) == 7659
    with (GUTENBERG / "INDEX.csv").open(newline="") as file:
        works = {row["id"]: row for row in csv.DictReader(file) if row["id"] in catalogue}
    narrative = {key for key, row in works.items() if row["form"] in ("novel", "novella", "stories")}
    english = {key for key, row in works.items() if row["language"] == "en"}
    assert len(works) == 65
    assert set(works) & set(selection.book_ids) == narrative & english
