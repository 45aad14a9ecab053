"""Manifest + rows -> report/: static pages of what was made, what was refused, and how good it is."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from schemas.runs import Manifest
from tasks.buckets import read_table
from tasks.counts import tally_findings
from tasks.pages import open_templates
from tasks.protocols import Store
from tasks.tables import Row

MAX_NOTES = MAX_NODES = 50  # a page a person reads; the table in rejected/ holds them all


def write_report(manifest: Manifest, parent: Manifest | None, store: Store) -> None:
    """Write the pages of a snapshot; those of its parent lie there already.

    Args:
        manifest: the snapshot, not committed yet; its shards are written.
        parent: the snapshot that it was built on, if there is one.
        store: the data set.
    """
    books = read_table(manifest, "books", store, ["book_id", "title", "authors", "split", "num_words", "num_chapters"])
    rejected = read_table(manifest, "rejected", store, None)
    store.put("report/index.html", render_report(manifest, books, rejected).encode())


def render_report(manifest: Manifest, books: Sequence[Row], rejected: Sequence[Row]) -> str:
    """Return the report as one page that needs no server and no network; everything in it is escaped."""
    levels: dict[str, list[Row]] = defaultdict(list)
    for row in rejected:
        levels[row["level"]].append(row)
    notes = Counter((row["layout"], row["reason"]) for row in levels["note"])
    return (
        open_templates(autoescape=True)
        .get_template("report.html")
        .render(
            manifest=manifest,
            books=books,
            rejected=sorted([*levels["book"], *levels["work"]], key=lambda row: (len(row["book_id"]), row["book_id"])),
            readings=_readings,
            refused=levels["layout"],
            notes=notes.most_common(MAX_NOTES),
            nodes=levels["node"][:MAX_NODES],
            num_nodes=len(levels["node"]),
            findings=tally_findings(manifest),
        )
    )


def _readings(row: Row) -> list[dict[str, Any]]:
    """Return the ways to divide a book that needs review."""
    found: list[dict[str, Any]] = json.loads(row["readings"]) if row.get("readings") else []
    return found
