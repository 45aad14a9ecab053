"""Lines of a book -> paragraphs: prose unwrapped into one line, verse, tables and headings kept as they stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import NamedTuple

from tasks.cleaning.inline import EMPHASIS_SIGNS, RESIDUE_SIGNS, Emphasis, drop_residue
from tasks.cleaning.joining import SPACES, collapse_spaces, find_divided, join_traced, known_words, tidy
from tasks.cleaning.prose import (
    FAR_INDENT,
    FULL_LINE,
    MAX_ODD,
    SENTENCE_END,
    SHORT,
    WIDEST,
    is_prose,
    starts_upper,
)
from tasks.cleaning.source_text import SourceText
from tasks.cleaning.traced import Traced
from tasks.dividing.headings import is_number_heading

SCENE_BREAK = re.compile(r"\s*(?:[^\w\s\"'“”‘’()\[\]!?,;:<>|]\s*|_\s*)+$|\s*(?:o\s+){2,}o$")
SAMPLE_LINES = 4000  # enough to know a file's margins
LONGEST_BREAK = 120  # characters
OTHER, LOW, BLANK, SPECIAL = range(4)
LEADING = re.compile("^ +")


class Paragraph(NamedTuple):
    """Text of one paragraph or group of lines and its raw lines (1-based).

    A plain one is its lines joined with one blank, and nothing else, below a blank line; one with a trace was rewritten
    in other ways.
    """

    text: str
    line: int
    last_line: int
    blank_before: int
    unwrapped: bool
    trace: Traced | None = None
    is_plain: bool = False


@dataclass(frozen=True)
class Page:
    """What a file's lines look like, a value for each."""

    left: int  # column where its prose begins
    right: int  # column that nine in ten full lines stay within
    indents: Sequence[int]  # blanks before the line
    openings: bytes  # a sign for what it begins with: LOW, BLANK; SPECIAL where it is not copied as it stands
    is_short: bytes  # 1 where it is much shorter than prose is set
    words: frozenset[str]  # that are divided at line ends: their hyphens go, others are the author's

    def is_plain(self, first: int, stop: int) -> bool:
        """Return whether lines without gaps are prose at first sight; most are, and `is_prose` says the same."""
        num_after, openings = stop - first - 1, self.openings[first:stop]
        return (
            BLANK not in openings
            and SPECIAL not in openings
            and openings.count(LOW, 1) >= MAX_ODD * num_after
            and self.is_short.count(1, first, stop - 1) <= MAX_ODD * num_after
            and (num_after == 0 or not self.is_short[first])  # a heading is
        )

    def is_special(self, first: int, stop: int) -> bool:
        """Return whether any of these lines is not copied as it stands."""
        return SPECIAL in self.openings[first:stop]


def build_paragraphs(source: SourceText, start: int, end: int, emphasis: Emphasis) -> list[Paragraph]:
    """Return the paragraphs of lines `start:end` (0-based), in order; empty lines separate them."""
    page = measure_page(source, start, end, emphasis)
    paragraphs: list[Paragraph] = []
    last = start
    for first, stop in iter_groups(source.lines, start, end):
        if page.is_plain(first, stop):
            text = " ".join(source.lines[first:stop])
            has_spaces = "  " in text
            if not has_spaces or "   " not in text:
                text = SPACES.sub(" ", text) if has_spaces else text
                is_plain = not has_spaces and last < first
                paragraphs.append(Paragraph(text, first + 1, stop, first - last, True, None, is_plain))
                last = stop
                continue
        cuts = find_cuts(source.lines, first, stop, page) if stop - first > 1 else []
        for low, high in pairwise((first, *cuts, stop)):
            paragraph = build_paragraph(source, low, high, low - last, page, emphasis)
            if paragraph is not None:
                paragraphs.append(paragraph)
                last = high
    if paragraphs and paragraphs[0].text[0] == " ":
        paragraphs[0] = strip_margin(source, paragraphs[0], page)
    return paragraphs


def strip_margin(source: SourceText, paragraph: Paragraph, page: Page) -> Paragraph:
    """Return a book's first lines without the blanks before the first."""
    first, stop = paragraph.line - 1, paragraph.last_line
    trace = paragraph.trace or join_traced(source, first, stop, min(page.indents[first:stop]), page.words)
    trace.sub(LEADING, "", "margin")
    return paragraph._replace(text=trace.text, trace=trace)


def measure_page(source: SourceText, start: int, end: int, emphasis: Emphasis) -> Page:
    """Return the commonest indent of full lines, the column that nine in ten of them stay within, and what follows."""
    lines = source.lines
    indents = [len(line) - len(line.lstrip()) if line[:1] == " " else 0 for line in lines]
    full = [index for index in range(start, end) if len(lines[index]) >= FULL_LINE][:SAMPLE_LINES]
    left, right = 0, 72  # Gutenberg's own width
    if full:
        left = Counter(indents[index] for index in full).most_common(1)[0][0]
        widths = sorted(len(lines[index]) for index in full)
        right = min(widths[len(widths) * 9 // 10], WIDEST)
    openings = bytearray([LOW if line[:1].islower() else OTHER for line in lines])
    for index, indent in enumerate(indents):
        if indent:
            openings[index] = BLANK
    short = max(SHORT * right, FULL_LINE)
    is_short = bytes([len(line) < short for line in lines])
    divided = find_divided(lines, start, end)
    signs = (*RESIDUE_SIGNS, *EMPHASIS_SIGNS) if emphasis == "strip" else RESIDUE_SIGNS
    for index in chain(divided, source.traces, *(source.find(sign, start, end) for sign in signs)):
        openings[index] = SPECIAL
    words = known_words(source.text, lines, divided)
    return Page(left, right, indents, bytes(openings), is_short, words)


def iter_groups(lines: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield runs of filled lines; a scene break is a run of its own."""
    first = start
    for index in [at for at, line in enumerate(lines[start:end], start) if not line[:1].isalpha() or line[:2] == "o "]:
        line = lines[index]
        if line and (len(line) > LONGEST_BREAK or SCENE_BREAK.match(line) is None):
            continue
        if index > first:
            yield first, index
        if line:
            yield index, index + 1
        first = index + 1
    if end > first:
        yield first, end


def find_cuts(lines: Sequence[str], first: int, stop: int, page: Page) -> list[int]:
    """Return where in a run a new paragraph begins without a blank line: below a heading, at an indent, a signature."""
    cuts = []
    if len(lines[first]) < FULL_LINE and is_number_heading(lines[first]):
        after = lines[first + 1].strip()
        if is_number_heading(after) or (stop - first > 2 and len(after) > FULL_LINE):
            cuts.append(first + 1)
    if max(page.indents[first:stop]) < page.left + 2:
        return cuts
    for index in range(cuts[0] + 1 if cuts else first + 1, stop):
        indent = page.indents[index] - page.left
        if indent < 2 or page.indents[index - 1] - page.left >= 2:
            continue
        if indent >= FAR_INDENT:
            if len(lines[index - 1]) >= FULL_LINE:
                cuts.append(index)
        elif (
            index + 1 < stop
            and page.indents[index + 1] <= page.left
            and SENTENCE_END.search(lines[index - 1])
            and len(lines[index]) >= FULL_LINE
            and starts_upper(lines[index])
        ):
            cuts.append(index)
    return cuts


def build_paragraph(
    source: SourceText, first: int, stop: int, blank_before: int, page: Page, emphasis: Emphasis
) -> Paragraph | None:
    """Return the paragraph of these lines, or None where nothing but residue stood in them."""
    lines, indents = source.lines[first:stop], page.indents[first:stop]
    unwrapped = stop - first == 1 or is_prose(lines, indents, page.left, page.right)
    trace = None
    if page.is_special(first, stop):
        trace = join_traced(source, first, stop, None if unwrapped else min(indents), page.words)
        drop_residue(trace, emphasis)
        tidy(trace, unwrapped)
        text = trace.text
    elif unwrapped:
        text = collapse_spaces(" ".join([line.strip() for line in lines]))
    else:
        text = "\n".join([line[min(indents) :] for line in lines])
    if not text:
        source.empty(trace.main_rule() if trace else "blank-lines", first, stop)
        return None
    if stop - first == 1:
        unwrapped = indents[0] - page.left < FAR_INDENT
    return Paragraph(text, first + 1, stop, blank_before, unwrapped, trace)
