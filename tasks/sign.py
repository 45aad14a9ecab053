"""SegmentedBook -> Signature: what tells one text from others, in a few kB."""

from __future__ import annotations

import re

from datasketch import MinHash

from schemas.books import CatalogueEntry, CleanBook, SegmentedBook
from schemas.corpus_settings import SignSettings
from schemas.duplicates import Signature
from tasks.likeness.shingles import Hashes, hash_shingles, hash_words
from tasks.likeness.titles import split_title, surnames

MINHASH_SHARE = 8  # one shingle in so many is hashed again by every permutation: a sample of the same likeness
MINHASH_BATCH = 4_096  # shingles at a time: 2 MB for 128 permutations
SKETCH_LEAST, SKETCH_MOST = 512, 4_096  # hashes kept: 512 estimate a share of 0.5 within 0.02
SKETCH_SHARE = 256  # one shingle in so many: enough of a long book to find a short one in it

_ASCII = re.compile(r"[\x00-\x7f]+")


def sign_work(work: SegmentedBook, clean: CleanBook, settings: SignSettings) -> Signature:
    """Return what stands for a work, a whole book or a story of it, when works are compared.

    It depends on nothing but the work, the encoding of the book that it is in, and the settings.
    """
    return sign_text(work.entry, work.text, clean.encoding, settings)


def sign_text(entry: CatalogueEntry, text: str, encoding: str, settings: SignSettings) -> Signature:
    """Return the signature of a text."""
    words = hash_words(text)
    hashes = hash_shingles(words, settings.shingle_words)
    title, volume = split_title(entry.title)
    size = min(max(SKETCH_LEAST, len(hashes) // SKETCH_SHARE), SKETCH_MOST)
    return Signature(
        book_id=entry.book_id,
        title=title,
        volume=volume,
        authors=surnames(entry),
        num_words=len(words),
        num_accents=sum(char.isalpha() for char in _ASCII.sub("", text)),
        encoding=encoding,
        num_shingles=len(hashes),
        minhash=_minhash(hashes, settings.permutations),
        sketch=hashes[:size].astype("<u4").tobytes(),
    )


def _minhash(hashes: Hashes, permutations: int) -> bytes:
    sample = hashes[hashes < 2**32 // MINHASH_SHARE]
    minhash = MinHash(num_perm=permutations, hashfunc=int, scheme="affine32")
    for start in range(0, len(sample), MINHASH_BATCH):
        minhash.update_batch(sample[start : start + MINHASH_BATCH])
    return bytes(minhash.hashvalues.astype("<u4").tobytes())
