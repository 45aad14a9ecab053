"""Rows of a shard -> what they add to the manifest's totals, so that a snapshot is counted without being read."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from schemas.runs import Manifest, ShardKind

Counts = defaultdict[str, Counter[str]]  # group -> name -> number
AnyRow = Mapping[str, Any]


def count_rows(kind: ShardKind, rows: Iterable[AnyRow]) -> dict[str, dict[str, int]]:
    """Return what rows add to the manifest's totals.

    A book that was rejected whole counts as one work; of a collection whose stories were all rejected, these count.
    A quarantined node counts where its work is out.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    _COUNTERS[kind](list(rows), counts)
    return {group: dict(sorted(counter.items())) for group, counter in sorted(counts.items())}


def tally_findings(manifest: Manifest) -> list[tuple[str, int, int]]:
    """Return each check of `verify`, the nodes it looked at, those outside its limit; shards bring their counts."""
    checked, outside = (
        sum((Counter(shard.counts.get(group, {})) for shard in manifest.shards if shard.kind == "books"), Counter())
        for group in ("checked", "outside")
    )
    return [(check, number, outside[check]) for check, number in sorted(checked.items())]


def _count_books(rows: list[AnyRow], counts: Counts) -> None:
    """Count books and works, and what `verify` looked at and found outside its limits, by check."""
    counts["out"].update(books=len({row["parent_id"] or row["book_id"] for row in rows}), works=len(rows))
    for row in rows:
        for finding in json.loads(row["findings"])["findings"] if row["findings"] else ():
            counts["checked"][finding["check"]] += 1
            counts["outside"][finding["check"]] += not finding["passed"]


def _count_trajectories(rows: list[AnyRow], counts: Counts) -> None:
    for row in rows:
        counts["layouts"][row["layout"]] += 1
        for name in ("num_tokens", "plan_tokens", "prose_tokens"):
            counts["tokens"][name] += row[name]


def _count_rejected(rows: list[AnyRow], counts: Counts) -> None:
    divided = {row["parent_id"] for row in rows if row["level"] == "work"}
    rejected = {row["book_id"] for row in rows if row["level"] in ("book", "work")}
    for row in rows:
        if row["level"] == "node" and row["book_id"] in rejected:
            continue
        group = row["level"] if row["level"] != "layout" else f"layout:{row['layout']}"
        counts[group][row["reason"]] += 1
        if group == "book" and row["book_id"] not in divided:
            counts["work"][row["reason"]] += 1


_COUNTERS: dict[ShardKind, Callable[[list[AnyRow], Counts], None]] = {
    "books": _count_books,
    "trajectories": _count_trajectories,
    "rejected": _count_rejected,
}
