"""Statements + the prose they tell -> numbers beside their limits: the one place of the formulas of the checks.

The limits are gates that clean summaries passed and damaged ones did not; they are starting points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from schemas.settings import VerifySettings
from tasks.checking.names import find_invented, is_criticism, ordinary_words
from tasks.checking.source import Source, tokenize
from tasks.checking.spans import Ints, find_copies, measure_density

MAX_INVENTED = 0.02  # share of a book-level plan's names that the book does not have; 0 for chapters
MIN_CHAPTER_NAMES, MIN_BOOK_NAMES = 0.6, 0.8  # of the 5 most named people of a chapter, the 10 of the book
MIN_SUMMARY_NAMES = 0.4  # of a chapter's 5, its scenes' plans left out: good summaries name .5 to 1, damaged 0 to .2
MIN_MENTIONS = 3  # who is named less often may be left out
MAX_JACCARD = 0.6  # between two statements of one list
MAX_DENSITY = 3.0
MIN_TAU, MIN_QUARTERS = 0.2, 0.75
MIN_STATEMENTS, MIN_WINDOWS = 4, 8  # fewer have no order and cover no four quarters
WINDOW_WORDS = 120  # of the prose that a statement is held against; windows overlap by half


class Plan(NamedTuple):
    """One list of statements and the words of the prose that it tells."""

    node: str  # 'chapter 3, scene 2'
    statements: tuple[str, ...]
    prose: Ints


class Measured(NamedTuple):
    """One number beside its limit; `detail` says where, if it did not pass."""

    check: str
    value: float
    limit: float
    passed: bool
    detail: str = ""


def at_most(check: str, value: float, limit: float, detail: str = "") -> Measured:
    """Return a number that may not be over its limit."""
    return Measured(check, round(value, 4), limit, value <= limit, "" if value <= limit else detail[:200])


def at_least(check: str, value: float, limit: float, detail: str = "") -> Measured:
    """Return a number that may not be under its limit."""
    return Measured(check, round(value, 4), limit, value >= limit, "" if value >= limit else detail[:200])


def measure_copies(plan: Plan, source: Source, settings: VerifySettings) -> Iterator[Measured]:
    """Longest run of words shared with the prose of any chapter, and the share of 8-grams; titles are left out."""
    numbered = [_mask_titles(statement, source) for statement in plan.statements]
    copies = find_copies(numbered, *source.runs)
    words = tokenize(plan.statements[copies.statement])[copies.start : copies.start + copies.longest]
    detail = " ".join(words[:12])
    yield at_most("copied-run", copies.longest, settings.max_copied_words, detail)
    yield at_most("copied-8-grams", copies.share, 0.0, detail)


def measure_fragments(plan: Plan, source: Source) -> Measured:
    """Density of the fragments shared with the plan's own prose."""
    return at_most(
        "density", measure_density([_mask_titles(line, source) for line in plan.statements], plan.prose), MAX_DENSITY
    )


def measure_names(plan: Plan, source: Source, limit: float = 0.0, *, free: bool = False) -> Measured:
    """Share of the words of names that the book does not have.

    A `free` list is about the whole book and speaks as criticism does: it may call a book Victorian, and the words that
    begin its sentences ("Irony is quiet") are not looked at.
    """
    ordinary = None if free else ordinary_words(plan.statements)
    invented, total = find_invented(plan.statements, source, ordinary)
    invented = [word for word in invented if not (free and is_criticism(word))]
    return at_most("invented-names", len(invented) / max(1, total), limit, ", ".join(dict.fromkeys(invented)))


def measure_coverage(plan: Plan, source: Source, most: int, limit: float) -> Measured | None:
    """Share of the `most` people named most in the prose whom the plan names; None where nobody is named 3 times."""
    counts = np.bincount(plan.prose, minlength=len(source.vocabulary))
    mentions = [max((int(counts[word]) for word in words), default=0) for _, words in source.people]
    ranked = sorted(range(len(mentions)), key=lambda index: -mentions[index])[:most]
    expected = [index for index in ranked if mentions[index] >= MIN_MENTIONS]
    if not expected:
        return None
    planned = set(source.number(" ".join(plan.statements)).tolist())
    missing = [index for index in expected if not source.people[index][1] & planned]
    detail = ", ".join(source.people[index][0] for index in missing)
    return at_least("people-covered", 1 - len(missing) / len(expected), limit, detail)


def measure_duplicates(plan: Plan) -> Measured:
    """Greatest Jaccard similarity of two statements of one list."""
    tokens = [frozenset(tokenize(statement)) for statement in plan.statements]
    pairs = (
        (len(tokens[one] & tokens[other]) / max(1, len(tokens[one] | tokens[other])), one)
        for one, other in combinations(range(len(tokens)), 2)
    )
    value, index = max(pairs, default=(0.0, 0))
    return at_most("duplicates", value, MAX_JACCARD, plan.statements[index])


def measure_order(plan: Plan, source: Source) -> Iterator[Measured]:
    """Whether statements follow their prose (Kendall's tau) and touch all its quarters.

    Nothing is measured where the prose has fewer than 8 windows (about 540 words). Fewer than 4 aligned statements have
    no order, and cover a quarter less than they touch: one of so few may be placed by chance.
    """
    places, num_windows = align_statements(plan.statements, plan.prose, source)
    if num_windows < MIN_WINDOWS:
        return
    if len(places) >= MIN_STATEMENTS:
        later, earlier = np.triu_indices(len(places), k=1)[::-1]
        yield at_least("order", float(np.sign(places[later] - places[earlier]).mean()), MIN_TAU)
    quarters = set((places * 4 // num_windows).tolist())
    missing = ", ".join(f"quarter {quarter + 1}" for quarter in range(4) if quarter not in quarters)
    covered = len(quarters) if len(places) >= MIN_STATEMENTS else max(0, len(quarters) - 1)
    yield at_least("quarters-covered", covered / 4, MIN_QUARTERS, missing or "a part")


def align_statements(statements: Sequence[str], prose: Ints, source: Source) -> tuple[Ints, int]:
    """Return the window of the prose that each statement fits best, by rare shared words, and the number of windows.

    A statement that shares no word with the prose is left out.
    """
    step = WINDOW_WORDS // 2
    num_windows = max(1, len(prose) // step - 1)
    numbered = [np.setdiff1d(source.number(statement), source.stop_words) for statement in statements]
    terms = np.unique(np.concatenate([*numbered, np.array([-1])]))[1:]  # without -1, the unknown words
    positions = np.flatnonzero(np.isin(prose, terms))
    columns = np.searchsorted(terms, prose[positions])
    present = np.zeros((num_windows, len(terms)))
    for shift in (0, 1):  # a word lies in two windows
        rows = np.clip(positions // step - shift, 0, num_windows - 1)
        present[rows, columns] = 1.0
    rarity = np.log1p(num_windows / np.maximum(present.sum(axis=0), 1.0))
    wanted = np.stack([np.isin(terms, of_statement) for of_statement in numbered]).astype(np.float64)
    scores = wanted @ (present * rarity).T
    kept = scores.max(axis=1) > 0
    return scores[kept].argmax(axis=1), num_windows


def _mask_titles(statement: str, source: Source) -> Ints:
    """Return a statement's words, those of a quoted title as no words."""
    tokens = tokenize(statement)
    numbers = np.array([source.vocabulary.get(token, -1) for token in tokens], dtype=np.int64)
    for start, token in enumerate(tokens):
        for title in source.titles.get(token, ()):
            if tokens[start : start + len(title)] == title:
                numbers[start : start + len(title)] = -1
    return numbers
