"""CleanBook -> evidence that the text breaks off before its end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schemas.books import CleanBook

SENTENCE = 60  # characters: a last paragraph that is shorter may be a signature or a colophon
UNFINISHED = re.compile(r"(?:[^\W_]|[,;(–-])$")
CLOSING = re.compile(r"\W*(?:the\s+end|finis|end\s+of\b.*|fin|ende)\W*$", re.IGNORECASE)
LISTED = re.compile(r"\W{0,3}(?:chapter|chap\.|letter|book|part|stave)\s+([IVXLC]+|\d{1,3})\b", re.IGNORECASE)
FRONT = 0.1  # of the text: a table of contents stands within
ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
MIN_LISTED, MAX_MISSING = 5, 0.25  # numbers that a table tells, and the share of them that may have no heading


def find_breaks(book: CleanBook, texts: Sequence[str]) -> list[str]:
    """Return what tells that a text breaks off: an unfinished sentence, a header without footer, missing chapters."""
    evidence = []
    if ends_unfinished(texts):
        evidence.append("its last sentence is unfinished")
    if lacks_footer(book):
        evidence.append("it has a header and no footer")
    if (missing := count_missing(texts)) is not None:
        evidence.append(f"its contents tell {missing[0]} chapters, its headings {missing[1]}")
    return evidence


def ends_unfinished(texts: Sequence[str]) -> bool:
    """Return whether the last paragraph is prose that stops without a sentence end, and nothing closes the text.

    A short one must stop at a word in small letters: signatures and colophons stop at a name, a place or a year.
    """
    last = texts[-1].rstrip() if texts else ""
    if any(CLOSING.match(text) for text in texts[-3:] if len(text) < SENTENCE):
        return False
    if not last or "\n" in last or last.isupper() or UNFINISHED.search(last) is None:
        return False
    return len(last) >= SENTENCE or last.split()[-1][0].islower()


def lacks_footer(book: CleanBook) -> bool:
    """Return whether something was removed before the printed book and nothing after it."""
    before = any(removed.last_line < book.first_line for removed in book.removed)
    return before and not any(removed.first_line > book.last_line for removed in book.removed)


def count_missing(texts: Sequence[str]) -> tuple[int, int] | None:
    """Return the highest chapter number of the contents and that of a heading, where too many have no heading."""
    total, at = sum(map(len, texts)), 0
    listed: list[int] = []
    found: list[int] = []
    for text in texts:
        at += len(text)
        if len(text) > SENTENCE * 10 and "\n" not in text:
            continue
        for line in text.split("\n"):
            if match := LISTED.match(line):
                number = read_number(match[1])
                (listed if at < FRONT * total else found).append(number)
    if len(set(listed)) < MIN_LISTED:
        return None
    most, last = max(listed), max(found, default=0)
    return (most, last) if 0 < last < (1 - MAX_MISSING) * most else None


def read_number(text: str) -> int:
    """Return the value of an arabic or Roman number."""
    if text.isdigit():
        return int(text)
    values = [ROMAN[char] for char in text.upper()]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < after else value for value, after in pairs)
