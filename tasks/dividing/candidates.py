"""Headings of a book -> the numbered ones among them, as the choice of a chain weighs them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise
from statistics import median

from tasks.dividing.headings import BOOK_END, Heading
from tasks.dividing.numbering import EMPTY_WORDS, KEYWORD, Numbered
from tasks.dividing.titles import Draft

RANKS = ("alone", "and title", "")  # second part of a family's name; keywords have none
BACK_SHARE = 0.8  # of the text: numbers below a heading of back matter after it count notes
MIN_FAMILY = 3  # bare numbers of one style: a single one of another style beside them is a word of the text
MIN_PAGES = 12  # bare numbers that may be those of pages
MAX_BACK = 0.05  # share of them that may be misprinted, so that they fall
MIN_CUT = 0.3  # share of them in the middle of a sentence
MIN_TEXT_WORDS = 8  # of the paragraph that a page's number cuts
PAGE_WORDS, PAGE_SPREAD = 700, 0.3  # words between them, and how far half of them lie from the middle one at most


def number_candidates(draft: Draft, titles: Sequence[int], of_chapters: bool) -> list[Numbered]:
    """Return the numbered blocks of chapter level, or of the levels above it."""
    odd = find_odd_numbers(draft)
    numbers = {index for index, heading in draft.headed.items() if heading.number and index not in odd}
    stops = [index for index in sorted({*draft.headed, *titles}) if index in numbers or index - 1 not in numbers]
    bodies = measure_bodies(draft, stops)
    candidates, num_containers, last = [], 0, Counter[str]()
    first, after = first_chapter(draft, numbers), first_back(draft, numbers)
    for index in stops[: bisect_left(stops, after)]:
        heading = draft.headed.get(index)
        if heading is None or heading.level != "chapter" or (heading.number is None and bodies[index] < EMPTY_WORDS):
            num_containers += of_chapters
        if index not in numbers or heading is None or heading.number is None:
            continue
        if (heading.level == "chapter") != of_chapters or (of_chapters and index < first):
            continue
        place = (heading.family, heading.number, rank_of(heading), num_containers, draft.starts[index])
        before, is_listed = last[heading.family], index in draft.matched and bool(heading.title)
        candidates.append(Numbered(index, *place, before=before, body=bodies[index], listed=is_listed))
        last[heading.family] = heading.number
    return candidates


def first_back(draft: Draft, numbers: Collection[int]) -> int:
    """Return the late heading of back matter after which no chapter with a keyword comes: its numbers are its own."""
    last = max((index for index in numbers if rank_of(draft.headed[index]) == KEYWORD), default=0)
    late = (item.at for item in draft.items[last + 1 :] if draft.starts[item.at] > BACK_SHARE * draft.num_chars)
    return next((index for index in late if is_back(draft, index, last > 0)), len(draft.items))


def is_back(draft: Draft, index: int, has_keywords: bool) -> bool:
    """Return whether a block heads back matter, or says 'The End' in a book whose chapters are all above it."""
    heading, item = draft.headed.get(index), draft.items[index]
    if heading is None:
        return has_keywords and 0 < item.num_lines <= 2 and BOOK_END.match(item.text) is not None
    return heading.kind == "back"


def first_chapter(draft: Draft, numbers: Collection[int]) -> int:
    """Return the first keyword's number if a preface stands above it: what that numbers are its own sections."""
    first = min((index for index in numbers if rank_of(draft.headed[index]) == KEYWORD), default=0)
    named = [heading.kind for index, heading in draft.headed.items() if index < first and heading.number is None]
    return first if named and named[-1] == "front" else 0


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


def find_odd_numbers(draft: Draft) -> set[int]:
    """Return bare numbers that head nothing: those of pages, and single words such as 'Two.' among other numbers."""
    families: dict[str, list[int]] = {}
    for index, heading in draft.headed.items():
        if heading.number and heading.family.endswith("alone"):
            families.setdefault(heading.family, []).append(index)
    most = max(map(len, families.values()), default=0)
    odd: set[int] = set()
    for blocks in families.values():
        if are_pages(draft, blocks) or (len(blocks) == 1 and most >= MIN_FAMILY):
            odd.update(blocks)
    return odd


def are_pages(draft: Draft, blocks: Sequence[int]) -> bool:
    """Return whether bare numbers are those of pages: they never begin anew, and cut sentences, or come at the
    distance of pages with no more room above them than any paragraph has.
    """
    numbers = [heading.number or 0 for index in blocks if (heading := draft.headed[index])]
    num_back = sum(after <= one for one, after in pairwise(numbers))
    if len(blocks) < MIN_PAGES or num_back > MAX_BACK * len(blocks):
        return False
    if sum(cuts_sentence(draft, index) for index in blocks) >= MIN_CUT * len(blocks):
        return True
    if median(draft.items[index].blank_before for index in blocks) > 1:
        return False
    sizes = [draft.num_words(one, after) for one, after in pairwise(blocks)]
    middle = median(sizes)
    spread = median(abs(size - middle) for size in sizes)
    return 0 < middle <= PAGE_WORDS and spread <= PAGE_SPREAD * middle


def cuts_sentence(draft: Draft, index: int) -> bool:
    """Return whether the text above a block stops, or the text below it begins, in the middle of a sentence."""
    above = draft.items[index - 1] if index > 0 else draft.items[index]
    below = draft.items[index + 1].ends[:1] if index + 1 < len(draft.items) else ""
    is_text = above.unwrapped and above.num_words > MIN_TEXT_WORDS
    return below.islower() or (is_text and (above.ends[-1:].isalpha() or above.ends[-1:] == ","))
