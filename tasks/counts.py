"""Rows of a shard -> what they add to the manifest's totals, so that a snapshot is counted without being read."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.runs import Manifest, ShardKind

Counts = defaultdict[str, Counter[str]]  # group -> name -> number
AnyRow = Mapping[str, Any]


COUNTED: dict[ShardKind, tuple[str, ...]] = {  # the columns that counts are made of
    "books": ("book_id", "parent_id", "findings"),
    "trajectories": ("layout", "num_tokens", "plan_tokens", "prose_tokens"),
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
        """Count books and works, and what `verify` looked at and found outside its limits, by check."""
        owner = row["parent_id"] or row["book_id"]
        self._counts["out"].update(books=owner not in self._books, works=1)
        self._books.add(owner)
        for finding in json.loads(row["findings"])["findings"] if row["findings"] else ():
            self._counts["checked"][finding["check"]] += 1
            self._counts["outside"][finding["check"]] += not finding["passed"]

    def _add_trajectories(self, row: AnyRow) -> None:
        self._counts["layouts"][row["layout"]] += 1
        for name in ("num_tokens", "plan_tokens", "prose_tokens"):
            self._counts["tokens"][name] += row[name]

    def _add_rejected(self, row: AnyRow) -> None:
        self._rejected.append({name: row[name] for name in COUNTED["rejected"]})


def tally_findings(manifest: Manifest) -> list[tuple[str, int, int]]:
    """Return each check of `verify`, the nodes it looked at, those outside its limit; shards bring their counts."""
    checked, outside = (
        sum((Counter(shard.counts.get(group, {})) for shard in manifest.shards if shard.kind == "books"), Counter())
        for group in ("checked", "outside")
    )
    return [(check, number, outside[check]) for check, number in sorted(checked.items())]


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
