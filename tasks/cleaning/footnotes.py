"""Lines of a book -> its footnotes, told by a label that stands in the text above them, and what becomes of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal, NamedTuple

from schemas.books import Removed
from tasks.cleaning.runs import closing_line
from tasks.cleaning.source_text import SourceText

Footnotes = Literal["move", "drop", "keep"]

LABEL = r"\d{1,3}|[A-Za-z]|[*†‡§]{1,3}"
NOTE = re.compile(
    rf"\s*(?:\[(?P<word>footnotes?)?[ :]*(?P<square>{LABEL})?(?P<close>\]|:)|\{{(?P<curly>\d{{1,4}}[a-z]?)\}}"
    r"|(?P<star>[*†‡]{1,3})(?=\s?[\w\"'“‘_]))",
    re.IGNORECASE,
)
ANCHOR = re.compile(
    rf"(?P<square> ?\[(?:footnote )?(?P<s>{LABEL})\])|(?P<curly> ?\{{(?P<c>\d{{1,4}}[a-z]?)\}})"
    r"|(?P<star>(?<=[\w.,;:!?\"'”’)_])(?P<t>\*{1,3}|[†‡])(?![\w*]))",
    re.IGNORECASE,
)
EMPHASIS = re.compile(r"\*\w[^*]*\*")
NOTES_HEADING = re.compile(r"\W*(?:foot-?|end-?)?notes?\W*$", re.IGNORECASE)
BRACKET_LINES = 80  # of a note that goes on until its bracket closes
STAR_REACH = 120  # lines from a starred word to its note: the foot of its page, or the end of the paragraph
LIST_NOTES = 3  # so many in a row are a list of notes; fewer have a heading if they are one
END_SHARE = 0.7  # of the lines from a list's first to the book's last that are notes: the list is at the end
MARKS = "[{*†‡"


class Note(NamedTuple):
    """Lines `start:end` of a footnote, and the label by which the text calls it."""

    start: int
    end: int
    label: str


def remove_footnotes(source: SourceText, start: int, end: int, footnotes: Footnotes) -> tuple[Removed, ...]:
    """Take the footnotes of lines `start:end` out of the text, with the labels that call them.

    Returns:
        The lines that are to follow after the end of the text: notes that stood within it, where they are to be moved.
        Notes at the end of the book stay where they are, unless they are to be dropped.
    """
    notes = list(find_notes(source, start, end)) if footnotes != "keep" else []
    if not notes:
        return ()
    remove_anchors(source, start, notes)
    moved: list[Removed] = []
    is_end = False
    for run in group_notes(source.lines, notes):
        first, last = with_heading(source.lines, run[0].start, start), run[-1].end
        is_end = is_end or is_at_end(source.lines, notes, run, first, end)
        if footnotes == "drop":
            source.empty("footnote", first, last)
        elif not is_end:
            source.empty("footnote", first, run[0].start)
            moved += [Removed("footnote", note.start + 1, note.end) for note in run]
    source.removed += moved
    return tuple(moved)


def find_notes(source: SourceText, start: int, end: int) -> Iterator[Note]:
    """Yield the paragraphs that begin with a label which the text above them has called, and with `[Footnote`."""
    lines, called, last = source.lines, Counter[str](), dict[str, int]()
    at = start
    for index in source.find_any(MARKS, start, end):
        if index < at:
            continue
        line = lines[index]
        found = NOTE.match(line) if index in (start, at) or not lines[index - 1] else None
        if found is not None:
            label = label_of(found)
            note = Note(index, note_end(lines, index, end, found), label)
            is_called = called[label] > 0 and (not found["star"] or is_starred(lines, note, last[label]))
            if found["word"] or (is_called and found["close"] != ":"):
                called[label] -= 1
                at = note.end
                yield note
                continue
        if "*" in line:
            line = EMPHASIS.sub(lambda found: " " * len(found[0]), line)
        for anchor in ANCHOR.finditer(line, found.end() if found else 0):
            label = label_of(anchor)
            called[label] += 1
            last[label] = index


def is_starred(lines: Sequence[str], note: Note, called_at: int) -> bool:
    """Return whether a paragraph under a star is a note: near to the star above it, and without emphasis by stars."""
    return note.start - called_at <= STAR_REACH and "".join(lines[note.start : note.end]).count("*") <= len(note.label)


def label_of(found: re.Match[str]) -> str:
    """Return the label of a note or an anchor, with its kind of bracket."""
    groups = found.groupdict()
    if "s" in groups:
        return f"[{groups['s']}" if groups["s"] else f"{{{groups['c']}" if groups["c"] else groups["t"]
    return (
        f"[{groups['square']}"
        if groups["square"]
        else f"{{{groups['curly']}"
        if groups["curly"]
        else groups["star"] or ""
    )


def note_end(lines: Sequence[str], first: int, end: int, found: re.Match[str]) -> int:
    """Return the line after a note: where its bracket closes, where the next note begins, or a blank line."""
    if found["word"] and found["close"] == ":":
        last = closing_line(lines, first, min(end, first + BRACKET_LINES))
        if last is not None:
            return last + 1
    index = first + 1
    while index < end and lines[index] and not (after_note(lines[index], found)):
        index += 1
    return index


def after_note(line: str, found: re.Match[str]) -> bool:
    """Return whether a line within a paragraph of notes begins the next one, with a label of the same kind."""
    other = NOTE.match(line)
    return other is not None and [bool(group) for group in other.groups()] == [bool(group) for group in found.groups()]


def remove_anchors(source: SourceText, start: int, notes: Sequence[Note]) -> None:
    """Take the labels that call these notes out of the text above them."""
    last = {note.label: note.start for note in notes}
    inside = {index for note in notes for index in range(note.start, note.end)}
    for index in source.find_any(MARKS, start, notes[-1].start):
        if index not in inside and ANCHOR.search(source.lines[index]):
            source.rewrite(index, ANCHOR, partial(drop_called, last, index), "footnote-anchor")


def drop_called(last: dict[str, int], index: int, found: re.Match[str]) -> str:
    """Return nothing for a label of a note that stands further down, otherwise the label."""
    return "" if last.get(label_of(found), -1) > index else found[0]


def group_notes(lines: Sequence[str], notes: Sequence[Note]) -> list[list[Note]]:
    """Return the notes in runs with nothing but blank lines within."""
    runs: list[list[Note]] = []
    for note in notes:
        if runs and not any(lines[runs[-1][-1].end : note.start]):
            runs[-1].append(note)
        else:
            runs.append([note])
    return runs


def with_heading(lines: Sequence[str], first: int, start: int) -> int:
    """Return the line of the heading above a run of notes, such as 'FOOTNOTES:', or the run's own."""
    above = first - 1
    while above > start and not lines[above]:
        above -= 1
    return above if above >= start and lines[above] and NOTES_HEADING.match(lines[above]) else first


def is_at_end(lines: Sequence[str], notes: Sequence[Note], run: Sequence[Note], first: int, end: int) -> bool:
    """Return whether a run of notes begins a list of them that takes the end of the book."""
    if first == run[0].start and len(run) < LIST_NOTES:
        return False
    num_noted = sum(note.end - note.start for note in notes if note.start >= first)
    return num_noted >= END_SHARE * sum(map(bool, lines[run[0].start : end]))
