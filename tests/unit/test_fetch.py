"""CatalogueEntry -> RawBook, and where its bytes come from."""

import hashlib

import pytest

from schemas.books import CatalogueEntry
from schemas.errors import BookError, ConfigError
from schemas.settings import FetchSettings, SourceSettings
from tasks.backends.sources import FolderSource, MirrorSource, main_folder, open_source
from tasks.backends.stores import LocalStore
from tasks.fetch import fetch_book


def put(root, path, data=b"text"):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(data)


def test_both_layouts_of_a_mirror_are_found_best_file_first(tmp_path):
    for path in ("1/3/4/1342/1342.txt", "1/3/4/1342/1342-0.txt", "1/3/4/1342/1342-8.txt", "1/3/4/1342/old/pandp10.txt"):
        put(tmp_path, path)
    put(tmp_path, "cache/epub/1342/pg1342.txt")
    put(tmp_path, "0/7/7.txt")
    put(tmp_path, "readme.txt")
    source = FolderSource(str(tmp_path))
    assert source.book_ids() == ("7", "1342")
    assert [file.path.rsplit("/", 1)[1] for file in source.files("1342")] == [
        "1342-0.txt",
        "pg1342.txt",
        "1342-8.txt",
        "1342.txt",
        "pandp10.txt",
    ]
    assert source.files("9") == ()


def test_a_plain_folder_takes_names_as_ids(tmp_path):
    for path in ("the-salt-road.txt", "a/story.txt", "b/story.txt"):
        put(tmp_path, path)
    assert FolderSource(str(tmp_path)).book_ids() == ("a-story", "b-story", "the-salt-road")


def test_the_record_beside_a_text_is_found(tmp_path):
    put(tmp_path, "0/7/7-0.txt")
    put(tmp_path, "cache/epub/7/pg7.rdf", b"<rdf/>")
    source = FolderSource(str(tmp_path))
    assert source.rdf("7") == b"<rdf/>"
    assert source.rdf("8") is None


def test_a_fingerprint_changes_with_the_text_and_with_the_record(tmp_path):
    put(tmp_path, "0/7/7-0.txt", b"one")
    first = FolderSource(str(tmp_path)).fingerprint("7")
    put(tmp_path, "0/7/7-0.txt", b"two")
    second = FolderSource(str(tmp_path)).fingerprint("7")
    put(tmp_path, "cache/epub/7/pg7.rdf", b"<rdf/>")
    assert len({first, second, FolderSource(str(tmp_path)).fingerprint("7")}) == 3


def test_an_empty_or_missing_folder_is_one_clear_line(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no \.txt file"):
        FolderSource(str(tmp_path))
    with pytest.raises(ConfigError, match="no such folder"):
        FolderSource(str(tmp_path / "nowhere"))


def test_fetching_keeps_the_bytes_and_their_hash(tmp_path):
    put(tmp_path, "0/7/7-0.txt", b"A wet morning.")
    raw = fetch_book(CatalogueEntry(book_id="7"), FetchSettings(), source=FolderSource(str(tmp_path)))
    assert raw.data == b"A wet morning."
    assert raw.source_sha256 == hashlib.sha256(raw.data).hexdigest()
    assert raw.file == "0/7/7-0.txt"


@pytest.mark.parametrize(("data", "reason"), [(b"  \n", "empty-file"), (b"x" * 2_000, "too-large")])
def test_a_file_that_is_no_book_is_a_book_error(tmp_path, data, reason):
    put(tmp_path, "0/7/7-0.txt", data)
    with pytest.raises(BookError) as caught:
        fetch_book(CatalogueEntry(book_id="7"), FetchSettings(max_bytes=1_000), source=FolderSource(str(tmp_path)))
    assert caught.value.reason == reason


def test_a_link_that_leads_nowhere_is_passed_over(tmp_path):
    put(tmp_path, "0/7/7.txt", b"A wet morning.")
    (tmp_path / "0" / "7" / "7-0.txt").symlink_to(tmp_path / "nowhere")
    source = FolderSource(str(tmp_path))
    assert fetch_book(CatalogueEntry(book_id="7"), FetchSettings(), source=source).file == "0/7/7.txt"
    assert source.fingerprint("7") is not None


def test_a_file_that_cannot_be_read_is_a_book_error(tmp_path):
    put(tmp_path, "0/7/7-0.txt")
    source = FolderSource(str(tmp_path))
    (tmp_path / "0" / "7" / "7-0.txt").unlink()
    (tmp_path / "0" / "7" / "7-0.txt").mkdir()
    with pytest.raises(BookError) as caught:
        fetch_book(CatalogueEntry(book_id="7"), FetchSettings(), source=source)
    assert caught.value.reason == "unreadable"
    assert source.fingerprint("7") is None


def test_an_unknown_book_is_a_book_error(tmp_path):
    put(tmp_path, "0/7/7-0.txt")
    with pytest.raises(BookError, match="book 9") as caught:
        fetch_book(CatalogueEntry(book_id="9"), FetchSettings(), source=FolderSource(str(tmp_path)))
    assert caught.value.reason == "no-file"


@pytest.mark.parametrize(("book_id", "folder"), [("1342", "1/3/4/1342"), ("19", "1/19"), ("7", "0/7")])
def test_the_main_collection_has_a_folder_a_digit(book_id, folder):
    assert main_folder(book_id) == folder


def test_the_human_site_is_refused(tmp_path):
    settings = SourceSettings(location="https://www.gutenberg.org")
    with pytest.raises(ConfigError, match="for people only"):
        open_source(settings, LocalStore(tmp_path))


def test_an_unknown_scheme_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="not ftp://"):
        open_source(SourceSettings(location="ftp://example.org/books"), LocalStore(tmp_path))


def test_a_mirror_cannot_be_listed(tmp_path):
    mirror = MirrorSource("http://127.0.0.1:9", SourceSettings(), LocalStore(tmp_path))
    with pytest.raises(ConfigError, match="cannot be listed"):
        mirror.book_ids()
    assert mirror.fingerprint("7") is None
    assert [file.path for file in mirror.files("7")][:2] == ["0/7/7-0.txt", "cache/epub/7/pg7.txt"]
    assert mirror.files("salt-road") == ()
