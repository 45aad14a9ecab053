"""Blocks of a book -> the same with headings that run into their first paragraph cut off: 'CHAPTER I. It was ...'."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from schemas.books import Block
from tasks.dividing.headings import CHAPTER_KEYS
from tasks.dividing.numerals import NUMBER, parse_numeral

RUN_IN = re.compile(
    rf"_?(?:{CHAPTER_KEYS})\b\.?\s*(?:the\s+|no\.?\s*)?(?P<number>{NUMBER})(?![\w’'])(?:[.:,;)_]|\s?[—–-])+\s*"
    r"(?P<title>(?-i:(?:[A-Z][A-Z’'-]*[ ,;]+){1,12}[A-Z][A-Z’'-]+[.:—–-]+_?\s*))?(?=[^\s\d])",
    re.IGNORECASE,
)
MIN_WORDS = 25  # of a paragraph: shorter ones are headings with a title
MIN_RUN_IN = 3  # such paragraphs whose numbers count up


def cut_headings(text: str, blocks: Sequence[Block]) -> Sequence[Block]:
    """Return the blocks, paragraphs that open with a chapter's number cut after it where the book does so often."""
    cuts: dict[int, int] = {}
    numbers: list[int] = []
    for index, block in enumerate(blocks):
        found = RUN_IN.match(text, block.start, block.end)
        if found is None or text.count(" ", found.end(), block.end) < MIN_WORDS:
            continue
        cuts[index] = found.end()
        numbers.append(parse_numeral(found["number"]) or 0)
    if 1 + sum(after - one == 1 for one, after in pairwise(numbers)) < MIN_RUN_IN:
        return blocks
    return [piece for index, block in enumerate(blocks) for piece in cut_block(block, cuts.get(index))]


def cut_block(block: Block, cut: int | None) -> list[Block]:
    """Return a block, or the heading and the paragraph that it is cut into."""
    if cut is None:
        return [block]
    heading = block._replace(end=cut, last_line=block.line, unwrapped=True)
    return [heading, block._replace(start=cut, blank_before=0)]
