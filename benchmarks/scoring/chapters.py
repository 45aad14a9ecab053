"""Headings found -> F1 against the true ones, and how many labels and titles are right."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.scoring.reference import TrueDivision
from schemas.books import LookDivision

NEAR = 2  # lines between a heading found and the true one
WORD = re.compile(r"[^\W_]+")


def pair_lines(found: Sequence[int], true: Sequence[int]) -> dict[int, int]:
    """Return pairs of places, one of the found lines for each true line within reach, nearest first."""
    reach = [(abs(a - b), i, j) for i, a in enumerate(true) for j, b in enumerate(found) if abs(a - b) <= NEAR]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(reach):
        if i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    return pairs


def f1_score(found: Sequence[int], true: Sequence[int]) -> float:
    """Return the F1 of heading lines, 1.0 where there are none on either side."""
    total = len(found) + len(true)
    return 2 * len(pair_lines(found, true)) / total if total else 1.0


def narrative_lines(divisions: Sequence[LookDivision]) -> list[int]:
    """Return the lines of our narrative divisions."""
    return [division.line for division in divisions if division.kind == "narrative"]


def count_right_names(found: Sequence[LookDivision], true: Sequence[TrueDivision]) -> int:
    """Return how many true divisions were found with their label and their title, typography aside."""
    pairs = pair_lines([division.line for division in found], [division.line for division in true])
    return sum(
        words_of(found[j].label) == words_of(true[i].label) and words_of(found[j].title) == words_of(true[i].title)
        for i, j in pairs.items()
    )


def words_of(text: str) -> list[str]:
    """Return the words of a heading in small letters: 'CHAPTER I.' and 'Chapter I' are the same."""
    return WORD.findall(text.casefold())
