"""What people load a snapshot with agrees on its rows and on every text in them: datasets, polars, pyarrow, DuckDB."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import duckdb
import polars
import pyarrow.dataset
import pytest
import yaml

from tasks.backends.stores import LocalStore
from tasks.line import run_book
from tasks.shard import Changes, read_head
from tasks.snapshot import write_snapshot
from tests.integration.conftest import ROOT
from tests.integration.digests import digest
from tests.unit.test_shard import bench, facts  # noqa: F401  # the fixture

KEPT = ROOT / "tests" / "snapshots"


def load_with_datasets(home, *arguments):
    """Load in a process of its own, for `datasets` reads the environment when it is imported."""
    code = (
        "import json, sys, datasets\n"
        "from tests.integration.digests import digest\n"
        "folder, files, config, split = json.loads(sys.argv[1])\n"
        "options = {'data_files': files} if files else {'name': config}\n"
        "data = datasets.load_dataset('parquet' if files else folder, split=split, **options)\n"
        "print(json.dumps(digest(data)))\n"
    )
    env = {
        **os.environ,
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", code, json.dumps(arguments)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False, cwd=home)
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(done.stdout.splitlines()[-1])


def others(files):
    """What polars, pyarrow and DuckDB make of a list of files."""
    arrow = pyarrow.dataset.dataset(files).to_table()
    found = duckdb.connect().execute("select * from read_parquet(?, hive_partitioning=false)", [files])
    names = [column[0] for column in found.description]
    return {
        "pyarrow": digest(arrow.to_pylist()),
        "polars": digest(polars.read_parquet(files, hive_partitioning=False).to_dicts()),
        "duckdb": digest([dict(zip(names, row, strict=True)) for row in found.fetchall()]),
    }


@pytest.fixture
def snapshot(bench, tmp_path):  # noqa: F811
    """A snapshot of today, its README in its folder."""
    store = LocalStore(tmp_path / "out")
    write_snapshot(Changes([run_book("boat", bench), run_book("short", bench)]), bench.work, store, facts(bench))
    return store


def test_readers_agree_on_a_snapshot_and_on_what_its_card_lists(snapshot, tmp_path):
    card = yaml.safe_load(snapshot.get("README.md").decode().split("---")[1])
    configs = {config["config_name"]: config["data_files"] for config in card["configs"]}
    manifest = read_head(snapshot)
    for name in ("trajectories", "books"):
        (entry,) = configs[name]
        listed = [entry["path"]] if isinstance(entry["path"], str) else entry["path"]
        assert sorted(listed) == sorted(shard.path for shard in manifest.shards if shard.kind == name)
        files = [str(snapshot.root / path) for path in listed]
        found = others(files)
        found["files"] = load_with_datasets(tmp_path, str(snapshot.root), files, name, "train")
        found["folder"] = load_with_datasets(tmp_path, str(snapshot.root), None, name, entry["split"])
        assert len({tuple(one) for one in found.values()}) == 1, found
        assert found["pyarrow"][0] == sum(shard.rows for shard in manifest.shards if shard.kind == name) > 0


@pytest.mark.parametrize("old", sorted(path.name for path in KEPT.iterdir()))
def test_readers_agree_on_old_snapshots(old, tmp_path):
    manifest = read_head(LocalStore(KEPT / old))
    for kind in ("trajectories", "books", "rejected"):
        files = [str(KEPT / old / shard.path) for shard in manifest.shards if shard.kind == kind]
        found = others(files)
        if kind == "trajectories":
            found["datasets"] = load_with_datasets(tmp_path, str(KEPT / old), files, None, "train")
        assert len({tuple(one) for one in found.values()}) == 1, found
        assert found["pyarrow"][0] == sum(shard.rows for shard in manifest.shards if shard.kind == kind)


def test_files_of_old_and_new_snapshots_load_side_by_side_where_columns_were_added(snapshot):
    old = KEPT / "first"
    files = [str(old / shard.path) for shard in read_head(LocalStore(old)).shards if shard.kind == "books"]
    files += [str(snapshot.root / shard.path) for shard in read_head(snapshot).shards if shard.kind == "books"]
    found = duckdb.connect().execute("select count(*), count(kind) from read_parquet(?, union_by_name=true)", [files])
    assert found.fetchone() == (2, 1)
