"""Values -> counts in fixed bins, which add up over shards: what the plots of a card are made of."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

# lower ends of bins; the first takes what is below it, too. A bin that changes needs a new name for its histogram:
# shards that are carried over keep the counts they were written with.
BINS: dict[str, tuple[int, ...]] = {
    "words": (
        *(0, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000),
        *(100_000, 125_000, 150_000, 200_000, 250_000, 300_000, 400_000, 600_000),
    ),
    "chapters": (1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 400),
    "born": (-1_000, 0, 1_000, *range(1_500, 2_025, 25)),
    "died": (-1_000, 0, 1_000, *range(1_500, 2_025, 25)),
    "rating": tuple(range(0, 100, 10)),
    # 3 stands for 3 or fewer words
    "copied-run": (3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 50, 100),
}
SCALES = {"rating"}  # shown from end to end, so that one can be held against another


def count_in_bins(name: str, values: Iterable[float]) -> Counter[str]:
    """Return how many values lie in each bin, by its lower end as text; bins without any are left out."""
    bins = BINS[name]
    return Counter(str(bins[max(0, bisect_right(bins, value) - 1)]) for value in values)


def spread_over_bins(name: str, counts: Counter[str]) -> list[tuple[str, int]]:
    """Return every bin from the first to the last that holds anything, as a label and its count; of a scale, all."""
    bins = BINS[name]
    filled = [place for place, low in enumerate(bins) if counts[str(low)] or name in SCALES]
    places = range(min(filled), max(filled) + 1) if filled else range(0)
    return [(_label(bins, place), counts[str(bins[place])]) for place in places]


def _label(bins: tuple[int, ...], place: int) -> str:
    low = bins[place]
    if place + 1 == len(bins):
        return f"{_short(low)}+"
    high = bins[place + 1]
    return _short(low) if high == low + 1 else f"{_short(low)}–{_short(high - 1 if high < 10_000 else high)}"


def _short(number: int) -> str:
    return f"{number // 1_000}k" if number >= 10_000 and number % 1_000 == 0 else str(number)
