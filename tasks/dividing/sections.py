"""Chapters of a book -> what stands beside them: stories and books by title, prefaces, epilogues, the end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import median

from schemas.books import Kind, Level
from tasks.dividing.back_matter import find_story_end
from tasks.dividing.headings import BOOK_END, Heading
from tasks.dividing.numbering import EMPTY_WORDS
from tasks.dividing.placing import Placed, place_heading, place_title
from tasks.dividing.styles import find_spaced_titles
from tasks.dividing.titles import (
    Draft,
    find_caps_titles,
    find_front_titles,
    is_book_title,
    is_paragraph,
    is_spaced_title,
    is_title_block,
    with_bodies,
)

CONTAINERS: tuple[Level, ...] = ("volume", "part", "book")
STORY_SIZE = 3.0  # medians of a chapter: a section of this size before the first is part of the story
BACK_SHARE = 0.6  # of the text: what has a customary name of back matter and comes earlier is none
OPENING_BLOCKS = 3  # below a part's heading: a preface there is the part's own
MIN_SIZES = 3  # chapters that tell how long a chapter is
MAX_LAST_WORDS = 1_500  # of a note of the story's own people at its end
END_SHARE = 0.85  # of the text: a line 'The End' that comes earlier ends a part


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
    usual, is_title = median(sizes), set(titles)
    half = max((one for one in range(1, chapters[0]) if is_book_title(draft, one)), default=len(draft.items))
    first_container = min((one.first for one in placed if one.level != "chapter"), default=len(draft.items))
    books, sections = [], []
    for index, end in zip(free, [*free[1:], len(draft.items)], strict=False):
        after = min([end, *firsts[(place := bisect_right(firsts, index)) : place + 1]])
        size = draft.num_words(index + 1, after)
        one = place_title(draft, index)
        if index in is_title and is_book(index, after, size, draft, numbers):
            books.append(one._replace(level="book"))
        elif size >= draft.min_words and (index in draft.matched or not chapters[0] < index < chapters[-1]):
            is_large = size >= STORY_SIZE * usual or index >= half or (after == chapters[0] and numbers[after] == 2)
            kind = kind_beside(index < chapters[0], index > chapters[-1], is_large)
            is_top = index > chapters[-1] or (index < chapters[0] and index < first_container)
            sections.append(one._replace(kind=kind, top=is_top))
    if books:  # beside books that number anew, a section is a book without numbers
        sections = [one if one.kind == "front" else as_book(one) for one in sections]
    return books + place_stories(draft, books, taken | set(free)) + sections


def place_opening(draft: Draft, placed: Sequence[Placed]) -> list[Placed]:
    """Return what stands before the first heading of all if it is prose as long as several chapters: a first one."""
    firsts = sorted(one.first for one in placed)
    if len(firsts) < MIN_SIZES or firsts[0] == 0:
        return []
    sizes = [draft.num_words(one, after) for one, after in zip(firsts, [*firsts[1:], len(draft.items)], strict=True)]
    prose = [item for item in draft.items[: firsts[0]] if is_paragraph(item) and item.at not in draft.contents.blocks]
    if sum(item.num_words for item in prose) < max(STORY_SIZE * median(sizes), MIN_SIZES * draft.min_words):
        return []
    begin = prose[0].at
    if begin > 0 and is_spaced_title(draft.items[begin - 1]):
        return [place_title(draft, begin - 1)._replace(top=True)]
    return [Placed(begin, begin, "chapter", "narrative", "", "", top=True)]


def as_book(one: Placed) -> Placed:
    """Return a section as a book of the story."""
    return one._replace(level="book", kind="narrative", top=False)


def is_book(index: int, after: int, size: int, draft: Draft, numbers: dict[int, int]) -> bool:
    """Return whether the numbering below a title is its own: it stands right below, or lacks a number one."""
    number = numbers.get(after, 0)
    begins_anew = list(numbers.values()).count(1) > 1
    if number == 0 or (index not in draft.matched and not (number == 1 and begins_anew)):
        return False
    if after == min(numbers) and not begins_anew:
        return number == 2
    return size < draft.min_words or number != 1


def place_stories(draft: Draft, books: Sequence[Placed], taken: set[int]) -> list[Placed]:
    """Return the titles of stories without numbers, in a book whose other stories have them and no table lists."""
    unlisted = [one for one in books if one.first not in draft.matched]
    if 2 * len(unlisted) <= len(books):
        return []
    gap = min(draft.items[one.first].blank_before for one in unlisted)
    first = min(one.first for one in books)
    lines = sorted({*find_caps_titles(draft), *find_spaced_titles(draft)} - taken)
    lines = [index for index in lines if draft.items[index].blank_before >= gap and index > first]
    return [place_title(draft, index)._replace(level="book") for index in with_bodies(draft, lines)]


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
        is_late = draft.starts[index] > BACK_SHARE * draft.num_chars
        is_before = not chapters or index < chapters[0]
        is_behind = not chapters or index > chapters[-1]
        may_open = is_before or opens_part(containers, index)
        if index + 1 in draft.contents.blocks or not may_stand(heading, may_open, is_late and is_behind):
            continue
        one = place_heading(draft, index, heading.kind == "narrative" and is_title_block(draft, index + 1))
        if heading.kind != "narrative" and is_behind and (chapters or is_late):
            one = one._replace(kind="narrative" if ends_story(draft, one.after) else "back")
        below = next(iter(chapters[(place := bisect_right(chapters, index)) : place + 1]), None)
        if (
            below in draft.headed
            and draft.headed[below].number == 1
            and draft.num_words(one.after, below) < EMPTY_WORDS
        ):
            found.append(one._replace(level=container_level(placed)))  # it holds chapters of its own
            continue
        found.append(one._replace(top=is_behind or (is_before and not (containers and containers[0] < index))))
    return found


def opens_part(containers: Sequence[int], index: int) -> bool:
    """Return whether a block stands right below the heading of a volume, part or book."""
    place = bisect_left(containers, index)
    return place > 0 and index <= containers[place - 1] + OPENING_BLOCKS


def ends_story(draft: Draft, first: int) -> bool:
    """Return whether 'The End' comes below a short last section: it is part of the story then."""
    for item in draft.items[first:]:
        if item.num_lines <= 2 and BOOK_END.match(item.text):
            return True
        if item.at in draft.headed or draft.num_words(first, item.at) > MAX_LAST_WORDS:
            return False
    return False


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
    return [] if first is None else [Placed(first, first, "chapter", "back", "", "", top=True)]
