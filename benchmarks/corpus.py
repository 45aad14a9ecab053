"""How well and how fast books are cleaned, screened and divided, beside gutenberg_cleaner, gutenbergpy and chapterize.

    python benchmarks/corpus.py [--reference FOLDER] [--json FILE] [--no-offsets]

The reference folder holds INDEX.csv, boundaries.json, chapters/ and the files. Speed is of this process's CPU time, one
file a work; memory is the peak of fresh processes. The peers are in the extra `bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.scoring.measures import Figures, measure_corpus
from benchmarks.scoring.peers import open_peers
from benchmarks.scoring.reading import read_file
from benchmarks.scoring.reference import first_of_works, load_reference
from schemas.errors import ConfigError
from schemas.settings import Settings
from tasks.collector import calm_collector

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT.parent / "shared" / "gutenberg"
NUM_BOOKS = (20, 80)  # of the peak memory: flat if the second is no higher
COLUMNS = ("ours", "gutenberg_cleaner", "gutenbergpy", "chapterize")


def peak_memory_mb(reference: Path, num_books: int) -> int:
    """Return the peak memory of a fresh process that reads that many works, the largest among them."""
    command = [sys.executable, __file__, "--reference", str(reference), "--read", str(num_books)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return int(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout)


def read_works(reference: Path, num_books: int) -> int:
    """Read works one after the other and return the peak memory of this process in MB."""
    for file in first_of_works(load_reference(reference))[:num_books]:
        read_file(file.path, Settings())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def print_table(figures: Figures) -> None:
    """Print a row a figure, ours beside those of the peers that have it."""
    peers = COLUMNS[1:]
    ours = [name for name in figures if not name.startswith(tuple(f"{peer}_" for peer in peers))]
    print(f"{'':32}" + "".join(f"{column:>20}" for column in COLUMNS))
    for name in ours:
        cells = [figures[name], *(cell_of(figures, peer, name) for peer in peers)]
        print(f"{name:32}" + "".join(f"{cell!s:>20}" for cell in cells))


def cell_of(figures: Figures, peer: str, name: str) -> int | float | str:
    """Return a peer's figure, or why there is none."""
    if figures.get(f"{peer}_installed") is False and name == "both_ends_exact":
        return "not installed"
    return figures.get(f"{peer}_{name}", "")


def parse_arguments() -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, default=REFERENCE)
    parser.add_argument("--json", type=Path, help="write the figures there as one flat object")
    parser.add_argument("--no-offsets", action="store_true", help="leave out the check of every offset")
    parser.add_argument("--read", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Measure, print one table, and write the figures."""
    arguments = parse_arguments()
    try:
        if arguments.read:
            print(read_works(arguments.reference, arguments.read))
            return 0
        files = load_reference(arguments.reference)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    peers = open_peers()
    calm_collector()  # as a build does, and so that one column's modules cost the others nothing
    figures, notes = measure_corpus(files, peers, offsets=not arguments.no_offsets)
    for num_books in NUM_BOOKS:
        figures[f"peak_memory_{num_books}_books_mb"] = peak_memory_mb(arguments.reference, num_books)
    machine: Figures = {"cores": os.cpu_count() or 0, "python": platform.python_version()}
    figures = machine | figures
    for note in notes:
        print(note, file=sys.stderr)
    print_table(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
