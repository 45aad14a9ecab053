"""Plans + prose as numbers -> the longest runs of words that a plan shares with the prose."""

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
    start: int  # of the run, in the plan's words
    statement: int  # that holds it


def find_copies(plans: Sequence[Sequence[Ints]], prose: Sequence[Ints]) -> list[Copies]:
    """Measure each plan, a list of statements, against all prose; a run lies within one statement."""
    text = _join(prose)
    long_grams, short_grams = (np.sort(hash_runs(text, size)) for size in (COPIED_WORDS, SHORT_WORDS))
    found = []
    for statements in plans:
        joined = _join(statements)
        long_hits, short_hits = _hits(joined, long_grams, COPIED_WORDS), _hits(joined, short_grams, SHORT_WORDS)
        num_grams = sum(max(0, len(statement) - COPIED_WORDS + 1) for statement in statements)
        length, start = _longest_true(long_hits)
        longest = length + COPIED_WORDS - 1
        if not length:
            length, start = _longest_true(short_hits)
            longest = min(length + SHORT_WORDS - 1, COPIED_WORDS - 1)
        index = int(np.count_nonzero(joined[:start] == _BREAK))
        at = start - sum(len(statement) + 1 for statement in statements[:index])
        found.append(Copies(longest, float(long_hits.sum()) / max(1, num_grams), at, index))
    return found


def hash_runs(words: Ints, size: int) -> Hashes:
    """Return a hash of each run of `size` words: [len(words) - size + 1]."""
    num_runs = max(0, len(words) - size + 1)
    hashes = np.zeros(num_runs, dtype=np.uint64)
    mixed = (words.astype(np.uint64) + np.uint64(1)) * _BASE
    mixed ^= mixed >> np.uint64(29)
    for offset in range(size):
        hashes = hashes * _BASE + mixed[offset : offset + num_runs]
    return hashes


def _join(statements: Sequence[Ints]) -> Ints:
    separated = [part for statement in statements for part in (statement, np.array([_BREAK], dtype=np.int64))]
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
