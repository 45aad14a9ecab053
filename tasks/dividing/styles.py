"""Blocks of a book whose headings have neither number nor table -> titles of one style: dates, addresses, titles."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.dividing.contents import Item
from tasks.dividing.dates import is_dated
from tasks.dividing.headings import EDGES, MAX_SMALL_WORD
from tasks.dividing.titles import MAX_LINE_WORDS, WIDE_GAP, Draft, is_spaced_title, with_bodies

ADDRESSED = re.compile(r"(?:to|from) \S.*|\S.*? to \S.*", re.IGNORECASE)
MAX_STYLED_WORDS = 16  # of an address or a date
MIN_NAMES = 0.6  # share of the longer words of an address that begin with a capital
MIN_STYLED = 4  # blocks of one style that divide a book
MIN_STYLED_SHARE = 0.6  # of the text between the first of them and the end
MAX_SHORT_SHARE = 0.35  # of a style's blocks may have less below them than a chapter: more are lines of the text
ODD_GAP = 0.1  # share of blocks with so many blank lines above: if more have, gaps tell nothing


def find_styled(draft: Draft) -> list[int]:
    """Return the blocks of the first style that divides the book, in order; none where no style does."""
    lines = [item for item in draft.items if is_free(draft, item)]
    for claim, gap in ((is_dated, 1), (is_addressed, 2)):
        if found := divide_by(draft, [item.at for item in lines if item.blank_before >= gap and claim(item.text)]):
            return found
    return divide_by(draft, find_spaced_titles(draft))


def find_dated(draft: Draft, first: int, after: int) -> list[int]:
    """Return the dates that head the entries of a journal in blocks `first:after`, each with enough text below."""
    dated = [item.at for item in draft.items[first:after] if is_free(draft, item) and is_dated(item.text)]
    ends = [*dated[1:], after]
    return [one for one, end in zip(dated, ends, strict=False) if draft.num_words(one + 1, end) >= draft.min_words]


def is_free(draft: Draft, item: Item) -> bool:
    """Return whether a block is a short line that is neither a heading nor a table's."""
    is_short = bool(item.text) and item.num_lines <= 2 and item.num_words <= MAX_STYLED_WORDS
    return is_short and item.at not in draft.headed and item.at not in draft.contents.blocks


def divide_by(draft: Draft, blocks: Sequence[int]) -> list[int]:
    """Return the blocks with enough text below, if they are many, reach through the book, and few have too little."""
    found = with_bodies(draft, blocks)
    if len(found) < MIN_STYLED or len(blocks) - len(found) > MAX_SHORT_SHARE * len(blocks):
        return []
    covered = draft.num_words(found[0], len(draft.items))
    return found if covered >= MIN_STYLED_SHARE * draft.words[-1] else []


def is_addressed(text: str) -> bool:
    """Return whether a line names the writer or the receiver of a letter, such as 'To Miss Reed, at Leith'."""
    bare = text.strip(EDGES)
    longer = [word for word in re.findall(r"\w+", bare) if len(word) > MAX_SMALL_WORD]
    num_named = sum(word[0].isupper() or word[0].isdigit() for word in longer)
    is_named = bare[:1].isupper() and num_named >= MIN_NAMES * len(longer)
    return is_named and num_named > 0 and ADDRESSED.fullmatch(" ".join(bare.split())) is not None


def find_spaced_titles(draft: Draft) -> list[int]:
    """Return lines in the small and capital letters of titles that stand far apart from the text above."""
    wide = [item for item in draft.items if item.blank_before >= WIDE_GAP]
    if len(wide) > ODD_GAP * len(draft.items):
        return []
    return [
        item.at for item in wide if is_free(draft, item) and is_spaced_title(item) and has_text_below(draft, item.at)
    ]


def has_text_below(draft: Draft, index: int) -> bool:
    """Return whether running text begins in the block below, or in the one after it."""
    below = draft.items[index + 1 : index + 3]
    return any(item.unwrapped and item.num_words > MAX_LINE_WORDS for item in below)
