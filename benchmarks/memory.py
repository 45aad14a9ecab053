"""Peak memory of a build with 64 novels in work at once, all of them waiting for a model: 1.5 GB at most.

    python benchmarks/memory.py [--in-flight N] [--latency S] [--llm waiting|builtin] [--reference FOLDER]
        [--json FILE]

The books are the reference folder's novels, each work once, and invented ones of 100,000 words beyond them. The model
is a server of its own process that answers by schema after a wait. Memory is of the build's process alone, without
Prefect's temporary server; it is given by phase, too, so that one sees where it goes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.waiting.books import gather_books
from benchmarks.waiting.sampling import Sampler
from flows.profiles import load_settings
from flows.run_local import run_build

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT.parent / "shared" / "gutenberg"
SERVER = ROOT / "benchmarks" / "waiting" / "server.py"
MOST_MB = 1_500
NUM_SPARE = 4  # books beyond those in flight: some are rejected before a model sees them
MB = 1_000_000

Figures = dict[str, int | float | str | bool]


def build_crowd(folder: Path, url: str, num_workers: int) -> Figures:
    """Build every book of a folder in this process, so many of them at once, and return what it took."""
    overrides = {
        "source.location": str(folder),
        "out": str(folder.parent / "out"),
        "llm.url": url,
        "tokens.reader": "samples",
        "max_workers": num_workers,
        # the invented books loop: here they are to be built
        **dict.fromkeys(("screen.free_words", "screen.free_top_words", "screen.max_repeated_run"), 10**9),
    }
    settings = load_settings(None, overrides)
    started = time.monotonic()
    with Sampler() as sampler:
        summary = run_build(settings)
    return {
        "books_in": summary.books.in_,
        "books_out": summary.books.out,
        "nodes_quarantined": sum(summary.accounting.nodes.values()),
        "calls": summary.ledger.calls,
        "in_flight_peak": sampler.most_books,
        "waiting_peak": sampler.most_waiting,
        "wall_s": round(time.monotonic() - started, 1),
        **{f"peak_{phase}_mb": round(peak / MB) for phase, peak in sampler.peaks.items()},
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 / MB),
    }


@contextmanager
def serve(llm: str, latency_s: float) -> Iterator[str]:
    """Give the URL of a waiting server of its own process, or the name of the model that needs none."""
    if llm == "builtin":
        yield llm
        return
    command = [sys.executable, str(SERVER), str(latency_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def measure_crowd(arguments: argparse.Namespace) -> Figures:
    """Gather the books, build them in a fresh process, and return the figures."""
    with tempfile.TemporaryDirectory() as place, serve(arguments.llm, arguments.latency) as url:
        folder = Path(place) / "books"
        folder.mkdir()
        num_real = gather_books(folder, arguments.reference, arguments.in_flight + NUM_SPARE)
        workers = ["--in-flight", str(arguments.in_flight)]
        command = [sys.executable, __file__, *workers, "--build", str(folder), "--url", url]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
        num_mb = round(sum(path.stat().st_size for path in folder.iterdir()) / MB, 1)
    machine = {"cores": os.cpu_count() or 0, "python": platform.python_version(), "llm": arguments.llm}
    return {**machine, "books_real": num_real, "books_mb": num_mb, **json.loads(done.stdout.splitlines()[-1])}


def parse_arguments() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", type=int, default=64, help="books in work at once")
    parser.add_argument("--latency", type=float, default=5.0, help="seconds that every question waits")
    parser.add_argument("--llm", choices=("waiting", "builtin"), default="waiting")
    parser.add_argument("--reference", type=Path, default=REFERENCE)
    parser.add_argument("--json", type=Path, help="write the figures there as one flat object")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Measure, print one table, and write the figures."""
    arguments = parse_arguments()
    if arguments.build:
        print(json.dumps(build_crowd(arguments.build, arguments.url, arguments.in_flight)))
        return 0
    figures = measure_crowd(arguments)
    figures["limit_mb"] = MOST_MB
    figures["within_limit"] = int(figures["peak_memory_mb"]) <= MOST_MB
    for name, value in figures.items():
        print(f"{name:24} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))
    return 0 if figures["within_limit"] else 1


if __name__ == "__main__":
    sys.exit(main())
