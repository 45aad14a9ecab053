"""Headings of a book -> the numbered ones among them, as the choice of a chain weighs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tasks.dividing.headings import Heading
from tasks.dividing.numbering import EMPTY_WORDS, Numbered
from tasks.dividing.titles import Draft

RANKS = ("alone", "and title", "")  # second part of a family's name; keywords have none


def number_candidates(draft: Draft, titles: Sequence[int], of_chapters: bool) -> list[Numbered]:
    """Return the numbered blocks of chapter level, or of the levels above it."""
    numbers = {index for index, heading in draft.headed.items() if heading.number}
    stops = [index for index in sorted({*draft.headed, *titles}) if index in numbers or index - 1 not in numbers]
    bodies = measure_bodies(draft, stops)
    candidates, num_containers, last = [], 0, Counter[str]()
    for index in stops:
        heading = draft.headed.get(index)
        if heading is None or heading.level != "chapter" or (heading.number is None and bodies[index] < EMPTY_WORDS):
            num_containers += of_chapters
        if heading is None or heading.number is None or (heading.level == "chapter") != of_chapters:
            continue
        place = (heading.family, heading.number, rank_of(heading), num_containers, draft.starts[index])
        candidates.append(Numbered(index, *place, before=last[heading.family], body=bodies[index]))
        last[heading.family] = heading.number
    return candidates


def rank_of(heading: Heading | None) -> int:
    """Return 2 for a keyword and number, 1 for number and title, 0 for a number alone; 3 for all that have none."""
    if heading is None or heading.number is None:
        return len(RANKS)
    return RANKS.index(heading.family.partition(" ")[2])


def measure_bodies(draft: Draft, stops: Sequence[int]) -> dict[int, int]:
    """Return the words below each heading up to the next one of its rank or a higher one."""
    ends = [len(draft.items)] * (len(RANKS) + 1)
    bodies: dict[int, int] = {}
    for index in reversed(stops):
        rank = rank_of(draft.headed.get(index))
        bodies[index] = draft.num_words(index + 1, ends[0 if rank == len(RANKS) else rank])
        ends[: rank + 1] = [index] * (rank + 1)
    return bodies
