"""Titles that a table of contents lists -> the blocks of the text that print them, in the order of the list."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from tasks.dividing.contents import Contents, Item, normalize_title
from tasks.dividing.headings import Heading
from tasks.dividing.numerals import parse_numeral

TITLE_LINES, TITLE_WORDS = 4, 20
PREFIX_CHARS = 25  # a listed title of this length may go on in the text
MAX_SAME = 50  # times that a list has one title
MAX_COMPARISONS = 20_000  # of titles that are not found letter for letter: some seconds at most
SAME = 0.85  # ratio of common characters at which two titles are one


def match_titles(items: Sequence[Item], contents: Contents) -> dict[int, Heading]:
    """Return the blocks after the first table whose words are a listed title, in the order of the list."""
    titles = [entry for entry in contents.entries if entry.title or entry.number is None]
    keys = [normalize_title(entry.title or entry.label) for entry in titles]
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        numbered = [f"{titles[place].number} {key}"] if titles[place].number is not None else []
        for one in (key, *numbered):
            if len(places.setdefault(one, [])) < MAX_SAME:
                places[one].append(place)
    if not places:
        return {}
    long_keys = tuple(f"{key} " for key in places if len(key) >= PREFIX_CHARS)
    found: list[tuple[int, int]] = []
    loose: list[tuple[int, str]] = []
    table = min(contents.blocks, default=len(items))
    for item in items[table if table * 2 < len(items) else 0 :]:  # French tables stand at the end
        if not item.text or item.at in contents.blocks or item.num_lines > TITLE_LINES:
            continue
        key = normalize_title(item.heading.title if item.heading and item.heading.title else item.text)
        if key not in places and item.heading is None:
            key = with_digits(key)
        if key.startswith(long_keys):
            key = next(one.strip() for one in long_keys if key.startswith(one))
        found += [(item.at, place) for place in reversed(places.get(key, []))]
        if item.blank_before > 1 and item.num_words <= TITLE_WORDS and key not in places and item.text[0].isupper():
            loose.append((item.at, key))
    kept = longest_increasing(found)
    return {at: titles[place] for at, place in [*kept, *match_nearly(kept, keys, loose)]}


def with_digits(key: str) -> str:
    """Return a normalized title with the number before it, if there is one, in digits."""
    first, _, rest = key.partition(" ")
    number = parse_numeral(first) if rest else None
    return key if number is None else f"{number} {rest}"


def match_nearly(
    kept: Sequence[tuple[int, int]], keys: Sequence[str], loose: Sequence[tuple[int, str]]
) -> list[tuple[int, int]]:
    """Return blocks that are nearly a title that was not found, between the places of its neighbours in the list."""
    found, budget = [], MAX_COMPARISONS
    spots = [at for at, _ in loose]
    for (low, before), (high, after) in pairwise([(-1, -1), *kept, (10**9, len(keys))]):
        between = loose[bisect_right(spots, low) : bisect_left(spots, high)]
        cost = len(between) * (after - before - 1)
        if cost > budget:
            continue
        budget -= cost
        for place in range(before + 1, after):
            near = [at for at, key in between if at > low and is_same_title(key, keys[place])]
            if near:
                found.append((near[0], place))
                low = near[0]
    return found


def is_same_title(one: str, other: str) -> bool:
    """Return whether two normalized titles differ by a misprint or so."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.real_quick_ratio() >= SAME and matcher.quick_ratio() >= SAME and matcher.ratio() >= SAME


def longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of pairs whose second parts increase; of equal ones in the first, one at most.

    Source: patience sorting; pairs with one first part come with falling second parts, so that a run takes one.
    """
    tails: list[int] = []  # of runs of each length, the smallest last second part
    last: list[int] = []  # and the pair that it belongs to
    before: list[int] = []
    for index, (_, place) in enumerate(pairs):
        length = bisect_left(tails, place)
        before.append(last[length - 1] if length else -1)
        tails[length : length + 1] = [place]
        last[length : length + 1] = [index]
    kept = []
    index = last[-1] if last else -1
    while index >= 0:
        kept.append(pairs[index])
        index = before[index]
    return kept[::-1]
