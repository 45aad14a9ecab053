"""Manifest -> the YAML on top of a card: by it Hugging Face's `datasets` finds the files of this snapshot, no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from schemas.runs import Manifest, ShardInfo, ShardKind
from tasks.describing.columns import list_features
from tasks.describing.words import Words

SPLITS = ("train", "validation", "test")
SIZES = (  # Hugging Face's categories, by number of rows
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
LICENCE_FILE = "LICENSE.md"


def list_files(manifest: Manifest) -> dict[ShardKind, dict[str, list[ShardInfo]]]:
    """Return a snapshot's shards by table and split; a table without sides is one split, `train`, as is the custom."""
    files: dict[ShardKind, dict[str, list[ShardInfo]]] = {"trajectories": {}, "books": {}, "rejected": {}}
    for kind, splits in files.items():
        for split in SPLITS:
            chosen = [one for one in manifest.shards if one.kind == kind and (one.split or "train") == split]
            if chosen:
                splits[split] = chosen
    return {kind: splits for kind, splits in files.items() if splits}


def list_languages(manifest: Manifest) -> tuple[str, ...]:
    """Return the languages that were kept."""
    screen = manifest.settings.get("screen")
    return tuple(screen["languages"]) if isinstance(screen, dict) else ("en",)


def render_front(manifest: Manifest, words: Words) -> str:
    """Return the YAML without its fences."""
    files = list_files(manifest)
    told = {
        "license": "other",
        "license_name": "see-rights-of-each-work",
        "license_link": LICENCE_FILE,
        "pretty_name": words.title,
        "language": list(list_languages(manifest)),
        "task_categories": ["text-generation"],
        "size_categories": [_size(sum(shard.rows for shard in manifest.shards if shard.kind == "trajectories"))],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["found"],
        "multilinguality": ["monolingual" if len(list_languages(manifest)) == 1 else "multilingual"],
        "source_datasets": ["original"],
        "tags": list(words.tags),
        "configs": [_config(kind, splits) for kind, splits in files.items()],
        "dataset_info": [_info(kind, splits) for kind, splits in files.items()],
    }
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=1_000)


def _config(kind: ShardKind, splits: dict[str, list[ShardInfo]]) -> dict[str, Any]:
    files = [{"split": split, "path": [shard.path for shard in shards]} for split, shards in splits.items()]
    return {"config_name": kind, **({"default": True} if kind == "trajectories" else {}), "data_files": files}


def _info(kind: ShardKind, splits: dict[str, list[ShardInfo]]) -> dict[str, Any]:
    """Columns and rows of a table: shards that are older than a column are then read with nulls in it."""
    shards = [shard for group in splits.values() for shard in group]
    return {
        "config_name": kind,
        "features": list_features(kind),
        "splits": [
            {"name": split, "num_bytes": _num_bytes(group), "num_examples": sum(shard.rows for shard in group)}
            for split, group in splits.items()
        ],
        "download_size": _num_bytes(shards),
        "dataset_size": _num_bytes(shards),
    }


def _num_bytes(shards: Sequence[ShardInfo]) -> int:
    """Return bytes as they lie on disk: what they unpack to is not known without reading them."""
    return sum(shard.bytes for shard in shards)


def _size(num_rows: int) -> str:
    return next((name for limit, name in SIZES if num_rows < limit), "n>10M")
