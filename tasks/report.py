"""Manifest + rows -> report/index.html and README.md: what was made, what was refused, how it was made."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from schemas.runs import Manifest
from tasks.tables import Row

TEMPLATES = Path(__file__).parent / "templates"
MAX_NOTES = MAX_NODES = 50  # a page a person reads; the table in rejected/ holds them all

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))  # Hugging Face's


def render_report(manifest: Manifest, books: Sequence[Row], rejected: Sequence[Row]) -> str:
    """Return the report as one page that needs no server and no network; everything in it is escaped."""
    levels: dict[str, list[Row]] = defaultdict(list)
    for row in rejected:
        levels[row["level"]].append(row)
    notes = Counter((row["layout"], row["reason"]) for row in levels["note"])
    return (
        _environment(autoescape=True)
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


def tally_findings(manifest: Manifest) -> list[tuple[str, int, int]]:
    """Return each check of `verify`, the nodes it looked at, those outside its limit; shards bring their counts."""
    checked, outside = (
        sum((Counter(shard.counts.get(group, {})) for shard in manifest.shards if shard.kind == "books"), Counter())
        for group in ("checked", "outside")
    )
    return [(check, number, outside[check]) for check, number in sorted(checked.items())]


def _readings(row: Row) -> list[dict[str, Any]]:
    """Return the ways to divide a book that needs review."""
    found: list[dict[str, Any]] = json.loads(row["readings"]) if row.get("readings") else []
    return found


def render_card(manifest: Manifest) -> str:
    """Return the data set's card: Hugging Face's YAML with this snapshot's files one by one, then words."""
    files = {
        split: [shard.path for shard in manifest.shards if shard.kind == "trajectories" and shard.split == split]
        for split in ("train", "validation", "test")
    }
    num_rows = sum(sum(splits.values()) for splits in manifest.trajectories.values())
    size = next((name for limit, name in SIZES if num_rows < limit), "1M<n<10M")
    books = [shard.path for shard in manifest.shards if shard.kind == "books"]
    return (
        _environment(autoescape=False)
        .get_template("card.md")
        .render(
            manifest=manifest,
            files=files,
            books=books,
            size=size,
            num_rows=num_rows,
            findings=tally_findings(manifest),
        )
    )


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
