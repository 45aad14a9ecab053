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
    num_shingles = len(words) - num_words + 1
    if num_shingles < 1:
        return np.zeros(0, np.uint32)
    hashes = np.zeros(num_shingles, np.uint64)
    for at in range(num_words):
        hashes = hashes * BASE + words[at : at + num_shingles]
    for shift, factor in MIX:
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * factor
    ordered = np.sort((hashes >> np.uint64(32)).astype(np.uint32))
    distinct: Hashes = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return distinct


def hash_words(text: str) -> Words:
    """Return one hash a word, in order."""
    return np.concatenate([_hash_piece(piece) for piece in _iter_pieces(text)] or [np.zeros(0, np.uint64)])


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
    folded = _folding()[np.minimum(np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32), LAST_CHAR)]
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
