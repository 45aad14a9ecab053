"""Signatures -> Links: which books are like each other, and how.

Two books are compared where they have an author or a title in common, or where MinHash finds their texts alike;
what they share is then counted in their sketches. A sketch holds the least hashes of a book's shingles, so below the
lesser of two sketches' last hashes both are complete, and shares counted there are estimates for the whole books
(bottom-k sketches: Broder 1997; Cohen and Kaplan 2007).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from datasketch import MinHash, MinHashLSH
from scipy import sparse

from schemas.corpus_settings import DuplicateSettings
from schemas.duplicates import Signature
from schemas.errors import ConfigError
from tasks.likeness.shingles import Hashes
from tasks.likeness.titles import share_title

MIN_SHARED = 8  # hashes: fewer may be chance, or a proverb
ALL_HASHES = 2**32 - 1
WEIGHTS = (0.2, 0.8)  # LSH rather offers a pair too many than one too few: every pair is counted afterwards


class Known(NamedTuple):
    """What is kept of a signature while all are compared."""

    book_id: str
    title: str
    volume: str
    authors: tuple[str, ...]
    num_words: int
    num_accents: int
    encoding: str
    num_shingles: int
    sketch: Hashes

    @property
    def limit(self) -> int:
        """The hash up to which the sketch is complete."""
        return ALL_HASHES if len(self.sketch) == self.num_shingles else int(self.sketch[-1])

    def count_to(self, limit: int) -> int:
        """Return how many hashes of the sketch do not pass a limit."""
        return int(np.searchsorted(self.sketch, np.uint32(limit), side="right"))


class Link(NamedTuple):
    """Two books, by their places in the list: editions of one text, or `one` a part of `other`."""

    one: int
    other: int
    likeness: Literal["edition", "part"]
    similarity: float


def read_signatures(signatures: Iterable[Signature]) -> tuple[list[Known], dict[str, bytes]]:
    """Return the books in the order of their ids, and their MinHash values; a book that comes twice counts once.

    Raises:
        ConfigError: signatures of several settings cannot be compared.
    """
    books: dict[str, Known] = {}
    minhashes: dict[str, bytes] = {}
    for sign in signatures:
        sketch = np.frombuffer(sign.sketch, "<u4")
        facts = (sign.num_words, sign.num_accents, sign.encoding, sign.num_shingles)
        known = Known(sign.book_id, sign.title, sign.volume, sign.authors, *facts, sketch)
        if sign.book_id not in books or _content(known) > _content(books[sign.book_id]):
            books[sign.book_id], minhashes[sign.book_id] = known, sign.minhash
    lengths = {len(minhash) for minhash in minhashes.values()}
    if len(lengths) > 1:
        raise ConfigError(
            f"signatures of {sorted(length // 4 for length in lengths)} permutations: sign all books anew"
        )
    return [books[book_id] for book_id in sorted(books)], minhashes


def find_links(books: Sequence[Known], minhashes: dict[str, bytes], settings: DuplicateSettings) -> list[Link]:
    """Return every pair of like books, each once, in the order of the list."""
    links: dict[tuple[int, int], Link] = {}
    for one, other, shared in _iter_candidates(books, minhashes, settings):
        if (one, other) not in links and (link := _judge(books, one, other, shared, settings)):
            links[one, other] = link
    return [links[pair] for pair in sorted(links)]


def same_work(one: Known, other: Known) -> bool:
    """Return whether title, author and volume allow that two books are one work, or one a volume of the other."""
    authors = not one.authors or not other.authors or bool(set(one.authors) & set(other.authors))
    return authors and share_title(one.title, other.title) and not _other_volume(one, other)


def measure_likeness(one: Known, other: Known, num_shared: int) -> tuple[float, float]:
    """Return the estimated Jaccard similarity of two books, and the share of the shorter one that the other holds.

    Args:
        one: a book.
        other: another one.
        num_shared: hashes that are in both sketches.
    """
    short, long = sorted((one, other), key=lambda book: (book.num_shingles, book.book_id))
    limit = min(one.limit, other.limit)
    in_short, in_long = short.count_to(limit), long.count_to(limit)
    return num_shared / (in_short + in_long - num_shared), num_shared / in_short


def _other_volume(one: Known, other: Known) -> bool:
    return bool(one.volume and other.volume) and one.volume != other.volume


def _content(known: Known) -> tuple[object, ...]:
    return (*known[:-1], known.sketch.tobytes())


def _iter_candidates(
    books: Sequence[Known], minhashes: dict[str, bytes], settings: DuplicateSettings
) -> Iterator[tuple[int, int, int]]:
    """Yield pairs of places, the lesser first, with the number of hashes that their sketches share."""
    for group in _iter_groups(books):
        yield from _count_shared(books, group)
    for one, other in _iter_near(books, minhashes, settings):
        shared = len(np.intersect1d(books[one].sketch, books[other].sketch, assume_unique=True))
        if shared >= MIN_SHARED:
            yield one, other, shared


def _iter_groups(books: Sequence[Known]) -> Iterator[list[int]]:
    """Yield the places of books that have an author in common, or a title."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, book in enumerate(books):
        for author in book.authors:
            groups["author", author].append(place)
        if book.title:
            groups["title", book.title].append(place)
    yield from (group for group in groups.values() if len(group) > 1)


def _count_shared(books: Sequence[Known], group: list[int]) -> Iterator[tuple[int, int, int]]:
    """Count the common hashes of every two books of a group: one product of a matrix of books by hashes."""
    sketches = [books[place].sketch for place in group]
    hashes = np.concatenate(sketches)
    columns = np.searchsorted(np.sort(hashes), hashes)
    rows = np.repeat(np.arange(len(group)), [len(sketch) for sketch in sketches])
    matrix = sparse.csr_array((np.ones(len(hashes), np.int32), (rows, columns)), shape=(len(group), len(hashes)))
    shared = sparse.triu(matrix @ matrix.T, k=1).tocoo()
    for row, column, number in zip(shared.row, shared.col, shared.data, strict=True):
        if number >= MIN_SHARED:
            yield group[row], group[column], int(number)


def _iter_near(
    books: Sequence[Known], minhashes: dict[str, bytes], settings: DuplicateSettings
) -> Iterator[tuple[int, int]]:
    """Yield the pairs that locality-sensitive hashing of their MinHash values finds near."""
    if not books:
        return
    num_permutations = len(minhashes[books[0].book_id]) // 4
    index = MinHashLSH(threshold=settings.min_similarity, num_perm=num_permutations, weights=WEIGHTS)
    blank = MinHash(num_perm=num_permutations, scheme="affine32")
    for place, book in enumerate(books):
        blank.hashvalues = np.frombuffer(minhashes[book.book_id], "<u4")
        yield from ((near, place) for near in sorted(index.query(blank)))
        index.insert(place, blank)


def _judge(books: Sequence[Known], one: int, other: int, shared: int, settings: DuplicateSettings) -> Link | None:
    short, _ = sorted((one, other), key=lambda place: (books[place].num_shingles, place))
    similarity, contained = measure_likeness(books[one], books[other], shared)
    if similarity >= settings.min_similarity:
        return Link(one, other, "edition", similarity)
    if contained >= settings.min_contained:
        return Link(short, one + other - short, "part", contained)
    if similarity >= settings.min_titled_similarity and same_work(books[one], books[other]):
        return Link(one, other, "edition", similarity)
    return None
