"""Plans + prose as numbers -> the runs of words that a plan shares with the prose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

COPIED_WORDS = 8  # a shared run as long as this is no chance
SHORT_WORDS = 4  # shorter runs are not measured
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, and random in its bits: the golden ratio's
_BREAK = -2  # between two statements; no word


class Copies(NamedTuple):
    """Of one plan: its longest shared run, in words (3 stands for 3 or fewer), and its share of copied 8-grams."""

    longest: int
    share: float
    start: int  # of the run, in its statement's words
    statement: int  # that holds it


def find_copies(statements: Sequence[Ints], long_runs: Hashes, short_runs: Hashes) -> Copies:
    """Measure the statements of a plan against the sorted runs of the prose; a run lies within one statement."""
    joined = join_words(statements)
    long_hits, short_hits = _hits(joined, long_runs, COPIED_WORDS), _hits(joined, short_runs, SHORT_WORDS)
    num_grams = sum(max(0, len(statement) - COPIED_WORDS + 1) for statement in statements)
    length, start = _longest_true(long_hits)
    longest = length + COPIED_WORDS - 1
    if not length:
        length, start = _longest_true(short_hits)
        longest = min(length + SHORT_WORDS - 1, COPIED_WORDS - 1)
    index = int(np.count_nonzero(joined[:start] == _BREAK))
    at = start - sum(len(statement) + 1 for statement in statements[:index])
    return Copies(longest, float(long_hits.sum()) / max(1, num_grams), at, index)


def measure_density(statements: Sequence[Ints], prose: Ints) -> float:
    """Return the sum of squared lengths of the shared fragments over the words of a plan (Grusky et al. 2018).

    Fragments are taken greedily from the left, the longest first. Where one has more than 8 words, it is followed by
    runs of 8 in the prose, which need not be the same place.
    """
    joined = join_words(statements)
    lengths = np.zeros(len(joined), dtype=np.int64)
    for size in range(1, COPIED_WORDS + 1):
        hits = _hits(joined, sort_runs([prose], size), size)
        lengths[: len(hits)][hits] = size
    fragments, at = 0, 0
    while at < len(joined):
        length = int(lengths[at])
        while length >= COPIED_WORDS and lengths[at + length - COPIED_WORDS + 1] >= COPIED_WORDS:
            length += 1
        fragments += length * length
        at += max(1, length)
    return fragments / max(1, sum(map(len, statements)))


def sort_runs(prose: Sequence[Ints], size: int) -> Hashes:
    """Return the hashes of all runs of `size` words, sorted; a run lies within one piece of the prose."""
    return np.sort(hash_runs(join_words(prose), size))


def hash_runs(words: Ints, size: int) -> Hashes:
    """Return a hash of each run of `size` words: [len(words) - size + 1]."""
    num_runs = max(0, len(words) - size + 1)
    hashes = np.zeros(num_runs, dtype=np.uint64)
    mixed = (words.astype(np.uint64) + np.uint64(1)) * _BASE
    mixed ^= mixed >> np.uint64(29)
    for offset in range(size):
        hashes = hashes * _BASE + mixed[offset : offset + num_runs]
    return hashes


def join_words(pieces: Sequence[Ints]) -> Ints:
    """Return the words of all pieces, each followed by a number that is no word."""
    separated = [part for piece in pieces for part in (piece, np.array([_BREAK], dtype=np.int64))]
    return np.concatenate(separated) if separated else np.zeros(0, dtype=np.int64)


def _hits(words: Ints, grams: Hashes, size: int) -> NDArray[np.bool_]:
    """Say which runs of a plan stand in the prose; a run over a break, or with a word that the book lacks, does not."""
    hashes = hash_runs(words, size)
    if not len(hashes) or not len(grams):
        return np.zeros(len(hashes), dtype=np.bool_)
    whole = np.convolve(words < 0, np.ones(size, dtype=np.int64), mode="valid") == 0
    places = np.minimum(np.searchsorted(grams, hashes), len(grams) - 1)
    hit: NDArray[np.bool_] = (grams[places] == hashes) & whole
    return hit


def _longest_true(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """Return length and start of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    if not len(edges):
        return 0, 0
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    best = int(lengths.argmax())
    return int(lengths[best]), int(starts[best])
