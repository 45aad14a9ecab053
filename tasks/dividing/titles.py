"""Blocks of a book -> titles: lines that a table lists, lines in capitals, lines below a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import NamedTuple

from tasks.dividing.contents import Contents, Item, find_contents, normalize_title
from tasks.dividing.dates import is_dated
from tasks.dividing.headings import BOOK_END, EDGES, MAX_CHARS, MAX_SMALL_WORD, Heading, is_sentence
from tasks.dividing.matching import match_titles
from tasks.dividing.numerals import parse_numeral

MAX_TITLE_WORDS, MAX_CAPS_WORDS = 18, 45  # of a title below a number
MAX_LINE_WORDS = 14  # of a title that stands alone
MIN_TITLED_SHARE = 0.5  # of the headings of one style: if so many are followed by a title, a title it is
WIDE_GAP = 3  # blank lines: paragraphs and verses stand closer
MIN_CAPITALS = 0.75  # share of the longer words of a title that begin with a capital
CAPS_BLANKS = 2  # blank lines above a title in capitals
EPIGRAPH_BLOCKS = 6
PARAGRAPH_WORDS = 25
BELOW_BLOCKS, BELOW_WORDS = 8, 60  # running text begins within so many blocks


class Draft(NamedTuple):
    """What is known about a book's blocks before its headings are chosen.

    `words[i]` counts the words of the blocks before `i`; `headed` are the blocks outside tables of contents that
    have the form of a heading; `matched` maps blocks to the titles that a table lists. `title` is the catalogue's,
    normalized.
    """

    items: Sequence[Item]
    starts: Sequence[int]
    num_chars: int
    min_words: int
    words: Sequence[int]
    contents: Contents
    headed: dict[int, Heading]
    matched: dict[int, Heading]
    title: str = ""

    def num_words(self, first: int, after: int) -> int:
        """Return the words of blocks `first:after`, none where they are out of order."""
        last = min(after, len(self.items))
        return max(0, self.words[last] - self.words[min(first, last)])


def draft_blocks(items: Sequence[Item], starts: Sequence[int], num_chars: int, min_words: int, title: str) -> Draft:
    """Return what the choice of headings builds on; arguments as in `find_outline`."""
    words = [0, *accumulate(item.num_words for item in items)]
    contents = find_contents(items)
    headed = {item.at: item.heading for item in items if item.heading and item.at not in contents.blocks}
    matched = match_titles(items, contents)
    return Draft(items, starts, num_chars, min_words, words, contents, headed, matched, normalize_title(title))


def find_bare_titles(draft: Draft) -> list[int]:
    """Return blocks without number that are titles: listed in a table, or in capitals above a number one.

    A title right below a number belongs to that number, but for the titles that a table lists on lines of their own
    below a part.
    """
    numbers = {index: heading for index, heading in draft.headed.items() if heading.number}
    alone = titles_of_their_own(draft)
    listed = {index for index in draft.matched if index not in numbers and (index - 1 not in numbers or index in alone)}
    if any(heading.level == "chapter" and " " not in heading.family for heading in numbers.values()):
        return sorted(listed)
    ones = (index for index, heading in numbers.items() if heading.number == 1)
    above = {title for index in ones if (title := title_above(draft, index)) >= 0}
    return sorted(listed | (above if len(above) > 1 else set()))


def titles_of_their_own(draft: Draft) -> set[int]:
    """Return listed titles below a part's heading that are not the part's: the table lists more of them than parts."""
    parts = {index for index, heading in draft.headed.items() if heading.level != "chapter"}
    loose = {index for index, entry in draft.matched.items() if entry.number is None}
    own = {index for index in draft.matched if index not in draft.headed and has_number(draft, index)}
    return {index for index in (loose | own if len(loose) > len(parts) else own) if index - 1 in parts}


def has_number(draft: Draft, index: int) -> bool:
    """Return whether a listed title stands behind its number, though without the form of a numbered heading."""
    first = draft.items[index].text.split(maxsplit=1)[0].strip(EDGES + ".:")
    return draft.matched[index].number is not None and parse_numeral(first) == draft.matched[index].number


def title_above(draft: Draft, index: int) -> int:
    """Return the title above a number one, an epigraph between them allowed; -1 where there is none."""
    for title in range(index - 1, max(-1, index - EPIGRAPH_BLOCKS), -1):
        if title in draft.headed or draft.num_words(title + 1, index) >= draft.min_words:
            break
        item = draft.items[title]
        if is_caps_title(draft, title) or (item.blank_before >= WIDE_GAP and is_spaced_title(item)):
            return title
    return -1


def find_caps_titles(draft: Draft) -> list[int]:
    """Return lines in capitals that stand above running text."""
    found = []
    for item in draft.items[:-1]:
        if item.at in draft.headed or not is_caps_title(draft, item.at):
            continue
        below = draft.items[item.at + 1]
        is_text = draft.num_words(item.at + 1, item.at + 1 + BELOW_BLOCKS) > BELOW_WORDS
        if is_text and not is_caps(below.text) and not below.text.lower().startswith("by "):
            found.append(item.at)
    return found


def find_front_titles(draft: Draft, end: int) -> list[int]:
    """Return lines in capitals before block `end` with a paragraph right below: letters and notes to the reader."""
    found: list[int] = []
    for item in draft.items[:end]:
        is_second = item.at - 1 in found and not is_book_title(draft, item.at - 1)
        if item.at in draft.headed or not is_caps_title(draft, item.at) or is_second:
            continue
        below = draft.items[item.at + 1 : item.at + 3]
        if any(map(is_paragraph, below)):
            found = [one for one in found if one != item.at - 1] + [item.at]
    return found


def is_paragraph(item: Item) -> bool:
    """Return whether a block is prose of some length."""
    return item.unwrapped and item.num_words >= PARAGRAPH_WORDS


def is_caps_title(draft: Draft, index: int) -> bool:
    """Return whether a block is a short line in capitals that stands apart."""
    item = draft.items[index]
    is_apart = item.blank_before >= CAPS_BLANKS and index not in draft.contents.blocks
    return is_apart and item.num_lines <= 2 and item.num_words <= MAX_LINE_WORDS and is_caps(item.text)


def is_caps(text: str) -> bool:
    """Return whether text has letters and all of them are capitals."""
    return text.upper() == text and sum(map(str.isalpha, text)) > 1


def with_bodies(draft: Draft, blocks: Sequence[int], min_words: int | None = None) -> list[int]:
    """Return the blocks with enough text up to the next one to be chapters."""
    least = draft.min_words if min_words is None else min_words
    ends = [*blocks[1:], len(draft.items)]
    return [one for one, end in zip(blocks, ends, strict=False) if draft.num_words(one + 1, end) >= least]


def find_titles_below(draft: Draft, numbered: Sequence[int]) -> Collection[int]:
    """Return the numbered headings with a title in the block below; none of a style that seldom has one."""
    families = {index: draft.headed[index].family for index in numbered if not draft.headed[index].title}
    found = [index for index in families if is_title_block(draft, index + 1)]
    found = [index for index in found if families[index] != "letter" or index + 1 in draft.matched]  # an address
    counts, hits = Counter(families.values()), Counter(families[index] for index in found)
    return {
        index
        for index in found
        if index + 1 in draft.matched or hits[families[index]] >= MIN_TITLED_SHARE * counts[families[index]]
    }


def is_title_block(draft: Draft, index: int) -> bool:
    """Return whether the block below a number reads as a title: short, no sentence, text after it."""
    if index + 1 >= len(draft.items):
        return False
    item = draft.items[index]
    if index not in draft.matched and is_dated(item.text):
        return False
    is_numbered = item.heading is not None and item.heading.number is not None
    if not item.text or is_numbered or item.num_lines > 4 or item.blank_before > 4:
        return False
    if index in draft.matched or (is_caps(item.text) and item.text.strip(EDGES)[-1:] != ","):
        return item.num_words <= MAX_CAPS_WORDS
    bare = item.text.strip(EDGES)
    is_line = item.num_words <= MAX_TITLE_WORDS and item.num_lines <= 2 and bare[:1].isupper()
    return is_line and bare[-1] not in '.!?,;:"”’—-'


def is_spaced_title(item: Item) -> bool:
    """Return whether a line reads as a title: capitals where titles have them, no end of a sentence."""
    bare = item.text.strip(EDGES)
    if not bare or not bare[0].isupper() or bare[-1] in ",;:" or item.num_words > MAX_LINE_WORDS:
        return False
    longer = [word.strip("\"'“‘_(") for word in bare.split() if len(word) > MAX_SMALL_WORD]
    num_upper = sum(word[:1].isupper() or word[:1].isdigit() for word in longer)
    is_end = bare[-1] == "." and is_sentence(bare)
    return num_upper >= MIN_CAPITALS * len(longer) and not is_end and BOOK_END.match(bare) is None


def is_book_title(draft: Draft, index: int) -> bool:
    """Return whether a block repeats the book's title, or its first line: the story begins there, not a preface."""
    if index == 0 or not draft.items[index].text or len(draft.items[index].text) > MAX_CHARS:
        return False
    one = normalize_title(draft.items[index].text)
    return one != "" and one in (draft.title, normalize_title(draft.items[0].text))
