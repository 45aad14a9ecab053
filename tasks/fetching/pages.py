"""One document of an EPUB -> blocks: headings, paragraphs, verse, scene breaks; what is for the eye alone stays out."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from tasks.fetching.layout import WIDTH, Block
from tasks.fetching.xhtml import (
    has_caption,
    has_columns,
    holds_blocks,
    is_block,
    is_skipped,
    names_of,
    read_links,
    tag_of,
)

HEADINGS = {f"h{level}": level for level in range(1, 7)}
SUBTITLE = 3
EMPHASIS = frozenset(("em", "i", "cite", "strong", "b"))
VERSE = re.compile(r"\b(?:poem|poetry|stanza|verse|linegroup|lg)\b", re.I)  # class names of the makers of EPUBs
ITALIC = re.compile(r"\b(?:italics?|emph|emphasis)\b", re.I)
NOTE_MARK = re.compile(r"noteref|fnanchor|footnote-?ref", re.I)
CAPTION = re.compile(r"\bcaption\b", re.I)

_BLANKS = re.compile(r"[ \t\r\n\f]+")
_CELLS = re.compile(r" ?\0 ?")
_MARKS = {"emphasis": "_{}_", "note": "[{}]"}


def read_page(root: Any) -> list[Block]:
    """Return the blocks of a document in order."""
    reader = PageReader()
    walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    skipped: Any = None
    for event, node in walker:
        if event == "start":
            if is_skipped(node):
                skipped = node
                walker.skip_subtree()
            else:
                reader.enter(node)
        elif event == "end" and node is not skipped:
            reader.leave(node)
        if event != "start" and node is not root:
            reader.add(node.tail)
    reader.flush()
    return reader.blocks


def link_share(root: Any) -> float:
    """Return the share of a page's text that stands in links."""
    total = sum(len(block.text) for block in read_page(root))
    linked = sum(len(text) for _, text in read_links(root))
    return linked / total if total else 0.0


class PageReader:
    """Collects blocks; `_inline` holds the pieces of the block at hand."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._inline: list[str] = []
        self._marks: list[tuple[Any, str, int]] = []  # element, kind of mark, where it began in `_inline`
        self._heading = self._titles = self._quoted = self._pre = self._cell = self._caption = 0
        self._groups: list[Any] = []  # open containers whose short paragraphs are lines of one group
        self._joined: Any = None  # the container that the last block's line came from
        self._tables: list[bool] = []  # whether each open table has columns

    def enter(self, node: Any) -> None:
        """Take in the start of an element and the text up to its first child."""
        tag, names = tag_of(node), names_of(node)
        in_columns = tag in ("td", "th") and self._tables[-1:] == [True]
        if is_block(node) and not self._cell and not in_columns:
            self.flush()
        self._titles += tag == "hgroup"
        self._heading = self._level_of(tag) or self._heading
        self._quoted += tag == "blockquote"
        self._pre += tag == "pre"
        self._caption += tag == "figcaption" or bool(CAPTION.search(names))
        if tag in ("ul", "ol") or (is_block(node) and VERSE.search(names) and holds_blocks(node)):
            self._groups.append(node)
        if tag == "table":
            self._tables.append(has_columns(node))
            if self._tables[-1]:
                self._groups.append(node)
        self._cell += in_columns
        if not self._heading and not self._pre:
            if tag in EMPHASIS or (tag == "span" and ITALIC.search(names)):
                self._marks.append((node, "emphasis", len(self._inline)))
            elif tag == "sup" or (tag == "a" and NOTE_MARK.search(names)):
                self._marks.append((node, "note", len(self._inline)))
        self._place(tag, node)
        self.add(node.text)

    def leave(self, node: Any) -> None:
        """Take in the end of an element."""
        tag = tag_of(node)
        if self._marks and self._marks[-1][0] is node:
            self._close_mark(*self._marks.pop()[1:])
        if tag in ("td", "th") and self._cell:
            self._inline.append("\0")  # between cells; no parser lets this through
        self._cell -= tag in ("td", "th") and self._tables[-1:] == [True]
        if is_block(node) and not self._cell and tag not in ("td", "th"):
            empty = tag == "p" and not "".join(self._inline).strip() and not len(node)
            self.flush()
            if empty:
                self.blocks.append(Block("space"))
        if tag == "table":
            self._tables.pop()
        if self._groups and self._groups[-1] is node:
            self._groups.pop()
            self._joined = None
        self._heading = 0 if self._level_of(tag) else self._heading
        self._titles -= tag == "hgroup"
        self._quoted -= tag == "blockquote"
        self._pre -= tag == "pre"
        self._caption -= tag == "figcaption" or bool(CAPTION.search(names_of(node)))

    def add(self, text: str | None) -> None:
        """Take in text of the block at hand."""
        if text:
            self._inline.append(text if self._pre else _BLANKS.sub(" ", text))

    def flush(self) -> None:
        """End the block at hand."""
        text = "".join(self._inline)
        self._inline.clear()
        self._marks = [(node, "", 0) for node, _, _ in self._marks]  # a mark about several blocks is no mark
        strip = str.rstrip if self._pre else _strip_blanks
        lines = [_CELLS.sub("    ", strip(line).rstrip("\0 ")) for line in text.split("\n")]
        for group in _split_at_blank_lines(lines):
            self._append(group)

    def _level_of(self, tag: str) -> int:
        """Return the level of a heading, or of a subtitle: a paragraph in a group of headings."""
        return HEADINGS.get(tag, SUBTITLE if self._titles and tag == "p" else 0)

    def _append(self, lines: list[str]) -> None:
        if self._caption:
            self.blocks.append(Block("prose", (f"[Illustration: {' '.join(lines)}]",)))
        elif self._heading:
            self.blocks.append(Block("heading", tuple(lines), self._heading))
        elif self._groups and len(lines) == 1 and len(lines[0]) <= WIDTH:
            self._join(lines[0])
        elif len(lines) == 1 or (not self._pre and sum(map(len, lines)) > WIDTH * len(lines)):
            self.blocks += [Block("prose", (line,), indented=bool(self._quoted)) for line in lines]
        else:
            self.blocks.append(Block("lines", tuple(lines)))

    def _join(self, line: str) -> None:
        """Add a line to the group of its container: a stanza, a list, a table."""
        if self._joined is self._groups[-1] and self.blocks and self.blocks[-1].kind == "lines":
            self.blocks[-1] = Block("lines", (*self.blocks[-1].lines, line))
        else:
            self.blocks.append(Block("lines", (line,)))
        self._joined = self._groups[-1]

    def _place(self, tag: str, node: Any) -> None:
        if tag == "br":
            self._inline.append(" " if self._cell else "\n")
        elif tag == "hr":
            self.flush()
            self.blocks.append(Block("break"))
        elif tag == "img" and (alt := " ".join((node.get("alt") or "").split())):
            if self._heading or (len(alt) <= 2 and (node.tail or "")[:1].isalpha()):
                self._inline.append(alt)  # a heading drawn as a picture, a decorated initial
            elif not (self._caption or has_caption(node)):
                self.blocks.append(Block("prose", (f"[Illustration: {alt}]",)))

    def _close_mark(self, kind: str, start: int) -> None:
        """Put a mark about the text since `start`; an emphasised initial and a word raised on high are left alone."""
        if not kind:
            return
        text = "".join(self._inline[start:])
        bare = text.strip()
        is_initial = len(bare) == 1 and not "".join(self._inline[:start]).strip()
        wanted = (
            bare.isdigit() if kind == "note" else any(map(str.isalnum, bare)) and not is_initial and "_" not in bare
        )
        if wanted:
            at = text.index(bare)
            del self._inline[start:]
            self._inline.append(text[:at] + _MARKS[kind].format(bare) + text[at + len(bare) :])


def _strip_blanks(line: str) -> str:
    return _BLANKS.sub(" ", line).strip(" \u00a0")


def _split_at_blank_lines(lines: list[str]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for line in lines:
        if line:
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]
