"""Text -> hashes of its word shingles, in arrays: 41 MB of books in a few seconds.

Words are compared without case, accents, apostrophes and punctuation, so that one text in several encodings is one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

BASE = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio, odd: Knuth's multiplicative hash
PIECE_CHARS = 250_000  # a few MB of arrays at a time
LAST_CHAR = 0xFFFF  # stands for all beyond the basic plane, which divide words
MAX_LETTERS = 64  # of a word; further letters share the last power
POWERS = BASE ** np.arange(MAX_LETTERS, dtype=np.uint64)
DROPPED = 1  # inside a word, but no letter of it: don't, don’t and dont are one word
APOSTROPHES = "'’‘ʼ`´"
MIX = ((31, np.uint64(0xBF58476D1CE4E5B9)), (27, np.uint64(0x94D049BB133111EB)))  # the end of splitmix64


def hash_shingles(words: Words, num_words: int) -> Hashes:
    """Return the distinct hashes of every run of `num_words` words, ascending; none of a shorter text."""
    ordered = np.sort((hash_runs(words, num_words) >> np.uint64(32)).astype(np.uint32))
    if not len(ordered):
        return ordered
    distinct: Hashes = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return distinct


def hash_runs(words: Words, num_words: int) -> Words:
    """Return one hash for every run of `num_words` words, in order; none of a shorter text."""
    num_runs = max(0, len(words) - num_words + 1)
    hashes = np.zeros(num_runs, np.uint64)
    for at in range(num_words):
        hashes = hashes * BASE + words[at : at + num_runs]
    for shift, factor in MIX:
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * factor
    return hashes


def hash_words(text: str) -> Words:
    """Return one hash a word, in order."""
    return np.concatenate([_hash_piece(piece) for piece in _iter_pieces(text)] or [np.zeros(0, np.uint64)])


def find_words(text: str) -> tuple[Places, Places]:
    """Return of each word, as `hash_words` divides them, the offset of its first character, and its letters."""
    found, at = [(np.zeros(0, np.int64), np.zeros(0, np.int64))], 0
    for piece in _iter_pieces(text):
        folded = _fold(piece)
        kept = np.flatnonzero(folded != DROPPED)
        edges = np.flatnonzero(np.diff(folded[kept] != 0, prepend=False, append=False))  # a word's start, then its end
        found.append((kept[edges[::2]] + at, edges[1::2] - edges[::2]))
        at += len(piece)
    offsets, lengths = zip(*found, strict=True)
    return np.concatenate(offsets), np.concatenate(lengths)


def _iter_pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that end with a line, so that memory does not grow with the book."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + PIECE_CHARS)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end


def _hash_piece(text: str) -> Words:
    """Sum letter times power of BASE over each word; what divides words counts 0, so it may be summed with them."""
    folded = _fold(text)
    folded = folded[folded != DROPPED]
    is_letter = folded != 0
    starts = np.flatnonzero(is_letter & ~np.append(False, is_letter[:-1]))
    if not len(starts):
        return np.zeros(0, np.uint64)
    folded = folded[starts[0] :]
    starts -= starts[0]
    lengths = np.diff(np.append(starts, len(folded)))
    place = np.arange(len(folded)) - np.repeat(starts, lengths)
    return np.add.reduceat(folded * POWERS[np.minimum(place, MAX_LETTERS - 1)], starts)


def _fold(text: str) -> Words:
    return _folding()[np.minimum(np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32), LAST_CHAR)]


@cache
def _folding() -> npt.NDArray[np.uint64]:
    """Return for each character of the basic plane the letter it is compared as; 0 for what divides words."""
    table = np.zeros(LAST_CHAR + 1, np.uint64)
    for code in range(LAST_CHAR):
        char = unicodedata.normalize("NFKD", chr(code).casefold())[:1]
        if char.isalnum():
            table[code] = ord(char)
        elif unicodedata.combining(chr(code)) or chr(code) in APOSTROPHES:
            table[code] = DROPPED
    return table
