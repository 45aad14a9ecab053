"""Paragraphs and the lines they came from -> the log of every edit between the raw file and the clean text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, compress, count
from operator import add, sub

from schemas.edits import MOVED, EditLog, line_sizes, num_bytes
from tasks.cleaning.paragraphs import Paragraph
from tasks.cleaning.source_text import SourceText
from tasks.cleaning.traced import COPY, Traced

BLANK_LINES, UNWRAP, LINE_END, SPACE = "blank-lines", "unwrap", "line-end", "space"
PLAIN_GAP = 2  # characters between two paragraphs
WORDS = re.compile(r"\S+(?: \S+)*")  # between two runs of blanks


class Recorder:
    """Writes down, paragraph by paragraph, which raw bytes were copied, and by which rule those between went.

    A row is a copy and the edit before it: rule, characters that the edit wrote, first and last byte of the copy, and
    its characters. Where one edit follows another at once, a copy of nothing stands between them.
    """

    def __init__(self, source: SourceText, codec: str, first_byte: int) -> None:
        self.source, self.codec = source, codec
        self.unit, end_size = num_bytes(" ", codec), num_bytes(source.line_end, codec)
        sizes = accumulate(line_sizes(source.raw_lines, codec), initial=first_byte)
        self.line_starts = list(map(add, sizes, count(0, end_size)))
        self.line_starts[-1] -= end_size
        copied = list(source.lines)
        for index in source.traces:
            copied[index] = ""
        self.num_chars = list(map(len, copied))
        self.line_ends = list(map(add, self.line_starts, line_sizes(copied, codec)))  # without blanks at the end
        self.removed = sorted(source.removed, key=lambda one: (one.first_line, one.last_line))
        self.num_taken = 0
        self.next_removed = self._next_removed()
        self.plain_start: int | None = None
        self.plain_end = 0
        self.follows = [False, *map(bool, source.lines)]  # whether a line follows another one without a blank line
        self.names = {BLANK_LINES: 0, UNWRAP: 1, LINE_END: 2}
        self.rules: list[int] = []
        self.written: list[int] = []
        self.starts: list[int] = []
        self.ends: list[int] = [0]
        self.chars: list[int] = []
        if first_byte:
            self._edit("byte-order-mark", 0, first_byte)

    def add_paragraph(self, paragraph: Paragraph, num_before: int) -> None:
        """Write down a paragraph that follows after so many characters of white space."""
        if paragraph.is_plain and num_before == PLAIN_GAP and paragraph.last_line < self.next_removed:
            if self.plain_start is None:
                self.plain_start = paragraph.line - 1
            self.plain_end = paragraph.last_line
            return
        self._add_plain()
        self._take_out(paragraph.line - 1)
        self._add(paragraph, num_before)

    def add_moved(self, paragraphs: Sequence[Paragraph], num_before: int, num_between: int) -> None:
        """Write down paragraphs that were moved to the end of the text; copying goes on afterwards where it was."""
        self._add_plain()
        at = self.ends[-1]
        for place, paragraph in enumerate(paragraphs):
            self._edit(MOVED, num_between if place else num_before, self.line_starts[paragraph.line - 1])
            self._add(paragraph, 0)
        self._edit(MOVED, 0, at)

    def finish(self, num_bytes_in_file: int) -> EditLog:
        """Return the log, once the rest of the file is written down."""
        self._add_plain()
        self._take_out(len(self.source.lines))
        self._edit(BLANK_LINES, 0, num_bytes_in_file)
        jumps = list(map(sub, self.starts, self.ends))
        sizes = list(map(sub, self.ends[1:], self.starts))
        return EditLog.pack(tuple(self.names), (self.rules, self.written, jumps, self.chars, sizes))

    def _next_removed(self) -> int:
        """Return the next raw line that was removed; a line after the last where none was."""
        return (
            self.removed[self.num_taken].first_line
            if self.num_taken < len(self.removed)
            else len(self.source.lines) + 1
        )

    def _name(self, rule: str) -> int:
        return self.names.setdefault(rule, len(self.names))

    def _edit(self, rule: str, num_written: int, raw_end: int) -> None:
        """Write down that the raw bytes up to `raw_end` read so many characters now."""
        if num_written or raw_end != self.ends[-1]:
            self._copy(self._name(rule), num_written, raw_end, raw_end, 0)

    def _copy(self, rule: int, num_written: int, start: int, end: int, num_chars: int) -> None:
        self.rules.append(rule)
        self.written.append(num_written)
        self.starts.append(start)
        self.ends.append(end)
        self.chars.append(num_chars)

    def _take_out(self, line: int) -> None:
        """Write down the whole lines that were removed above a line."""
        while self.num_taken < len(self.removed) and self.removed[self.num_taken].last_line <= line:
            rule, first, last = self.removed[self.num_taken]
            self.num_taken += 1
            self.next_removed = self._next_removed()
            start, end = self.line_starts[first - 1], self.line_starts[last]
            if start > self.ends[-1]:
                self._edit(BLANK_LINES, 0, start)
            if end > self.ends[-1]:
                self._edit(rule, 0, end)

    def _add(self, paragraph: Paragraph, num_before: int) -> None:
        first, stop = paragraph.line - 1, paragraph.last_line
        num_joints = stop - first - 1
        if paragraph.trace is not None:
            start = self.line_starts[first]
            self._copy(self._name(BLANK_LINES), num_before, start, start, 0)
            self._add_trace(paragraph.trace)
            return
        cuts = [len(line) - len(line.lstrip()) for line in self.source.lines[first:stop]]
        num_chars, starts = self.num_chars[first:stop], self.line_starts[first:stop]
        if any(cuts):
            if "\n" in paragraph.text:
                cuts = [min(cuts)] * len(cuts)
            num_chars = list(map(sub, num_chars, cuts))
            starts = [start + cut * self.unit for start, cut in zip(starts, cuts, strict=True)]
        if sum(num_chars) + num_joints != len(paragraph.text):
            self._add_spaced(paragraph, num_before)
            return
        self.rules.append(0)
        self.written.append(num_before)
        if num_joints:
            self.rules += [2 if "\n" in paragraph.text else 1] * num_joints
            self.written += [1] * num_joints
        self.starts += starts
        self.ends += self.line_ends[first:stop]
        self.chars += num_chars

    def _add_plain(self) -> None:
        """Write down the plain paragraphs that came one after another, all at once."""
        if self.plain_start is None:
            return
        part = slice(self.plain_start, self.plain_end)
        self.plain_start = None
        lines = self.source.lines[part]
        joints = list(compress(self.follows[part], lines))
        self.rules += joints  # UNWRAP for a line that follows another, BLANK_LINES for a paragraph's first
        self.written += [PLAIN_GAP - joint for joint in joints]
        self.starts += compress(self.line_starts[part], lines)
        self.ends += compress(self.line_ends[part], lines)
        self.chars += compress(self.num_chars[part], lines)

    def _add_spaced(self, paragraph: Paragraph, num_before: int) -> None:
        """Write down lines whose words stand apart by more than one blank."""
        rule = self._name(BLANK_LINES)
        for index in range(paragraph.line - 1, paragraph.last_line):
            line, start, at = self.source.lines[index], self.line_starts[index], 0
            if "  " not in line and line[0] != " ":
                self._copy(rule, num_before, start, self.line_ends[index], len(line))
                rule, num_before = 1, 1
                continue
            for words in WORDS.finditer(line):
                start += num_bytes(line[at : words.start()], self.codec)
                end = start + num_bytes(words[0], self.codec)
                self._copy(rule, num_before, start, end, len(words[0]))
                rule, num_before, start, at = self._name(SPACE), 1, end, words.end()
            rule = 1

    def _add_trace(self, trace: Traced) -> None:
        at = self.ends[-1]
        for start, end, text, rule in trace.segments:
            at += num_bytes(trace.raw[start:end], self.codec)
            if rule == COPY:
                self.ends[-1] = at
                self.chars[-1] += len(text)
            else:
                self._edit(rule, len(text), at)
