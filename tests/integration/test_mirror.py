"""A mirror by URL, in both of Gutenberg's layouts, over a real HTTP server."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from schemas.books import CatalogueEntry
from schemas.errors import ConfigError, TransientError
from schemas.settings import FetchSettings, Settings, SourceSettings
from tasks.backends.sources import MirrorSource
from tasks.backends.stores import LocalStore
from tasks.fetch import fetch_book
from tasks.opening import choose_books
from tests.integration.conftest import ROOT, free_port

FAST = SourceSettings(request_interval_s=0.0)


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder and counts; a path with 'busy' in it is always busy."""

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self):
        Handler.asked[self.path] += 1
        if "busy" in self.path:
            self.send_error(503)
            return
        super().do_GET()

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def mirror(tmp_path):
    root = tmp_path / "mirror"
    for path, sample in (("9/0/901/901-0.txt", "top-water"), ("cache/epub/902/pg902.txt", "existence-doubtful")):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_bytes((ROOT / "samples" / f"{sample}.txt").read_bytes())
    Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def open_mirror(url, tmp_path, settings=FAST):
    return MirrorSource(url, settings, LocalStore(tmp_path / "cache"))


@pytest.mark.parametrize(("book_id", "file"), [("901", "9/0/901/901-0.txt"), ("902", "cache/epub/902/pg902.txt")])
def test_a_book_is_found_in_either_layout(mirror, tmp_path, book_id, file):
    raw = fetch_book(CatalogueEntry(book_id=book_id), FetchSettings(), source=open_mirror(mirror, tmp_path))
    assert raw.file == file
    assert raw.data.startswith((b"The Scriptorium", b"\xef\xbb\xbf"))


def test_what_was_fetched_is_not_asked_for_again(mirror, tmp_path):
    source = open_mirror(mirror, tmp_path)
    assert source.fingerprint("901") is None
    fetch_book(CatalogueEntry(book_id="901"), FetchSettings(), source=source)
    fetch_book(CatalogueEntry(book_id="901"), FetchSettings(), source=open_mirror(mirror, tmp_path))
    assert Handler.asked["/9/0/901/901-0.txt"] == 1
    assert source.fingerprint("901") is not None
    assert source.rdf("901") is None


def test_a_busy_mirror_is_a_transient_error(mirror, tmp_path):
    with pytest.raises(TransientError, match="status 503"):
        open_mirror(mirror, tmp_path).read("busy/1.txt")


def test_a_mirror_that_is_away_is_a_transient_error(tmp_path):
    with pytest.raises(TransientError, match="no answer"):
        open_mirror(f"http://127.0.0.1:{free_port()}", tmp_path).read("1.txt")


def test_requests_keep_their_distance(mirror, tmp_path):
    source = open_mirror(mirror, tmp_path, SourceSettings(request_interval_s=0.2))
    source.read("9/0/901/901-0.txt")
    assert source._next_time > 0
    before = source._next_time
    source.read("cache/epub/902/pg902.txt")
    assert source._next_time - before >= 0.2


def test_all_of_a_mirror_needs_a_catalogue(mirror, tmp_path):
    source, settings = open_mirror(mirror, tmp_path), Settings(source=SourceSettings(location=mirror))
    with pytest.raises(ConfigError, match="give --catalogue"):
        choose_books(settings, source, {})
    entries = {
        "901": CatalogueEntry(book_id="901", type="Text", languages=("en",)),
        "902": CatalogueEntry(book_id="902", type="Text", languages=("de",)),
        "903": CatalogueEntry(book_id="903", type="Sound", languages=("en",)),
    }
    assert choose_books(settings, source, entries) == ("901",)


def test_a_build_from_a_mirror_makes_trajectories(mirror, cli, tmp_path):
    profile = tmp_path / "fast.toml"
    profile.write_text("[source]\nrequest_interval_s = 0.0\n")
    done = cli(
        "build", "--source", mirror, "--books", "901,902", "--out", str(tmp_path / "out"), "--profile", str(profile)
    )
    assert done.returncode == 0, done.stderr
    assert "2 in = 2 out + 0 rejected" in done.stdout
