"""The reference data: 104 files of 80 works, their form, the true ends of 30 and the true divisions of 44."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError

REASONS = {"drama": "drama", "poetry": "verse", "non-fiction": "non-fiction"}  # of screening, by form
NARRATIVE = frozenset({"novel", "novella", "stories"})


@dataclass(frozen=True)
class Ends:
    """First and last raw lines (1-based, inclusive) of the printed book and of its narrative."""

    first: int
    last: int
    narrative_first: int
    narrative_last: int


@dataclass(frozen=True)
class TrueDivision:
    """A heading as people read it."""

    kind: str
    label: str
    title: str
    line: int
    is_leaf: bool


@dataclass(frozen=True)
class ReferenceFile:
    """One file and what is known of it."""

    book_id: str
    path: Path
    reason: str | None  # for which screening must reject it; None: it must pass
    ends: Ends | None
    divisions: tuple[TrueDivision, ...]  # empty: not known


def load_reference(folder: Path) -> list[ReferenceFile]:
    """Return the files of the reference folder in the order of its index.

    Raises:
        ConfigError: the folder is no such reference.
    """
    try:
        with (folder / "INDEX.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        books = json.loads((folder / "boundaries.json").read_text(encoding="utf-8"))["books"]
        divided = [
            json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "chapters").glob("*.json"))
        ]
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise ConfigError(f"{folder}: no reference data there ({error}); give its folder as --reference") from error
    ends = {str(book["file"]): read_ends(book) for book in books}
    divisions = {str(book["txt"]): read_divisions(book) for book in divided}
    return [
        ReferenceFile(
            book_id=row["id"],
            path=folder / row["file"],
            reason=expected_reason(row),
            ends=ends.get(row["file"]),
            divisions=divisions.get(row["file"], ()),
        )
        for row in rows
    ]


def expected_reason(row: Mapping[str, str]) -> str | None:
    """Return why a work must be rejected: its language first, then its form."""
    if row["language"] != "en":
        return "wrong-language"
    return None if row["form"] in NARRATIVE else REASONS.get(row["form"], "reference")


def read_ends(book: Mapping[str, int]) -> Ends:
    """Return the ends that boundaries.json tells of a file."""
    names = ("first_line_no", "last_line_no", "body_first_line_no", "body_last_line_no")
    return Ends(*(int(book[name]) for name in names))


def read_divisions(book: Mapping[str, list[dict[str, object]]]) -> tuple[TrueDivision, ...]:
    """Return the divisions that a file of chapters/ tells."""
    return tuple(
        TrueDivision(
            kind=str(one["kind"]),
            label=str(one["label"]),
            title=str(one["title"]),
            line=int(str(one["line"])),
            is_leaf=bool(one["leaf"]),
        )
        for one in book["divisions"]
    )


def first_of_works(files: list[ReferenceFile]) -> list[ReferenceFile]:
    """Return one file of each work, the first of the index, the largest first: a few of them show the peak memory."""
    works: dict[str, ReferenceFile] = {}
    for file in files:
        works.setdefault(file.book_id, file)
    return sorted(works.values(), key=lambda file: -file.path.stat().st_size)
