"""Invented tables with the shape of real ones: books of 300 kB and trajectories of 2 MB, prose-like to a compressor."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa

from tasks.sharding.arrow import text_bytes
from tasks.tables import SCHEMAS, Row

NUM_WORDS = 30_000  # different ones in a novel, about


class Prose:
    """Text of invented words that come as often as words do (Zipf), the same for the same seed."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        letters = "etaoinshrdlucmfwypvbgk"
        self.words = ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(NUM_WORDS)]
        weights = np.cumsum(1 / np.arange(1, NUM_WORDS + 1))
        self.up_to = weights / weights[-1]

    def write(self, num_bytes: int, seed: int) -> str:
        """Return about as many bytes of text."""
        picks = np.searchsorted(self.up_to, np.random.default_rng(seed).random(num_bytes // 6))
        return " ".join(self.words[pick] for pick in picks)


def trajectory_row(prose: Prose, book_id: str, num_bytes: int, seed: int) -> Row:
    """Return one trajectory whose stages and messages hold about `num_bytes` of text together."""
    text = prose.write(num_bytes // 2, seed)
    stages = [
        {"role": "prompt", "text": "Write a book.", "loss": 0.0, "num_tokens": 4, "start": None, "end": None},
        {"role": "chapter_text", "text": text, "loss": 1.0, "num_tokens": len(text) // 4, "start": 0, "end": 1},
    ]
    return {
        "trajectory_id": f"{book_id}:full-book",
        "book_id": book_id,
        "layout": "full-book",
        "window": 262_144,
        "targets": [1],
        "split": "train",
        "trainable": True,
        "stages": stages,
        "messages": [{"role": "user", "content": "Write a book."}, {"role": "assistant", "content": text}],
        "num_tokens": len(text) // 4,
        "plan_tokens": 0,
        "prose_tokens": len(text) // 4,
        "source_sha256": f"{seed:064x}",
        "provenance": "{}",
    }


def book_row(prose: Prose, book_id: str, num_bytes: int, seed: int) -> Row:
    """Return one row of the table books."""
    text = prose.write(num_bytes, seed)
    told = {"book_id": book_id, "title": book_id, "split": "train", "text": text, "source_sha256": f"{seed:064x}"}
    return {**dict.fromkeys(SCHEMAS["books"].names), **told, "num_words": num_bytes // 6, "num_chapters": 1}


def trajectory_table(
    num_rows: int, num_bytes: int, *, without: int | None = None, fresh: int | None = None
) -> pa.Table:
    """Return a table of trajectories in order; row `without` left out, row `fresh` written anew."""
    prose = Prose(0)
    rows = [
        trajectory_row(prose, f"book-{at:05d}", num_bytes, at + (10_000 if at == fresh else 0))
        for at in range(num_rows)
        if at != without
    ]
    return pa.Table.from_pylist(rows, SCHEMAS["trajectories"])


def count_text(table: pa.Table) -> int:
    """Return the bytes of text in a table."""
    return int(sum(text_bytes(batch).sum() for batch in table.to_batches()))
