"""When and where a robot may ask: turns, waits, hosts, the human site."""

import email.utils
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from schemas.corpus_settings import SourceSettings
from schemas.errors import ConfigError, TransientError
from tasks.backends.sources import HarvestSource, MirrorSource, open_source
from tasks.backends.sources.harvest import add_link, is_next, read_hrefs
from tasks.backends.sources.polite import Turns, check_robot_url, is_same_site, raise_status, retry_after, shown
from tasks.backends.stores import LocalStore
from tasks.fetching.soundness import RefusedError


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def take(turns, host="a", pause_s=2.0, patience_s=10.0):
    with turns.turn(host, pause_s, patience_s):
        pass


def test_requests_to_a_host_keep_their_distance():
    clock = Clock()
    turns = Turns(clock, clock.sleep)
    take(turns)
    take(turns)
    take(turns, "b")
    assert clock.slept == [2.0]
    take(turns)
    assert clock.slept == [2.0, 2.0]


def test_the_pause_begins_when_the_answer_has_ended():
    clock = Clock()
    turns = Turns(clock, clock.sleep)
    with turns.turn("a", 2.0, 10.0):
        clock.now += 30
    take(turns)
    assert clock.slept == [2.0]


def test_a_host_that_asks_for_too_long_a_rest_is_left_alone():
    clock = Clock()
    turns = Turns(clock, clock.sleep)
    turns.put_off("a", 8.0)
    take(turns)
    turns.put_off("a", 3_600.0)
    with pytest.raises(TransientError, match=r"until 20\d\d-.* UTC \(3600 s from now\); run again then"):
        take(turns)
    assert clock.slept == [8.0]


def answer(status=503, **headers):
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_retry_after_is_seconds_or_a_date_by_the_servers_clock():
    then = datetime(2031, 5, 4, 12, 0, tzinfo=UTC)
    dates = {"Retry_After": email.utils.format_datetime(then + timedelta(seconds=90), usegmt=True)}
    assert retry_after(answer(Retry_After="120")) == 120.0
    assert retry_after(answer(**dates, Date=email.utils.format_datetime(then, usegmt=True))) == 90.0
    assert retry_after(answer(Retry_After="Sun, 06 Nov 1994 08:49:37 GMT")) == 0.0
    assert retry_after(answer()) is None
    assert retry_after(answer(Retry_After="soon")) is None
    assert retry_after(answer(Retry_After="-3")) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://www.gutenberg.org/ebooks/1342.txt.utf-8",
        "https://www.gutenberg.org/cache/epub/1342/pg1342.txt",
        "http://gutenberg.org/files/1342/1342-0.txt",
        "http://WWW.Gutenberg.org.:80/",
        "http://u:p@www.gutenberg.org/robot/",
        "https://www.gutenberg.org/robot/harvest/../../ebooks/84",
        "https://www.gutenberg.org/cache/epub/feeds/../84/pg84.txt",
        "https://www.gutenberg.org/cache/epub/feeds/%2e%2e/84",
        "https://www.gutenberg.org/cache/epub/feeds/",
    ],
)
def test_no_page_of_the_human_site_is_asked(url):
    with pytest.raises(RefusedError, match="for people only"):
        check_robot_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.gutenberg.org/robot/harvest?offset=2&filetypes[]=txt",
        "https://www.gutenberg.org/cache/epub/feeds/pg_catalog.csv.gz",
        "http://aleph.gutenberg.org/1/3/4/1342/1342-0.zip",
        "http://127.0.0.1:8000/files/1342/1342-0.txt",
    ],
)
def test_what_robots_may_ask_is_asked(url):
    assert check_robot_url(url) is None


@pytest.mark.parametrize(
    ("target", "same"),
    [
        ("http://m.example/b", True),
        ("https://m.example/b", True),
        ("http://m.example:8080/b", False),
        ("http://other.example/b", False),
        ("http://friend.example/b", True),
        ("ftp://m.example/b", False),
        ("file:///etc/passwd", False),
    ],
)
def test_a_redirect_stays_on_its_site(target, same):
    assert is_same_site("http://m.example/a", target, {"friend.example"}) is same


def test_a_redirect_does_not_give_up_encryption():
    assert not is_same_site("https://m.example/a", "http://m.example/a", set())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, FileNotFoundError),
        (410, FileNotFoundError),
        (401, ConfigError),
        (403, TransientError),
        (429, TransientError),
        (500, TransientError),
        (451, RefusedError),
        (204, RefusedError),
    ],
)
def test_a_status_means_an_error(status, error):
    with pytest.raises(error) as caught:
        raise_status("http://u:secret@m.example/a?token=x", status)
    assert "secret" not in str(caught.value)
    assert "token" not in str(caught.value)


def test_messages_show_no_login():
    assert shown("http://u:p@m.example:81/a/b?q=1#f") == "http://m.example:81/a/b"


def test_a_mirror_cannot_be_listed(tmp_path):
    mirror = MirrorSource("http://127.0.0.1:9", SourceSettings(), LocalStore(tmp_path))
    with pytest.raises(ConfigError, match="cannot be listed"):
        mirror.book_ids()
    assert mirror.fingerprint("7") is None
    assert [file.path for file in mirror.files("7")][:2] == ["0/7/7-0.txt", "cache/epub/7/pg7.txt"]
    assert mirror.files("salt-road") == mirror.files("../7") == mirror.files("²") == ()


def test_the_generated_tree_by_itself_is_a_mirror(tmp_path):
    mirror = MirrorSource("http://m.example/cache/epub/", SourceSettings(), LocalStore(tmp_path))
    assert [mirror.url_of(file) for file in mirror.files("7")] == ["http://m.example/cache/epub/7/pg7.txt"]
    assert mirror.record_url("7") == "http://m.example/cache/epub/7/pg7.rdf"


def test_the_harvest_is_known_by_its_path(tmp_path):
    settings = SourceSettings(location="https://www.gutenberg.org/robot/harvest?filetypes[]=txt&langs[]=en")
    assert isinstance(open_source(settings, LocalStore(tmp_path), 10_000), HarvestSource)


def test_links_of_the_listing_are_books_or_the_next_page():
    start = "https://www.gutenberg.org/robot/harvest?filetypes[]=txt"
    page = b'<html><a href="http://aleph.example/1/11/11-0.zip">x</a><a name="x"><a href="harvest?offset=9&amp;filetypes[]=txt">Next</a>'
    hrefs = read_hrefs(page)
    assert hrefs == ["http://aleph.example/1/11/11-0.zip", "harvest?offset=9&filetypes[]=txt"]
    links = {}
    for url in (hrefs[0], "https://www.gutenberg.org/files/12/12-0.zip", "http://aleph.example/etext97/alice30.zip"):
        add_link(url, links)
    assert links == {"11": {"1/11/11-0.zip": hrefs[0]}}
    assert is_next("https://www.gutenberg.org/robot/harvest?offset=9", start, [])
    assert not is_next(
        "https://www.gutenberg.org/robot/harvest?offset=9", start, ["https://www.gutenberg.org/robot/harvest?offset=9"]
    )
    assert not is_next("https://other.example/robot/harvest?offset=9", start, [])
    assert not is_next("https://www.gutenberg.org/ebooks/?offset=9", start, [])
