"""Bytes by key: whole or not at all."""

import threading
import time

import pytest

from schemas.errors import ConfigError
from tasks.backends.stores import LocalStore, RemoteStore, is_url, open_store, probe_store


@pytest.fixture(params=["local", "remote"])
def store(request, tmp_path):
    return LocalStore(tmp_path) if request.param == "local" else RemoteStore(f"memory://{tmp_path.name}")


def test_what_was_put_is_there(store):
    store.put("a/b", b"one")
    store.put("a/b", b"two")
    assert store.get("a/b") == b"two"
    assert store.head("a/b", 2) == b"tw"
    assert store.keys("a") == ["a/b"]


def test_what_is_not_there_is_said(store):
    assert store.head("a/none", 4) is None
    assert store.keys("nothing") == []
    with pytest.raises(FileNotFoundError):
        store.get("a/none")
    store.delete("a/none")


def test_a_file_is_put_once_and_read_as_a_file(store, tmp_path):
    source = store.scratch() / ".tmp-source"
    source.write_bytes(b"many bytes")
    assert store.put_file_if_absent("data/one", source)
    source.unlink()
    source.write_bytes(b"others")
    assert not store.put_file_if_absent("data/one", source)
    source.unlink()
    with store.file("data/one") as path:
        assert path.read_bytes() == store.get("data/one") == b"many bytes"
    with pytest.raises(FileNotFoundError), store.file("data/none"):
        pass


def test_a_value_tells_its_age_and_can_be_made_young_again(store):
    store.put("data/one", b"1")
    first = store.ages("data")
    assert list(first) == ["data/one"]
    assert 0 <= first["data/one"] < 100
    time.sleep(0.05)
    older = store.ages("data")["data/one"]
    store.touch("data/one")
    assert store.ages("data")["data/one"] < older
    with pytest.raises(FileNotFoundError):
        store.touch("data/none")
    assert store.ages("nothing") == {}


def test_a_file_too_large_for_one_put_is_refused_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.backends.remote_store.MAX_PUT_BYTES", 3)
    (tmp_path / "shard").write_bytes(b"four")
    with pytest.raises(ConfigError, match=r"data/one: 4 bytes, one PUT takes 3; .* more shard.num_buckets"):
        RemoteStore(f"memory://{tmp_path.name}").put_file_if_absent("data/one", tmp_path / "shard")


def test_a_deleted_value_is_gone(store):
    store.put("a", b"1")
    store.delete("a")
    assert store.head("a", 1) is None


def test_only_one_of_many_writers_is_first(tmp_path):
    store, wins = LocalStore(tmp_path), []
    writers = [
        threading.Thread(target=lambda n=n: wins.append(store.put_if_absent("m", str(n).encode()))) for n in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(wins) == [False] * 7 + [True]


def test_leftovers_of_a_killed_writer_are_not_keys(tmp_path):
    (tmp_path / ".tmp-abc").write_bytes(b"half")
    assert LocalStore(tmp_path).keys("") == []


def test_a_good_store_passes_the_probe_and_is_left_clean(tmp_path):
    store = LocalStore(tmp_path)
    probe_store(store, str(tmp_path))
    assert store.keys("") == []


def test_a_store_that_overwrites_in_silence_is_refused(tmp_path):
    class Careless(LocalStore):
        def put_if_absent(self, key, data):
            self.put(key, data)
            return True

    with pytest.raises(ConfigError, match="overwrites"):
        probe_store(Careless(tmp_path), "there")


def test_an_unwritable_folder_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot write"):
        LocalStore(tmp_path / "file" / "below").put("a", b"1")


def test_locations_are_told_apart():
    assert is_url("s3://bucket/prefix")
    assert not is_url("data/demo")
    assert isinstance(open_store("data/demo"), LocalStore)
    with pytest.raises(ConfigError, match="no such kind of store"):
        open_store("nosuch://bucket")
