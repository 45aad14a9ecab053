"""Headings found -> F1 against the true ones, and how many labels and titles are right."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.scoring.reference import TrueDivision
from schemas.books import LookDivision

NEAR = 2  # lines between a heading found and the true one
WORD = re.compile(r"[^\W_]+")


def count_pairs(found: Sequence[int], true: Sequence[int]) -> int:
    """Return how many found and true lines can be paired within reach, one to one: the most that is possible."""
    ours, theirs = sorted(found), sorted(true)
    num, i, j = 0, 0, 0
    while i < len(ours) and j < len(theirs):
        apart = ours[i] - theirs[j]
        num += abs(apart) <= NEAR
        i += apart <= NEAR
        j += apart >= -NEAR
    return num


def f1_score(found: Sequence[int], true: Sequence[int]) -> float:
    """Return the F1 of heading lines, 1.0 where there are none on either side."""
    total = len(found) + len(true)
    return 2 * count_pairs(found, true) / total if total else 1.0


def narrative_lines(divisions: Sequence[LookDivision]) -> list[int]:
    """Return the lines of our narrative divisions."""
    return [division.line for division in divisions if division.kind == "narrative"]


def count_right_names(found: Sequence[LookDivision], true: Sequence[TrueDivision]) -> int:
    """Return how many true divisions were found with their label and their title, typography aside."""
    left = [(one.line, words_of(one.label), words_of(one.title)) for one in found]
    num = 0
    for one in true:
        names = (words_of(one.label), words_of(one.title))
        same = [other for other in left if abs(other[0] - one.line) <= NEAR and other[1:] == names]
        if same:
            left.remove(same[0])
            num += 1
    return num


def words_of(text: str) -> list[str]:
    """Return the words of a heading in small letters: 'CHAPTER I.' and 'Chapter I' are the same."""
    return WORD.findall(text.casefold())
