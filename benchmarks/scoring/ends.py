"""What is left in a clean text that should be gone, and what is gone that should be left."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import takewhile

from benchmarks.scoring.reference import Ends
from schemas.books import CleanBook

BOILERPLATE = re.compile(
    r"project\s+gutenberg|gutenberg\.(?:org|net)|gutenberg[ -]tm\b|pglaf|distributed\s+proofread|pgdp\.net|\be-?text\b"
    r"|\[e-?book|small\s+print!|transcriber[’']?s?[’']?s?\s+note|\[transcriber"
    r"|(?m:^)[^\w\n]{0,4}(?-i:(?:This \w+ was )?(?:E-text )?(?:Produced|Prepared|Transcribed|Scanned|Digitized|"
    r"produced|prepared|transcribed) (?:by|from) (?:[A-Z]|the [\d A-Z]))",
    re.IGNORECASE,
)
OUTSIDE = re.compile(r"header|footer|credit|producer|note|banner|legal|licen", re.IGNORECASE)  # rules: not the author's
LEAST = 3  # letters of a line that stand together by no chance
REACH = 2_000  # letters: how far ahead a line of the file is sought where the clean text holds something else first
SHORT_REACH, SHORT = 200, 12  # a line of few letters may stand anywhere: it is sought nearby only


def split_lines(text: str) -> list[str]:
    """Return the lines of a raw file as the reference counts them."""
    return re.split(r"\r\n|\n", text)


def count_boilerplate(text: str) -> int:
    """Return the places in a text that name Project Gutenberg, its licence, producers or transcribers."""
    return sum(1 for _ in BOILERPLATE.finditer(text))


def count_cut(lines: Sequence[str], ends: Ends, book: CleanBook, data: bytes) -> int:
    """Return the author's letters and digits that are neither in the clean text nor under a recorded removal.

    Every line of the printed book (first to last, by the reference) is sought in the clean text, in order, by its
    letters and digits alone, so that neither `first_line` nor the blocks of the cleaner are trusted. A line that is not
    there is sought without what recorded edits took out of it; of one that is not there either, what neither begins nor
    ends it at its place counts, less the letters of those edits. A
    removal that reaches beyond the printed book explains nothing inside it, nor does one that its own rule calls
    Gutenberg's where it touches an end: that is how a title page taken for credits shows.
    """
    explained, edited = explained_lines(lines, ends, book), edited_letters(book, data)
    clean = letters_of(book.text)
    at, cut = 0, 0
    for number in range(ends.first, ends.last + 1):
        wanted = letters_of(lines[number - 1])
        reach = 0 if number in explained else SHORT_REACH if len(wanted) <= SHORT else REACH
        found = clean.find(wanted, at, at + len(wanted) + reach)
        if found >= 0:
            at = found + len(wanted)
        elif number not in explained:
            rest = without(wanted, edited[number])
            found = clean.find(rest, at, at + len(rest) + reach) if rest != wanted else -1
            if found >= 0:
                at = found + len(rest)
                continue
            num_there, at = match_ends(clean, wanted, at)
            cut += max(0, len(wanted) - num_there - sum(map(len, edited[number])))
    return cut


def without(letters: str, gone: Sequence[str]) -> str:
    """Return letters without each of the pieces that went, in order."""
    at = 0
    for piece in gone:
        found = letters.find(piece, at)
        if found >= 0:
            letters, at = letters[:found] + letters[found + len(piece) :], found
    return letters


def explained_lines(lines: Sequence[str], ends: Ends, book: CleanBook) -> set[int]:
    """Return the raw lines under removals that belong to the printed book."""
    filled = list(printed_lines(lines, ends))
    covered: set[int] = set()
    for removed in book.removed:
        is_inside = ends.first <= removed.first_line and removed.last_line <= ends.last
        touches = removed.first_line <= filled[0] or removed.last_line >= filled[-1]
        if is_inside and not (touches and OUTSIDE.search(removed.rule)):
            covered.update(range(removed.first_line, removed.last_line + 1))
    return covered


def edited_letters(book: CleanBook, data: bytes) -> dict[int, list[str]]:
    """Return for each raw line the letters that recorded edits took out of it, piece by piece."""
    taken: dict[int, list[str]] = defaultdict(list)
    starts = [0, *(found.end() for found in re.finditer(rb"\n", data))]
    codec = book.encoding.removesuffix("-sig")
    for edit in book.iter_edits():
        gone = data[edit.raw_start : edit.raw_end].decode(codec, errors="ignore")
        if len(letters_of(gone)) <= edit.end - edit.start:
            continue
        first = bisect_right(starts, edit.raw_start)
        for number, part in enumerate(gone.split("\n"), first):
            taken[number].append(letters_of(part))
    return taken


def match_ends(clean: str, wanted: str, at: int) -> tuple[int, int]:
    """Return how many letters of a line stand at a place of the clean text, and where the text goes on after them."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(clean[at : at + len(wanted)], wanted, strict=False))
    first = sum(1 for _ in same)
    first = first if first >= LEAST else 0
    for last in range(len(wanted) - first, LEAST - 1, -1):
        if clean.startswith(wanted[-last:], at + first):
            return first + last, at + first + last
    return first, at + first


def letters_of(text: str) -> str:
    """Return the letters and digits of a text, composed."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFC", text)))


def judge_kept(kept: Sequence[int], lines: Sequence[str], ends: Ends) -> Counter[str]:
    """Return what is true of the lines that a peer keeps: as many figures as spec/gutenberg.md, section 4, has."""
    first, last = (kept[0], kept[-1]) if kept else (0, 0)
    missing = set(printed_lines(lines, ends)).difference(kept)
    return Counter(
        start_exact=first == ends.first,
        end_exact=last == ends.last,
        both_ends_exact=(first, last) == (ends.first, ends.last),
        left_at_start=first < ends.first,
        left_at_end=last > ends.last,
        files_cut=bool(missing),
        characters_cut=sum(len(letters_of(lines[number - 1])) for number in missing),
    )


def printed_lines(lines: Sequence[str], ends: Ends) -> Iterator[int]:
    """Yield the filled lines of the printed book."""
    return (number for number in range(ends.first, ends.last + 1) if lines[number - 1].strip())
