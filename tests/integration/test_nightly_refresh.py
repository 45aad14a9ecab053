"""The nightly refresh, through its flow and its command: only what is new or changed is built."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import build_trajectories as builder
from flows.refresh_corpus import refresh_corpus
from schemas.corpus_settings import SourceSettings
from schemas.errors import ConfigError
from schemas.runs import Manifest
from schemas.settings import Settings
from tasks.audit import audit_snapshot
from tasks.backends.stores import LocalStore
from tasks.backends.tokenizers import open_tokenizer
from tasks.shard import read_head
from tests.tales import tale


@pytest.fixture
def shelf(tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    for seed in (3, 5, 7):
        (folder / f"tale-{seed}.txt").write_text(tale(seed))
    return folder


@pytest.fixture
def server(prefect_env):
    with temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}):
        yield prefect_env


def settings_of(shelf, tmp_path, **source):
    return Settings(out=str(tmp_path / "out"), source=SourceSettings(location=str(shelf), **source))


def rewrite(path, text):
    """Write a file so that its time differs, however coarse the file system's clock is."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_only_what_is_new_or_changed_is_built_and_twice_in_a_row_does_nothing(server, shelf, tmp_path):
    settings = settings_of(shelf, tmp_path)
    first = refresh_corpus(settings)
    assert first.diff.new == ("tale-3", "tale-5", "tale-7")
    assert first.build.books.out == 3
    head = read_head(LocalStore(tmp_path / "out"))
    second = refresh_corpus(settings)
    assert second.build is None
    assert second.diff.unchanged == 3
    assert read_head(LocalStore(tmp_path / "out")) == head
    rewrite(shelf / "tale-5.txt", tale(11))
    (shelf / "tale-13.txt").write_text(tale(13))
    (shelf / "tale-7.txt").unlink()
    third = refresh_corpus(settings)
    assert (third.diff.new, third.diff.changed, third.diff.gone) == (("tale-13",), ("tale-5",), ("tale-7",))
    assert third.build.books.in_ == 2
    assert third.build.accounting.books.out == 4
    store = LocalStore(tmp_path / "out")
    audit = audit_snapshot(read_head(store), store, open_tokenizer("samples"))
    assert audit.ok, audit.problems


def test_what_changed_is_an_artifact(server, shelf, tmp_path):
    refresh_corpus(settings_of(shelf, tmp_path))
    with get_client(sync_client=True) as client:
        artifacts = [one for one in client.read_artifacts() if (one.description or "").startswith(str(tmp_path))]
    found = {artifact.key: artifact.data for artifact in artifacts}
    assert "| new | 3 |" in found["refresh"]
    assert {row["book"] for row in json.loads(found["refreshed"])} == {"tale-3", "tale-5", "tale-7"}


def test_a_data_set_that_is_gone_is_built_anew(server, shelf, tmp_path):
    settings = settings_of(shelf, tmp_path).model_copy(update={"work": str(tmp_path / "work")})
    refresh_corpus(settings)
    for path in sorted((tmp_path / "out").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert refresh_corpus(settings).build.books.out == 3


def test_a_taken_down_book_leaves_every_later_snapshot(server, shelf, tmp_path):
    builder.build_trajectories(settings_of(shelf, tmp_path))
    listed = tmp_path / "takedown.txt"
    listed.write_text("tale-5  # asked for by the heirs\n")
    with_list = settings_of(shelf, tmp_path, takedown=str(listed))
    summary = builder.build_trajectories(with_list)
    assert summary.accounting.books.rejected == {"takedown": 1}
    listed.unlink()
    with pytest.raises(ConfigError, match="takedown list"):
        builder.build_trajectories(with_list)
    later = builder.build_trajectories(settings_of(shelf, tmp_path))
    assert later.accounting.books.rejected == {"takedown": 1}
    assert read_head(LocalStore(tmp_path / "out")).takedown == ("tale-5",)


def test_a_new_takedown_is_honoured_by_a_night_with_nothing_else_to_do(server, shelf, tmp_path):
    refresh_corpus(settings_of(shelf, tmp_path))
    listed = tmp_path / "takedown.txt"
    listed.write_text(hashlib.sha256((shelf / "tale-5.txt").read_bytes()).hexdigest())
    with_list = settings_of(shelf, tmp_path, takedown=str(listed))
    accounting = refresh_corpus(with_list).build.accounting
    assert (accounting.books.out, accounting.books.rejected) == (2, {"takedown": 1})
    assert refresh_corpus(with_list).build is None


def test_a_taken_down_book_that_is_not_of_this_build_leaves_too(server, shelf, tmp_path):
    builder.build_trajectories(settings_of(shelf, tmp_path))
    listed = tmp_path / "takedown.txt"
    listed.write_text("tale-5\n")
    summary = builder.build_trajectories(settings_of(shelf, tmp_path, takedown=str(listed), books="tale-3"))
    assert summary.books.in_ == 1
    assert (summary.accounting.books.out, summary.accounting.books.rejected) == (2, {"takedown": 1})


def test_more_books_than_task_runs_go_in_batches(server, shelf, tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "MAX_PREPARE_RUNS", 2)
    monkeypatch.setattr(builder, "MAX_PROCESS_RUNS", 2)
    (shelf / "tale-13.txt").write_text(tale(13))
    (shelf / "note.txt").write_text("A short note.\n")
    summary = builder.build_trajectories(settings_of(shelf, tmp_path))
    assert (summary.books.in_, summary.books.out, summary.books.rejected) == (5, 4, {"too-short": 1})


def test_the_command_refreshes_and_says_so(cli, shelf, tmp_path):
    done = cli("refresh", "--source", str(shelf), "--out", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["diff"]["new"]) == 3
    again = cli("refresh", "--source", str(shelf), "--out", str(tmp_path / "out"))
    assert again.returncode == 0, again.stderr
    assert "0 new, 0 changed, 3 unchanged" in again.stdout
    assert "Nothing to do." in again.stdout


def test_manifests_of_before_works_were_counted_are_read(tmp_path, server, shelf):
    builder.build_trajectories(settings_of(shelf, tmp_path))
    manifest = read_head(LocalStore(tmp_path / "out"))
    plain = json.loads(manifest.to_json())
    for name in ("left_out", "takedown"):
        del plain[name]
    for shard in plain["shards"]:
        shard["counts"].pop("out", None)
        shard["counts"].pop("work", None)
    from tasks.shard import total

    old = Manifest.model_validate(plain)
    assert total(old.shards)[0] == manifest.accounting
