"""A folder of everything that goes wrong with files: each has its reason, none stops the good one."""

from __future__ import annotations

import gzip
import json

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.build_trajectories import build_trajectories
from schemas.corpus_settings import SourceSettings
from schemas.settings import Settings
from tasks.backends.stores import LocalStore
from tasks.buckets import read_rows
from tasks.shard import read_head
from tests.tales import tale

LATIN = "Character set encoding: UTF-8\n\n" + tale(21).replace("Tomas", "Tómas")


@pytest.fixture
def folder(tmp_path):
    """One good book, one that declares another encoding than it has, and ten that are no books."""
    source = tmp_path / "source"
    source.mkdir()
    text = tale(20).encode()
    (source / "good.txt").write_bytes(text)
    (source / "declared.txt").write_bytes(LATIN.encode("latin-1"))
    (source / "cut.txt.gz").write_bytes(gzip.compress(text)[:-600])
    (source / "bomb.txt.gz").write_bytes(gzip.compress(b" " * 100_000_000))
    (source / "noise.txt").write_bytes(bytes(range(256)) * 200)
    (source / "nul.txt").write_bytes(text.replace(b"harbour", b"har\0bour"))
    (source / "empty.txt").write_bytes(b"")
    (source / "blank.txt").write_bytes(b"\n \n\t\n")
    (source / "page.txt").write_bytes(b"<!DOCTYPE html><html><body><p>Not found</p></body></html>")
    with (source / "line.txt").open("wb") as file:
        file.truncate(200_000_000)
    (source / "loop").symlink_to(source)
    (source / "self.txt").symlink_to("self.txt")
    (tmp_path / "outside.txt").write_bytes(text)
    (source / "out.txt").symlink_to(tmp_path / "outside.txt")
    return source


def test_every_bad_file_has_its_reason_and_the_good_ones_are_built(folder, tmp_path, prefect_env):
    settings = Settings(out=str(tmp_path / "out"), source=SourceSettings(location=str(folder)))
    with temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}):
        summary = build_trajectories(settings)
    store = LocalStore(tmp_path / "out")
    shards = [shard for shard in read_head(store).shards if shard.kind == "rejected"]
    rejected = {row["book_id"]: row for shard in shards for row in read_rows(shard, store) if row["level"] == "book"}
    assert {name: row["reason"] for name, row in rejected.items()} == {
        "cut": "damaged-archive",
        "bomb": "too-large",
        "noise": "binary",
        "nul": "not-text",
        "empty": "empty-file",
        "blank": "empty-file",
        "page": "html-answer",
        "line": "too-large",
        "self": "unreadable",
        "out": "outside-source",
    }
    assert all(row["detail"] for row in rejected.values())
    assert (summary.books.in_, summary.books.out) == (12, 2)
    assert not [path for path in (tmp_path / "out").rglob("*") if ".tmp" in path.name or path.name.endswith(".part")]


def test_a_text_is_read_by_its_bytes_where_it_declares_what_it_is_not(folder, cli):
    done = cli("look", str(folder / "declared.txt"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["encoding"] == "iso-8859-1"


@pytest.mark.parametrize(
    "name", ["noise.txt", "nul.txt", "empty.txt", "blank.txt", "page.txt", "line.txt", "cut.txt.gz"]
)
def test_a_look_at_a_bad_file_is_one_line_with_its_name(folder, cli, name):
    done = cli("look", str(folder / name))
    assert done.returncode != 0
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert name in done.stderr
