"""Wall time and peak memory of `scriptorium build` with the extractive default: cold, then with nothing to do.

    python benchmarks/main_job.py [--source FOLDER] [--json FILE]

Figures are of whole processes, Prefect's temporary server included in the time and not in the memory.
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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_build(source: str, out: str) -> tuple[float, dict[str, object]]:
    """Return wall seconds and the summary of one build in a process of its own."""
    command = [sys.executable, "-m", "flows.cli", "build", "--source", source, "--books", "all", "--out", out, "--json"]
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return time.monotonic() - started, json.loads(done.stdout)


def main() -> None:
    """Build twice into a fresh folder and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default=str(ROOT / "samples"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cold_s, summary = run_build(arguments.source, f"{folder}/out")
        warm_s, again = run_build(arguments.source, f"{folder}/out")
    books = summary["books"]
    figures = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "books_in": books["in"],
        "books_out": books["out"],
        "books_rejected": sum(books["rejected"].values()),
        "trajectories": sum(sum(splits.values()) for splits in summary["trajectories"].values()),
        "prose_tokens": summary["tokens"]["prose"],
        "cold_wall_s": round(cold_s, 1),
        "nothing_to_do_wall_s": round(warm_s, 1),
        "made_twice": bool(again["is_new"]),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }
    for name, value in figures.items():
        print(f"{name:24} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
