"""CatalogueEntry -> Rights."""

import pytest

from schemas.books import CatalogueEntry
from tasks.rights import AS_OF, DOUBT, find_rights

FREE = "Public domain in the USA."


def rights_of(*authors, rights=None):
    found = find_rights(CatalogueEntry(book_id="1", authors=authors, rights=rights))
    return list(found.public_domain), found.death_year


def test_an_author_long_dead_is_free_where_terms_are_counted_from_the_death():
    assert rights_of("Quill, Mara, 1775-1817") == (["life+50", "life+70"], 1817)
    assert rights_of("Quill, Mara, 1775-1817", rights=FREE) == (["US", "life+50", "life+70"], 1817)


def test_a_term_is_over_on_the_first_of_january_after_its_last_year():
    assert rights_of(f"Reve, Tomas, 1880-{AS_OF - 71}") == (["life+50", "life+70"], AS_OF - 71)
    assert rights_of(f"Reve, Tomas, 1880-{AS_OF - 70}") == (["life+50"], AS_OF - 70)
    assert rights_of(f"Reve, Tomas, 1880-{AS_OF - 50}") == ([], AS_OF - 50)


def test_the_last_of_those_who_wrote_it_decides_and_an_illustrator_did_not():
    assert rights_of("Quill, Mara, 1775-1817", "Oddy, Ann, 1890-1980 [Translator]") == ([], 1980)
    assert rights_of("Quill, Mara, 1775-1817", "Oddy, Ann, 1890-1980 [Illustrator]")[1] == 1817


@pytest.mark.parametrize(
    "authors",
    [
        (),
        ("Anonymous",),
        ("Various, 1700-1800",),
        ("Quill, Mara",),
        ("Quill, Mara, 1950-",),
        ("Quill, Mara, 1775-1817", "Oddy, Ann [Translator]"),
        ("Quill, Mara, active 1750",),
    ],
)
def test_nothing_is_claimed_unless_the_death_of_everybody_is_known(authors):
    assert rights_of(*authors) == ([], None)
    assert rights_of(*authors, rights=FREE) == (["US"], None)


def test_a_doubtful_year_counts_later_and_is_told_as_it_stands():
    year = AS_OF - 71 - DOUBT
    assert rights_of(f"Reve, Tomas, 1800-{year}?") == (["life+50", "life+70"], year)
    assert rights_of(f"Reve, Tomas, 1800-{year + 1}?") == (["life+50"], year + 1)


def test_years_before_our_era_are_years():
    assert rights_of("Homerus, 750? BCE-650? BCE") == (["life+50", "life+70"], -650)


def test_a_protected_book_is_nowhere_free_for_what_its_source_says():
    assert rights_of("Oddy, Ann, 1960-", rights="Copyrighted. Read the copyright notice inside.") == ([], None)
