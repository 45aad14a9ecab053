"""Headings and blocks -> the tree of divisions: who holds whom, where bodies begin and end, scenes, paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.books import CleanBook, Division, Level
from tasks.dividing.contents import Item
from tasks.dividing.headings import QUOTES
from tasks.dividing.placing import Placed
from tasks.dividing.scenes import Typography, make_scenes, offset, read_typography

BLURB_WORDS = 80  # of the lines that recommend a magazine's story
CREDITS = re.compile(r"\W*(?:illustrat(?:ed|ions?)|drawings?|pictures|translated|adapted|by)\b.* \w", re.IGNORECASE)
NO_HEADING = 0.5  # confidence of the only chapter of a book
FRONT_GAP = 3  # blank lines above the story that follows a preface
TITLE_PAGE_BLOCKS, TITLE_PAGE_WORDS = 12, 15  # a title page has few blocks, and short ones


@dataclass
class Node:
    """A heading and what it holds, while the tree is built; `end` is the block after its last one."""

    heading: Placed
    end: int
    children: list[Node] = field(default_factory=list)


class Shelf(NamedTuple):
    """What every node of one book's tree is made from."""

    book: CleanBook
    items: Sequence[Item]
    marks: Typography
    min_words: int


def build_divisions(
    book: CleanBook, items: Sequence[Item], headings: Sequence[Placed], min_words: int
) -> tuple[Division, ...]:
    """Return the divisions of a book; what stands before the first heading is front matter without a heading."""
    if not any(one.kind == "narrative" for one in headings):
        headings = after_title_page(headings, items)
    if headings[0].first > 0:
        front = Placed(0, 0, "chapter", "front", "", "", top=True)
        headings = [front, *headings]
    roots = nest(headings, len(book.blocks))
    marks = read_typography(book, items, [body for root in roots for body in iter_bodies(root)])
    shelf = Shelf(book, items, marks, min_words)
    return tuple(make_division(shelf, node) for node in roots)


def iter_bodies(node: Node) -> Iterator[tuple[int, int]]:
    """Yield the blocks `first:after` below each heading."""
    if node.heading.after < node.end:
        yield node.heading.after, node.end
    for child in node.children:
        yield from iter_bodies(child)


def after_title_page(headings: Sequence[Placed], items: Sequence[Item]) -> list[Placed]:
    """Return the one chapter of a book without divisions, and the front and back matter around it."""
    fronts = [one for one in headings if one.kind == "front"]
    low = fronts[-1].after + 1 if fronts else 0
    first = low if not fronts else next((item.at for item in items[low:] if item.blank_before >= FRONT_GAP), 0)
    begin = skip_title_page(items, first)
    chapter = Placed(begin, begin, "chapter", "narrative", "", "", top=True, confidence=NO_HEADING)
    before = [one for one in fronts if one.after < begin]
    return [*before, chapter, *(one for one in headings if one.kind == "back" and one.first > begin)]


def skip_title_page(items: Sequence[Item], first: int) -> int:
    """Return the block below a title page, its tables of contents (no words) and the lines that recommend a story."""
    index, last = first, first
    while index < len(items) - 1 and last < first + TITLE_PAGE_BLOCKS and is_of_title_page(items, index):
        last += items[index].num_words > 0
        index += 1
    return index if not is_of_title_page(items, index) else first


def is_of_title_page(items: Sequence[Item], index: int) -> bool:
    """Return whether a block is short but no speech, or recommends the story: all emphasis, or credits below it."""
    item, below = items[index], items[index + 1 : index + 3]
    if item.num_words <= TITLE_PAGE_WORDS:
        return item.ends[:1] not in QUOTES or len(item.ends) == 0
    is_emphasis = item.ends == "__" and item.text.count("_") == 2
    has_credits = any(CREDITS.match(one.text) and one.num_words <= TITLE_PAGE_WORDS for one in below)
    return item.num_words <= BLURB_WORDS and (is_emphasis or has_credits)


def nest(headings: Sequence[Placed], num_blocks: int) -> list[Node]:
    """Return the top nodes; a heading belongs to the last one of a higher level above it."""
    ranks = rank_levels(headings)
    roots: list[Node] = []
    open_nodes: list[Node] = []
    for one, after in zip(headings, [*headings[1:], None], strict=True):
        node = Node(one, after.first if after else num_blocks)
        rank = -1 if one.top else ranks[one.level]
        while open_nodes and (rank < 0 or ranks[open_nodes[-1].heading.level] >= rank):
            open_nodes.pop()
        (open_nodes[-1].children if open_nodes else roots).append(node)
        open_nodes.append(node)
    return roots


def rank_levels(headings: Sequence[Placed]) -> dict[Level, int]:
    """Return the order of the levels, outermost first: of parts and books the fewer hold the more."""
    num_parts = sum(one.level == "part" for one in headings)
    num_books = sum(one.level == "book" for one in headings)
    parts_outside = num_parts <= num_books
    return {"volume": 0, "part": 1 if parts_outside else 2, "book": 2 if parts_outside else 1, "chapter": 3}


def make_division(shelf: Shelf, node: Node) -> Division:
    """Return a node as a division; text of its own before its first child becomes a child without heading."""
    book, one, blocks = shelf.book, node.heading, shelf.book.blocks
    end = tree_end(book, node)
    after, children = one.after, node.children
    body_line = blocks[after].line if after < node.end else None
    own: tuple[Division, ...] = ()
    if children:
        num_own = sum(item.num_words for item in shelf.items[after : node.end])
        if num_own < shelf.min_words:  # an epigraph belongs to the heading
            after, body_line = node.end, None
        else:
            kind = one._replace(first=after, label="", title="", level="chapter")
            own = (make_division(shelf, Node(kind, node.end)),)
    body_start = offset(book, after)
    return Division(
        level=one.level,
        kind=one.kind,
        label=one.label,
        title=one.title,
        start=offset(book, one.first),
        body_start=body_start,
        end=end,
        line=blocks[one.first].line,
        body_line=body_line,
        confidence=one.confidence,
        children=(*own, *(make_division(shelf, child) for child in children)),
        scenes=() if children else make_scenes(book, after, node.end, shelf.marks),
    )


def tree_end(book: CleanBook, node: Node) -> int:
    """Return the offset where the last division within a node ends."""
    while node.children:
        node = node.children[-1]
    return offset(book, node.end)
