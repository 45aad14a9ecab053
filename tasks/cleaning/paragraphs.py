"""Lines of a book -> paragraphs: prose unwrapped into one line, verse, tables and headings kept as they stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tasks.cleaning.page_residue import drop_inline_residue
from tasks.dividing.headings import is_number_heading

SCENE_BREAK = re.compile(r"\s*(?:[^\w\s\"'“”‘’()\[\]!?,;:<>|]\s*|_\s*)+$|\s*(?:o\s+){2,}o$")
COLUMNS = re.compile(r"\S {3,}\S")  # a gap within a line: a table, a contents line
SPACES = re.compile(r" {2,}")
WORD = re.compile(r"[^\W\d_]+")
SPLIT_WORD = re.compile(r"([^\W\d_]+)-$")
LONGEST_WORD = 40
SENTENCE_END = re.compile(r"[.!?:\"”’'_)—-]$")
OPENERS = "\"'“‘_(*[—-"

SAMPLE_LINES = 4000  # enough to know a file's margins
FULL_LINE = 40  # characters: a longer line is prose in all likelihood
WIDEST = 80  # characters: a file with longer lines is not wrapped at all
FAR_INDENT = 8  # blanks: a signature or an address, not the start of a paragraph
SHORT, LONG = 0.55, 0.7  # of the right margin: hand-set prose stays above the first
MIN_VERSE, VERSE_UPPER = 3, 0.8  # lines after the first, and the share of them that begin with a capital
MAX_ODD = 0.5  # share of lines that are short, or begin with a capital that no sentence end explains


class Paragraph(NamedTuple):
    """Text of one paragraph or group of lines and its raw lines (1-based)."""

    text: str
    line: int
    last_line: int
    blank_before: int
    unwrapped: bool


class Margins(NamedTuple):
    """Columns between which a file's prose stands."""

    left: int
    right: int


def build_paragraphs(lines: Sequence[str], start: int, end: int) -> list[Paragraph]:
    """Return the paragraphs of lines `start:end` (0-based), in order; empty lines separate them."""
    margins = measure_margins(lines, start, end)
    words = find_split_words(lines, start, end)
    paragraphs: list[Paragraph] = []
    last = start
    for first, stop in iter_groups(lines, start, end):
        for low, high in split_group(lines, first, stop, margins):
            paragraph = build_paragraph(lines[low:high], low, low - last, margins, words)
            if paragraph is not None:
                paragraphs.append(paragraph)
                last = high
    return paragraphs


def measure_margins(lines: Sequence[str], start: int, end: int) -> Margins:
    """Return the commonest indent of full lines, and the column that nine in ten of them stay within."""
    full = [line for line in lines[start:end] if len(line) >= FULL_LINE][:SAMPLE_LINES]
    if not full:
        return Margins(0, 72)  # Gutenberg's own width
    indents = Counter(len(line) - len(line.lstrip()) for line in full)
    widths = sorted(len(line) for line in full)
    return Margins(indents.most_common(1)[0][0], min(widths[len(widths) * 9 // 10], WIDEST))


def find_split_words(lines: Sequence[str], start: int, end: int) -> frozenset[str]:
    """Return the book's words, if it divides words at line ends at all: they tell which hyphens are the author's."""
    if not any(SPLIT_WORD.search(line) for line in lines[start:end] if line.endswith("-")):
        return frozenset()
    return frozenset(WORD.findall("\n".join(lines[start:end]).lower()))


def iter_groups(lines: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield runs of filled lines; a scene break is a run of its own."""
    first = start
    for index in range(start, end):
        line = lines[index]
        is_break = bool(line) and not line[-1].isalnum() and SCENE_BREAK.match(line) is not None
        if line and not is_break:
            continue
        if index > first:
            yield first, index
        if is_break:
            yield index, index + 1
        first = index + 1
    if end > first:
        yield first, end


def split_group(lines: Sequence[str], first: int, stop: int, margins: Margins) -> list[tuple[int, int]]:
    """Cut a run where a heading, an indented new paragraph or a far-set signature begins without a blank line."""
    cuts = [first]
    if stop - first > 1 and is_number_heading(lines[first]):
        after = lines[first + 1].strip()
        if is_number_heading(after) or (stop - first > 2 and len(after) > FULL_LINE):
            cuts.append(first + 1)
    for index in range(cuts[-1] + 1, stop):
        indent = indent_of(lines[index]) - margins.left
        if indent < 2 or indent_of(lines[index - 1]) - margins.left >= 2:
            continue
        if indent >= FAR_INDENT:
            if len(lines[index - 1]) >= FULL_LINE:
                cuts.append(index)
        elif (
            index + 1 < stop
            and indent_of(lines[index + 1]) <= margins.left
            and SENTENCE_END.search(lines[index - 1])
            and len(lines[index]) >= FULL_LINE
            and starts_upper(lines[index])
        ):
            cuts.append(index)
    return list(zip(cuts, [*cuts[1:], stop], strict=True))


def build_paragraph(
    lines: Sequence[str], first: int, blank_before: int, margins: Margins, words: frozenset[str]
) -> Paragraph | None:
    """Return the paragraph of these lines, or None where nothing but residue stood in them."""
    unwrapped = len(lines) == 1 or is_prose(lines, margins)
    text = unwrap_lines(lines, words) if unwrapped else keep_lines(lines)
    if (bare := drop_inline_residue(text)) != text:
        text = "\n".join(line.rstrip() for line in bare.split("\n") if line.strip())
    text = text.strip() if unwrapped else text
    if not text:
        return None
    if unwrapped and "  " in text and not COLUMNS.search(text):
        text = SPACES.sub(" ", text)
    if "```" in text:  # would close the fence of a trajectory's prose
        text = re.sub(r"^(\s*)```", r"\1'''", text, flags=re.MULTILINE)
    if len(lines) == 1:
        unwrapped = indent_of(lines[0]) - margins.left < FAR_INDENT
    return Paragraph(text, first + 1, first + len(lines), blank_before, unwrapped)


def is_prose(lines: Sequence[str], margins: Margins) -> bool:
    """Return whether line ends are a matter of width: full lines, few capitals that no sentence end explains."""
    following = lines[1:]
    indents = [indent_of(line) for line in following]
    if max(indents) - min(indents) > 1 or (indents[0] - indent_of(lines[0]) > 1 and indents[0] > margins.left + 1):
        return False
    if sum(1 for line in lines if COLUMNS.search(line.strip())) * 2 > len(lines):
        return False
    pairs = list(zip(lines, following, strict=False))
    num_filled = sum(is_filled(line, after, margins.right) for line, after in pairs)
    num_short = sum(len(line) < SHORT * margins.right for line in lines[:-1])
    uppers = [starts_upper(after) for after in following]
    odd = [upper and not SENTENCE_END.search(line) for upper, line in zip(uppers, lines, strict=False)]
    if len(pairs) >= MIN_VERSE and sum(uppers) >= VERSE_UPPER * len(pairs) and sum(odd) >= MAX_ODD * len(pairs):
        return False
    num_upper = sum(
        is_odd and not is_filled(line, after, margins.right) for is_odd, (line, after) in zip(odd, pairs, strict=True)
    )
    if num_filled == len(pairs) or max(map(len, lines)) > margins.right + FULL_LINE:
        return True
    if len(pairs) == 1 and num_upper:
        return len(lines[0]) >= LONG * margins.right
    return num_short <= MAX_ODD * len(pairs) and num_upper <= MAX_ODD * len(pairs)


def is_filled(line: str, after: str, right: int) -> bool:
    """Return whether the next line's first word would have overrun the margin."""
    word = after.split(None, 1)[0]
    return len(line) + 1 + len(word) > right - 2


def starts_upper(line: str) -> bool:
    """Return whether a line begins with a capital, quotation marks and the word I aside."""
    bare = line.lstrip().lstrip(OPENERS)
    return bool(bare) and not bare[0].islower() and not bare.startswith(("I ", "I'", "I’"))


def indent_of(line: str) -> int:
    """Return the number of blanks before a line's first character."""
    return len(line) - len(line.lstrip())


def unwrap_lines(lines: Sequence[str], words: frozenset[str]) -> str:
    """Join lines with one blank; a word that was divided at a line's end becomes whole again."""
    parts = [line.strip() for line in lines]
    if not words or not any(part.endswith("-") for part in parts[:-1]):
        return " ".join(parts)
    text = parts[0]
    for part in parts[1:]:
        head = SPLIT_WORD.search(text[-LONGEST_WORD:])
        if head and part[:1].islower() and (tail := WORD.match(part)):
            text = (text[:-1] if (head[1] + tail[0]).lower() in words else text) + part
        else:
            text = f"{text} {part}"
    return text


def keep_lines(lines: Sequence[str]) -> str:
    """Return lines as they stand, moved to the left together."""
    margin = min(indent_of(line) for line in lines)
    return "\n".join(line[margin:] for line in lines)
