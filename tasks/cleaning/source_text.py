"""Decoded text of a raw file -> its lines in NFC with plain white space, which the rules of cleaning then empty."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from html.entities import html5
from itertools import accumulate, count
from operator import add

from schemas.books import Removed
from tasks.cleaning.mojibake import MISREAD, is_misread, read_again
from tasks.cleaning.traced import Traced

TAB_COLUMNS = 8
CLUSTER = re.compile(r"\w?[^\w\s\x00-\x7f]+|[^\x00-\x7f]")  # a letter and what may be set upon it
WHOLE = re.compile(r".+", re.DOTALL)
UNUSUAL: tuple[tuple[str, re.Pattern[str], str], ...] = (  # what a line may hold that cannot be printed
    ("invisible", re.compile("[\ufeff\u200b-\u200f\u2060\u00ad]"), ""),  # marks of byte order, zero-width, soft hyphen
    ("control", re.compile("[\x00-\x08\x0e-\x1b\x7f]"), ""),  # such as DOS's end of file
    ("unreadable", re.compile("[\ud800-\udfff]"), "\ufffd"),  # bytes that the codec does not know
    ("space", re.compile("[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\x0b\x0c\x1c-\x1f\x85\r]"), " "),
)
ENTITY = re.compile(r"&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d{0,2});", re.IGNORECASE)
TAB = re.compile("\t")
PRINTABLE = b"\r\n" + bytes(byte for byte in range(0x20, 0x100) if byte != 0x7F)  # of ASCII, and what is beyond it


def has_controls(text: str) -> bool:
    """Return whether a text has white space or signs of ASCII that cannot be printed, line ends aside; quick."""
    if text.count("\r") != text.count("\r\n"):
        return True
    return bool(text.encode("utf-8", "surrogatepass").translate(None, PRINTABLE))


def read_entity(found: re.Match[str]) -> str:
    """Return the character that an HTML entity names; the entity where it names none."""
    name = found[1]
    if not name.startswith("#"):
        return html5.get(f"{name};", found[0])
    number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    is_known = 0x20 <= number < 0x110000 and not 0x7F <= number < 0xA0 and not 0xD800 <= number < 0xE000
    return chr(number) if is_known else found[0]


class TabStops:
    """Blanks for each tab of one line, from the left."""

    def __init__(self) -> None:
        self.shift = 0

    def blanks(self, found: re.Match[str]) -> str:
        """Return the blanks up to the next stop."""
        num_blanks = TAB_COLUMNS - (found.start() + self.shift) % TAB_COLUMNS
        self.shift += num_blanks - 1
        return " " * num_blanks


class SourceText:
    """Lines of a raw file as they read now; what was emptied is in `removed`, what was rewritten in `traces`.

    `lines[i]` is raw line i + 1 without white space at its end; a line whose characters all stand as they stood has no
    trace. Line ends are LF, CRLF, or CR where a file has no other.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.line_end = "\r" if "\n" not in text and "\r" in text else "\n"
        self.raw_lines = text.split(self.line_end)
        self.lines = [line.rstrip() for line in self.raw_lines]
        self.starts = list(map(add, accumulate(map(len, self.raw_lines), initial=0), count()))  # and one after the last
        self.traces: dict[int, Traced] = {}
        self.removed: list[Removed] = []
        self.num_guessed = 0  # lines emptied by rules that know where to begin, but not for sure where to end
        for index in self.find("&"):
            if ENTITY.search(self.lines[index]):
                self.rewrite(index, ENTITY, read_entity, "entity")
        if not text.isascii():
            self._compose(text)
        may_be_odd = self.lines if has_controls(text) else (line if not line.isascii() else "" for line in self.lines)
        for index in [index for index, line in enumerate(may_be_odd) if not line.isprintable()]:
            self._normalize(index)

    def find(self, token: str, start: int = 0, end: int | None = None) -> list[int]:
        """Return the lines within `start:end` that hold a token."""
        found = []
        stop = len(self.text) if end is None else self.starts[end]
        at = self.text.find(token, self.starts[start], stop)
        while at >= 0:
            index = bisect_right(self.starts, at) - 1
            if token in self.lines[index]:
                found.append(index)
            at = self.text.find(token, self.starts[index + 1], stop)
        return found

    def find_any(self, chars: str, start: int, end: int) -> list[int]:
        """Return the lines within `start:end` that hold one of these characters."""
        return sorted({index for char in chars if char in self.text for index in self.find(char, start, end)})

    def rewrite(
        self, index: int, pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str], rule: str, group: int = 0
    ) -> None:
        """Rewrite every match of a pattern in a line, or a group of it."""
        trace = self.traces.get(index) or Traced(self.raw_lines[index])
        trace.sub(pattern, new, rule, group)
        self.traces[index] = trace
        self.lines[index] = trace.text.rstrip()

    def empty(self, rule: str, start: int, end: int, *, is_guess: bool = False) -> None:
        """Empty lines `start:end` and record it."""
        filled = [index for index in range(start, end) if self.lines[index]]
        if not filled:
            return
        for index in filled:
            self.lines[index] = ""
        self.removed.append(Removed(rule, filled[0] + 1, filled[-1] + 1))
        self.num_guessed += len(filled) * is_guess

    def _normalize(self, index: int) -> None:
        for rule, pattern, new in UNUSUAL:
            if pattern.search(self.lines[index]):
                self.rewrite(index, pattern, new, rule)
        if "\t" in self.lines[index]:
            self.rewrite(index, TAB, TabStops().blanks, "tab")

    def _compose(self, text: str) -> None:
        """Repair letters that were read with the wrong codec once, and put the rest in NFC."""
        if is_misread(text):
            for index, line in enumerate(self.lines):
                if not line.isascii():
                    self.rewrite(index, MISREAD, lambda found: read_again(found[0]), "mojibake")
        if unicodedata.is_normalized("NFC", text):
            return
        compose = partial(unicodedata.normalize, "NFC")
        for index, line in enumerate(self.lines):
            if not unicodedata.is_normalized("NFC", line):
                self.rewrite(index, CLUSTER, lambda found: compose(found[0]), "nfc")
                if not unicodedata.is_normalized("NFC", self.lines[index]):
                    self.rewrite(index, WHOLE, lambda found: compose(found[0]), "nfc")
