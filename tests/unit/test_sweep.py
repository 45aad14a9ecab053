"""What `scriptorium gc` removes, and what it never does."""

import json
import os

import pytest
from typer.testing import CliRunner

from flows.cli import app
from schemas.errors import ConfigError, PipelineError
from tasks.audit import audit_snapshot
from tasks.backends.stores import LocalStore, RemoteStore
from tasks.buckets import Withdrawal
from tasks.line import run_book
from tasks.shard import Changes, find_snapshot, list_versions, manifest_key
from tasks.snapshot import write_snapshot
from tasks.sweep import DAY_S, sweep_data
from tests.unit.test_shard import bench, facts, rejected  # noqa: F401  # the fixture


@pytest.fixture
def out(bench, tmp_path):  # noqa: F811
    """A data set of two snapshots, the book taken down in the second, an orphan and two leftovers."""
    store = LocalStore(tmp_path / "out")
    write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    gone = Withdrawal("boat", rejected("boat", "taken-down").rejection)
    write_snapshot(Changes([rejected("short", "too-short")], {"boat": gone}), bench.work, store, facts(bench))
    store.put("data/books/orphan.parquet", b"orphan")
    for name in (".tmp-abc", "data/books/.tmp-def"):
        (store.root / name).write_bytes(b"half")
    return store


def paths(store):
    return {path.relative_to(store.root).as_posix() for path in store.root.rglob("*") if path.is_file()}


def grow_old(store, days=2):
    for name in paths(store):
        past = (store.root / name).stat().st_mtime - days * DAY_S
        os.utime(store.root / name, (past, past))


def test_what_is_young_stays_whatever_names_it(out):
    before = paths(out)
    found = sweep_data(out, "out", 1, DAY_S, dry_run=False)
    assert paths(out) == before
    assert (found.snapshots, found.shards, found.leftovers) == ((), (), ())
    assert found.waiting == 4


def test_orphans_and_leftovers_go_and_every_snapshot_stays_sound(out, bench):  # noqa: F811
    grow_old(out)
    dry = sweep_data(out, "out", None, DAY_S, dry_run=True)
    before = paths(out)
    found = sweep_data(out, "out", None, DAY_S, dry_run=False)
    assert found == dry.model_copy(update={"dry_run": False})
    assert before - paths(out) == {"data/books/orphan.parquet", ".tmp-abc", "data/books/.tmp-def"}
    for name in ("1", "2"):
        assert audit_snapshot(find_snapshot(out, name, "out"), out, bench.trainee).ok


def test_after_a_takedown_the_old_snapshots_can_go_and_nothing_holds_the_book(out, bench):  # noqa: F811
    grow_old(out)
    first = find_snapshot(out, "1", "out")
    found = sweep_data(out, "out", 1, DAY_S, dry_run=False)
    assert (found.kept, found.snapshots) == ((2,), (1,))
    assert list_versions(out) == [2]
    assert not paths(out) & {shard.path for shard in first.shards}
    assert audit_snapshot(find_snapshot(out, "head", "out"), out, bench.trainee).ok
    manifest, is_new = write_snapshot(Changes([run_book("boat", bench)]), bench.work, out, facts(bench))
    assert (manifest.version, is_new) == (3, True)


def test_a_shard_that_a_writer_found_there_is_young_again(out, bench):  # noqa: F811
    first = find_snapshot(out, "1", "out")
    grow_old(out)
    sweep_data(out, "out", 1, DAY_S, dry_run=True)
    write_snapshot(Changes([run_book("boat", bench)]), bench.work, out, facts(bench))
    out.delete(manifest_key(3))  # as if that writer had not committed yet
    found = sweep_data(out, "out", 1, DAY_S, dry_run=False)
    books = {shard.path for shard in first.shards if shard.kind == "trajectories"}
    assert books <= paths(out)
    assert not books & set(found.shards)


def test_a_snapshot_that_cannot_be_read_stops_the_sweep(out):
    grow_old(out)
    out.put(manifest_key(3), b'{"schema_version": 99}')
    before = paths(out)
    with pytest.raises(ConfigError, match="of schema 99"):
        sweep_data(out, "out", None, DAY_S, dry_run=False)
    assert paths(out) == before


def test_what_is_no_data_set_is_left_alone(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.parquet").write_bytes(b"mine")
    with pytest.raises(PipelineError, match="no snapshot there"):
        sweep_data(LocalStore(tmp_path), "here", None, 0.0, dry_run=False)
    assert (tmp_path / "data" / "mine.parquet").exists()


def test_a_remote_store_is_swept_too(out):
    remote = RemoteStore(f"memory://{out.root}")
    for key in out.keys("data") + out.keys("_manifests"):
        remote.put(key, out.get(key))
    found = sweep_data(remote, "out", 1, 0.0, dry_run=False)
    assert found.snapshots == (1,)
    assert "data/books/orphan.parquet" in found.shards
    assert set(remote.keys("data")) == {shard.path for shard in find_snapshot(out, "2", "out").shards}


def test_the_command_says_the_same_to_people_and_to_programs(out):
    root = str(out.root)
    assert "too young" in CliRunner().invoke(app, ["gc", root, "--dry-run"]).stdout
    found = json.loads(CliRunner().invoke(app, ["gc", root, "--older-than", "0", "--keep", "1", "--json"]).stdout)
    assert (found["kept"], found["snapshots"], len(found["leftovers"])) == ([2], [1], 2)
    failed = CliRunner().invoke(app, ["gc", f"{root}/nothing"])
    assert failed.exit_code == 1
    assert "no snapshot there" in failed.stderr
