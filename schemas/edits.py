"""What cleaning did to a file: every edit with its rule, packed, so that any character leads back to its raw bytes."""

from __future__ import annotations

import re
import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from operator import add
from typing import NamedTuple

from pydantic import Field

from schemas.value import Value

MOVED = "moved"  # the rule of an edit after which copying goes on elsewhere in the raw file; it takes nothing out
CODES = {"b": 1 << 7, "h": 1 << 15, "i": 1 << 31}  # struct's code of a signed integer, and the first number beyond it
NUM_COLUMNS = 5
LONG = re.compile(r"utf|gb|hk|big5|euc|johab|cp9[345]|.*jis", re.IGNORECASE)  # encodings of several bytes a character
UNITS = {"utf-16": 2, "utf-32": 4}  # bytes of a character of ASCII where that is not one


class Edit(NamedTuple):
    """Raw bytes `raw_start:raw_end` that read `start:end` in the clean text; what lies between two edits is a copy."""

    rule: str
    start: int
    end: int
    raw_start: int
    raw_end: int


class Places(NamedTuple):
    """The edits by column, in order of the clean text."""

    starts: Sequence[int]
    ends: Sequence[int]
    raw_starts: Sequence[int]
    raw_ends: Sequence[int]


class EditLog(Value):
    """Edits in order of the clean text, in five columns of numbers, each as wide as its largest needs.

    The columns: rule; characters that the edit wrote; raw bytes from the copy before it to the copy after it
    (negative where copying went back in the file); characters of the copy after it; bytes of that copy.
    """

    rules: tuple[str, ...] = ()
    num_edits: int = 0
    codes: str = Field(default="b" * NUM_COLUMNS, description="struct's codes of the columns, little-endian")
    packed: bytes = b""

    @classmethod
    def pack(cls, rules: Sequence[str], columns: Sequence[Sequence[int]]) -> EditLog:
        """Return the log of these columns; a rule is its place in `rules`."""
        codes = "".join(_narrowest(column) for column in columns)
        packed = b"".join(_pack(column, code) for code, column in zip(codes, columns, strict=True))
        return cls(rules=tuple(rules), num_edits=len(columns[0]), codes=codes, packed=packed)

    def columns(self) -> list[tuple[int, ...]]:
        """Return the five columns."""
        columns, at = [], 0
        for code in self.codes:
            layout = f"<{self.num_edits}{code}"
            columns.append(struct.unpack_from(layout, self.packed, at))
            at += struct.calcsize(layout)
        return columns

    @cached_property
    def places(self) -> Places:
        """Where each edit stands in the clean text and in the raw file."""
        rules, written, jumps, chars, sizes = self.columns()
        starts = list(accumulate(map(add, written, chars), initial=0))[:-1]
        raw_befores = accumulate(map(add, jumps, sizes), initial=0)
        raw_ends = list(map(add, raw_befores, jumps))
        is_move = [rule == MOVED for rule in self.rules]
        raw_starts = [
            raw_end if is_move[rule] else raw_end - jump
            for rule, raw_end, jump in zip(rules, raw_ends, jumps, strict=True)
        ]
        return Places(starts, list(map(add, starts, written)), raw_starts, raw_ends)

    def iter_edits(self) -> Iterator[Edit]:
        """Yield every edit."""
        names = (self.rules[rule] for rule in self.columns()[0])
        return map(Edit, names, *self.places)

    def raw_end(self, text: str, encoding: str, offset: int) -> int:
        """Return the raw byte where the character before `offset` ends."""
        return self.raw_offset(text, encoding, offset - 1, after=True) if offset else self.raw_offset(text, encoding, 0)

    def raw_offset(self, text: str, encoding: str, offset: int, *, after: bool = False) -> int:
        """Return the raw byte of a character of the clean text, or the one after it; within an edit, of the edit."""
        places = self.places
        last = bisect_right(places.starts, offset) - 1
        copied_from, raw = (places.ends[last], places.raw_ends[last]) if last >= 0 else (0, 0)
        if offset < copied_from:
            return raw if after else places.raw_starts[last]
        return raw + num_bytes(text[copied_from : offset + after], encoding)


def num_bytes(text: str, encoding: str) -> int:
    """Return how many bytes a copied text takes in the raw file."""
    if text.isascii():
        return len(text) * UNITS.get(encoding[:6], 1)
    return (
        len(text)
        if LONG.match(encoding) is None
        else len(text.encode(encoding.removesuffix("-sig"), "surrogateescape"))
    )


def line_sizes(lines: Sequence[str], encoding: str) -> list[int]:
    """Return how many bytes each line takes in the raw file."""
    if LONG.match(encoding) is None:
        return list(map(len, lines))
    if encoding[:6] in UNITS:
        return [num_bytes(line, encoding) for line in lines]
    codec = encoding.removesuffix("-sig")
    return [len(line) if line.isascii() else len(line.encode(codec, "surrogateescape")) for line in lines]


def _pack(column: Sequence[int], code: str) -> bytes:
    numbers = array(code, column)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _narrowest(column: Sequence[int]) -> str:
    reach = max(max(column, default=0), ~min(column, default=0))
    return next(code for code, beyond in CODES.items() if reach < beyond)
