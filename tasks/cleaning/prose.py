"""A run of lines -> whether it is prose, whose line ends are a matter of width, or lines that stay as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

COLUMNS = re.compile(r"\S {3,}\S")  # a gap within a line: a table, a contents line
SENTENCE_END = re.compile(r"[.!?:\"”’'_)—-]$")
OPENERS = "\"'“‘_(*[—-"

FULL_LINE = 40  # characters: a longer line is prose in all likelihood
WIDEST = 80  # characters: a file with longer lines is not wrapped at all
FAR_INDENT = 8  # blanks: a signature or an address, not the start of a paragraph
SHORT, LONG = 0.55, 0.7  # of the right margin: hand-set prose stays above the first
MIN_VERSE, VERSE_UPPER = 3, 0.8  # lines after the first, and the share of them that begin with a capital
MAX_ODD = 0.5  # share of lines that are short, or begin with a capital that no sentence end explains


def is_prose(lines: Sequence[str], indents: Sequence[int], left: int, right: int) -> bool:
    """Return whether line ends are a matter of width: full lines, few capitals that no sentence end explains."""
    following = indents[1:]
    if max(following) - min(following) > 1 or (following[0] - indents[0] > 1 and following[0] > left + 1):
        return False
    if sum("   " in line and COLUMNS.search(line) is not None for line in lines) * 2 > len(lines):
        return False
    num_pairs = len(lines) - 1
    filled = [
        len(line) > right - 4 or len(line) + len(after.lstrip().partition(" ")[0]) > right - 3
        for line, after in pairwise(lines)
    ]
    is_full = all(filled)
    num_upper = num_pairs - sum(line[0].islower() for line in lines[1:])
    if is_full and (num_pairs < MIN_VERSE or num_upper < num_pairs):
        return True  # no verse fills every line
    uppers = [starts_upper(after) for after in lines[1:]]
    odd = [upper and not SENTENCE_END.search(line) for upper, line in zip(uppers, lines, strict=False)]
    if num_pairs >= MIN_VERSE and sum(uppers) >= VERSE_UPPER * num_pairs and sum(odd) >= MAX_ODD * num_pairs:
        return False
    if is_full or max(map(len, lines)) > right + FULL_LINE:
        return True
    num_unexplained = sum(is_odd and not is_filled for is_odd, is_filled in zip(odd, filled, strict=True))
    if num_pairs == 1 and num_unexplained:
        return len(lines[0]) >= LONG * right
    num_short = sum(len(line) < SHORT * right for line in lines[:-1])
    return num_short <= MAX_ODD * num_pairs and num_unexplained <= MAX_ODD * num_pairs


def starts_upper(line: str) -> bool:
    """Return whether a line begins with a capital, quotation marks and the word I aside."""
    bare = line.lstrip().lstrip(OPENERS)
    return bool(bare) and not bare[0].islower() and not bare.startswith(("I ", "I'", "I’"))
