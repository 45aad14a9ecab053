"""Blocks of a book -> its headings: those that count up, those that a table lists, those that custom names."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from tasks.dividing.candidates import number_candidates
from tasks.dividing.contents import Item
from tasks.dividing.numbering import EMPTY_WORDS, Numbered, find_chain
from tasks.dividing.placing import Placed, place_containers, place_numbered, place_title
from tasks.dividing.sections import place_end, place_named, place_opening, place_titles
from tasks.dividing.styles import find_dated, find_styled
from tasks.dividing.titles import Draft, draft_blocks, find_bare_titles, find_caps_titles, with_bodies

MIN_TITLES = 3  # titles without number that make chapters
MIN_ENTRIES = 5  # dates that divide a chapter far longer than the others
FAR_LONGER = 6.0  # medians of a chapter


class Outline(NamedTuple):
    """The headings of a book in order, and what they were chosen from."""

    headings: tuple[Placed, ...]
    chain: tuple[Numbered, ...]
    draft: Draft


def find_outline(items: Sequence[Item], starts: Sequence[int], num_chars: int, min_words: int, title: str) -> Outline:
    """Return the headings of a book.

    Args:
        items: the book's blocks.
        starts: where each one begins in the text.
        num_chars: length of the text.
        min_words: a heading with less under it is doubtful.
        title: the book's, as catalogued; empty where nobody knows it.
    """
    draft = draft_blocks(items, starts, num_chars, min_words, title)
    titles = find_bare_titles(draft)
    chain = find_chain(number_candidates(draft, titles, of_chapters=True), num_chars, min_words)
    chapters = place_chapters(draft, titles, chain)
    placed = chapters + place_containers(draft, chapters)
    placed += place_entries(draft, placed)
    placed += place_named(draft, placed)
    placed += place_titles(draft, placed, titles, {one.block: one.number for one in chain})
    placed += place_opening(draft, placed)
    placed += place_end(draft, placed)
    return Outline(tuple(without_overlaps(placed)), tuple(chain), draft)


def without_overlaps(placed: Sequence[Placed]) -> list[Placed]:
    """Return the headings in order, none of which stands within the blocks of the one before."""
    kept: list[Placed] = []
    for one in sorted(placed, key=lambda one: (one.first, -one.after)):
        if not kept or (one.first >= kept[-1].after and one.first > kept[-1].first):
            kept.append(one)
    return kept


def place_chapters(draft: Draft, titles: Sequence[int], chain: Sequence[Numbered]) -> list[Placed]:
    """Return the chapters: numbered, listed in a table, lines of one style, or parts that hold no chapters."""
    listed = with_bodies(draft, [index for index in titles if index in draft.matched], EMPTY_WORDS)
    if chain and 2 * len(chain) >= len(listed):
        return place_numbered(draft, chain)
    if len(listed) >= MIN_TITLES:
        return [place_title(draft, index) for index in listed]
    parts = find_chain(number_candidates(draft, titles, of_chapters=False), draft.num_chars, draft.min_words)
    capitals = with_bodies(draft, find_caps_titles(draft))
    for lines in (capitals if len(capitals) >= MIN_TITLES else [], find_styled(draft)):
        if len(lines) > len(parts):
            return [place_title(draft, index) for index in lines]
    return [one._replace(level="chapter") for one in place_numbered(draft, parts)]


def place_entries(draft: Draft, placed: Sequence[Placed]) -> list[Placed]:
    """Return the dates that divide chapters far longer than the others: a journal among letters or chapters."""
    chapters = sorted(one for one in placed if one.level == "chapter")
    firsts = [*sorted(one.first for one in placed), len(draft.items)]
    ends = [firsts[bisect_right(firsts, one.first)] for one in chapters]
    sizes = [draft.num_words(one.after, end) for one, end in zip(chapters, ends, strict=True)]
    usual = median(sizes) if len(sizes) >= MIN_TITLES else 0.0
    entries: list[Placed] = []
    for one, end, size in zip(chapters, ends, sizes, strict=True):
        if size < FAR_LONGER * usual:
            continue
        dated = find_dated(draft, one.after, end)
        if len(dated) >= MIN_ENTRIES:
            entries += [place_title(draft, index) for index in dated]
    return entries
