"""Signatures of all books -> Duplicates: of each text the best edition stays.

Who stays does not depend on the order in which books come. An omnibus (a volume of works that are there under titles of
their own) yields to them, a part (a volume beside the complete edition, a story beside its collection) to the whole,
and of two editions the worse one to the better.
"""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np

from schemas.corpus_settings import DuplicateSettings
from schemas.duplicates import Duplicate, Signature
from tasks.likeness.pairs import Known, Link, find_links, read_signatures, same_work

logger = logging.getLogger(__name__)

SAME_LENGTH = 1.1  # editions whose lengths differ by less than a tenth are held for equally complete


def find_duplicates(signatures: Iterable[Signature], settings: DuplicateSettings) -> dict[str, Duplicate]:
    """Return, by id, the books that another book makes superfluous; each names one that stays.

    Args:
        signatures: of every book of the data set, old and new, in any order.
        settings: what counts as the same text.

    Raises:
        ConfigError: the signatures were made with different settings.
    """
    books, minhashes = read_signatures(signatures)
    links = find_links(books, minhashes, settings)
    omnibuses = _find_omnibuses(books, links, settings)
    found = _resolve(books, links, omnibuses)
    logger.info("%d books compared, %d pairs alike: %d duplicates", len(books), len(links), len(found))
    return {books[place].book_id: found[place] for place in sorted(found)}


def _find_omnibuses(books: Sequence[Known], links: Sequence[Link], settings: DuplicateSettings) -> dict[int, float]:
    """Return the wholes that consist of works with titles of their own, and the share of theirs that these hold."""
    works: dict[int, list[int]] = defaultdict(list)
    for link in links:
        part = books[link.one]
        if link.likeness == "part" and not part.volume and not same_work(part, books[link.other]):
            works[link.other].append(link.one)
    shares = {}
    for whole, parts in works.items():
        limit = min(books[place].limit for place in (whole, *parts))
        union = reduce(np.union1d, (books[place].sketch[: books[place].count_to(limit)] for place in parts))
        own = books[whole].sketch[: books[whole].count_to(limit)]
        share = float(np.isin(own, union).mean())
        if len({books[place].title for place in parts}) > 1 and share >= settings.min_omnibus:
            shares[whole] = share
    return shares


def _resolve(books: Sequence[Known], links: Sequence[Link], omnibuses: dict[int, float]) -> dict[int, Duplicate]:
    """Go through the books, the best first: one stays unless a link binds it to a book that stays already."""
    neighbours: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        neighbours[link.one].append(link)
        neighbours[link.other].append(link)
    parts = {link.one for link in links if link.likeness == "part" and link.other not in omnibuses}
    order = sorted(neighbours, key=lambda place: (place in omnibuses, place in parts, *_rank(books[place])))
    found: dict[int, Duplicate] = {}
    stays: set[int] = set()
    for place in order:
        duplicate = _find_better(place, books, neighbours[place], omnibuses, stays)
        if duplicate:
            found[place] = duplicate
        else:
            stays.add(place)
    return found


def _find_better(
    place: int, books: Sequence[Known], links: Sequence[Link], omnibuses: dict[int, float], stays: set[int]
) -> Duplicate | None:
    """Return why a book is superfluous beside those that stay already: the likest of them."""
    better = []
    for link in links:
        near = link.other if link.one == place else link.one
        if near not in stays:
            continue
        is_whole = link.likeness == "part" and link.other == place
        if is_whole and place not in omnibuses:
            continue
        similarity = omnibuses[place] if is_whole else link.similarity
        size = books[near].num_words if is_whole else 0
        better.append((similarity, size, near, "omnibus" if is_whole else link.likeness))
    if not better:
        return None
    similarity, _, near, likeness = max(better, key=lambda one: (one[3] != "omnibus", one[0], one[1], -one[2]))
    return Duplicate.model_validate(
        {
            "book_id": books[place].book_id,
            "duplicate_of": books[near].book_id,
            "similarity": round(similarity, 4),
            "likeness": likeness,
        }
    )


def _rank(book: Known) -> tuple[object, ...]:
    """Return what sorts the best edition first: complete, then with its accents, then in the wider encoding.

    A tie goes to the lower number, which other catalogues know.
    """
    length = round(math.log(max(1, book.num_words), SAME_LENGTH))
    accents = (
        book.num_accents.bit_length() + 1
    ) // 2  # none, a few, dozens: an ASCII copy has lost them, one more is chance
    encoding = {"ascii": 0}.get(book.encoding, 2 if book.encoding.startswith("utf") else 1)
    number = int(book.book_id) if book.book_id.isdecimal() else math.inf
    return -length, -accents, -encoding, number, book.book_id
