"""Manifest + Manifest -> Difference: what one snapshot of a data set holds that another does not."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import Field

from schemas.runs import Manifest, ShardInfo
from schemas.value import Value
from tasks.buckets import iter_rows
from tasks.protocols import Store
from tasks.tables import Row

T = TypeVar("T")

PARTS = {"text": "text", "scaffold": "plans"}  # columns of a book that are told by name; any other is 'facts'
REJECTED = ("book", "work")  # levels of rejected rows that are about a whole work

States = dict[str, dict[str, str]]  # work -> part -> hash of its rows
Reasons = dict[str, str]  # work -> why it is rejected


class Pair(Value):
    """One number, before and after."""

    before: int
    after: int


class Files(Value):
    """Shards of the later snapshot, by whether the earlier one has them."""

    shared: int
    shared_bytes: int
    new: int
    new_bytes: int
    gone: int
    gone_bytes: int


class Difference(Value):
    """What `scriptorium diff` tells of two snapshots."""

    before: int
    after: int
    came: tuple[str, ...] = Field(description="works that are out now, and were neither out nor rejected")
    left: dict[str, str | None] = Field(description="works that were out and are not; the reason, or null: not there")
    changed: dict[str, tuple[str, ...]] = Field(description="works out in both; which parts differ")
    returned: tuple[str, ...] = Field(description="works that were rejected and are out now")
    rejected: dict[str, str] = Field(description="works that are rejected now, and were not there")
    reasons: dict[str, tuple[str, str]] = Field(description="works rejected in both for different reasons")
    rows: dict[str, Pair] = Field(description="trajectories by layout")
    tokens: dict[str, Pair]
    shards: Files
    settings: dict[str, tuple[object, object]] = Field(description="by dotted name, where they differ")
    models: dict[str, tuple[str | None, str | None]]
    prompts: tuple[str, ...] = Field(description="prompt files that differ")
    versions: dict[str, tuple[str | None, str | None]]


def compare_snapshots(before: Manifest, after: Manifest, store: Store) -> Difference:
    """Return what differs; only shards that are not in both are read, a few rows at a time."""
    paths = ({shard.path for shard in manifest.shards} for manifest in (before, after))
    shared = set.intersection(*paths)
    old, refused = read_states((shard for shard in before.shards if shard.path not in shared), store)
    new, refusing = read_states((shard for shard in after.shards if shard.path not in shared), store)
    both = sorted(old.keys() & new.keys())
    return Difference(
        before=before.version,
        after=after.version,
        came=tuple(sorted(new.keys() - old.keys() - refused.keys())),
        left={work: refusing.get(work) for work in sorted(old.keys() - new.keys())},
        changed={work: _parts(old[work], new[work]) for work in both if old[work] != new[work]},
        returned=tuple(sorted(new.keys() & refused.keys())),
        rejected={work: refusing[work] for work in sorted(refusing.keys() - refused.keys() - old.keys())},
        reasons={
            work: (refused[work], refusing[work])
            for work in sorted(refused.keys() & refusing.keys())
            if refused[work] != refusing[work]
        },
        rows=_pairs(
            *({name: sum(splits.values()) for name, splits in m.trajectories.items()} for m in (before, after))
        ),
        tokens=_pairs(before.tokens.model_dump(), after.tokens.model_dump()),
        shards=_compare_files(before.shards, after.shards),
        settings=_differing(_flatten(before.settings), _flatten(after.settings)),
        models=_differing(before.models, after.models),
        prompts=tuple(_differing(before.prompts, after.prompts)),
        versions=_differing(before.versions, after.versions),
    )


def read_states(shards: Iterable[ShardInfo], store: Store) -> tuple[States, Reasons]:
    """Return what every work in these shards is made of, as hashes, and why works are rejected."""
    states: dict[str, defaultdict[str, str]] = defaultdict(lambda: defaultdict(str))
    reasons: Reasons = {}
    for shard in shards:
        for row in iter_rows(shard, store):
            if shard.kind == "rejected":
                if row["level"] in REJECTED:
                    reasons[row["book_id"]] = f"{row['reason']}: {row['detail']}"
                continue
            for part, content in _split(row) if shard.kind == "books" else (("trajectories", row),):
                chained = states[row["book_id"]][part] + json.dumps(content, sort_keys=True)
                states[row["book_id"]][part] = hashlib.sha256(chained.encode()).hexdigest()
    return {work: dict(parts) for work, parts in states.items()}, reasons


def _split(row: Row) -> Iterable[tuple[str, object]]:
    """Yield what a row of the table books holds, part by part; a column that nothing fills is the same as none."""
    facts = {name: value for name, value in row.items() if name not in PARTS and value is not None}
    return [*((part, row[name]) for name, part in PARTS.items()), ("facts", facts)]


def _parts(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(part for part in old.keys() | new.keys() if old.get(part) != new.get(part)))


def _pairs(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Pair]:
    names = sorted(before.keys() | after.keys())
    return {name: Pair(before=before.get(name, 0), after=after.get(name, 0)) for name in names}


def _compare_files(before: Iterable[ShardInfo], after: Iterable[ShardInfo]) -> Files:
    old, new = ({shard.path: shard.bytes for shard in shards} for shards in (before, after))
    shared, fresh, gone = old.keys() & new.keys(), new.keys() - old.keys(), old.keys() - new.keys()
    return Files(
        shared=len(shared),
        shared_bytes=sum(new[path] for path in shared),
        new=len(fresh),
        new_bytes=sum(new[path] for path in fresh),
        gone=len(gone),
        gone_bytes=sum(old[path] for path in gone),
    )


def _differing(before: Mapping[str, T], after: Mapping[str, T]) -> dict[str, tuple[T | None, T | None]]:
    names = sorted(before.keys() | after.keys())
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


def _flatten(settings: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return settings by dotted name."""
    flat: dict[str, object] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
