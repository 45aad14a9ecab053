"""Numbered headings -> the chain of them that counts up, by dynamic programming over steps and restarts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tasks.dividing.numerals import LAST

LOOK_BACK, MIN_LOOK_BACK = 60, 8  # headings: a chain does not pass over more candidates than that
MAX_STEPS = 600_000  # steps weighed: a text with more candidates than a book has is looked at less far back
NEXT, NEXT_OTHER_STYLE, GAP, REPEAT, JUMP = 2.0, 1.0, 0.5, -0.5, -3.0  # rewards of a step
RESTART_IN_CONTAINER, SECOND_IN_CONTAINER, RESTART, RESTART_OTHER_STYLE = 1.5, 0.5, -0.5, 0.0
LARGEST_GAP = 4  # numbers that a source may have lost or misprinted
LATE_START = -1.0
LOWER_RANK = 0.2  # weight of numbers in another form than the chapters': most count sections within them
EMPTY_WORDS, EMPTY, SHORT = 20, -2.5, -0.5  # a body of so few words is a contents line's; of a few more, doubtful
KEYWORD = 2  # the rank of keywords
MIN_CHAIN = 2
MAX_FIRST = 2  # of bare numbers: chapters begin with one, or with two where the first has none
MAX_IRREGULAR = 0.3  # share of steps that are neither the next number nor a restart: of bare numbers, lists in the text
MIN_COVERAGE = 0.3  # share of the text between the first and the last bare number: fewer number a part of it only
KEYWORD_COVERAGE = 0.1
WORD_CHARS = 5  # in a word and the blank after it, at least


class Numbered(NamedTuple):
    """A candidate heading: where it stands and how it counts.

    `rank`: 2 keyword and number, 1 number and title, 0 number alone. `container`: how many volumes, parts or
    books have begun before it. `before`: number of the last candidate of its family above it, 0 for none. `body`:
    words up to the next candidate of its rank or a higher one. `listed`: a table of contents has it.
    """

    block: int
    family: str
    number: int
    rank: int
    container: int
    start: int
    before: int = 0
    body: int = 0
    listed: bool = False


def find_chain(candidates: Sequence[Numbered], num_chars: int, min_words: int) -> list[Numbered]:
    """Return the candidates that number the book's chapters, in order; empty where nothing counts up."""
    for rank in (2, 1, 0):
        own = [one for one in candidates if one.rank == rank]
        chain = best_chain(own, rank, min_words)
        if len(chain) < MIN_CHAIN:
            continue
        is_keyword = rank == KEYWORD
        is_list = chain[0].number > MAX_FIRST or count_irregular(chain) > MAX_IRREGULAR * len(chain)
        if is_list and not is_keyword:
            continue
        end = chain[-1].start + is_keyword * chain[-1].body * WORD_CHARS
        if end - chain[0].start >= (KEYWORD_COVERAGE if is_keyword else MIN_COVERAGE) * num_chars:
            return fill_gaps(best_chain(candidates, rank, min_words), candidates)
    return []


def fill_gaps(chain: Sequence[Numbered], candidates: Sequence[Numbered]) -> list[Numbered]:
    """Return the chain with headings put back whose number is misprinted: as many between two as these leave out."""
    blocks = [one.block for one in candidates]
    filled: list[Numbered] = []
    for one, after in zip(chain, [*chain[1:], None], strict=False):
        filled.append(one)
        num_missing = after.number - one.number - 1 if after else 0
        if after is None or not 0 < num_missing < LARGEST_GAP:
            continue
        inner = candidates[bisect_right(blocks, one.block) : bisect_left(blocks, after.block)]
        between = [other for other in inner if other.family == one.family]
        if len(between) == num_missing:
            filled += [other._replace(number=number) for number, other in enumerate(between, one.number + 1)]
    return filled


def best_chain(candidates: Sequence[Numbered], main_rank: int, min_words: int) -> list[Numbered]:
    """Return the chain with the highest sum of rewards; empty unless some chain has a positive one."""
    values: list[float] = []
    before: list[int] = []
    reach = max(MIN_LOOK_BACK, min(LOOK_BACK, MAX_STEPS // (len(candidates) + 1)))
    for index, one in enumerate(candidates):
        is_main = one.rank == main_rank or one.listed
        own = body_reward(one, min_words) if is_main or one.body >= min_words else EMPTY
        weight = 1.0 if is_main else LOWER_RANK
        best, best_before = start_reward(one), -1
        for other in range(max(0, index - reach), index):
            reward = step_reward(candidates[other], one)
            value = values[other] + (reward * weight if reward > 0 else reward)
            if value > best:
                best, best_before = value, other
        values.append(best + own)
        before.append(best_before)
    return trace_back(candidates, values, before)


def trace_back(candidates: Sequence[Numbered], values: Sequence[float], before: Sequence[int]) -> list[Numbered]:
    """Return the chain that ends at the highest value."""
    if not values or max(values) <= 0:
        return []
    index = max(range(len(values)), key=values.__getitem__)
    chain = []
    while index >= 0:
        chain.append(candidates[index])
        index = before[index]
    return chain[::-1]


def start_reward(one: Numbered) -> float:
    """Return what it costs to begin a chain here: nothing at number one."""
    return 0.0 if one.number == 1 else LATE_START if one.number <= LARGEST_GAP else JUMP


def body_reward(one: Numbered, min_words: int) -> float:
    """Return what a short body costs."""
    if one.listed:
        return 0.0
    if one.body < EMPTY_WORDS:
        return EMPTY
    return SHORT if one.body < min_words else 0.0


def step_reward(one: Numbered, after: Numbered) -> float:
    """Return how well the second heading follows the first."""
    same_style = one.family == after.family
    in_container = after.container > one.container
    step = 1 if after.number == LAST and same_style else after.number - one.number
    if step == 1:
        goes_on = after.before != after.number - 1  # else it belongs to numbers of its own, within a chapter
        return NEXT if same_style else NEXT_OTHER_STYLE if goes_on else JUMP
    if after.number == 1 and in_container:
        return RESTART_IN_CONTAINER
    if after.number == 1:
        return RESTART if same_style else RESTART_OTHER_STYLE if one.rank == after.rank else JUMP
    if after.number == 2 and in_container and one.rank == after.rank:
        return SECOND_IN_CONTAINER
    if 2 <= step <= LARGEST_GAP:
        return GAP if same_style else JUMP
    return REPEAT if step == 0 and same_style else JUMP


def count_irregular(chain: Sequence[Numbered]) -> int:
    """Return how many steps of a chain are neither the next number nor a restart."""
    return sum(1 for one, after in pairwise(chain) if after.number not in (1, LAST) and after.number - one.number != 1)
