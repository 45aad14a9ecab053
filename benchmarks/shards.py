"""Shards as they are written: beside a bare ParquetWriter, in memory, when one book changes, and to a bucket.

    python benchmarks/shards.py [--pairs N] [--rows N] [--json FILE]

The table is invented: trajectories of 2 MB, prose-like to a compressor. Pairs alternate in one run, ours first in every
other one; the ratio is the median of the pairs' ratios of CPU time (and of wall time, which a busy machine blurs). The
bare writer has the same schema and compression; `bare_chunked` has content-defined chunks, too, as ours. Memory is the
most that a fresh process held while it merged an old shard of such rows with new books. New bytes are those of a
rewritten shard that a content-addressed store (chunks of 64 kB on average) does not hold yet.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.sharding.buckets import S3Server
from benchmarks.sharding.chunks import share_new
from benchmarks.sharding.tables import Prose, book_row, count_text, trajectory_row, trajectory_table
from schemas.books import CatalogueEntry
from schemas.outcomes import Outcome
from schemas.runs import ShardInfo
from schemas.settings import ShardSettings
from tasks.backends.stores import LocalStore, open_store
from tasks.buckets import BucketPlan, Rows
from tasks.protocols import Store
from tasks.sharding.merge import write_bucket
from tasks.sharding.writer import ZSTD_LEVEL, ShardWriter

ROOT = Path(__file__).resolve().parents[1]
ROW_BYTES = 2_000_000
GROUP_BYTES = ShardSettings().row_group_bytes
LEAST_SHARE, MOST_MB, MOST_NEW = 0.8, 500, 0.1
MB = 1_000_000

Figures = dict[str, int | float | str | bool]


def write_ours(table: pa.Table, store: Store) -> ShardInfo:
    """Write a table as a shard, hashed and put under its name."""
    writer = ShardWriter("trajectories", "train", store.scratch(), GROUP_BYTES)
    for batch in table.to_batches(max_chunksize=2):
        writer.add(batch)
    shard = writer.finish(0, store)
    assert shard is not None
    return shard


def write_bare(table: pa.Table, path: Path, *, chunked: bool) -> None:
    """Write a table with nothing but pyarrow."""
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        use_content_defined_chunking=chunked,
    ) as writer:
        writer.write_table(table)


def clock(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the CPU and wall seconds of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def compare_writers(num_rows: int, num_pairs: int, folder: Path) -> Figures:
    """Write one table in pairs, and return speeds and ratios."""
    table = trajectory_table(num_rows, ROW_BYTES)
    num_mb = count_text(table) / MB
    store = LocalStore(folder / "ours")

    def ours() -> None:
        store.delete(write_ours(table, store).path)

    writers: dict[str, Callable[[], None]] = {
        "ours": ours,
        "bare": lambda: write_bare(table, folder / "bare.parquet", chunked=False),
        "bare_chunked": lambda: write_bare(table, folder / "bare.parquet", chunked=True),
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in writers}
    for pair in range(num_pairs + 1):
        for name in list(writers)[:: 1 if pair % 2 else -1]:
            seconds[name].append(clock(writers[name]))
    for found in seconds.values():
        del found[0]  # the first of each warms the caches
    figures: Figures = {"text_mb": round(num_mb), "pairs": num_pairs}
    for name, found in seconds.items():
        figures[f"{name}_mb_per_cpu_s"] = round(num_mb / median(cpu for cpu, _ in found))
        figures[f"{name}_mb_per_s"] = round(num_mb / median(wall for _, wall in found))
    for peer in ("bare", "bare_chunked"):
        pairs = list(zip(seconds[peer], seconds["ours"], strict=True))
        figures[f"share_of_{peer}"] = round(median(theirs[0] / mine[0] for theirs, mine in pairs), 2)
        figures[f"share_of_{peer}_wall"] = round(median(theirs[1] / mine[1] for theirs, mine in pairs), 2)
    return figures


def measure_rewrites(num_rows: int, folder: Path) -> Figures:
    """Return the share of new bytes after one book was changed, inserted or deleted, and the sizes of row groups."""
    store = LocalStore(folder / "rewrites")
    place = num_rows // 3
    tables = {"changed": {"fresh": place}, "deleted": {"without": place}}
    old = write_ours(trajectory_table(num_rows, ROW_BYTES), store)
    figures: Figures = {}
    for name, change in tables.items():
        new = write_ours(trajectory_table(num_rows, ROW_BYTES, **change), store)
        figures[f"new_bytes_{name}"] = round(share_new(store.root / old.path, store.root / new.path), 3)
        if name == "deleted":
            figures["new_bytes_inserted"] = round(share_new(store.root / new.path, store.root / old.path), 3)
    facts = pq.ParquetFile(store.root / old.path).metadata
    sizes = [facts.row_group(at).total_byte_size / MB for at in range(facts.num_row_groups)]
    figures |= {"row_groups": len(sizes), "row_group_mb_median": round(median(sizes), 1)}
    return {**figures, "row_group_mb_most": round(max(sizes), 1)}


def measure_bucket(num_rows: int) -> Figures:
    """Return how fast a shard goes to an S3 server on this machine, and what a second put of it costs."""
    table = trajectory_table(num_rows, ROW_BYTES)
    with S3Server() as url:
        store = open_store(f"{url}/data-set")
        started = time.perf_counter()
        shard = write_ours(table, store)
        first = time.perf_counter() - started
        again = write_ours(table, store)
        assert again == shard
        assert len(store.get(shard.path)) == shard.bytes
    return {"s3_shard_mb": round(shard.bytes / MB, 1), "s3_write_and_put_s": round(first, 2)}


def merge_in_memory(num_rows: int, folder: Path) -> Figures:
    """Merge an old shard with as many new books, and return this process's memory before and at its most."""
    prose, store = Prose(0), LocalStore(folder)

    def load(outcome: Outcome) -> Rows:
        seed = int(outcome.book_id.rsplit("-", 1)[-1])
        trajectories = [trajectory_row(prose, outcome.book_id, ROW_BYTES, seed)]
        return {"trajectories": trajectories, "books": [book_row(prose, outcome.book_id, MB, seed)], "rejected": []}

    def merge(first: int, old: list[ShardInfo]) -> list[ShardInfo]:
        ids = [f"book-{number:05d}" for number in range(first, 2 * num_rows, 2)]
        members = [Outcome(book_id=name, status="out", entry=CatalogueEntry(book_id=name)) for name in ids]
        held = [f"book-{number:05d}" for number in range(0, 2 * num_rows, 2)] if old else []
        kept: Rows = {
            "trajectories": [{"book_id": name} for name in held],
            "books": [{"book_id": name, "parent_id": None} for name in held],
            "rejected": [],
        }
        plan = BucketPlan(0, frozenset(), kept, [], members, frozenset({*ids, *held}))
        return write_bucket(plan, old, load, store, ShardSettings())

    before = peak_mb()
    shards = merge(1, merge(0, []))
    rows = sum(shard.rows for shard in shards if shard.kind == "trajectories")
    return {"merged_rows": rows, "merged_row_mb": ROW_BYTES / MB, "memory_before_mb": before, "peak_mb": peak_mb()}


def peak_mb() -> int:
    """Return the most memory that this process ever held; `ru_maxrss` would tell its parent's, too."""
    told = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return round(int(told[1]) * 1_024 / MB) if told else 0


def measure_memory(num_rows: int, folder: Path) -> Figures:
    """Merge in a fresh process, and return its figures."""
    command = [sys.executable, __file__, "--merge", str(folder / "merged"), "--rows", str(num_rows)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def parse_arguments() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100, help="rows of 2 MB in a table")
    parser.add_argument("--json", type=Path, help="write the figures there as one flat object")
    parser.add_argument("--merge", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Measure, print one table, and write the figures."""
    arguments = parse_arguments()
    if arguments.merge:
        print(json.dumps(merge_in_memory(arguments.rows, arguments.merge)))
        return 0
    figures: Figures = {"cores": os.cpu_count() or 0, "python": platform.python_version(), "pyarrow": pa.__version__}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        figures |= measure_memory(arguments.rows, folder)
        figures |= compare_writers(arguments.rows, arguments.pairs, folder)
        figures |= measure_rewrites(arguments.rows, folder)
        figures |= measure_bucket(arguments.rows // 2)
    figures["least_share"], figures["most_mb"], figures["most_new_bytes"] = LEAST_SHARE, MOST_MB, MOST_NEW
    new = [float(figures[f"new_bytes_{name}"]) for name in ("changed", "inserted", "deleted")]
    figures["within_limits"] = (
        float(figures["share_of_bare"]) >= LEAST_SHARE and int(figures["peak_mb"]) < MOST_MB and max(new) < MOST_NEW
    )
    for name, value in figures.items():
        print(f"{name:26} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))
    return 0 if figures["within_limits"] else 1


if __name__ == "__main__":
    sys.exit(main())
