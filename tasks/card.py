"""Manifest -> README.md: the data set's card, with Hugging Face's YAML, how it was made and what it holds."""

from __future__ import annotations

from schemas.runs import Manifest
from tasks.counts import tally_findings
from tasks.pages import open_templates
from tasks.protocols import Store

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))  # Hugging Face's


def write_card(manifest: Manifest, store: Store) -> None:
    """Write the card of a snapshot and what it shows."""
    store.put("README.md", render_card(manifest).encode())


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
        open_templates(autoescape=False)
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
