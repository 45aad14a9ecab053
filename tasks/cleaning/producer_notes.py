"""Lines between the marks -> which of them the producers of the file wrote: credits, banners, transcriber's notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableSequence, Sequence
from typing import NamedTuple

from schemas.books import Removed

CREDITS = re.compile(
    r"(?:re-?)?(?:produced|prepared|transcribed|scanned|proof(?:ed|read)|digiti[sz]ed|typed|credits\b|html version)\b"
    r"(?:.{0,40}\bby\b|.{0,40}\bfrom\b|:)"
    r"|(?:the |an? )?(?:electronic|e-?)[ -]?(?:text|book|edition|version)s?\b.{0,40}\b(?:prepared|by|of|from)\b"
    r"|(?:this|the following) (?:electronic |e-?)?(?:text|book|edition|version|file|transcription)\b.{0,60}"
    r"\b(?:was|is|were|has been)\b.{0,60}\b(?:produced|prepared|created|done|scanned|transcribed|typed|converted"
    r"|provided|made available)\b"
    r"|(?:title|author|editor|translator|illustrator|release date|posting date|last updated|most recently updated"
    r"|language|character set encoding|other information and formats|original publication): "
    r"|(?:the )?footnotes (?:have|are|were)\b",
    re.IGNORECASE | re.DOTALL,
)
TOKENS = re.compile(  # words of the digital age: no printed book of the public domain has them
    r"project gutenberg|gutenberg[- ]projekt|gutenberg\.(?:org|net)|pglaf|pgdp|distributed proofread"
    r"|\be-?texts?\b|https?://|\bwww\.\w|@\w[\w-]*\.\w|internet archive|internet wiretap|hathitrust|html version"
    r"|electronic edition|millennium fulcrum edition",
    re.IGNORECASE,
)
FRONT_TOKENS = re.compile(
    r"(?:\(c\)|copyright).{0,30}\b(?:19[89]\d|20\d\d)\b|in the public domain|released to the public", re.IGNORECASE
)
BYLINE = re.compile(r"\W*by\b", re.IGNORECASE)
OPENING_MARKS = re.compile(r"^[\W_]+")
NOTE_HEADING = re.compile(
    r"(?:original )?(?:transcriber|transcription|typist|preparer|proofreader|digiti[sz]er)(?:s|.s|s.)? "
    r"?(?:end)?(?:note|remark|comment)",
    re.IGNORECASE,
)
BRACKET_NOTE = re.compile(r"\s*\[\s*_?(?:transcri|project gutenberg|e-?text|pg (?:editor|note))", re.IGNORECASE)
AFTER_NOTE = re.compile(r"\W*(?:foot|end)?notes?\W*$|\W*(?:index|appendix|advertisements?)\b", re.IGNORECASE)

FRONT_PARAGRAPHS = 30
FRONT_LINES = 150
NOTE_LINES = 600  # the longest known takes 300
NOTE_GAP = 2  # blank lines that end a note without a closing bracket
LONG_PARAGRAPH = 12  # lines: of a longer one only the lines from the token on are the producer's


class Lines(NamedTuple):
    """Half-open range of line indices without a blank line in it."""

    start: int
    end: int


def iter_paragraphs(lines: Sequence[str], start: int, end: int) -> Iterator[Lines]:
    """Yield the runs of lines that are not blank, in order."""
    first = None
    for index in range(start, end):
        if lines[index]:
            first = index if first is None else first
        elif first is not None:
            yield Lines(first, index)
            first = None
    if first is not None:
        yield Lines(first, end)


def join_lines(lines: Sequence[str], run: Lines) -> str:
    """Return a paragraph's text on one line, without the marks that open it."""
    joined = " ".join(line.strip(" |+") for line in lines[run.start : run.end])
    return OPENING_MARKS.sub("", joined)


def blank(lines: MutableSequence[str], rule: str, start: int, end: int) -> list[Removed]:
    """Empty lines `start:end` and return the record of it, or nothing where they were empty."""
    filled = [index for index in range(start, end) if lines[index]]
    if not filled:
        return []
    for index in filled:
        lines[index] = ""
    return [Removed(rule, filled[0] + 1, filled[-1] + 1)]


def remove_producer_notes(lines: MutableSequence[str], start: int, end: int) -> list[Removed]:
    """Empty every line of `start:end` that the file's producers wrote; return what went, by rule."""
    removed = remove_bracket_notes(lines, start, end)
    removed += remove_headed_notes(lines, start, end)
    removed += remove_front_credits(lines, start, end)
    removed += remove_banners(lines, start, end)
    return removed + remove_tail(lines, start, end)


def remove_front_credits(lines: MutableSequence[str], start: int, end: int) -> list[Removed]:
    """Empty credits and header fields among the first paragraphs."""
    removed: list[Removed] = []
    title_dropped = False
    for count, run in enumerate(iter_paragraphs(lines, start, min(end, start + FRONT_LINES))):
        text = join_lines(lines, run)
        is_credit = bool(CREDITS.match(text) or TOKENS.search(text) or FRONT_TOKENS.search(text))
        if count >= FRONT_PARAGRAPHS:
            break
        if (is_credit or (title_dropped and BYLINE.match(text))) and run.end - run.start <= LONG_PARAGRAPH:
            removed += blank(lines, "credits", run.start, run.end)
        title_dropped = is_credit and text.lower().startswith(("the project gutenberg", "project gutenberg"))
    return removed


def remove_bracket_notes(lines: MutableSequence[str], start: int, end: int) -> list[Removed]:
    """Empty `[Transcriber's note: ...]`, over several paragraphs if need be."""
    removed: list[Removed] = []
    for index in range(start, end):
        if "[" in lines[index] and BRACKET_NOTE.match(lines[index]):
            last = closing_line(lines, index, min(end, index + NOTE_LINES))
            removed += blank(lines, "transcriber-note", index, last + 1)
    return removed


def closing_line(lines: Sequence[str], first: int, end: int) -> int:
    """Return the line where the bracket opened in line `first` closes; the paragraph's last one if it never does."""
    depth = 0
    for index in range(first, end):
        depth += lines[index].count("[") - lines[index].count("]")
        if depth <= 0:
            return index
    last = first
    while last + 1 < end and lines[last + 1]:
        last += 1
    return last


def remove_headed_notes(lines: MutableSequence[str], start: int, end: int) -> list[Removed]:
    """Empty notes under a heading such as `Transcriber's Notes`: at the end of the file whole, elsewhere to a gap."""
    removed: list[Removed] = []
    for run in list(iter_paragraphs(lines, start, end)):
        head = lines[run.start]
        if "ote" not in head.lower() or not NOTE_HEADING.match(OPENING_MARKS.sub("", head)):
            continue
        in_tail = end - run.start <= NOTE_LINES and run.start - start > (end - start) // 2
        last = end if in_tail else note_end(lines, run, end)
        if in_tail:
            last = next((i for i in range(run.start + 1, end) if AFTER_NOTE.match(lines[i])), end)
        removed += blank(lines, "transcriber-note", run.start, last)
    return removed


def note_end(lines: Sequence[str], heading: Lines, end: int) -> int:
    """Return the line after a note that has a text of its own and then a gap of blank lines."""
    last, num_paragraphs = heading.end, int(heading.end - heading.start > 1)
    for run in iter_paragraphs(lines, heading.end, min(end, heading.end + NOTE_LINES)):
        if num_paragraphs and run.start - last >= NOTE_GAP:
            break
        last, num_paragraphs = run.end, num_paragraphs + 1
    return last


def remove_banners(lines: MutableSequence[str], start: int, end: int) -> list[Removed]:
    """Empty every paragraph that speaks of Project Gutenberg, wherever it stands."""
    removed: list[Removed] = []
    for index in range(start, end):
        if "utenberg" not in lines[index] and "UTENBERG" not in lines[index]:
            continue
        if not TOKENS.search(lines[index]):
            continue
        first, last = paragraph_around(lines, index, start, end)
        if last - first > LONG_PARAGRAPH:
            first, last = index, index + 1
        removed += blank(lines, "banner", first, last)
    return removed


def paragraph_around(lines: Sequence[str], index: int, start: int, end: int) -> Lines:
    """Return the run of filled lines that holds line `index`."""
    first, last = index, index + 1
    while first > start and lines[first - 1]:
        first -= 1
    while last < end and lines[last]:
        last += 1
    return Lines(first, last)


def remove_tail(lines: MutableSequence[str], start: int, end: int) -> list[Removed]:
    """Empty ornaments and producers' paragraphs at the very end, from the last line back."""
    removed: list[Removed] = []
    for run in reversed(list(iter_paragraphs(lines, max(start, end - FRONT_LINES), end))):
        last = run.end
        while last > run.start and not any(map(str.isalnum, lines[last - 1])):
            last -= 1
        removed += blank(lines, "separator", last, run.end)
        if last == run.start:
            continue
        text = join_lines(lines, Lines(run.start, last))
        if last - run.start > LONG_PARAGRAPH or not (TOKENS.search(text) or CREDITS.match(text)):
            break
        removed += blank(lines, "banner", run.start, last)
    return removed
