"""Several writers at once, some of them killed: no update is lost, no shard bad or missing, on disk and on S3."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from s3fs import S3FileSystem

from benchmarks.sharding.buckets import S3Server
from schemas.errors import ConfigError
from tasks.audit import audit_snapshot
from tasks.backends.stores import open_store, probe_store
from tasks.buckets import read_table
from tasks.shard import list_versions, read_head, read_manifest
from tasks.sweep import sweep_data
from tests.fakes import WordTokenizer
from tests.integration.committing import commit_books, make_template, read_acks

NUM_WRITERS, NUM_COMMITS, NUM_KILLS = 4, 15, 9
FORKS = multiprocessing.get_context("forkserver")  # a fork of a process that has imported everything starts in no time
FORKS.set_forkserver_preload(["tests.integration.committing"])


@pytest.fixture(params=["disk", "s3"])
def place(request, tmp_path):
    """Where a data set is written, and the environment that its writers need."""
    if request.param == "disk":
        yield str(tmp_path / "out"), {}
        return
    server = S3Server()
    with server as url:
        S3FileSystem.clear_instance_cache()  # it holds the credentials of whoever came before
        yield f"{url}/data-set", server.environment
    S3FileSystem.clear_instance_cache()


def start(environment, folder, location, name, number):
    process = FORKS.Process(target=commit_books, args=(environment, folder, location, name, number))
    process.start()
    return process


def kill_after_a_commit(process, folder, name):
    """Let a writer commit once at least, and kill it in the midst of whatever it does then."""
    deadline = time.monotonic() + 120
    acks = folder / f"acks-{name}"
    while not (acks.exists() and acks.read_text()):
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(random.random() * 0.7)
    process.kill()
    process.join()


def books_of(manifest, store):
    return {row["book_id"] for row in read_table(manifest, "books", store, ["book_id"])}


def test_no_update_is_lost_and_no_shard_is_missing_whoever_is_killed(place, tmp_path):
    location, environment = place
    make_template(tmp_path)
    names = [f"writer{number}" for number in range(NUM_WRITERS)]
    writers = [start(environment, tmp_path, location, name, NUM_COMMITS) for name in names]
    for writer in writers:
        writer.join(500)
    assert [writer.exitcode for writer in writers] == [0] * NUM_WRITERS
    store = open_store(location)
    assert list_versions(store) == list(range(1, NUM_WRITERS * NUM_COMMITS + 1))
    assert books_of(read_head(store), store) == {f"{name}-{at}" for name in names for at in range(NUM_COMMITS)}

    for number in range(NUM_KILLS):
        name = f"killed{number}"
        kill_after_a_commit(start(environment, tmp_path, location, name, None), tmp_path, name)
    last = start(environment, tmp_path, location, "last", 1)
    last.join(100)
    assert last.exitcode == 0
    head = read_head(store)
    assert read_acks(tmp_path) <= books_of(head, store)
    versions = list_versions(store)
    assert versions == list(range(1, versions[-1] + 1))
    stored = set(store.keys("data"))
    manifests = [read_manifest(store, version) for version in versions]
    assert {shard.path for manifest in manifests for shard in manifest.shards} <= stored
    audit = audit_snapshot(head, store, WordTokenizer())
    assert audit.ok, audit.problems
    told = store.get("README.md").decode()
    assert all(shard.path in told for shard in head.shards if shard.kind == "trajectories")

    swept = sweep_data(store, location, 1, 0.0, dry_run=False)
    assert swept.kept == (versions[-1],)
    assert set(store.keys("data")) == {shard.path for shard in head.shards} < stored
    assert not [key for key in store.ages("") if ".tmp-" in key]
    assert audit_snapshot(read_head(store), store, WordTokenizer()).ok


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"])
def test_wrong_credentials_are_refused_in_one_clear_line(name, monkeypatch):
    with S3Server() as url:
        monkeypatch.setenv(name, "wrong")
        S3FileSystem.clear_instance_cache()
        with pytest.raises(ConfigError) as refused:
            probe_store(open_store(f"{url}/data-set"), url)
        monkeypatch.undo()
    S3FileSystem.clear_instance_cache()
    assert str(refused.value).endswith("access denied; check the credentials")
    assert "\n" not in str(refused.value)


class CarelessHandler(BaseHTTPRequestHandler):
    """A server that says yes to every PUT, as some do: what was there is overwritten."""

    protocol_version = "HTTP/1.1"  # clients wait for its "100 Continue"

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200)

    def do_DELETE(self):
        self.answer(204)

    def do_GET(self):
        self.answer(404)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        return


def test_a_server_that_ignores_if_none_match_is_refused(monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), CarelessHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        S3FileSystem.clear_instance_cache()
        with pytest.raises(ConfigError, match="overwrites what exists"):
            probe_store(open_store("s3://books/data-set"), "s3://books/data-set")
        server.shutdown()
    S3FileSystem.clear_instance_cache()
