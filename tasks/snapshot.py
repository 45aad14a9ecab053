"""Outcomes -> Manifest: shards first, then the manifest, then the card and the report that tell of it."""

from __future__ import annotations

import json
import logging
import platform
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from schemas.errors import PipelineError
from schemas.ledger import Ledger
from schemas.runs import Manifest
from schemas.settings import Settings
from tasks.card import write_card
from tasks.keys import package_version, prompt_digests
from tasks.protocols import Store
from tasks.report import write_report
from tasks.shard import MAX_TRIES, Changes, commit, content_digest, read_head, run_digest, total, write_shards
from tasks.work import Work

logger = logging.getLogger(__name__)

PAGES = "report/snapshot.json"  # which snapshot the pages tell of: written after them
PACKAGES = ("pydantic", "pyarrow", "tiktoken", "sklearn", "numpy", "py3langid", "zstandard", "prefect")


@dataclass(frozen=True)
class Facts:
    """What a manifest says about how its snapshot was made."""

    settings: Settings
    models: dict[str, str]
    ledger: Ledger
    left_out: Mapping[str, int] = field(default_factory=dict)
    takedown: frozenset[str] = frozenset()
    decontaminated: str | None = None


def write_snapshot(changes: Changes, work: Work, store: Store, facts: Facts) -> tuple[Manifest, bool]:
    """Write a snapshot of these books and of those that the data set held before.

    Returns:
        The newest manifest, and whether it is new: an equal snapshot is not written twice.

    Raises:
        PipelineError: other writers were faster MAX_TRIES times, or a book is not accounted for.
    """
    for attempt in range(MAX_TRIES):
        parent = read_head(store)
        manifest = _next_manifest(changes, parent, work, store, facts)
        if parent and _identity(parent) == _identity(manifest):
            publish_pages(parent, store)
            return parent, False
        if commit(manifest, store):
            logger.info("snapshot %d: %d shards", manifest.version, len(manifest.shards))
            publish_pages(manifest, store)
            return manifest, True
        time.sleep(random.random() * 0.05 * (attempt + 1))  # spreads writers, decides nothing
    raise PipelineError(f"{MAX_TRIES} commits lost to other writers of this data set; run again when they are done")


def publish_pages(manifest: Manifest, store: Store) -> None:
    """Write the report and the card of a snapshot that is committed, or of a newer one if there is one by now.

    Only after the commit: else a writer that loses, or is killed, would leave a card that names shards of no snapshot.
    Two writers may cross; each looks again when it has written, so what the last one leaves is the newest.
    """
    while True:
        manifest = read_head(store) or manifest
        if _told_version(store) == manifest.version:
            return
        write_report(manifest, store)
        write_card(manifest, store)
        store.put(PAGES, json.dumps({"snapshot": manifest.version}).encode())


def _told_version(store: Store) -> int | None:
    """Return which snapshot the pages tell of, where they are whole."""
    try:
        return int(json.loads(store.get(PAGES))["snapshot"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def redact_settings(settings: Settings) -> dict[str, object]:
    """Return settings as JSON without the user and password of a URL."""
    plain = settings.model_dump(mode="json")
    for group, name in (("source", "location"), ("source", "catalogue"), ("llm", "url")):
        plain[group][name] = redact_url(plain[group][name] or "") or None
    return plain


def redact_url(url: str) -> str:
    """Return a URL without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]).geturl() if "@" in parts.netloc else url


def _identity(manifest: Manifest) -> tuple[object, ...]:
    return manifest.content_sha256, manifest.models, manifest.run_sha256, manifest.takedown, manifest.decontaminated


def _next_manifest(changes: Changes, parent: Manifest | None, work: Work, store: Store, facts: Facts) -> Manifest:
    shards = write_shards(changes, parent, work, store, facts.settings.shard)
    accounting, trajectories, tokens = total(shards)
    return Manifest(
        recipe=facts.settings.recipe,
        version=parent.version + 1 if parent else 1,
        parent=parent.version if parent else None,
        shards=shards,
        accounting=accounting,
        trajectories=trajectories,
        tokens=tokens,
        num_buckets=parent.num_buckets if parent else facts.settings.shard.num_buckets,
        settings=redact_settings(facts.settings),
        models=facts.models,
        prompts=prompt_digests(),
        versions={"python": platform.python_version(), **{name: package_version(name) for name in PACKAGES}},
        content_sha256=content_digest(shards),
        run_sha256=run_digest(changes.outcomes),
        writer=uuid.uuid4().hex,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        ledger=facts.ledger,
        left_out=dict(sorted(facts.left_out.items())),
        decontaminated=facts.decontaminated,
        takedown=tuple(sorted({*facts.takedown, *(parent.takedown if parent else ())})),
    )
