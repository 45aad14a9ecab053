"""Story -> Sign, and signs -> which stories are like one on another side.

MinHash over word shingles; the index of datasketch offers pairs, and both hashes' estimate decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from datasketch import MinHash, MinHashLSH

from schemas.stories import Side, Sign, Story
from tasks.composing.splits import normalise_words
from tasks.likeness.shingles import hash_shingles, hash_words

PERMUTATIONS = 64  # an estimate of 0.7 is off by 0.06; 128 would double what a data set carries a story
PROMPT_SHINGLE, STORY_SHINGLE = 3, 5  # words: prompts have a few dozen, stories some hundreds
MIN_SHINGLES = 4  # of shorter texts only equal ones are known: one shingle more or less would decide

Hashes = npt.NDArray[np.uint32]


def sign_story(story: Story) -> Sign:
    """Return what stands for a story when all are compared."""
    return Sign(
        story_id=story.story_id,
        side=story.side,
        prompt_key=key_text(story.prompt),
        text_key=key_text(story.text),
        source_sha256=story.source_sha256,
        prompt_minhash=_minhash(story.prompt, PROMPT_SHINGLE),
        text_minhash=_minhash(story.text, STORY_SHINGLE),
    )


def key_text(text: str) -> str:
    """Return a hash of a text without case, accents and punctuation; of one without words, of the text itself."""
    return hashlib.sha256((normalise_words(text) or text.strip()).encode()).hexdigest()[:24]


class Twin(NamedTuple):
    """The nearest story on another side."""

    story_id: str
    side: Side
    what: str  # prompt, or text
    likeness: float


class Index:
    """Stories that others are held against: those of a data set, then the sides that are kept out of training."""

    def __init__(self, max_likeness: float) -> None:
        self._limit = max_likeness
        self._indices = {
            what: MinHashLSH(threshold=max_likeness, num_perm=PERMUTATIONS, weights=(0.2, 0.8))
            for what in ("prompt", "text")
        }
        self._known: dict[str, tuple[Side, dict[str, bytes]]] = {}

    def add(self, sign: Sign, side: Side) -> None:
        """Hold later stories against this one."""
        hashes = {what: values for what, values in _parts(sign) if values}
        self._known[sign.story_id] = side, hashes
        for what, values in hashes.items():
            self._indices[what].insert(sign.story_id, _wrap(values))

    def find_twin(self, sign: Sign, side: Side) -> Twin | None:
        """Return the likest story of another side, or None."""
        return max(self._iter_twins(sign, side), key=lambda twin: (twin.likeness, twin.story_id), default=None)

    def _iter_twins(self, sign: Sign, side: Side) -> Iterator[Twin]:
        for what, values in _parts(sign):
            for name in self._indices[what].query(_wrap(values)) if values else ():
                other, hashes = self._known[name]
                if other == side:
                    continue
                likeness = float(np.mean(_read(values) == _read(hashes[what])))
                if likeness >= self._limit:
                    yield Twin(name, other, what, likeness)


def _parts(sign: Sign) -> Iterable[tuple[str, bytes]]:
    return ("prompt", sign.prompt_minhash), ("text", sign.text_minhash)


def _minhash(text: str, num_words: int) -> bytes:
    hashes = hash_shingles(hash_words(text), num_words)
    if len(hashes) < MIN_SHINGLES:
        return b""
    minhash = MinHash(num_perm=PERMUTATIONS, hashfunc=int, scheme="affine32")
    minhash.update_batch(hashes)
    return bytes(minhash.hashvalues.astype("<u4").tobytes())


def _wrap(values: bytes) -> MinHash:
    minhash = MinHash(num_perm=PERMUTATIONS, hashfunc=int, scheme="affine32")
    minhash.hashvalues = _read(values)
    return minhash


def _read(values: bytes) -> Hashes:
    return np.frombuffer(values, "<u4")
