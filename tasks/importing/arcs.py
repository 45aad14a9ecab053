"""Arcs without chapters + what each chapter tells -> which chapters each arc spans: a guess.

LongPage's arcs are named and told in order, but not placed. Of all ways to divide the chapters among the arcs in order,
at least one each, the one is taken in which the words of arcs and of their chapters have most in common; words that
many chapters share count less, and where nothing is in common the arcs are of even length.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import log

Texts = Sequence[str]

_WORD = re.compile(r"[^\W\d_]{3,}")
_EVENNESS = 1e-6  # decides where words do not


def place_arcs(arcs: Sequence[Texts], chapters: Sequence[Texts]) -> list[tuple[int, int]]:
    """Return the first and last chapter of every arc, from 1.

    Args:
        arcs: the statements of each, at most as many as chapters.
        chapters: the statements of each.

    Source: segmentation by dynamic programming over an additive score, linear in arcs times chapters.
    """
    scores = _score(arcs, chapters)
    num = len(chapters)
    best: list[list[float]] = [[0.0] + [float("-inf")] * num]
    came: list[list[int]] = []
    for at, row in enumerate(scores):
        before, now, source = best[-1], [float("-inf")], [0]
        total, lead, start = 0.0, float("-inf"), 0
        for chapter in range(1, num + 1):
            if before[chapter - 1] - total > lead:  # the best place to begin, as if from chapter 1
                lead, start = before[chapter - 1] - total, chapter - 1
            total += row[chapter - 1]
            now.append(lead + total - _EVENNESS * abs(chapter - num * (at + 1) / len(scores)))
            source.append(start)
        best.append(now)
        came.append(source)
    ranges, last = [], num
    for source in reversed(came):
        ranges.append((source[last] + 1, last))
        last = source[last]
    return ranges[::-1]


def _score(arcs: Sequence[Texts], chapters: Sequence[Texts]) -> list[list[float]]:
    """Return what every arc has in common with every chapter, less what the arcs have on average."""
    told = [_words(texts) for texts in chapters]
    shared = Counter(word for words in told for word in words)
    rows = []
    for words in map(_words, arcs):
        weight = sum(log(1 + len(chapters) / shared[word]) for word in sorted(words) if word in shared) or 1.0
        common = (sum(log(1 + len(chapters) / shared[word]) for word in sorted(words & one)) for one in told)
        rows.append([value / weight for value in common])
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    return [[value - mean for value, mean in zip(row, means, strict=True)] for row in rows]


def _words(texts: Texts) -> frozenset[str]:
    return frozenset(word for text in texts for word in _WORD.findall(text.casefold()))
