"""Lines of one paragraph -> its text with its way back: joined by blanks, or kept and moved to the left together."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.cleaning.prose import COLUMNS
from tasks.cleaning.source_text import SourceText
from tasks.cleaning.traced import Segment, Traced

SPACES = re.compile(r" {2,}")
DIVIDED = re.compile(r"([^\W\d_]{1,40})(-\s*[\n\r]\s*)(?=([^\W\d_]+))")
WORD = re.compile(r"[^\W\d_]+")
EDGES = re.compile(r"^\s+|\s+$")
LINE_ENDS = re.compile(r" +(?=\n|$)")
EMPTY_LINES = re.compile(r"^\n+|\n+(?=\n)|\n+$")


def find_divided(lines: Sequence[str], start: int, end: int) -> list[int]:
    """Return the lines that end in a letter and a hyphen."""
    ends = [index for index, line in enumerate(lines[start : end - 1], start) if line[-1:] == "-"]
    return [index for index in ends if lines[index][-2:-1].isalpha()]


def known_words(text: str, lines: Sequence[str], divided: Sequence[int]) -> frozenset[str]:
    """Return the words divided at line ends that the book has whole, too, in small letters: their hyphens go."""
    halves = ((WORD.findall(lines[index])[-1], WORD.match(lines[index + 1].lstrip())) for index in divided)
    joined = {head + tail[0] for head, tail in halves if tail is not None and tail[0][0].islower()}
    if not joined:
        return frozenset()
    tokens = set(text.split())
    words = tokens.union(WORD.findall(" ".join(token for token in tokens if not token.isalpha())))
    return frozenset(word.lower() for word in joined if word in words or word.lower() in words)


def collapse_spaces(text: str) -> str:
    """Return text with one blank between words, unless its gaps are columns."""
    return SPACES.sub(" ", text) if "  " in text and not COLUMNS.search(text) else text


def join_traced(source: SourceText, first: int, stop: int, margin: int | None, words: frozenset[str]) -> Traced:
    """Return lines `first:stop` joined as above, with their way back; without a margin they are unwrapped."""
    rewrites: list[Segment] = []
    shift = 0
    for index in range(first, stop):
        if index in source.traces:
            rewrites += source.traces[index].shifted(shift)
        shift += len(source.raw_lines[index]) + 1
    trace = Traced(source.line_end.join(source.raw_lines[first:stop]), rewrites)
    ends = f"[^\\S{source.line_end}]*{source.line_end}"
    if margin is None:
        trace.sub(DIVIDED, lambda found: join_word(found, words), "divided-word", group=2)
        trace.sub(re.compile(rf"{ends}\s*"), " ", "unwrap")
        trace.sub(EDGES, "", "margin")
    else:
        trace.sub(re.compile(rf"{ends} {{{margin}}}"), "\n", "line-end")
        trace.sub(re.compile(rf"^ {{{margin}}}|\s+$"), "", "margin")
    return trace


def join_word(found: re.Match[str], words: frozenset[str]) -> str:
    """Return what stands between two halves of a word that is divided at a line's end."""
    if not found[3][0].islower():
        return "- "
    return "" if (found[1] + found[3]).lower() in words else "-"


def tidy(trace: Traced, unwrapped: bool) -> None:
    """Take the blanks and empty lines out that other rules left behind."""
    if unwrapped:
        trace.sub(EDGES, "", "margin")
        if "  " in trace.text and not COLUMNS.search(trace.text):
            trace.sub(SPACES, " ", "space")
    else:
        trace.sub(LINE_ENDS, "", "line-end")
        trace.sub(EMPTY_LINES, "", "line-end")
