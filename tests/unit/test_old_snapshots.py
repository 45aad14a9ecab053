"""Snapshots of every earlier schema are read, checked, compared, carried over and loaded.

Each folder of tests/snapshots/ was written by the version that its name tells: `first` (whole books only),
`before-stories` (no works within books, no signatures), `before-nodes` (no quarantined parts of plans), `schema-1` (the
last before recipes). They hold a novel of samples/, or its beginning, and a note that was rejected.
"""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from schemas.errors import ConfigError
from tasks.audit import audit_snapshot
from tasks.backends.stores import LocalStore
from tasks.backends.tokenizers import open_tokenizer
from tasks.buckets import read_table
from tasks.compare import compare_snapshots
from tasks.judge import read_known
from tasks.line import run_book
from tasks.shard import Changes, manifest_key, read_head
from tasks.snapshot import write_snapshot
from tests.unit.test_shard import bench, facts  # noqa: F401  # the fixture

KEPT = Path(__file__).parents[1] / "snapshots"
NAMES = sorted(path.name for path in KEPT.iterdir())


@pytest.fixture(params=NAMES)
def old(request, tmp_path):
    shutil.copytree(KEPT / request.param, tmp_path / "old")
    return LocalStore(tmp_path / "old")


def test_there_is_one_of_every_earlier_schema():
    assert NAMES == ["before-nodes", "before-stories", "first", "schema-1"]


def test_an_old_snapshot_is_sound(old):
    manifest = read_head(old)
    assert (manifest.schema_version, manifest.recipe) == (1, "prompt-to-book")
    assert (manifest.accounting.books.in_, manifest.accounting.books.out) == (2, 1)
    audit = audit_snapshot(manifest, old, open_tokenizer("samples"))
    assert audit.ok, audit.problems
    assert audit.checked["trajectories rows"] == sum(manifest.trajectories["chapter-window"].values()) > 0


def test_the_commands_read_an_old_snapshot(old):
    root = str(old.root)
    status = CliRunner().invoke(app, ["status", root])
    assert "2 in = 1 out + 1 rejected (1 too-short)" in status.output
    assert CliRunner().invoke(app, ["verify", root]).exit_code == 0
    swept = CliRunner().invoke(app, ["gc", root, "--older-than", "0"])
    assert "0 snapshots, 0 shards, 0 leftovers" in swept.output


def test_a_build_on_top_of_an_old_snapshot_carries_its_rows_over(old, bench):  # noqa: F811
    before = read_head(old)
    held = read_table(before, "books", old, None)
    known = read_known(before, old, bench.work)
    outcome = run_book("boat", bench)
    manifest, is_new = write_snapshot(Changes([outcome]), bench.work, old, facts(bench))
    assert (is_new, manifest.version, manifest.schema_version, manifest.num_buckets) == (True, 2, 2, 1)
    assert manifest.accounting.books.in_ == 3
    books = {row["book_id"]: row for row in read_table(manifest, "books", old, None)}
    assert set(books) == {"boat", "top-water"}
    assert [books["top-water"]] == held
    assert {one.work_id for one in known} <= {"top-water"}
    found = compare_snapshots(before, manifest, old)
    assert (found.came, found.changed, found.left) == (("boat",), {}, {})
    audit = audit_snapshot(manifest, old, bench.trainee)
    assert {problem.split(":")[0] for problem in audit.problems} <= {"trajectory top-water"}  # of another tokenizer


def test_rows_that_are_carried_over_keep_every_value(old, bench):  # noqa: F811
    paths = [old.root / shard.path for shard in read_head(old).shards if shard.kind == "trajectories"]
    before = [row for path in paths for row in pq.read_table(path).to_pylist()]
    write_snapshot(Changes([run_book("boat", bench)]), bench.work, old, facts(bench))
    rows = read_table(read_head(old), "trajectories", old, None)
    assert [row for row in rows if row["book_id"] == "top-water"] == before


def test_a_snapshot_of_a_later_schema_is_refused_in_one_line(old):
    text = old.get(manifest_key(1)).decode()
    old.put(manifest_key(2), text.replace('"schema_version":1', '"schema_version":3,"invented":{}').encode())
    with pytest.raises(ConfigError) as refused:
        read_head(old)
    assert str(refused.value) == (
        "_manifests/00000000000000000002.json: it is of schema 3, this version reads 1 to 2; take a later version"
    )
