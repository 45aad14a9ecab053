"""Blocks that are headings -> what each says: level, kind, label, title, and the blocks that it takes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from schemas.books import Kind, Level
from tasks.dividing.headings import EDGES, strip_edges
from tasks.dividing.numbering import EMPTY_WORDS, Numbered
from tasks.dividing.numerals import LAST
from tasks.dividing.titles import Draft, find_titles_below, is_title_block, titles_of_their_own

MAX_STEP = 2  # from one part's number to the next
MIN_BEFORE = 3  # chapters with titles of their own above part one: the parts are those of one of them
MIN_OUTER = 2  # numbers above other numbers that make parts


class Placed(NamedTuple):
    """An accepted heading: blocks `first` up to `after` (its body begins there), and what it says.

    `number`: what it counts, None where it does not. `top`: it stands beside volumes and parts, not within the
    last of them. `confidence`: see `weigh_headings`.
    """

    first: int
    after: int
    level: Level
    kind: Kind
    label: str
    title: str
    number: int | None = None
    top: bool = False
    confidence: float = 1.0


def place_numbered(draft: Draft, chain: Sequence[Numbered]) -> list[Placed]:
    """Return numbered headings with the titles below them."""
    titled = find_titles_below(draft, [one.block for one in chain])
    return [place_heading(draft, one.block, one.block in titled)._replace(number=one.number) for one in chain]


def place_heading(draft: Draft, index: int, has_title_below: bool) -> Placed:
    """Return a block that has the form of a heading, with the title block below it if there is one."""
    heading = draft.headed[index]
    below = draft.items[index + 1].text if has_title_below else ""
    title = " ".join(strip_edges(heading.title or below).split())
    after = index + 1 + has_title_below
    return Placed(index, after, heading.level, heading.kind, heading.label, title, heading.number)


def place_title(draft: Draft, index: int) -> Placed:
    """Return a block that is a title; the number that it lacks the form of may stand before it, as a table lists it."""
    heading = draft.headed.get(index)
    kind: Kind = heading.kind if heading else "narrative"
    text = " ".join(strip_edges(draft.items[index].text).split())
    listed = draft.matched.get(index)
    number, _, title = text.partition(" ")
    if heading is None and listed and listed.number and title and number.strip(".:)").isdecimal():
        return Placed(index, index + 1, "chapter", kind, number, title.strip(EDGES), listed.number)
    return Placed(index, index + 1, "chapter", kind, text, "")


def place_containers(draft: Draft, chapters: Sequence[Placed]) -> list[Placed]:
    """Return volumes, parts and books that count up; of a heading printed twice the one nearer to its chapters."""
    taken, alone = {one.first for one in chapters}, titles_of_their_own(draft)
    firsts = sorted(taken)
    placed: list[Placed] = []
    last: dict[Level, int] = {}
    for index, heading in draft.headed.items():
        number = heading.number or 0
        if heading.level == "chapter" or index in taken:
            continue
        if number not in (1, LAST) and not 0 <= number - last.get(heading.level, 0) <= MAX_STEP:
            continue
        has_title = not heading.title and index + 1 not in taken | alone and is_title_block(draft, index + 1)
        one = place_heading(draft, index, has_title)
        is_again = bool(placed) and (placed[-1].level, last.get(heading.level)) == (one.level, number)
        if is_again and bisect_right(firsts, placed[-1].first) == bisect_right(firsts, index):
            placed.pop()
        last[heading.level] = number
        placed.append(one)
    if not placed:
        return place_outer_numbers(draft, chapters)
    num_before = sum(one.number is None and one.kind == "narrative" and one.first < placed[0].first for one in chapters)
    is_within = placed[0].number == 1 and num_before >= MIN_BEFORE
    return [one._replace(level="chapter") for one in placed] if is_within else placed


def place_outer_numbers(draft: Draft, chapters: Sequence[Placed]) -> list[Placed]:
    """Return bare numbers that count up right above the numbers of chapters, as parts: I, 1, 2, 3, II, 4, 5, 6."""
    firsts = sorted(one.first for one in chapters if one.number is not None)
    placed: list[Placed] = []
    for index, heading in draft.headed.items():
        place = bisect_right(firsts, index)
        is_outer = heading.level == "chapter" and heading.number == len(placed) + 1 and not heading.title
        if not is_outer or place == len(firsts) or index in firsts[place - 1 : place]:
            continue
        if draft.num_words(index + 1, firsts[place]) < EMPTY_WORDS and heading.family.endswith("alone"):
            placed.append(place_heading(draft, index, False)._replace(level="part"))
    return placed if len(placed) >= MIN_OUTER else []
