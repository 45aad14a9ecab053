"""'Surname, Given (Full), Title, 1842-1914? [Role]' -> Author."""

from pathlib import Path

import pytest

from tasks.catalogue import read_catalogue
from tasks.cataloguing.authors import parse_author, split_list

EXCERPT = Path(__file__).resolve().parents[2].parent / "shared/gutenberg/catalogue/pg_catalog_excerpt_1-7702.csv.gz"


def test_a_name_is_taken_apart():
    author = parse_author("Brand, I. L. (Ilse Luise), Baroness, 1842-1914? [Author of introduction, etc.]")
    assert (author.surname, author.given, author.full_given) == ("Brand", "I. L.", "Ilse Luise")
    assert author.titles == ("Baroness",)
    assert (author.born, author.died, author.approximate) == (1842, 1914, True)
    assert author.role == "Author of introduction, etc."


@pytest.mark.parametrize(
    ("dates", "first", "last"),
    [
        ("1573?-1637", 1573, 1637),
        ("1951-", 1951, 1951),
        ("-1923", 1923, 1923),
        ("428? BCE-348? BCE", -428, -348),
        ("5? BCE-65", -5, 65),
        ("-646 BCE", -646, -646),
        ("active 1566", 1566, 1566),
        ("active 317-322", 317, 322),
        ("active 13th century", 1201, 1300),
        ("active 4th century B.C.", -400, -301),
        ("active 150 B.C.", -150, -150),
        ("approximately 1540-1600", 1540, 1600),
        ("active 1865-1876", 1865, 1876),
        ("1862/63-1925", 1862, 1925),
        ("b. 1872", 1872, 1872),
        ("d. 1612", 1612, 1612),
    ],
)
def test_dates_of_all_kinds_are_years(dates, first, last):
    author = parse_author(f"Brand, Ilse, {dates}")
    assert (author.first_year, author.last_year) == (first, last)
    assert author.given == "Ilse"


@pytest.mark.parametrize("name", ["Homer", "Various", "Salt Road Company", "Brand, Ilse", ""])
def test_a_name_without_dates_has_no_years(name):
    author = parse_author(name)
    assert (author.first_year, author.last_year, author.role, author.approximate) == (None, None, None, False)


def test_no_digit_is_left_in_the_names_of_the_real_catalogue():
    if not EXCERPT.exists():
        pytest.skip("the shared test corpus is not beside the checkout")
    fields = read_catalogue(EXCERPT.read_bytes(), EXCERPT.name).table["Authors"].to_list()
    authors = [parse_author(name) for field in fields for name in split_list(field)]
    assert len(authors) > 9_000
    odd = [
        author for author in authors if any(char.isdigit() for char in f"{author.surname}{author.given}{author.titles}")
    ]
    assert odd == []
    assert sum(author.first_year is not None for author in authors) > 8_900
    assert all(author.born is None or author.died is None or author.born < author.died for author in authors)
