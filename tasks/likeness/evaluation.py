"""Evaluation texts -> an index of their runs of words, in sorted arrays of 64-bit hashes.

64 bits, since a novel asks for 100,000 runs: with 32, an index of 20 million would answer yes to hundreds by chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.overlaps import SharedText
from tasks.likeness.shingles import Places, Words, find_words, hash_runs, hash_words


@dataclass(frozen=True)
class EvaluationTexts:
    """The runs of all texts; `hashes` ascend, and `owners` tells the text of each."""

    identity: str
    ngram_words: int
    names: tuple[str, ...]
    num_runs: Places
    hashes: Words
    owners: npt.NDArray[np.int32]
    num_short: int

    def find_shared(self, text: str) -> tuple[SharedText, ...]:
        """Return the texts that share a run with this one, in their order."""
        runs, first = np.unique(hash_runs(hash_words(text), self.ngram_words), return_index=True)
        starts, ends = (np.searchsorted(self.hashes, runs, side=side) for side in ("left", "right"))
        hits = np.flatnonzero(ends > starts)
        if not len(hits):
            return ()
        owners = np.concatenate([self.owners[starts[hit] : ends[hit]] for hit in hits])
        words = np.repeat(first[hits], ends[hits] - starts[hits])
        counts = np.bincount(owners, minlength=len(self.names))
        earliest = np.full(len(self.names), len(text), np.int64)
        np.minimum.at(earliest, owners, words)
        offsets, _ = find_words(text)
        return tuple(
            SharedText(
                text=self.names[place],
                num_shared=int(counts[place]),
                num_runs=int(self.num_runs[place]),
                offset=int(offsets[earliest[place]]),
            )
            for place in np.flatnonzero(counts)
        )


def index_texts(texts: Iterable[tuple[str, str]], ngram_words: int) -> EvaluationTexts:
    """Return the index of named texts; one with fewer words than a run is counted in `num_short` alone."""
    identity = hashlib.sha256(f"{ngram_words} words".encode())
    names: list[str] = []
    hashes: list[Words] = []
    num_short = 0
    for name, text in texts:
        identity.update(f"\n{name} {hashlib.sha256(text.encode(errors='replace')).hexdigest()}".encode())
        runs = np.unique(hash_runs(hash_words(text), ngram_words))
        if len(runs):
            names.append(name)
            hashes.append(runs)
        else:
            num_short += 1
    lengths = np.array([len(runs) for runs in hashes], np.int64)
    joined = np.concatenate([np.zeros(0, np.uint64), *hashes])
    order = np.argsort(joined, kind="stable")
    owners = np.repeat(np.arange(len(names), dtype=np.int32), lengths)[order]
    return EvaluationTexts(identity.hexdigest(), ngram_words, tuple(names), lengths, joined[order], owners, num_short)
