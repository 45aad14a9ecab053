"""Splits: all works of an author on one side."""

import pytest

from schemas.books import CatalogueEntry
from tasks.composing.splits import assign_split, name_side


@pytest.mark.parametrize(
    ("authors", "title", "side"),
    [
        (("Brontë, Émilie-Anne, 1818-1848 [Author]",), "X", "author anne bronte emilie"),
        (("Émilie-Anne Bronte",), "X", "author anne bronte emilie"),
        (("Verne, J. (Jules), 70? BCE-19",), "X", "author j verne"),
        (("Doe, Jane [Translator]", "O'Hara, Ada"), "X", "author ada ohara"),
        (("Doe, Jane [Translator]",), "X", "author doe jane"),
        (("Various",), "The Lamp: A Tale", "title the lamp a tale"),
        (("Anonymous",), None, "title 7"),
        ((), "Élan!", "title elan"),
    ],
)
def test_the_first_authors_name_decides_or_else_the_title(authors, title, side):
    assert name_side(CatalogueEntry(book_id="7", title=title, authors=authors)) == side


def test_splits_have_their_shares_and_an_author_one_side():
    entries = [
        CatalogueEntry(book_id=str(k), authors=(f"Author, Number{chr(97 + k % 26)} {'x' * (k // 26)}",))
        for k in range(2_000)
    ]
    splits = [assign_split(entry, 0.1) for entry in entries]
    assert 150 < splits.count("validation") < 250
    assert 150 < splits.count("test") < 250
    assert assign_split(entries[0], 0.0) == "train"
    assert assign_split(entries[5].model_copy(update={"book_id": "other"}), 0.1) == splits[5]
