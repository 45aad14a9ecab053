"""Blocks of a book -> its headings: those that count up, those that a table lists, those that custom names."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from schemas.books import Kind, Level
from tasks.dividing.back_matter import find_story_end
from tasks.dividing.candidates import number_candidates
from tasks.dividing.contents import Item
from tasks.dividing.headings import Heading, strip_edges
from tasks.dividing.numbering import EMPTY_WORDS, Numbered, count_irregular, find_chain
from tasks.dividing.numerals import LAST
from tasks.dividing.titles import (
    Draft,
    draft_blocks,
    find_bare_titles,
    find_caps_titles,
    find_front_titles,
    find_titles_below,
    is_title_block,
    titles_of_their_own,
    with_bodies,
)

CONTAINERS: tuple[Level, ...] = ("volume", "part", "book")
MIN_TITLES = 3  # titles without number that make chapters
MAX_STEP = 2  # from one part's number to the next
STORY_SIZE = 3.0  # medians of a chapter: a section of this size before the first is part of the story
BACK_SHARE = 0.6  # of the text: what has a customary name of back matter and comes earlier is none
END_SHARE = 0.85  # of the text: a line 'The End' that comes earlier ends a part
DISAGREEMENT = 0.02  # share of chapters in which table and text may differ


class Placed(NamedTuple):
    """An accepted heading: blocks `first` up to `after` (its body begins there), and what it says.

    `top`: it stands beside volumes and parts, not within the last of them.
    """

    first: int
    after: int
    level: Level
    kind: Kind
    label: str
    title: str
    confidence: float
    top: bool = False


class Outline(NamedTuple):
    """The headings of a book in order, and whether a person should look at them."""

    headings: tuple[Placed, ...]
    contents: frozenset[int]
    needs_review: bool


def find_outline(items: Sequence[Item], starts: Sequence[int], num_chars: int, min_words: int) -> Outline:
    """Return the headings of a book.

    Args:
        items: the book's blocks.
        starts: where each one begins in the text.
        num_chars: length of the text.
        min_words: a heading with less under it is doubtful.
    """
    draft = draft_blocks(items, starts, num_chars, min_words)
    titles = find_bare_titles(draft)
    chain = find_chain(number_candidates(draft, titles, of_chapters=True), num_chars, min_words)
    chapters = place_chapters(draft, titles, chain)
    placed = chapters + place_containers(draft, chapters)
    placed += place_named(draft, placed)
    placed += place_titles(draft, placed, titles, {one.block: one.number for one in chain})
    placed += place_end(draft, placed)
    placed.sort(key=lambda one: one.first)
    return Outline(tuple(placed), draft.contents.blocks, is_doubtful(draft, chapters, count_irregular(chain)))


def place_chapters(draft: Draft, titles: Sequence[int], chain: Sequence[Numbered]) -> list[Placed]:
    """Return the chapters: numbered, or listed in a table, or lines in capitals, or parts that hold no chapters."""
    listed = with_bodies(draft, [index for index in titles if index in draft.matched])
    if chain and 2 * len(chain) >= len(listed):
        return place_numbered(draft, chain)
    if len(listed) >= MIN_TITLES:
        return [place_title(draft, index, 0.9) for index in listed]
    parts = find_chain(number_candidates(draft, titles, of_chapters=False), draft.num_chars, draft.min_words)
    capitals = with_bodies(draft, find_caps_titles(draft))
    if len(capitals) >= MIN_TITLES and len(capitals) > len(parts):
        return [place_title(draft, index, 0.6) for index in capitals]
    return [one._replace(level="chapter") for one in place_numbered(draft, parts)]


def place_numbered(draft: Draft, chain: Sequence[Numbered]) -> list[Placed]:
    """Return numbered headings with the titles below them."""
    titled = find_titles_below(draft, [one.block for one in chain])
    placed, last = [], 0
    for one in chain:
        confidence = 1.0 if one.number in (1, last + 1) else 0.7
        placed.append(place_heading(draft, one.block, one.block in titled, confidence))
        last = one.number
    return placed


def place_heading(draft: Draft, index: int, has_title_below: bool, confidence: float) -> Placed:
    """Return a block that has the form of a heading, with the title block below it if there is one."""
    heading = draft.headed[index]
    below = draft.items[index + 1].text if has_title_below else ""
    title = " ".join(strip_edges(heading.title or below).split())
    after = index + 1 + has_title_below
    return Placed(index, after, heading.level, heading.kind, heading.label, title, confidence)


def place_title(draft: Draft, index: int, confidence: float) -> Placed:
    """Return a block that is a title without number."""
    kind: Kind = draft.headed[index].kind if index in draft.headed else "narrative"
    label = " ".join(strip_edges(draft.items[index].text).split())
    return Placed(index, index + 1, "chapter", kind, label, "", confidence)


def place_containers(draft: Draft, chapters: Sequence[Placed]) -> list[Placed]:
    """Return volumes, parts and books that count up; of a heading printed twice the one nearer to its chapters."""
    taken, alone = {one.first for one in chapters}, titles_of_their_own(draft)
    placed: list[Placed] = []
    last: dict[Level, int] = {}
    for index, heading in draft.headed.items():
        number = heading.number or 0
        if heading.level == "chapter" or index in taken:
            continue
        if number not in (1, LAST) and not 0 <= number - last.get(heading.level, 0) <= MAX_STEP:
            continue
        has_title = not heading.title and index + 1 not in taken | alone and is_title_block(draft, index + 1)
        one = place_heading(draft, index, has_title, 1.0)
        is_again = bool(placed) and (placed[-1].level, last.get(heading.level)) == (one.level, number)
        if is_again and not any(placed[-1].first < chapter < index for chapter in taken):
            placed.pop()
        last[heading.level] = number
        placed.append(one)
    return placed


def place_titles(
    draft: Draft, placed: Sequence[Placed], titles: Sequence[int], numbers: dict[int, int]
) -> list[Placed]:
    """Return the titles without number beside numbered chapters: books that number anew, or sections."""
    if not numbers:
        return []
    chapters, firsts = sorted(numbers), sorted(one.first for one in placed)
    taken = {index for one in placed for index in range(one.first, one.after)} | set(draft.headed)
    unnumbered = (index for index in titles if index not in draft.matched or draft.matched[index].number is None)
    free = sorted({*unnumbered, *find_front_titles(draft, chapters[0])} - taken)
    sizes = [
        draft.num_words(one, after) for one, after in zip(chapters, [*chapters[1:], len(draft.items)], strict=True)
    ]
    books, sections = [], []
    for index, end in zip(free, [*free[1:], len(draft.items)], strict=False):
        after = min([end, *(first for first in firsts if first > index)])
        size = draft.num_words(index + 1, after)
        one = place_title(draft, index, 0.8)
        if index in titles and is_book(index, after, size, draft, numbers):
            books.append(one._replace(level="book"))
        elif size >= draft.min_words:
            is_large = size >= STORY_SIZE * median(sizes)
            kind = kind_beside(index < chapters[0], index > chapters[-1], is_large)
            sections.append(one._replace(kind=kind, top=index < chapters[0] or index > chapters[-1]))
    if books:  # beside books that number anew, a section is a book without numbers
        sections = [one if one.top else one._replace(level="book") for one in sections]
    return books + place_stories(draft, books, taken | set(free)) + sections


def is_book(index: int, after: int, size: int, draft: Draft, numbers: dict[int, int]) -> bool:
    """Return whether the numbering below a title is its own: it stands right below, or lacks a number one."""
    number = numbers.get(after, 0)
    if number == 0:
        return False
    if index in draft.matched and after == min(numbers):
        return number == 2
    return size < draft.min_words or number != 1


def place_stories(draft: Draft, books: Sequence[Placed], taken: set[int]) -> list[Placed]:
    """Return the titles of stories without numbers, in a book whose other stories have them."""
    unlisted = [one for one in books if one.first not in draft.matched]
    if not unlisted:
        return []
    gap = min(draft.items[one.first].blank_before for one in unlisted)
    first = min(one.first for one in books)
    capitals = [index for index in find_caps_titles(draft) if draft.items[index].blank_before >= gap and index > first]
    capitals = [index for index in capitals if index not in taken]
    return [place_title(draft, index, 0.6)._replace(level="book") for index in with_bodies(draft, capitals)]


def kind_beside(is_before: bool, is_behind: bool, is_large: bool) -> Kind:
    """Return the kind of an unnumbered section: within the chapters or very long, part of the story."""
    if is_before and not is_large:
        return "front"
    return "back" if is_behind else "narrative"


def place_named(draft: Draft, placed: Sequence[Placed]) -> list[Placed]:
    """Return prefaces, epilogues, notes and the like, where each may stand."""
    taken = {index for one in placed for index in range(one.first, one.after)}
    chapters = sorted(one.first for one in placed if one.level == "chapter" and one.kind == "narrative")
    containers = sorted(one.first for one in placed if one.level != "chapter")
    found = []
    for index, heading in draft.headed.items():
        if heading.number is not None or index in taken:
            continue
        is_before = not chapters or index < chapters[0]
        is_behind = not chapters or index > chapters[-1]
        opens_part = any(one < index <= one + 3 for one in containers)
        if index + 1 in draft.contents.blocks or not may_stand(
            heading, is_before or opens_part, draft.starts[index] > BACK_SHARE * draft.num_chars and is_behind
        ):
            continue
        one = place_heading(draft, index, heading.kind == "narrative" and is_title_block(draft, index + 1), 0.9)
        if heading.kind == "front" and chapters and is_behind:
            one = one._replace(kind="back")
        below = next((first for first in chapters if first > index), None)
        if (
            below in draft.headed
            and draft.headed[below].number == 1
            and draft.num_words(one.after, below) < EMPTY_WORDS
        ):
            found.append(one._replace(level=container_level(placed)))  # it holds chapters of its own
            continue
        found.append(one._replace(top=is_behind or (is_before and not (containers and containers[0] < index))))
    return found


def container_level(placed: Sequence[Placed]) -> Level:
    """Return the level of the book's outermost containers."""
    levels = {one.level for one in placed}
    return next((level for level in CONTAINERS if level in levels), "part")


def may_stand(heading: Heading, is_before: bool, is_behind: bool) -> bool:
    """Return whether a named section is where such sections are."""
    if heading.kind == "front":
        return is_before or is_behind
    return is_behind if heading.kind == "back" else True


def place_end(draft: Draft, placed: Sequence[Placed]) -> list[Placed]:
    """Return the back matter that has no heading, if the last chapter ends before the book does."""
    low = max((one.after for one in placed if one.kind == "narrative"), default=0)
    high = min((one.first for one in placed if one.first >= low), default=len(draft.items))
    late = [item for item in draft.items[low + 1 : high] if draft.starts[item.at] >= END_SHARE * draft.num_chars]
    first = find_story_end(late)
    return [] if first is None else [Placed(first, first, "chapter", "back", "", "", 0.8, top=True)]


def is_doubtful(draft: Draft, chapters: Sequence[Placed], num_irregular: int) -> bool:
    """Return whether rules and table disagree, numbers are missing, or a long book has no chapters."""
    entries = [entry for entry in draft.contents.entries if entry.level == "chapter" and entry.number is not None]
    allowed = max(1.0, DISAGREEMENT * len(chapters))
    if entries and abs(len(entries) - len(chapters)) > allowed:
        return True
    return num_irregular > allowed or (len(chapters) < 2 and draft.words[-1] > 100 * draft.min_words)
