"""A mirror by URL, and the harvest, over a real HTTP server that behaves well or badly."""

from __future__ import annotations

import html
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow.dataset
import pytest

from schemas.books import CatalogueEntry
from schemas.corpus_settings import FetchSettings, SourceSettings
from schemas.errors import BookError, ConfigError, TransientError
from schemas.settings import Settings
from tasks.backends.sources import HarvestSource, MirrorSource, refresh_feed
from tasks.backends.sources.polite import Turns
from tasks.backends.stores import LocalStore
from tasks.catalogue import Catalogue
from tasks.fetch import fetch_book
from tasks.opening import choose_books
from tests.epubs import make_epub, make_gz, make_zip, page
from tests.integration.book_server import BookServer, Reply
from tests.integration.conftest import ROOT
from tests.integration.ports import free_port

TEXT = b"The ferry went over the water and came back with nobody aboard but the boy.\n" * 100
OTHER = TEXT.upper()
PATH = "/9/0/901/901-0.txt"
HTML = b"<!DOCTYPE html><html><body>Please wait</body></html>"
TAG = {"ETag": '"v1"'}


def fast(**settings):
    return SourceSettings(**{"request_interval_s": 0.0, "timeout_s": 5.0, **settings})


@pytest.fixture
def server():
    with BookServer() as books:
        books.files[PATH] = TEXT
        books.files["/cache/epub/902/pg902.txt"] = OTHER
        yield books


@pytest.fixture
def slept():
    """The waits that would have been."""
    return []


@pytest.fixture
def mirror(server, tmp_path, slept):
    def open_mirror(url=None, max_bytes=100_000, **settings):
        turns = Turns(sleep=slept.append)
        turns._clock = lambda: sum(slept)
        return MirrorSource(url or server.url, fast(**settings), LocalStore(tmp_path / "cache"), max_bytes, turns)

    return open_mirror


def fetch(source, book_id="901"):
    return fetch_book(CatalogueEntry(book_id=book_id), FetchSettings(max_bytes=100_000), source=source)


def refusal(source, book_id="901"):
    with pytest.raises(BookError, match=f"book {book_id}: ") as caught:
        fetch(source, book_id)
    return caught.value


def nothing_kept(tmp_path):
    return not LocalStore(tmp_path / "cache").keys("download")


@pytest.mark.parametrize(("book_id", "file"), [("901", "9/0/901/901-0.txt"), ("902", "cache/epub/902/pg902.txt")])
def test_a_book_is_found_in_either_layout(mirror, book_id, file):
    raw = fetch(mirror(), book_id)
    assert raw.file == file
    assert raw.data in (TEXT, OTHER)


def test_what_was_fetched_is_not_asked_for_again(server, mirror):
    source = mirror()
    assert source.fingerprint("901") is None
    assert fetch(source).data == TEXT
    assert fetch(mirror()).data == TEXT
    assert server.count(PATH) == 1
    assert source.fingerprint("901") == mirror().fingerprint("901") is not None
    assert source.rdf("901") is None


def test_a_record_is_kept_and_a_page_for_a_record_is_not(server, mirror):
    server.files["/cache/epub/901/pg901.rdf"] = b"<rdf:RDF/>"
    server.files["/cache/epub/902/pg902.rdf"] = HTML
    source = mirror()
    fetch(source)
    before = source.fingerprint("901")
    assert source.rdf("901") == source.rdf("901") == b"<rdf:RDF/>"
    assert server.count("/cache/epub/901/pg901.rdf") == 1
    assert source.fingerprint("901") != before
    assert source.rdf("902") is None


def test_a_request_says_who_asks_and_for_the_bytes_as_they_are(server, mirror):
    fetch(mirror(contact="https://example.org/us"))
    headers = server.asked[0].headers
    assert headers["user-agent"].startswith("scriptorium/")
    assert "contact: https://example.org/us" in headers["user-agent"]
    assert headers["accept-encoding"] == "identity"


# ---- asking again ----


def test_a_refresh_of_the_same_file_costs_nothing(server, mirror):
    source = mirror()
    fetch(source)
    assert source.refresh("901") is False
    assert server.asked[-1].headers["if-none-match"]
    assert source.refresh("901") is False


def test_a_refresh_takes_the_new_file(server, mirror):
    source = mirror()
    fetch(source)
    server.files[PATH] = OTHER
    assert source.refresh("901") is True
    assert fetch(source).data == OTHER
    assert source.refresh("901") is False


def test_a_refresh_by_date_asks_with_the_date(server, mirror):
    dated = {"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}
    server.scripts[PATH] = [Reply(TEXT, headers=dated), Reply(status=304)]
    source = mirror()
    fetch(source)
    assert source.refresh("901") is False
    assert server.asked[-1].headers["if-modified-since"] == dated["Last-Modified"]


def test_a_refresh_sees_a_better_file_and_one_that_is_gone(server, mirror):
    source = mirror()
    fetch(source, "902")
    server.files["/9/0/902/902-0.txt"] = TEXT
    assert source.refresh("902") is True
    assert fetch(source, "902").file == "9/0/902/902-0.txt"
    server.files.clear()
    assert source.refresh("902") is True
    assert refusal(source, "902").reason == "no-file"


def test_a_refresh_keeps_what_it_has_when_the_mirror_answers_nonsense(server, mirror):
    source = mirror()
    fetch(source)
    server.scripts[PATH] = [Reply(HTML)]
    with pytest.raises(BookError, match="a page of HTML"):
        source.refresh("901")
    assert fetch(source).data == TEXT
    server.scripts[PATH] = [Reply(status=503)]
    with pytest.raises(TransientError):
        source.refresh("901")
    assert fetch(source).data == TEXT


def test_a_damaged_value_of_the_cache_is_fetched_again(server, mirror, tmp_path):
    fetch(mirror())
    store = LocalStore(tmp_path / "cache")
    (key,) = store.keys("download")
    store.put(f"download/{key.rpartition('/')[2]}", store.get(f"download/{key.rpartition('/')[2]}")[:-9])
    assert mirror().fingerprint("901") is None
    assert fetch(mirror()).data == TEXT
    assert server.count(PATH) == 2


# ---- a mirror that breaks off ----


def test_a_download_that_breaks_off_goes_on_where_it_was(server, mirror, tmp_path):
    server.scripts[PATH] = [Reply(TEXT, headers=TAG, cut=1_000)]
    tail = {**TAG, "Content-Range": f"bytes 1000-{len(TEXT) - 1}/{len(TEXT)}"}
    server.scripts[PATH] = [Reply(TEXT, headers=TAG, cut=1_000), Reply(TEXT[1_000:], 206, tail)]
    assert fetch(mirror()).data == TEXT
    assert server.asked[1].headers["range"] == "bytes=1000-"
    assert server.asked[1].headers["if-range"] == '"v1"'
    assert len(LocalStore(tmp_path / "cache").keys("download")) == 1


def test_a_part_is_kept_for_the_next_run_and_never_taken_for_the_whole(server, mirror):
    server.scripts[PATH] = [Reply(TEXT, headers=TAG, cut=1_000), Reply(status=503)]
    with pytest.raises(TransientError):
        fetch(mirror())
    assert mirror().fingerprint("901") is None
    tail = {**TAG, "Content-Range": f"bytes 1000-{len(TEXT) - 1}/{len(TEXT)}"}
    server.scripts[PATH] = [Reply(TEXT[1_000:], 206, tail)]
    assert fetch(mirror()).data == TEXT
    assert server.asked[-1].headers["range"] == "bytes=1000-"


@pytest.mark.parametrize(
    "answer",
    [
        Reply(OTHER, headers={"ETag": '"v2"'}),
        Reply(OTHER[1_000:], 206, {"ETag": '"v2"', "Content-Range": f"bytes 1000-{len(OTHER) - 1}/{len(OTHER)}"}),
        Reply(OTHER[900:], 206, {**TAG, "Content-Range": f"bytes 900-{len(OTHER) - 1}/{len(OTHER)}"}),
        Reply(OTHER[1_000:], 206, TAG),
        Reply(b"", 416),
    ],
    ids=["whole", "part of another", "other place", "no place", "out of range"],
)
def test_a_file_that_changes_between_two_parts_is_taken_whole(server, mirror, answer):
    server.scripts[PATH] = [Reply(TEXT, headers=TAG, cut=1_000), answer, Reply(OTHER, headers={"ETag": '"v2"'})]
    assert fetch(mirror()).data == OTHER


def test_a_part_without_a_mark_is_not_gone_on_with(server, mirror):
    server.scripts[PATH] = [Reply(TEXT, cut=1_000), Reply(OTHER)]
    assert fetch(mirror()).data == OTHER
    assert "range" not in server.asked[1].headers


def test_a_length_that_is_a_lie_is_no_whole_file(server, mirror):
    server.scripts[PATH] = [Reply(TEXT, length=len(TEXT) + 500)]
    with pytest.raises(TransientError, match="broke off"):
        fetch(mirror())
    assert mirror().fingerprint("901") is None


def test_a_server_that_stalls_is_busy(server, mirror):
    server.scripts[PATH] = [Reply(TEXT, headers=TAG, cut=1_000, stall=True)]
    with pytest.raises(TransientError):
        fetch(mirror(timeout_s=0.2))


def test_a_server_that_drips_is_cut_off(server, mirror):
    server.scripts[PATH] = [Reply(TEXT, endless=True, length=None)]
    with pytest.raises(TransientError, match="broke off"):
        fetch(mirror(max_bytes=10**12, download_timeout_s=0.001))


# ---- answers that are no book ----


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(HTML, headers={"Content-Type": "text/html"}), "html-answer"),
        (Reply(b""), "empty-file"),
        (Reply(bytes(range(256)) * 20), "binary"),
        (Reply(make_gz(TEXT)[:-9]), "damaged-archive"),
        (Reply(make_gz(b"x" * 5_000_000)), "too-large"),
        (Reply(make_zip({"901-0.txt": TEXT})[:-9]), "damaged-archive"),
        (Reply(TEXT, length=10**9), "too-large"),
        (Reply(TEXT, length=None, endless=True), "too-large"),
        (Reply(status=451), "refused"),
        (Reply(status=302, headers={"Location": "http://localhost:9/x.txt"}), "redirect"),
        (Reply(status=302, headers={"Location": "https://www.gutenberg.org/ebooks/901"}), "redirect"),
        (Reply(status=302, headers={"Location": "/" + "x/" * 3}), "redirect"),
        (Reply(status=302, headers={"Location": "http://[broken"}), "redirect"),
        (Reply(status=302, headers={"Location": "file:///etc/passwd"}), "redirect"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_that_is_no_book_is_refused_and_not_kept(server, mirror, tmp_path, reply, reason):
    server.scripts[PATH] = [reply]
    server.scripts["/x/x/x/"] = [reply]
    source = mirror()
    error = refusal(source)
    assert (error.reason, error.book_id) == (reason, "901")
    assert nothing_kept(tmp_path)
    assert fetch(source, "902").data == OTHER


def test_a_damaged_file_gives_way_to_the_next(server, mirror):
    server.files["/cache/epub/901/pg901.txt"] = OTHER
    server.scripts[PATH] = [Reply(HTML)]
    raw = fetch(mirror())
    assert (raw.file, raw.data) == ("cache/epub/901/pg901.txt", OTHER)
    assert "page of HTML" in raw.notes[0]


def test_a_redirect_within_the_site_is_followed(server, mirror):
    server.scripts[PATH] = [Reply(status=301, headers={"Location": "/files/901-0.txt"})]
    server.files["/files/901-0.txt"] = OTHER
    assert fetch(mirror()).data == OTHER


def test_a_redirect_to_a_host_that_is_allowed_is_followed_without_the_login(server, mirror):
    with BookServer() as friend:
        friend.files["/b.txt"] = OTHER
        server.scripts[PATH] = [
            Reply(status=302, headers={"Location": f"{friend.url}/b.txt".replace("127.0.0.1", "localhost")})
        ]
        source = mirror(server.url.replace("//", "//reed:s3cret@"), hosts=("localhost",))
        assert fetch(source).data == OTHER
        assert "authorization" in server.asked[0].headers
        assert "authorization" not in friend.asked[0].headers


def test_a_login_is_used_and_never_told(server, mirror, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    source = mirror(server.url.replace("//", "//reed:s3cret@"))
    fetch(source)
    assert server.asked[0].headers["authorization"].startswith("Basic ")
    server.scripts[PATH] = [Reply(status=401), Reply(status=503), Reply(HTML)]
    for _ in range(3):
        with pytest.raises((ConfigError, TransientError, BookError)) as caught:
            source.refresh("901")
        assert "s3cret" not in str(caught.value)
        assert "s3cret" not in repr(caught.value.__cause__)
    assert "s3cret" not in caplog.text
    assert b"s3cret" not in b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file())


# ---- a mirror that is busy ----


def test_a_busy_mirror_is_a_transient_error(server, mirror):
    server.scripts[PATH] = [Reply(status=503)]
    with pytest.raises(TransientError, match=r"901-0\.txt: status 503"):
        fetch(mirror())
    assert server.count(PATH) == 1


def test_a_mirror_that_is_away_is_a_transient_error(mirror):
    with pytest.raises(TransientError, match="no answer"):
        fetch(mirror(f"http://127.0.0.1:{free_port()}"))


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_short_wait_that_is_asked_for_is_waited(server, mirror, slept, status):
    server.scripts[PATH] = [Reply(status=status, headers={"Retry-After": "7"}), Reply(TEXT)]
    assert fetch(mirror()).data == TEXT
    assert slept == [7.0]


def test_a_long_wait_that_is_asked_for_ends_the_try_and_says_until_when(server, mirror, slept):
    server.scripts[PATH] = [Reply(status=429, headers={"Retry-After": "86400"})]
    source = mirror(max_retry_after_s=60.0)
    for _ in range(2):
        with pytest.raises(TransientError, match=r"until 20\d\d-.*run again then"):
            fetch(source)
    assert server.count(PATH) == 1
    assert slept == []


def test_a_mirror_that_asks_to_wait_for_ever_is_given_up(server, mirror, slept):
    server.scripts[PATH] = [Reply(status=429, headers={"Retry-After": "1"})]
    with pytest.raises(TransientError, match="status 429"):
        fetch(mirror())
    assert server.count(PATH) == 3
    assert slept == [1.0, 1.0]


def test_requests_come_one_at_a_time_and_keep_their_distance(server, mirror, slept):
    names = [f"/9/0/90{number}/90{number}-0.txt" for number in range(1, 6)]
    for name in names:
        server.files[name] = TEXT
    source = mirror(request_interval_s=2.0)
    with ThreadPoolExecutor(5) as pool:
        raws = list(pool.map(lambda number: fetch(source, f"90{number}"), range(1, 6)))
    assert all(raw.data == TEXT for raw in raws)
    assert server.most_in_flight == 1
    assert slept == [2.0] * 4


def test_one_stalled_book_does_not_stop_the_others(server, mirror):
    server.scripts[PATH] = [Reply(TEXT, cut=10, stall=True)]
    source = mirror(timeout_s=0.2)
    results = []

    def run(book_id):
        try:
            results.append(fetch(source, book_id).data)
        except TransientError as error:
            results.append(type(error))

    threads = [threading.Thread(target=run, args=(book_id,)) for book_id in ("901", "902")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert TransientError in results
    assert OTHER in results


# ---- the harvest and the feeds ----


def listing(*hrefs):
    return ("<html><body>" + "".join(f'<p><a href="{href}">x</a></p>' for href in hrefs) + "</body></html>").encode()


def test_the_harvest_is_followed_page_by_page_to_a_mirrors_zips(server, tmp_path):
    start = "/robot/harvest?filetypes[]=txt&langs[]=en"
    following = "/robot/harvest?offset=2&filetypes[]=txt"
    with BookServer() as host:
        host.files["/1/1/11/11-0.zip"] = make_zip({"11-0.txt": TEXT})
        links = [f"{host.url}/1/1/11/{name}.zip" for name in ("11-8", "11-0")]
        server.files[start] = listing(
            *links, "https://www.gutenberg.org/files/12/12-0.zip", "harvest?offset=2&amp;filetypes[]=txt"
        )
        server.files[following] = listing(
            f"{host.url}/1/3/13.zip", f"{host.url}/etext97/alice30.zip", "harvest?offset=2&amp;filetypes[]=txt"
        )

        def open_harvest():
            return HarvestSource(server.url + start, fast(), LocalStore(tmp_path / "cache"), 100_000)

        source = open_harvest()
        assert source.book_ids() == ("11", "13")
        raw = fetch(source, "11")
        assert (raw.data, raw.file) == (TEXT, "1/1/11/11-0.zip/11-0.txt")
        assert open_harvest().fingerprint("11") == source.fingerprint("11") is not None
        assert (source.rdf("11"), source.entry("11")) == (None, None)
        assert [asked.path for asked in server.asked] == [start, following]
        assert source.relist() is False
        server.files[following] = listing(f"{host.url}/1/4/14.zip")
        assert source.relist() is True
        assert source.book_ids() == ("11", "14")
        assert source.refresh("11") is False


def test_a_page_that_is_no_listing_is_a_config_error(server, tmp_path):
    server.files["/robot/harvest"] = b"<html>Nothing here</html>"
    for files in (server.files, {}):
        server.files = files
        source = HarvestSource(f"{server.url}/robot/harvest", fast(), LocalStore(tmp_path / str(len(files))))
        with pytest.raises(ConfigError, match="listing"):
            source.book_ids()


def test_a_feed_is_fetched_and_asked_for_again(server, tmp_path):
    url = f"{server.url}/cache/epub/feeds/pg_catalog.csv.gz"
    store = LocalStore(tmp_path)
    with pytest.raises(ConfigError, match="no feed there"):
        refresh_feed(url, fast(), store, 100_000)
    server.files["/cache/epub/feeds/pg_catalog.csv.gz"] = make_gz(TEXT)
    assert refresh_feed(url, fast(), store, 100_000) == (make_gz(TEXT), True)
    assert refresh_feed(url, fast(), store, 100_000) == (make_gz(TEXT), False)
    assert server.asked[-1].headers["if-none-match"]


# ---- a whole build ----


def test_all_of_a_mirror_needs_a_catalogue(server, mirror):
    source, settings = mirror(), Settings(source=SourceSettings(location=server.url))
    with pytest.raises(ConfigError, match="give --catalogue"):
        choose_books(settings, source, Catalogue.of(()))
    novel = {"locc": ("PR",), "subjects": ("Sea stories",)}
    entries = (
        CatalogueEntry(book_id="901", type="Text", languages=("en",), **novel),
        CatalogueEntry(book_id="902", type="Text", languages=("de",), **novel),
        CatalogueEntry(book_id="903", type="Sound", languages=("en",), **novel),
    )
    chosen, left_out = choose_books(settings, source, Catalogue.of(entries))
    assert chosen == ("901",)
    assert left_out == {"other-type": 1, "other-language": 1}


def test_a_build_from_a_mirror_makes_trajectories(server, cli, tmp_path):
    for path, sample in ((PATH, "top-water"), ("/cache/epub/902/pg902.txt", "existence-doubtful")):
        server.files[path] = (ROOT / "samples" / f"{sample}.txt").read_bytes()
    profile = tmp_path / "fast.toml"
    profile.write_text("[source]\nrequest_interval_s = 0.0\n")
    done = cli(
        "build", "--source", server.url, "--books", "901,902", "--out", str(tmp_path / "out"), "--profile", str(profile)
    )
    assert done.returncode == 0, done.stderr
    assert "2 in = 2 out + 0 rejected" in done.stdout


def test_a_refresh_from_a_mirror_asks_for_the_catalogue_and_for_changes(server, cli, tmp_path):
    feed = "/cache/epub/feeds/pg_catalog.csv"
    header = "Text#,Type,Issued,Title,Language,Authors,Subjects,LoCC,Bookshelves\n"
    row = '{},Text,1993-10-01,{},en,"Invented, Ann",Sea stories,PR,\n'
    server.files[feed] = (header + row.format(901, "Top Water")).encode()
    server.files[PATH] = (ROOT / "samples" / "top-water.txt").read_bytes()
    profile = tmp_path / "fast.toml"
    profile.write_text("[source]\nrequest_interval_s = 0.0\n[refresh]\nrecheck_days = 1\n")
    command = ("refresh", "--source", server.url, "--catalogue", server.url + feed, "--out", str(tmp_path / "out"))

    def refresh():
        done = cli(*command, "--profile", str(profile), "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["diff"]

    assert refresh()["new"] == ["901"]
    server.files[feed] += row.format(902, "The Account").encode()
    server.files["/cache/epub/902/pg902.txt"] = (ROOT / "samples" / "the-skarvoe-account.txt").read_bytes()
    second = refresh()
    assert (second["new"], second["changed"], second["unchanged"]) == (["902"], [], 1)
    third = refresh()
    assert (third["new"], third["changed"], third["unchanged"]) == ([], [], 2)


def test_a_build_from_a_folder_of_ones_own_reads_its_epub_and_its_table(cli, tmp_path):
    folder, out = tmp_path / "books", tmp_path / "out"
    folder.mkdir()
    lines = (ROOT / "samples" / "top-water.txt").read_text(encoding="utf-8").split("\n\n")
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line.strip())
    (folder / "mine.epub").write_bytes(make_epub(page(paragraphs)))
    (folder / "broken.txt").write_bytes(bytes(range(256)))
    (folder / "books.csv").write_text("file,id,title\nmine.epub,water,High Water\n")
    done = cli("build", "--source", str(folder), "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    books = pyarrow.dataset.dataset(out / "data" / "books").to_table().to_pylist()
    assert [(book["book_id"], book["title"]) for book in books] == [("water", "High Water")]
    assert "Ada" in str(books[0])
    rejected = pyarrow.dataset.dataset(out / "data" / "rejected").to_table().to_pylist()
    assert ("broken", "binary") in [(row["book_id"], row["reason"]) for row in rejected]
