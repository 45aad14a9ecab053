"""Blocks of a page -> lines as Gutenberg's plain texts have them: wrapped, blank lines telling what is what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["heading", "prose", "lines", "break", "space"]

WIDTH = 72  # characters: Gutenberg's own width
INDENT = 4  # blanks before verse, letters, quotations
SCENE_BREAK = "       *       *       *       *       *"
LONGEST_HEADING = 100  # characters: a longer paragraph is prose, whatever the contents call it
MAX_SPACED = 0.3  # share of paragraphs with an empty one after them: beyond it that is the book's way of spacing
# Blank lines before and after a heading, by level; two between headings (Gutenberg's volunteers' FAQ: four and two)
BEFORE = {1: 4, 2: 4}
AFTER = 2


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph of prose, a group of lines, a scene break, or an empty paragraph."""

    kind: Kind
    lines: tuple[str, ...] = ()
    level: int = 0  # of a heading: 1 to 6
    indented: bool = False

    @property
    def text(self) -> str:
        """The lines as one."""
        return " ".join(self.lines)


def mark_headings(blocks: Sequence[Block], titles: Iterable[str]) -> list[Block]:
    """Return a document's blocks; a short paragraph that the table of contents names is a heading."""
    wanted = {bare for title in titles if (bare := _bare(title))}
    marked = list(blocks)
    for index, block in enumerate(marked):
        if not wanted:
            break
        words = _bare(block.text)
        if block.kind == "heading":
            wanted.discard(words)
            continue
        if not words or block.kind not in ("prose", "lines") or len(block.text) > LONGEST_HEADING:
            continue
        after = marked[index + 1] if index + 1 < len(marked) else None
        both = words + _bare(after.text) if after else ""
        if words in wanted:
            wanted.discard(words)
            marked[index] = replace(block, kind="heading", level=2)
        elif both in wanted and after and len(after.text) <= LONGEST_HEADING:  # 'Chapter 1', then 'The Ferry'
            wanted.discard(both)
            marked[index] = replace(block, kind="heading", level=2)
            if after.kind != "heading":
                marked[index + 1] = replace(after, kind="heading", level=3)
    return marked


def lay_out(blocks: Sequence[Block]) -> str:
    """Return the text: one blank line between paragraphs, more about headings, scene breaks as asterisks."""
    lines: list[str] = []
    last: Block | None = None
    for block, num_spaces in _drop_ornaments(blocks):
        if last is not None:
            lines += [""] * (_gap(last, block) + num_spaces)
        lines += _lines_of(block)
        last = block
    return "\n".join(lines) + "\n" if lines else ""


def _drop_ornaments(blocks: Sequence[Block]) -> Iterator[tuple[Block, int]]:
    """Yield blocks with the number of empty paragraphs before each; a break counts between paragraphs only."""
    num_spaces = sum(block.kind == "space" for block in blocks)
    spacing = num_spaces > MAX_SPACED * sum(block.kind == "prose" for block in blocks)
    last: Block | None = None
    rule: Block | None = None
    spaces = 0
    for block in blocks:
        if block.kind == "space":
            spaces += not spacing
        elif block.kind == "break":
            rule = block
        else:
            within = last is not None and last.kind != "heading" and block.kind != "heading"
            if rule is not None and within:
                yield rule, 0
                spaces = 0
            yield block, spaces if within else 0
            last, rule, spaces = block, None, 0


def _gap(last: Block, block: Block) -> int:
    if last.kind == "heading":
        return AFTER
    return BEFORE.get(block.level, 2) if block.kind == "heading" else 1


def _lines_of(block: Block) -> Iterator[str]:
    if block.kind == "break":
        yield SCENE_BREAK
    elif block.kind == "lines":
        for line in block.lines:
            yield from wrap(line, INDENT, INDENT if len(line) > WIDTH else 0)
    else:
        for line in block.lines:
            yield from wrap(line, INDENT if block.indented else 0)


def wrap(text: str, indent: int = 0, hang: int = 0) -> Iterator[str]:
    """Yield a text in lines of at most WIDTH characters, cut at blanks; a longer word keeps its line to itself.

    Args:
        text: one line of any length; blanks at its front are kept.
        indent: blanks before every line.
        hang: more blanks before all lines but the first.
    """
    start, margin = 0, indent
    while len(text) - start > WIDTH - margin:
        cut = text.rfind(" ", start + 1, start + WIDTH - margin + 1)
        if cut < 0 or text[start:cut].isspace():
            cut = text.find(" ", start + WIDTH - margin)
        if cut < 0:
            break
        yield (" " * margin + text[start:cut]).rstrip()
        start = cut + 1
        margin = indent + hang
    if rest := text[start:].rstrip():
        yield " " * margin + rest


def _bare(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
