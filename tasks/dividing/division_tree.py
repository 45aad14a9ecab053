"""Headings and blocks -> the tree of divisions: who holds whom, where bodies begin and end, scenes, paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.books import Block, CleanBook, Division, Level, Scene
from schemas.value import Span
from tasks.cleaning.paragraphs import SCENE_BREAK
from tasks.dividing.contents import Item
from tasks.dividing.placing import Placed

NO_HEADING = 0.5  # confidence of the only chapter of a book
FRONT_GAP = 3  # blank lines above the story that follows a preface
TITLE_PAGE_BLOCKS, TITLE_PAGE_WORDS = 12, 15  # a title page has few blocks, and short ones


@dataclass
class Node:
    """A heading and what it holds, while the tree is built; `end` is the block after its last one."""

    heading: Placed
    end: int
    children: list[Node] = field(default_factory=list)


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
    return tuple(make_division(book, items, node, min_words) for node in roots)


def after_title_page(headings: Sequence[Placed], items: Sequence[Item]) -> list[Placed]:
    """Return the one chapter of a book without divisions, and the front and back matter around it."""
    fronts = [one for one in headings if one.kind == "front"]
    low = fronts[-1].after + 1 if fronts else 0
    first = low if not fronts else next((item.at for item in items[low:] if item.blank_before >= FRONT_GAP), 0)
    last = min(first + TITLE_PAGE_BLOCKS, len(items) - 1)
    begin = first
    while begin < last and items[begin].num_words <= TITLE_PAGE_WORDS:
        begin += 1
    if items[begin].num_words <= TITLE_PAGE_WORDS:
        begin = first
    chapter = Placed(begin, begin, "chapter", "narrative", "", "", top=True, confidence=NO_HEADING)
    before = [one for one in fronts if one.after < begin]
    return [*before, chapter, *(one for one in headings if one.kind == "back" and one.first > begin)]


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


def make_division(book: CleanBook, items: Sequence[Item], node: Node, min_words: int) -> Division:
    """Return a node as a division; text of its own before its first child becomes a child without heading."""
    one, blocks = node.heading, book.blocks
    end = tree_end(book, node)
    after, children = one.after, node.children
    body_line = blocks[after].line if after < node.end else None
    own: tuple[Division, ...] = ()
    if children:
        num_own = sum(item.num_words for item in items[after : node.end])
        if num_own < min_words:  # an epigraph belongs to the heading
            after, body_line = node.end, None
        else:
            kind = one._replace(first=after, label="", title="", level="chapter")
            own = (make_division(book, items, Node(kind, node.end), min_words),)
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
        children=(*own, *(make_division(book, items, child, min_words) for child in children)),
        scenes=() if children else make_scenes(book, after, node.end),
    )


def tree_end(book: CleanBook, node: Node) -> int:
    """Return the offset where the last division within a node ends."""
    while node.children:
        node = node.children[-1]
    return offset(book, node.end)


def offset(book: CleanBook, index: int) -> int:
    """Return where a block begins; the end of the text after the last one."""
    return book.blocks[index].start if index < len(book.blocks) else len(book.text)


def make_scenes(book: CleanBook, first: int, after: int) -> tuple[Scene, ...]:
    """Return the scenes of blocks `first:after`: a scene ends with the line of asterisks or the like after it."""
    scenes: list[Scene] = []
    begin = first
    for index in range(first, after):
        is_last = index + 1 == after
        has_text = any(not is_break(book, book.blocks[one]) for one in range(begin, index))
        if is_last or (has_text and is_break(book, book.blocks[index]) and has_text_after(book, index + 1, after)):
            paragraphs = tuple(Span(offset(book, one), offset(book, one + 1)) for one in range(begin, index + 1))
            scenes.append(Scene(start=paragraphs[0].start, end=paragraphs[-1].end, paragraphs=paragraphs))
            begin = index + 1
    return tuple(scenes)


def has_text_after(book: CleanBook, first: int, after: int) -> bool:
    """Return whether anything but scene breaks stands in blocks `first:after`."""
    return any(not is_break(book, book.blocks[one]) for one in range(first, after))


def is_break(book: CleanBook, block: Block) -> bool:
    """Return whether a block is a line of asterisks or the like."""
    return block.end - block.start < 80 and SCENE_BREAK.match(book.text[block.start : block.end]) is not None
