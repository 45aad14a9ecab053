"""Chosen headings -> how sure each is: the share of the evidence on it that agrees."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from tasks.dividing.numerals import LAST
from tasks.dividing.placing import Placed
from tasks.dividing.titles import Draft

FORMS = {"keyword": 1.0, "and title": 0.9, "named": 0.9, "alone": 0.7, "listed": 0.7, "title": 0.4}
OUT_OF_ORDER = 0.3  # of a number that does not follow the last one: the source may have misprinted it
MIN_LISTED = 3  # entries that make a table evidence


class Evidence(NamedTuple):
    """What speaks for one heading, each from 0 (against it) to 1 (for it); None where the book has no such evidence.

    `form`: keyword and number before number and title, before a number or a title alone. `sequence`: its number
    is the next one, or one. `table`: a table of contents lists it. `room`: blank lines above it, as many as above
    the others. `siblings`: share of the headings of its level that have its form. `body`: words below it, as many
    as a chapter needs.
    """

    form: float
    sequence: float | None = None
    table: float | None = None
    room: float | None = None
    siblings: float | None = None
    body: float | None = None


WEIGHTS = Evidence(form=0.2, sequence=0.25, table=0.2, room=0.1, siblings=0.1, body=0.15)


def weigh(evidence: Evidence) -> float:
    """Return the confidence of a heading: the weighted mean of the evidence there is; it grows with each part."""
    pairs = [(value, weight or 0.0) for value, weight in zip(evidence, WEIGHTS, strict=True) if value is not None]
    return round(sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs), 2)


def weigh_headings(draft: Draft, headings: Sequence[Placed]) -> list[float]:
    """Return the confidence of each heading of a book."""
    families = [family_of(draft, one) for one in headings]
    counts = Counter(zip((one.level for one in headings), families, strict=True))
    sizes = Counter(one.level for one in headings)
    gaps = [draft.items[one.first].blank_before for one in headings if one.first > 0]
    usual = median(gaps) if gaps else 0
    firsts = [*(one.first for one in headings), len(draft.items)]
    listed = {entry.number for entry in draft.contents.entries if entry.number is not None}
    has_table = sum(entry.level == "chapter" for entry in draft.contents.entries) >= MIN_LISTED
    last: dict[str, int] = {}
    weights = []
    for one, family in zip(headings, families, strict=True):
        is_leaf = one.level == "chapter"
        is_listed = any(index in draft.matched for index in range(one.first, one.after)) or one.number in listed
        below = firsts[bisect_right(firsts, one.first)]
        evidence = Evidence(
            form=FORMS[family],
            sequence=None if one.number is None else follows(one.number, last.get(one.level, 0)),
            table=float(is_listed) if has_table and is_leaf and one.kind == "narrative" else None,
            room=min(1.0, draft.items[one.first].blank_before / usual) if usual and one.first > 0 else None,
            siblings=counts[one.level, family] / sizes[one.level] if one.kind == "narrative" else None,
            body=min(1.0, draft.num_words(one.after, below) / draft.min_words) if is_leaf else None,
        )
        weights.append(weigh(evidence))
        if one.number is not None:
            last[one.level] = one.number
    return weights


def family_of(draft: Draft, one: Placed) -> str:
    """Return the form of a heading, as `FORMS` names it."""
    heading = draft.headed.get(one.first)
    if heading is not None and heading.number is not None:
        return heading.family.partition(" ")[2] or "keyword"
    if heading is not None:
        return "named"
    return "listed" if one.first in draft.matched else "title"


def follows(number: int, last: int) -> float:
    """Return how well a number follows the last one of its level."""
    return 1.0 if number in (1, LAST, last + 1) else OUT_OF_ORDER
