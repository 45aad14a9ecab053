"""Signatures and their splits -> NearDuplicates: which works share text with one that is held out.

The sketches of what is held out are few, so every other work's is counted against all of them: no author, no title and
no locality-sensitive hash needs to bring a pair together. Pairs are alike by containment, as a passage of a long book
may be most of a short one; Jaccard is never above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from schemas.duplicates import NearDuplicate, Signature
from tasks.likeness.pairs import MIN_SHARED, Known, measure_likeness, read_signatures

SIDES = ("test", "validation", "train")  # of two that are alike, the work of the earlier one stays


def find_across_sides(
    signatures: Iterable[Signature], splits: Mapping[str, str], min_contained: float
) -> dict[str, NearDuplicate]:
    """Return, by id, the works that are like one of another split; each names the likest of those that stay.

    Which ones they are depends on the works alone: everything in test stays, whatever of validation is like nothing
    there stays, and whatever of train is like none of both.

    Args:
        signatures: of all works that are to be in one data set, in any order.
        splits: of each of them, by id.
        min_contained: the share of the shorter one's shingles from which on two are alike.

    Raises:
        ConfigError: the signatures were made with different settings.
    """
    works, _ = read_signatures(signatures)
    found: dict[str, NearDuplicate] = {}
    for rank, side in enumerate(SIDES[:-1]):
        stays = [work for work in works if splits[work.book_id] == side and work.book_id not in found]
        others = [work for work in works if splits[work.book_id] in SIDES[rank + 1 :]]
        for work, near, contained in _find_near(others, stays, min_contained):
            known = found.get(work.book_id)
            if known is None or contained > known.contained:
                found[work.book_id] = NearDuplicate(
                    book_id=work.book_id,
                    split=splits[work.book_id],
                    near=near.book_id,
                    near_split=side,
                    contained=contained,
                )
    return dict(sorted(found.items()))


def _find_near(
    works: Sequence[Known], stays: Sequence[Known], min_contained: float
) -> Iterator[tuple[Known, Known, float]]:
    """Yield each work that is like one that stays, with the likest of these."""
    if not stays:
        return
    hashes = np.concatenate([one.sketch for one in stays])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], np.repeat(np.arange(len(stays)), [len(one.sketch) for one in stays])[order]
    for work in works:
        num_shared = _count_owners(work, hashes, owners, len(stays))
        near = [
            (round(measure_likeness(work, stays[place], int(num_shared[place]))[1], 4), -place)
            for place in np.flatnonzero(num_shared >= MIN_SHARED).tolist()
        ]
        contained, place = max(near, default=(0.0, 0))
        if near and contained >= min_contained:
            yield work, stays[-place], contained


def _count_owners(
    work: Known, hashes: npt.NDArray[np.uint32], owners: npt.NDArray[np.int64], num_owners: int
) -> npt.NDArray[np.int64]:
    """Return how many hashes of a work's sketch each owner has, too."""
    first, last = (np.searchsorted(hashes, work.sketch, side=side) for side in ("left", "right"))
    places = [owners[first[hit] : last[hit]] for hit in np.flatnonzero(last > first)]
    return np.bincount(np.concatenate(places), minlength=num_owners) if places else np.zeros(num_owners, np.int64)
