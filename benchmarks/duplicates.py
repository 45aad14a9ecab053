"""Seconds and memory to find the duplicates among 20,000 books, from signatures made up in the size of real ones.

    python benchmarks/duplicates.py [--books N] [--json FILE]

Every tenth book is another edition of the one before it; a twentieth of all are by one author, a third by nobody known.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from schemas.corpus_settings import DuplicateSettings, SignSettings
from schemas.duplicates import Signature
from tasks.duplicates import find_duplicates
from tasks.sign import SKETCH_LEAST, SKETCH_SHARE

CHANGED = 0.1  # of the hashes, between two editions


def make_signature(number: int) -> Signature:
    """Return the signature of a book of 40,000 to 250,000 words."""
    is_edition = number % 10 == 9
    work = number - is_edition
    rng, own = np.random.default_rng(work), np.random.default_rng(number)
    num_shingles = int(rng.integers(40_000, 250_000))
    size = max(SKETCH_LEAST, num_shingles // SKETCH_SHARE)
    last = int(2**32 * size / num_shingles)
    sketch = rng.integers(0, last, size, dtype=np.uint32)
    sketch[: size // 50] = np.arange(size // 50) * 37  # phrases that many books have
    minhash = rng.integers(0, 2**32, SignSettings().permutations, dtype=np.uint32)
    if is_edition:
        for values, most in ((sketch, last), (minhash, 2**32)):
            others = own.random(len(values)) < CHANGED
            values[others] = own.integers(0, most, others.sum())
    draw = rng.random()
    author = "prolific" if draw < 0.05 else f"author {int(rng.integers(0, 6_000))}"
    return Signature(
        book_id=str(number),
        title=f"title {int(rng.integers(0, 15_000))}",
        authors=() if draw > 2 / 3 else (author,),
        num_words=num_shingles,
        num_accents=0,
        encoding="utf-8",
        num_shingles=num_shingles,
        minhash=minhash.tobytes(),
        sketch=np.unique(sketch).tobytes(),
    )


def make_signatures(num_books: int) -> Iterator[Signature]:
    """Yield one after the other, as a work store gives them."""
    return (make_signature(number) for number in range(num_books))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--books", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    started = time.perf_counter()
    num_bytes = sum(len(signature.to_json()) for signature in make_signatures(arguments.books))
    making_s = time.perf_counter() - started
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    found = find_duplicates(make_signatures(arguments.books), DuplicateSettings())
    figures = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "books": arguments.books,
        "duplicates_made": arguments.books // 10,
        "duplicates_found": len(found),
        "signature_bytes": num_bytes // max(1, arguments.books),
        "find_s": round(time.perf_counter() - started - making_s, 1),
        "memory_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024),
    }
    for name, value in figures.items():
        print(f"{name:24} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
