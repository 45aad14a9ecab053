"""Every rung of the context ladder, and the two layouts of the runner's grammar, held against their bounds.

    python benchmarks/ladder.py [--source FOLDER] [--books N] [--out OUT] [--compare] [--json FILE]

Builds the source's books with the extractive default, or takes OUT as it is, and measures by means of its own: prose by
offsets into the narrative chapters, tokens by counting what stands between control tokens, the grammar by the oracle of
the tests, which was written from the grammar's page alone. `--compare` builds twice, with one rung first.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from schemas.settings import LADDER
from tasks.backends.stores import open_store
from tasks.backends.tokenizers import TiktokenTokenizer, open_tokenizer
from tasks.buckets import read_rows, read_table
from tasks.grammar.parser import parse_stage
from tasks.grammar.render import render_stage
from tasks.grammar.sequence import stages_from_messages
from tasks.shard import HEAD, find_snapshot
from tests.grammar_oracle import find_excess, find_fault

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT.parent / "shared" / "gutenberg"
CONTROL = re.compile(r"<\|(?:start_header_id|stop_header_id|eot_id)\|>")
MOST_PER_PROSE, MOST_TAIL, SCENE_SHARE = 1.5, 0.1, 0.6

Row = dict[str, Any]
Figures = dict[str, int | float | str]


def main() -> int:
    """Measure, print one table, and write the figures."""
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        figures: Figures = {"cores": os.cpu_count() or 0, "python": platform.python_version()}
        if arguments.compare:
            figures |= build(arguments, f"{folder}/one", LADDER[:1], "one_rung_")
        if not arguments.out:
            figures |= build(arguments, f"{folder}/out", LADDER, "ladder_")
        figures |= measure(arguments.out or f"{folder}/out")
    for name, value in figures.items():
        print(f"{name:32} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))
    return 0 if figures["within_bounds"] else 1


def parse_arguments() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default=str(REFERENCE), help="folder of books")
    parser.add_argument("--books", type=int, help="only so many of them")
    parser.add_argument("--out", help="data set that was built already, of the trainee 'samples'")
    parser.add_argument("--compare", action="store_true", help="build with the first rung alone before")
    parser.add_argument("--json", type=Path, help="write the figures there as one flat object")
    return parser.parse_args()


def build(arguments: argparse.Namespace, out: str, windows: Sequence[int], prefix: str) -> Figures:
    """Build with these rungs in a process of its own, and return what it took."""
    profile = Path(out).with_suffix(".toml")
    profile.write_text(f"[compose]\nwindows = {list(windows)}\n")
    books = "all" if arguments.books is None else ",".join(list_ids(arguments.source)[: arguments.books])
    command = [sys.executable, "-m", "flows.cli", "build", "--profile", str(profile), "--json"]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        [*command, "--source", arguments.source, "--books", books, "--out", out],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        f"{prefix}wall_s": round(time.monotonic() - started, 1),
        f"{prefix}cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
    }


def list_ids(source: str) -> list[str]:
    """Return the ids that the reference's index lists."""
    with (Path(source) / "INDEX.csv").open(encoding="utf-8") as file:
        return [line["id"] for line in csv.DictReader(file)]


def measure(out: str) -> Figures:
    """Hold every row of the newest snapshot against the bounds."""
    store, tokenizer = open_store(out), open_tokenizer("samples")
    manifest = find_snapshot(store, HEAD, out)
    texts = {
        row["book_id"]: row
        for row in read_table(manifest, "books", store, ["book_id", "text", "divisions", "scaffold"])
    }
    rungs = {window: Rung(window) for window in LADDER}
    runner = {layout: Driven(layout) for layout in ("full-book", "first-chapter")}
    for bucket in sorted({shard.bucket for shard in manifest.shards}):
        rows = [
            row
            for shard in manifest.shards
            if (shard.bucket, shard.kind) == (bucket, "trajectories")
            for row in read_rows(shard, store)
        ]
        for row in rows:
            if row["layout"] in runner:
                runner[row["layout"]].add(row, tokenizer)
        for book_id in sorted({row["book_id"] for row in rows}):
            book = Book(texts[book_id], tokenizer)
            for window, rung in rungs.items():
                own = [row for row in rows if (row["book_id"], row["window"]) == (book_id, window)]
                rung.add(book, [row for row in own if row["layout"] == "chapter-window"], tokenizer)
    parts = [*rungs.values(), *runner.values()]
    figures: Figures = {"books": len(texts)}
    for part in parts:
        figures |= part.tell()
    return figures | {"within_bounds": all(part.is_within() for part in parts)}


class Book:
    """A book's narrative chapters and the scenes of its plan, in characters; its tokens."""

    def __init__(self, row: Row, tokenizer: TiktokenTokenizer) -> None:
        following = [*row["divisions"][1:], {"depth": 0}]
        self.text = row["text"]
        self.chapters = [
            (leaf["body_start"], leaf["end"])
            for leaf, after in zip(row["divisions"], following, strict=True)
            if after["depth"] <= leaf["depth"] and leaf["kind"] == "narrative"
        ]
        self.num_tokens = sum(tokenizer.count(self.text[start:end].strip()) for start, end in self.chapters)
        scaffold = json.loads(row["scaffold"])
        self.scenes = [(scene["start"], scene["end"]) for one in scaffold["chapters"] for scene in one["scenes"]]


class Rung:
    """Figures of one window over all books."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.num_rows = self.num_over = self.num_miscounted = self.num_divided = self.num_needless = 0
        self.num_once = self.num_prose = 0
        self.ratio = self.tail = 0.0

    def add(self, book: Book, rows: Sequence[Row], tokenizer: TiktokenTokenizer) -> None:
        """Count a book's rows of this rung."""
        self.num_rows += len(rows)
        total = plans = 0
        spans = []
        for row in rows:
            found = count_sequence(row, tokenizer)
            self.num_over += found > self.window
            self.num_miscounted += found != row["num_tokens"]
            total += found
            for stage in row["stages"]:
                if stage["role"] == "previous_text":
                    self.tail = max(self.tail, count_stage(stage, tokenizer) / self.window)
                elif stage["start"] is not None and stage["loss"] > 0:
                    spans.append((stage["start"], stage["end"]))
                elif stage["loss"] > 0:
                    plans += tokenizer.count(stage["text"])
        self.ratio = max(self.ratio, (total - plans) / book.num_tokens)
        self._add_prose(book, spans, tokenizer)
        self._add_scenes(book, spans, tokenizer)

    def _add_prose(self, book: Book, spans: Sequence[tuple[int, int]], tokenizer: TiktokenTokenizer) -> None:
        """Count the tokens of the chapters' text, white space aside, and those that are in exactly one target."""
        times = np.zeros(len(book.text) + 1, np.int32)
        for start, end in spans:
            times[start] += 1
            times[end] -= 1
        times = times.cumsum()
        for start, end in book.chapters:
            solid = [at for at in range(start, end) if not book.text[at].isspace()]
            borders = [0, *(np.flatnonzero(np.diff(times[solid])) + 1).tolist(), len(solid)]
            for first, stop in pairwise(borders):
                if first < stop:
                    num_tokens = tokenizer.count(book.text[solid[first] : solid[stop - 1] + 1])
                    self.num_prose += num_tokens
                    self.num_once += num_tokens * (times[solid[first]] == 1)

    def _add_scenes(self, book: Book, spans: Sequence[tuple[int, int]], tokenizer: TiktokenTokenizer) -> None:
        """Count the scenes that a target begins or ends within, and those of them that would have fitted."""
        edges = sorted({edge for span in spans for edge in span})
        for start, end in book.scenes:
            scene = book.text[start:end].strip()
            first = start + book.text[start:end].find(scene[:1])
            inner = edges[bisect_right(edges, first) : bisect_left(edges, first + len(scene))]
            if inner:
                self.num_divided += 1
                self.num_needless += tokenizer.count(scene) <= SCENE_SHARE * self.window

    def tell(self) -> Figures:
        """Return the figures under the rung's name."""
        told = {
            "rows": self.num_rows,
            "prose_tokens": int(self.num_prose),
            "prose_targeted_once_share": round(self.num_once / max(self.num_prose, 1), 6),
            "rows_over_window": self.num_over,
            "rows_miscounted": self.num_miscounted,
            "most_per_book_token": round(self.ratio, 3),
            "most_tail_share": round(self.tail, 4),
            "scenes_divided": self.num_divided,
            "scenes_divided_needlessly": self.num_needless,
        }
        return {f"window_{self.window // 1024}k_{name}": value for name, value in told.items()}

    def is_within(self) -> bool:
        """Whether the rung keeps all its bounds."""
        wrong = self.num_over + self.num_miscounted + self.num_needless + (self.num_once != self.num_prose)
        return not wrong and self.ratio <= MOST_PER_PROSE and self.tail <= MOST_TAIL


class Driven:
    """Figures of one layout that the runner drives."""

    def __init__(self, layout: str) -> None:
        self.layout, self.num_rows, self.num_valid, self.num_equal = layout, 0, 0, 0
        self.first_fault = ""

    def add(self, row: Row, tokenizer: TiktokenTokenizer) -> None:
        """Judge a row."""
        sequence = render(row)
        fault = find_fault(sequence, self.layout) or find_excess(sequence, self.layout, tokenizer.count)
        told = [(stage["role"], stage["text"]) for stage in row["stages"]]
        read = [(role, render_stage(parse_stage(self.layout, role, text))) for role, text in told]
        self.num_rows += 1
        self.num_valid += fault is None
        self.num_equal += read == told == stages_from_messages(self.layout, row["messages"])
        if fault:
            self.first_fault = self.first_fault or f"{row['trajectory_id']}: {fault}"

    def tell(self) -> Figures:
        """Return the figures under the layout's name."""
        shares = {"valid": self.num_valid, "round_trip_equal": self.num_equal}
        told = {f"{name}_share": round(num / max(self.num_rows, 1), 6) for name, num in shares.items()}
        said: Figures = {"rows": self.num_rows, **told}
        if self.first_fault:
            said["first_fault"] = self.first_fault
        return {f"{self.layout.replace('-', '_')}_{name}": value for name, value in said.items()}

    def is_within(self) -> bool:
        """Whether every row is as it should be."""
        return self.num_rows == self.num_valid == self.num_equal


def render(row: Row) -> str:
    """Return a row's training sequence."""
    return "".join(
        f"<|start_header_id|>{stage['role']}<|stop_header_id|>\n\n{stage['text']}<|eot_id|>" for stage in row["stages"]
    )


def count_sequence(row: Row, tokenizer: TiktokenTokenizer) -> int:
    """Return the tokens of a row: its control tokens, and what stands between them."""
    between = CONTROL.split(render(row))
    return len(between) - 1 + sum(tokenizer.count(text) for text in between if text)


def count_stage(stage: Row, tokenizer: TiktokenTokenizer) -> int:
    """Return the tokens of one stage of a row, control tokens included."""
    return count_sequence({"stages": [stage]}, tokenizer)


if __name__ == "__main__":
    sys.exit(main())
