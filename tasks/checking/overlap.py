"""Texts -> whether two of them share 8 words in a row, casefolded and without punctuation."""

from __future__ import annotations

import re

import numpy as np

from tasks.checking.spans import COPIED_WORDS, Hashes, sort_runs

_WORD = re.compile(r"[^\W_]+")  # an apostrophe, a hyphen and an underscore part words: so more runs are found


class RunIndex:
    """The runs of 8 words of some texts, as sorted hashes; equal runs of two texts have equal hashes."""

    def __init__(self) -> None:
        self._vocabulary: dict[str, int] = {}

    def read(self, text: str) -> Hashes:
        """Return the runs of a text; none where it has fewer than 8 words."""
        words = _WORD.findall(text.casefold())
        numbers = [self._vocabulary.setdefault(word, len(self._vocabulary)) for word in words]
        return sort_runs([np.array(numbers, dtype=np.int64)], COPIED_WORDS)


def share_runs(one: Hashes, other: Hashes) -> int:
    """Return how many different runs of 8 words two texts share."""
    return len(np.intersect1d(one, other))
