"""Seconds to read a catalogue of 75,000 books and choose the English narrative fiction, beside Python's csv module.

    python benchmarks/catalogue.py [--catalogue FILE] [--rows N] [--json FILE]

Without a file the rows are made up, in the shape and size of the real ones. With one, its rows are repeated under new
ids until there are enough. The csv module reads the rows and builds every entry, as one would without polars.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
import platform
import random
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from schemas.books import CatalogueEntry
from schemas.corpus_settings import SelectSettings
from tasks.catalogue import read_catalogue, select_entries
from tasks.cataloguing.table import COLUMNS

NUM_RUNS = 5  # the median is shown


def make_rows(num_rows: int) -> list[list[str]]:
    """Return rows with the lengths and the quirks of the real ones: line breaks, quotes, roles, many subjects."""
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghilmnoprstu", k=rng.randint(3, 10))) for _ in range(20_000)]
    forms = [
        "Fiction",
        "Fiction",
        "Juvenile fiction",
        "Drama",
        "Poetry",
        "History",
        "Description and travel",
        "Biography",
    ]
    rows = []
    for number in range(1, num_rows + 1):
        title = " ".join(rng.choices(words, k=rng.randint(2, 9))).title()
        if rng.random() < 0.05:
            title += f'\n"{" ".join(rng.choices(words, k=5))}"'
        authors = f"{rng.choice(words).title()}, {rng.choice(words).title()}, {rng.randint(1700, 1880)}-1914?"
        if rng.random() < 0.1:
            authors += f"; {rng.choice(words).title()}, T. [Translator]"
        subjects = (f"{' '.join(rng.choices(words, k=3))} -- {rng.choice(forms)}" for _ in range(rng.randint(1, 6)))
        language = rng.choices(["en", "fr", "de", "de; en"], weights=[80, 12, 7, 1])[0]
        shelves = f"Browsing: {rng.choice(words)}; Browsing: Literature"
        locc = rng.choice(["PR", "PS", "PZ", "PQ", "DA", "QH"])
        rows.append([str(number), "Text", "2004-01-01", title, language, authors, "; ".join(subjects), locc, shelves])
    return rows


def repeat_rows(path: Path, num_rows: int) -> list[list[str]]:
    """Return the rows of a real catalogue, over and over under new ids."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if len(row) == len(COLUMNS)][1:-1]
    return [[str(number + 1), *rows[number % len(rows)][1:]] for number in range(num_rows)]


def read_with_csv(data: bytes) -> int:
    """Read every row and build every entry."""
    entries = {}
    for row in csv.DictReader(io.StringIO(data.decode(), newline="")):
        several = (tuple(row[name].split("; ")) for name in ("Authors", "Language", "Subjects", "LoCC", "Bookshelves"))
        authors, languages, subjects, locc, shelves = several
        entries[row["Text#"]] = CatalogueEntry(
            book_id=row["Text#"], title=row["Title"], authors=authors, languages=languages, type=row["Type"],
            issued=row["Issued"], subjects=subjects, locc=locc, bookshelves=shelves,
        )  # fmt: skip
    return len(entries)


def take_time(work: Callable[[], Any]) -> float:
    """Return the median wall seconds of some runs."""
    seconds = []
    for _ in range(NUM_RUNS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalogue", type=Path)
    parser.add_argument("--rows", type=int, default=75_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = repeat_rows(arguments.catalogue, arguments.rows) if arguments.catalogue else make_rows(arguments.rows)
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *rows])
    data = out.getvalue().encode()
    packed = gzip.compress(data)
    settings = SelectSettings()
    catalogue = read_catalogue(data, "catalogue")
    selection = select_entries(catalogue, settings)
    figures = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "rows": len(catalogue),
        "megabytes": round(len(data) / 1e6, 1),
        "kept": len(selection.book_ids),
        "read_s": round(take_time(lambda: read_catalogue(data, "catalogue")), 3),
        "select_s": round(take_time(lambda: select_entries(catalogue, settings)), 3),
        "read_and_select_s": round(take_time(lambda: select_entries(read_catalogue(data, "c"), settings)), 3),
        "gz_read_and_select_s": round(take_time(lambda: select_entries(read_catalogue(packed, "c"), settings)), 3),
        "with_years_s": round(
            take_time(lambda: select_entries(read_catalogue(data, "c"), SelectSettings(died_before=1930))), 3
        ),
        "build_kept_entries_s": round(take_time(lambda: [catalogue[book_id] for book_id in selection.book_ids]), 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "csv_module_s": round(take_time(lambda: read_with_csv(data)), 3),
    }
    for name, value in figures.items():
        print(f"{name:24} {value}")
    for reason, number in selection.left_out.items():
        print(f"left out: {reason:14} {number}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
