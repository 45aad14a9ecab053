"""Data set -> Sweep: shards that no kept manifest names, manifests that are not kept, leftovers of killed writers."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pydantic import Field

from schemas.runs import Manifest
from schemas.value import Value
from tasks.protocols import Store
from tasks.shard import list_versions, manifest_key, read_manifest, require_versions

logger = logging.getLogger(__name__)

DATA, TEMPORARY = "data", ".tmp-"
DAY_S = 86_400


class Sweep(Value):
    """What `scriptorium gc` removed, or would remove."""

    dry_run: bool
    kept: tuple[int, ...] = Field(description="snapshots that stay")
    snapshots: tuple[int, ...] = Field(description="snapshots that go: only with --keep")
    shards: tuple[str, ...] = Field(description="shards that no kept snapshot names")
    leftovers: tuple[str, ...] = Field(description="temporary files of writers that were killed")
    waiting: int = Field(description="what would go, but is too young: a writer may be about to name it")


def sweep_data(store: Store, out: str, keep: int | None, older_than_s: float, *, dry_run: bool) -> Sweep:
    """Remove what nothing needs.

    A manifest goes before the shards that only it names, so that a sweep that is stopped leaves no snapshot in pieces.

    Args:
        store: the data set.
        out: its name, for messages.
        keep: how many of the newest snapshots stay; None: all of them.
        older_than_s: nothing younger goes: neither a shard that a running writer has put and not named yet, nor a
            manifest, for a writer that read it may still be at work.
        dry_run: only tell.

    Raises:
        PipelineError: there is no data set.
        ConfigError: a snapshot that stays cannot be read: what it names is not known then.
    """
    ages = store.ages("")
    versions = require_versions(store, out)
    beyond = versions[:-keep] if keep else []
    dropped = [version for version in beyond if ages.get(manifest_key(version), 0.0) >= older_than_s]
    kept = [version for version in versions if version not in set(dropped)]
    named = _named([read_manifest(store, version) for version in kept])
    shards = [key for key in ages if key.startswith(f"{DATA}/") and key.endswith(".parquet") and key not in named]
    leftovers = [key for key in ages if key.rsplit("/", 1)[-1].startswith(TEMPORARY)]
    shards = [key for key in shards if key not in set(leftovers)]
    is_old = {key: ages[key] >= older_than_s for key in (*shards, *leftovers)}
    found = Sweep(
        dry_run=dry_run,
        kept=tuple(kept),
        snapshots=tuple(dropped),
        shards=tuple(sorted(key for key in shards if is_old[key])),
        leftovers=tuple(sorted(key for key in leftovers if is_old[key])),
        waiting=sum(not old for old in is_old.values()) + len(beyond) - len(dropped),
    )
    return found if dry_run else _remove(found, store, older_than_s)


def _named(manifests: Sequence[Manifest]) -> set[str]:
    return {shard.path for manifest in manifests for shard in manifest.shards}


def _remove(found: Sweep, store: Store, older_than_s: float) -> Sweep:
    """Remove what was found, but for shards that a writer has named or made young again meanwhile."""
    for version in found.snapshots:
        store.delete(manifest_key(version))
    ages = store.ages(DATA)
    named = _named([read_manifest(store, version) for version in list_versions(store)])
    shards = [key for key in found.shards if key not in named and ages.get(key, 0.0) >= older_than_s]
    for key in (*shards, *found.leftovers):
        store.delete(key)
    logger.info(
        "removed %d snapshots, %d shards, %d leftovers", len(found.snapshots), len(shards), len(found.leftovers)
    )
    return found.model_copy(update={"shards": tuple(shards)})
