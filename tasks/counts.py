"""Rows of a shard -> what they add to the manifest's totals, so that a snapshot is counted without being read.

Beside the totals, a shard brings what a card's tables and plots are made of. All of it adds up over shards:

| group | name -> number |
| --- | --- |
| `hist:words`, `hist:chapters`, `hist:born`, `hist:died` | works by bin (`tasks.describing.histograms.BINS`) |
| `hist:rating:<axis>`, `hist:copied-run` | scenes, and plans that were looked at, by bin |
| `told` | works that a histogram tells of, by its name; shards older than a histogram do not have it |
| `public_domain` | works by where their rights have ended, and `unknown` |
| `trainable` | rows that are meant for training, and those that are not |
| `rung:<layout>:<window>` | `rows`, `num_tokens`, `plan_tokens`, `prose_tokens` |
| `roles:<layout>:<window>` | tokens by role of the stage |
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.runs import Manifest, ShardKind
from schemas.scaffold import Vector
from tasks.cataloguing.authors import parse_author
from tasks.describing.histograms import count_in_bins

Counts = defaultdict[str, Counter[str]]  # group -> name -> number
AnyRow = Mapping[str, Any]
AXES = tuple(Vector.model_fields)


COUNTED: dict[ShardKind, tuple[str, ...]] = {  # the columns that counts are made of
    "books": (
        "book_id",
        "parent_id",
        "authors",
        "num_words",
        "num_chapters",
        "scaffold",
        "findings",
        "public_domain",
    ),
    "trajectories": ("layout", "window", "trainable", "stages", "num_tokens", "plan_tokens", "prose_tokens"),
    "rejected": ("book_id", "parent_id", "level", "layout", "reason"),
}


class RowCounter:
    """What rows add to the manifest's totals, as they go by.

    A book that was rejected whole counts as one work; of a collection whose stories were all rejected, these count.
    A quarantined node counts where its work is out.
    """

    def __init__(self, kind: ShardKind) -> None:
        self.columns = list(COUNTED[kind])
        self._add = getattr(self, f"_add_{kind}")
        self._counts: Counts = defaultdict(Counter)
        self._books: set[str] = set()
        self._rejected: list[AnyRow] = []

    def add(self, rows: Iterable[AnyRow]) -> None:
        """Count rows; they need the columns of COUNTED only."""
        for row in rows:
            self._add(row)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return what all rows so far add, by group and name."""
        counts = _count_rejected(self._rejected) if self._rejected else self._counts
        return {group: dict(sorted(counter.items())) for group, counter in sorted(counts.items())}

    def _add_books(self, row: AnyRow) -> None:
        """Count books and works, what `verify` looked at and found outside its limits by check, and the histograms."""
        owner = row["parent_id"] or row["book_id"]
        self._counts["out"].update(books=owner not in self._books, works=1)
        self._books.add(owner)
        findings = json.loads(row["findings"])["findings"] if row["findings"] else []
        for finding in findings:
            self._counts["checked"][finding["check"]] += 1
            self._counts["outside"][finding["check"]] += not finding["passed"]
        for name, values in _measures(row, findings).items():
            self._counts[f"hist:{name}"] += count_in_bins(name.split(":")[0], values)
            self._counts["told"][name] += 1
        self._counts["public_domain"].update(row["public_domain"] or ["unknown"])

    def _add_trajectories(self, row: AnyRow) -> None:
        rung = f"{row['layout']}:{row['window']}"
        self._counts["layouts"][row["layout"]] += 1
        self._counts["trainable"]["yes" if row["trainable"] else "no"] += 1
        self._counts[f"rung:{rung}"]["rows"] += 1
        for name in ("num_tokens", "plan_tokens", "prose_tokens"):
            self._counts["tokens"][name] += row[name]
            self._counts[f"rung:{rung}"][name] += row[name]
        for stage in row["stages"]:
            self._counts[f"roles:{rung}"][stage["role"]] += stage["num_tokens"]

    def _add_rejected(self, row: AnyRow) -> None:
        self._rejected.append({name: row[name] for name in COUNTED["rejected"]})


def tally_findings(manifest: Manifest) -> list[tuple[str, int, int]]:
    """Return each check of `verify`, the nodes it looked at, those outside its limit; shards bring their counts."""
    checked, outside = (
        sum((Counter(shard.counts.get(group, {})) for shard in manifest.shards if shard.kind == "books"), Counter())
        for group in ("checked", "outside")
    )
    return [(check, number, outside[check]) for check, number in sorted(checked.items())]


def _measures(row: AnyRow, findings: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return what the histograms count of a work, by name; those of which it tells nothing are left out."""
    authors = [parse_author(name) for name in row["authors"] or ()]
    scaffold = json.loads(row["scaffold"]) if row["scaffold"] else {"chapters": []}
    vectors = [
        scene["vector"]
        for chapter in scaffold["chapters"]
        if not chapter.get("quarantined")
        for scene in chapter["scenes"]
    ]
    found = {
        "words": [row["num_words"]],
        "chapters": [row["num_chapters"]],
        "born": [author.born for author in authors if not author.role][:1],
        "died": [author.died for author in authors if not author.role][:1],
        "copied-run": [finding["value"] for finding in findings if finding["check"] == "copied-run"],
        **{f"rating:{axis}": [vector[axis] for vector in vectors] for axis in AXES},
    }
    known = {name: [value for value in values if value is not None] for name, values in found.items()}
    return {name: values for name, values in known.items() if values}


def _count_rejected(rows: list[AnyRow]) -> Counts:
    counts: Counts = defaultdict(Counter)
    divided = {row["parent_id"] for row in rows if row["level"] == "work"}
    rejected = {row["book_id"] for row in rows if row["level"] in ("book", "work")}
    for row in rows:
        if row["level"] == "node" and row["book_id"] in rejected:
            continue
        group = row["level"] if row["level"] != "layout" else f"layout:{row['layout']}"
        counts[group][row["reason"]] += 1
        if group == "book" and row["book_id"] not in divided:
            counts["work"][row["reason"]] += 1
    return counts
