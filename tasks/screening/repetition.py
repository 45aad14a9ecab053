"""Text -> Repetition: what comes again, counted over hashes of words in arrays, so that a long novel takes a second.

Words are compared as signatures compare them: without case, accents and punctuation.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.repetition import Repetition
from tasks.likeness.shingles import Places, Words, find_words, hash_runs, hash_words

WINDOW = 1_000  # words, as the calibration of rep-4, zlib ratio and loops was made with
LOOP_WORDS, LOOP_TIMES = 8, 4  # an 8-gram four times within a window is a loop
LONGEST = 10  # words: a longer run that comes again is a chain of these
TOP, REPEATED = (2, 3, 4), (5, 6, 7, 8, 9, 10)  # sizes of n-grams, Gopher's
ZLIB_LEVEL = 6  # zlib's default

Flags = npt.NDArray[np.bool_]


def measure_text(text: str) -> Repetition:
    """Return the repetition of a text; all measures of an empty one are 0."""
    words, (_, letters) = hash_words(text), find_words(text)
    paragraphs, lines = _told(text.split("\n\n")), _told(text.split("\n"))
    runs = {size: _Runs(hash_runs(words, size)) for size in (4, *REPEATED)}
    top2, top3, top4 = (_top_share(hash_runs(words, size), letters, size) for size in TOP)
    return Repetition(
        num_words=len(words),
        duplicate_lines=_duplicates(lines, by_chars=False),
        duplicate_line_chars=_duplicates(lines, by_chars=True),
        duplicate_paragraphs=_duplicates(paragraphs, by_chars=False),
        duplicate_paragraph_chars=_duplicates(paragraphs, by_chars=True),
        top_ngrams=(top2, top3, top4),
        repeated_ngrams=tuple(_repeated_share(runs[size], letters, size) for size in REPEATED),
        rep_4=_rep(runs[4]),
        zlib_ratio=_zlib_ratio(text),
        looped_words=_looped_share(runs[LOOP_WORDS], len(words)),
        longest_repeat=_longest_repeat(runs[LONGEST]),
    )


class _Runs:
    """The n-grams of a text, and where each stood before."""

    def __init__(self, hashes: Words) -> None:
        self.order: Places = np.argsort(hashes, kind="stable")  # equal ones in the order of the text
        ordered = hashes[self.order]
        self.again: Flags = ordered[1:] == ordered[:-1]  # of the order: as the one before
        self.ordered = ordered
        self.num = len(hashes)

    @property
    def stood_before(self) -> Flags:
        """Tell of each n-gram, in the order of the text, whether it stood before."""
        flags = np.zeros(self.num, np.bool_)
        flags[self.order[1:][self.again]] = True
        return flags


def _told(pieces: Sequence[str]) -> list[str]:
    """Return the pieces that say something, each in one form: scene breaks are no repetition."""
    folded = (" ".join(piece.casefold().split()) for piece in pieces)
    return [piece for piece in folded if any(map(str.isalnum, piece))]


def _duplicates(pieces: Sequence[str], *, by_chars: bool) -> float:
    size = len if by_chars else (lambda _: 1)
    total = sum(map(size, pieces))
    return _share(total - sum(map(size, set(pieces))), total)


def _top_share(hashes: Words, letters: Places, size: int) -> float:
    """Return the share of the n-gram that takes most characters, all its occurrences together; none if it is alone."""
    _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    ends = np.cumsum(np.append(0, letters))
    chars = (ends[first + size] - ends[first]) * counts
    return _share(int(chars[counts > 1].max(initial=0)), int(letters.sum()))


def _repeated_share(runs: _Runs, letters: Places, size: int) -> float:
    covered = _cover(np.flatnonzero(runs.stood_before), size, len(letters))
    return _share(int(letters[covered].sum()), int(letters.sum()))


def _rep(runs: _Runs) -> float:
    """Return the share of n-grams that stood before in the same window."""
    windows = runs.order // WINDOW
    num_again = int((runs.again & (windows[1:] == windows[:-1])).sum())
    return _share(num_again, runs.num)


def _looped_share(runs: _Runs, num_words: int) -> float:
    back = LOOP_TIMES - 1
    if runs.num <= back:
        return 0.0
    near = runs.order[back:] - runs.order[:-back] <= WINDOW - LOOP_WORDS
    last = np.flatnonzero((runs.ordered[back:] == runs.ordered[:-back]) & near)
    places = np.unique(np.concatenate([runs.order[last + step] for step in range(LOOP_TIMES)]))
    return _share(int(_cover(places, LOOP_WORDS, num_words).sum()), num_words)


def _longest_repeat(runs: _Runs) -> int:
    """Return the words of the longest run that stands, word for word, a fixed distance further back."""
    distance = np.zeros(runs.num + 1, np.int64)  # 0: did not stand before
    distance[runs.order[1:][runs.again]] = np.diff(runs.order)[runs.again]
    starts = np.flatnonzero(np.append(True, distance[1:] != distance[:-1]))
    lengths = np.diff(np.append(starts, len(distance)))[distance[starts] > 0]
    return int(lengths.max()) + LONGEST - 1 if len(lengths) else 0


def _cover(places: Places, size: int, num_words: int) -> Flags:
    """Return which words lie in a run of `size` words that begins at one of the places."""
    steps = np.zeros(num_words + 1, np.int64)
    np.add.at(steps, places, 1)
    np.add.at(steps, places + size, -1)
    return np.cumsum(steps)[:-1] > 0


def _zlib_ratio(text: str) -> float:
    """Return the mean over whole windows, or of a shorter text; builds of zlib differ in the third digit."""
    words = text.split()
    ends = range(WINDOW, len(words) + 1, WINDOW) if len(words) >= WINDOW else range(len(words), len(words) + 1)
    windows = (" ".join(words[max(0, end - WINDOW) : end]).encode() for end in ends)
    ratios = [len(window) / len(zlib.compress(window, ZLIB_LEVEL)) for window in windows]
    return round(sum(ratios) / len(ratios), 2)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 5) if whole else 0.0
