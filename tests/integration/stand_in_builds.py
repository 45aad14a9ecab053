"""Builds of the sample novels against the stand-in: what the tests of faults and of resuming share."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.run_local import run_build
from flows.summaries import BuildSummary
from schemas.runs import Manifest
from schemas.scaffold import Scaffold
from schemas.settings import Settings
from tasks.backends.stores import LocalStore
from tasks.shard import read_head
from tasks.work import Work

MODEL_STAGES = ("summarize", "verify", "compose", "outcome")


def build(out: Path, url: str, api: str, **groups: Any) -> BuildSummary:
    """Build in this process; `groups` are groups of settings, as mappings."""
    llm = {"url": url, "connect_attempts": 5, **groups.pop("llm", {})}
    settings = Settings.model_validate({"out": str(out), "llm": llm, **groups})
    with temporary_settings({PREFECT_API_URL: api}):
        return run_build(settings)


def prepare(out: Path, done: Path) -> Path:
    """Give a new data set what another build made of its books before it asked a model."""
    for folder in (done / "work").iterdir():
        if folder.is_dir() and folder.name not in MODEL_STAGES:
            shutil.copytree(folder, out / "work" / folder.name)
    return out


def read_manifest(out: Path) -> Manifest:
    """Return the manifest of the newest snapshot."""
    manifest = read_head(LocalStore(out))
    assert manifest is not None, f"{out} has no snapshot"
    return manifest


def fingerprint(out: Path) -> tuple[str, dict[str, str]]:
    """Return the content's hash and the hash of each shard's bytes, as they lie on the disk."""
    manifest = read_manifest(out)
    found = {shard.path: hashlib.sha256((out / shard.path).read_bytes()).hexdigest() for shard in manifest.shards}
    assert found == {shard.path: shard.sha256 for shard in manifest.shards}
    return manifest.content_sha256, found


def read_scaffolds(out: Path) -> dict[str, Scaffold]:
    """Return the scaffolds of a data set by book."""
    work = Work(LocalStore(out / "work"))
    found = (work.load(Scaffold, key) for key in work.store.keys("summarize"))
    return {scaffold.book_id: scaffold for scaffold in found if scaffold is not None}


def stored_keys(out: Path, scratch: Path) -> set[str]:
    """Return the keys of the answers that lie on the disk, read from a copy: a dead process's files stay as they are."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for path in (out / "work").glob("answers.sqlite*"):
        shutil.copy(path, scratch / path.name)
    if not (scratch / "answers.sqlite").exists() or not os.path.getsize(scratch / "answers.sqlite"):
        return set()
    with closing(sqlite3.connect(scratch / "answers.sqlite")) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        rows = connection.execute("SELECT key FROM answers") if "answers" in tables else ()
        return {key for (key,) in rows}
