"""Blocks of a chapter -> its scenes: cut at lines of asterisks, and at extra blank lines where that is the custom."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from schemas.books import Block, CleanBook, Scene
from schemas.value import Span
from tasks.cleaning.paragraphs import SCENE_BREAK
from tasks.dividing.contents import Item
from tasks.dividing.headings import QUOTES

MAX_BREAK_CHARS = 80
MIN_WIDE, MAX_WIDE_SHARE = 3, 0.1  # wider gaps between paragraphs that make a custom; more of them are the usual ones
MIN_WORDS = 8  # of a paragraph after a gap that begins a scene
ENDS = ".!?\"'”’»)—-*_"


class Typography(NamedTuple):
    """How a book marks its scenes: `breaks` are lines of asterisks and the like, `gaps` the blocks below a wide gap."""

    breaks: frozenset[int]
    gaps: frozenset[int]


def read_typography(book: CleanBook, items: Sequence[Item], bodies: Sequence[tuple[int, int]]) -> Typography:
    """Return the marks between scenes in the bodies of chapters, given as blocks `first:after`."""
    inner = [index for first, after in bodies for index in range(first, after)]
    breaks = frozenset(index for index in inner if is_break(book, book.blocks[index]))
    firsts = {first for first, _ in bodies}
    pairs = [index for index in inner if index not in firsts and {index, index - 1}.isdisjoint(breaks)]
    gaps = Counter(items[index].blank_before for index in pairs)
    usual = max(gaps, key=lambda gap: (gaps[gap], -gap), default=1)
    wide = [index for index in pairs if items[index].blank_before > max(usual, 1)]
    if len(wide) > MAX_WIDE_SHARE * len(pairs):
        return Typography(breaks, frozenset())
    removed = sorted((one.first_line, one.last_line) for one in book.removed)
    turns = [index for index in wide if is_turn(items, index) and not is_cut_out(book, index, removed)]
    return Typography(breaks, frozenset(turns if len(turns) >= MIN_WIDE else ()))


def is_break(book: CleanBook, block: Block) -> bool:
    """Return whether a block is a line of asterisks or the like."""
    short = block.end - block.start < MAX_BREAK_CHARS
    return short and SCENE_BREAK.match(book.text[block.start : block.end]) is not None


def is_turn(items: Sequence[Item], index: int) -> bool:
    """Return whether one paragraph of prose ends above a gap, and another one begins below it."""
    above, below = items[index - 1], items[index]
    is_prose = above.unwrapped and below.unwrapped and below.num_words >= MIN_WORDS
    begins = below.ends[:1].isupper() or below.ends[:1] in QUOTES
    return is_prose and begins and above.ends[-1:] in ENDS and above.ends != ""


def is_cut_out(book: CleanBook, index: int, removed: Sequence[tuple[int, int]]) -> bool:
    """Return whether something that stood between two blocks was removed: a picture, a page's number."""
    low, high = book.blocks[index - 1].last_line, book.blocks[index].line
    place = bisect_right(removed, (high, 0)) - 1
    return place >= 0 and removed[place][1] > low


def make_scenes(book: CleanBook, first: int, after: int, marks: Typography) -> tuple[Scene, ...]:
    """Return the scenes of blocks `first:after`; a line of asterisks belongs to the scene above it."""
    starts = [first]
    has_text = has_break = False
    for index in range(first, after):
        is_mark = index in marks.breaks
        if not is_mark and has_text and (has_break or index in marks.gaps):
            starts.append(index)
            has_text = has_break = False
        has_break = has_break or is_mark
        if not is_mark:
            has_text, has_break = True, False
    return tuple(
        make_scene(book, low, high) for low, high in zip(starts, [*starts[1:], after], strict=True) if low < high
    )


def make_scene(book: CleanBook, first: int, after: int) -> Scene:
    """Return blocks `first:after` as one scene."""
    paragraphs = tuple(Span(offset(book, index), offset(book, index + 1)) for index in range(first, after))
    return Scene(start=paragraphs[0].start, end=paragraphs[-1].end, paragraphs=paragraphs)


def offset(book: CleanBook, index: int) -> int:
    """Return where a block begins; the end of the text after the last one."""
    return book.blocks[index].start if index < len(book.blocks) else len(book.text)
