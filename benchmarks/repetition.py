"""What comes again in sound works and in constructed loops, how near each comes to its limit, and how fast it is told.

    PYTHONPATH=. python benchmarks/repetition.py [--corpus ../shared/gutenberg] [--json FILE]

The corpus is a folder with an INDEX.csv (id, title, author, language, file). Works that screening refuses for another
reason (verse, drama) are left out. The peer is datatrove's GopherRepetitionFilter, on the same texts, where that
package is installed; its limits are those of web pages.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from schemas.books import CatalogueEntry, RawBook, Rejection
from schemas.corpus_settings import CleanSettings, ScreenSettings, SegmentSettings
from schemas.repetition import Repetition
from tasks.clean import clean_book
from tasks.dividing.works import split_works
from tasks.repetition import join_narrative, too_repetitive
from tasks.screen import screen_book
from tasks.screening.repetition import measure_text
from tasks.segment import segment_book

SETTINGS = ScreenSettings()
SIZES = ((0, 3_000), (3_000, 10_000), (10_000, 40_000), (40_000, 10**9))  # words
MEASURES: dict[str, Callable[[Repetition], float]] = {
    "longest repeat, words": lambda found: found.longest_repeat,
    "10-grams again": lambda found: found.repeated_ngrams[-1],
    "5-grams again": lambda found: found.repeated_ngrams[0],
    "looped words": lambda found: found.looped_words,
    "duplicate paragraphs": lambda found: found.duplicate_paragraph_chars,
    "duplicate lines": lambda found: found.duplicate_line_chars,
    "top 4-gram": lambda found: found.top_ngrams[2],
    "top 2-gram": lambda found: found.top_ngrams[0],
    "rep-4": lambda found: found.rep_4,
    "zlib ratio": lambda found: found.zlib_ratio,
}


class Told(NamedTuple):
    """A work's narrative and what was measured of it."""

    work_id: str
    text: str
    found: Repetition


def read_works(corpus: Path) -> Iterator[tuple[str, str]]:
    """Yield id and narrative of every work that screening keeps."""
    with (corpus / "INDEX.csv").open(encoding="utf-8") as index:
        for row in csv.DictReader(index):
            data = (corpus / row["file"]).read_bytes()
            entry = CatalogueEntry(book_id=row["id"], title=row["title"], authors=(row["author"],))
            digest = hashlib.sha256(data).hexdigest()
            clean = clean_book(RawBook(entry=entry, file=row["file"], source_sha256=digest, data=data), CleanSettings())
            if isinstance(screen_book(clean, ScreenSettings(languages=(row["language"],))), Rejection):
                continue
            for work in split_works(segment_book(clean, SegmentSettings()), SegmentSettings()):
                yield work.book_id, join_narrative([work.text[one.body_start : one.end] for one in work.chapters()])


def make_loops(text: str) -> dict[str, str]:
    """Return one novel with the loops that the rule is there for."""
    pieces, words = text.split("\n\n"), text.split()
    paragraph = next(piece for piece in pieces if len(piece.split()) > 80)
    after = dict(pairwise(reversed(words)))
    word, loop = words[-1], []
    for _ in range(3_000):
        loop.append(word)
        word = after.get(word, words[-1])
    middle, chapter = len(pieces) // 2, max(8, len(pieces) // 30)
    headed, num_words = [], 0
    for piece in pieces:
        headed.append(piece)
        num_words += len(piece.split())
        if num_words > 300:
            headed.append("THE LAMP AT THE FORD")
            num_words = 0
    return {
        "a chapter twice": "\n\n".join([*pieces, *pieces[middle : middle + chapter]]),
        "a paragraph 50 times": "\n\n".join([*pieces[:middle], *[paragraph] * 50, *pieces[middle:]]),
        "a Markov loop": " ".join([*words, *loop]),
        "the head of every page": "\n\n".join(headed),
    }


def used_share(found: Repetition) -> float:
    """Return how much of the limit that it comes nearest to a work takes; above 1 it is refused."""
    limits = (
        (found.repeated_ngrams[-1], SETTINGS.max_repeated_share, SETTINGS.free_words),
        (found.looped_words, SETTINGS.max_looped_share, SETTINGS.free_words),
        (found.duplicate_paragraph_chars, SETTINGS.max_duplicate_share, SETTINGS.free_words),
        (found.top_ngrams[-1], SETTINGS.max_top_share, SETTINGS.free_top_words),
    )
    shares = (share / max(limit, free / max(1, found.num_words)) for share, limit, free in limits)
    return max(found.longest_repeat / SETTINGS.max_repeated_run, *shares)


def run_peer(works: list[Told]) -> dict[str, float]:
    """Return what datatrove refuses of the same works, and its speed; nothing where it is not installed."""
    if importlib.util.find_spec("datatrove") is None:
        return {}
    from datatrove.data import Document
    from datatrove.pipeline.filters import GopherRepetitionFilter

    peer = GopherRepetitionFilter()
    peer.filter(Document(text="One lamp.", id="0"))  # loads its tokenizer
    started = time.process_time()
    num_kept = sum(peer.filter(Document(text=work.text, id=work.work_id)) is True for work in works)
    seconds = time.process_time() - started
    size = sum(len(work.text.encode()) for work in works) / 1e6
    return {"peer_refused": len(works) - num_kept, "peer_mb_per_cpu_s": round(size / seconds, 2)}


def print_distribution(works: list[Told], figures: dict[str, object]) -> None:
    """Print median and highest value of every measure by the length of works."""
    print(f"{'':24}" + "".join(f"{low:>10,} to {min(high, 999_999):<9,}" for low, high in SIZES))
    groups = [[work for work in works if low <= work.found.num_words < high] for low, high in SIZES]
    print(f"{'works':24}" + "".join(f"{len(group):>23}" for group in groups))
    for name, measure in MEASURES.items():
        line = f"{name:24}"
        for (low, _), group in zip(SIZES, groups, strict=True):
            values = [measure(work.found) for work in group] or [0.0]
            line += f"{np.median(values):>13.4f}{max(values):>10.4f}"
            figures[f"max {name} from {low}"] = max(values)
        print(line)
    line = f"{'most of a limit used':24}"
    for (low, _), group in zip(SIZES, groups, strict=True):
        used, work_id = max(((used_share(work.found), work.work_id) for work in group), default=(0.0, ""))
        line += f"{work_id:>13}{used:>10.2f}"
        figures[f"limit used from {low}"] = round(used, 3)
    print(line)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("../shared/gutenberg"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    texts = list(read_works(arguments.corpus))
    started = time.process_time()
    works = [Told(work_id, text, measure_text(text)) for work_id, text in texts]
    seconds = time.process_time() - started
    longest = max(works, key=lambda work: len(work.text))
    size = sum(len(text.encode()) for _, text in texts) / 1e6
    figures: dict[str, object] = {"cores": os.cpu_count(), "python": platform.python_version(), "works": len(works)}
    figures["mb_per_cpu_s"] = round(size / seconds, 2)
    figures["refused"] = sum(too_repetitive(work.found, SETTINGS) is not None for work in works)
    print_distribution(works, figures)
    novel = min(works, key=lambda work: abs(work.found.num_words - 100_000))
    for name, text in make_loops(novel.text).items():
        found = measure_text(text)
        figures[f"{name}: limit used"] = round(used_share(found), 2)
        print(f"{name:32} {used_share(found):6.2f} of a limit  {too_repetitive(found, SETTINGS) or 'kept'}")
    started = time.process_time()
    measure_text(longest.text)
    figures["longest_mb"] = round(len(longest.text.encode()) / 1e6, 2)
    figures["longest_s"] = round(time.process_time() - started, 2)
    figures |= run_peer(works)
    for name in ("works", "refused", "mb_per_cpu_s", "longest_mb", "longest_s", "peer_refused", "peer_mb_per_cpu_s"):
        print(f"{name:24} {figures.get(name, 'not installed')}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
