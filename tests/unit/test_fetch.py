"""CatalogueEntry -> RawBook: the best file that is sound, plain or packed."""

import hashlib
import os

import pytest

from schemas.books import CatalogueEntry
from schemas.corpus_settings import FetchSettings
from schemas.errors import BookError
from tasks.backends.sources import FolderSource
from tasks.fetch import complete_entry, fetch_book, read_file
from tasks.fetching.file_names import main_folder, read_mirror_name
from tests.epubs import make_epub, make_gz, make_zip, page

TEXT = b"A wet morning.\n"
PIXELS = bytes(range(256)) * 30
ZIP = make_zip({"7.txt": TEXT * 50})


def put(root, path, data=TEXT):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(data)


def fetch(root, book_id="7", **settings):
    return fetch_book(CatalogueEntry(book_id=book_id), FetchSettings(**settings), source=FolderSource(str(root)))


def refusal(root, book_id="7", **settings):
    with pytest.raises(BookError, match=f"book {book_id}: ") as caught:
        fetch(root, book_id, **settings)
    return caught.value.reason


def test_fetching_keeps_the_bytes_and_their_hash(tmp_path):
    put(tmp_path, "0/7/7-0.txt")
    raw = fetch(tmp_path)
    assert raw.data == TEXT
    assert raw.source_sha256 == raw.file_sha256 == hashlib.sha256(TEXT).hexdigest()
    assert (raw.file, raw.notes) == ("0/7/7-0.txt", ())


@pytest.mark.parametrize(
    ("name", "data", "file"),
    [
        ("7-0.zip", make_zip({"7-0.txt": TEXT}), "0/7/7-0.zip/7-0.txt"),
        ("7-0.txt.gz", make_gz(TEXT), "0/7/7-0.txt.gz"),
        ("7.zip", make_zip({"readme.txt": b"x" * 99, "7/7-8.txt": b"latin", "7/7-0.txt": TEXT}), "0/7/7.zip/7/7-0.txt"),
        ("7.zip", make_zip({"readme.txt": b"x" * 99, "7.txt": TEXT, "__MACOSX/7-0.txt": b"x"}), "0/7/7.zip/7.txt"),
        ("7.txt", make_gz(TEXT), "0/7/7.txt"),
    ],
    ids=["zip", "gz", "best text of a zip", "own text of a zip", "gz by another name"],
)
def test_a_packed_file_is_unpacked(tmp_path, name, data, file):
    put(tmp_path, f"0/7/{name}", data)
    raw = fetch(tmp_path)
    assert (raw.data, raw.file) == (TEXT, file)
    assert raw.source_sha256 == hashlib.sha256(TEXT).hexdigest()
    assert raw.file_sha256 == hashlib.sha256(data).hexdigest()


BAD = {
    "blank": (b" \n\xef\xbb\xbf\0", "empty-file"),
    "no byte": (b"", "empty-file"),
    "too large": (b"x" * 20_000, "too-large"),
    "pixels": (PIXELS, "binary"),
    "page": (b"\xef\xbb\xbf <!-- x -->\n<!DOCTYPE html><p>Not found", "html-answer"),
    "gz cut off": (make_gz(TEXT * 50)[:-9], "damaged-archive"),
    "gz bomb": (make_gz(b"x" * 1_000_000), "too-large"),
    "zip cut off": (ZIP[:-30], "damaged-archive"),
    "zip damaged": (ZIP[:40] + b"\xff\xff" + ZIP[42:], "damaged-archive"),
    "zip bomb": (make_zip({"7.txt": b"x" * 1_000_000}), "too-large"),
    "zip of pictures": (make_zip({"7.png": PIXELS}), "no-text-in-archive"),
    "empty zip": (make_zip({}), "no-text-in-archive"),
    "zip that climbs": (make_zip({"../../7.txt": TEXT}), "unsafe-archive"),
    "zip with a root": (make_zip({"/etc/7.txt": TEXT}), "unsafe-archive"),
    "zip of a binary": (make_zip({"7.txt": PIXELS}), "binary"),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD)
def test_a_file_that_is_no_book_is_a_book_error(tmp_path, data, reason):
    put(tmp_path, "0/7/7-0.txt", data)
    put(tmp_path, "0/8/8.txt")
    assert refusal(tmp_path, max_bytes=10_000) == reason
    assert fetch(tmp_path, "8").data == TEXT


def test_a_zip_that_lies_about_its_size_is_bounded(tmp_path):
    data = bytearray(make_zip({"7.txt": b"x" * 1_000_000}))
    at = data.rfind(b"PK\x01\x02") + 24  # uncompressed size in the list of files
    data[at : at + 4] = (100).to_bytes(4, "little")
    put(tmp_path, "0/7/7-0.zip", bytes(data))
    assert refusal(tmp_path, max_bytes=10_000) in ("too-large", "damaged-archive")


def test_an_encrypted_zip_is_refused(tmp_path):
    data = bytearray(make_zip({"7.txt": TEXT}))
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    put(tmp_path, "0/7/7-0.zip", bytes(data))
    assert refusal(tmp_path) == "encrypted"


@pytest.mark.parametrize("data", [b"", PIXELS, make_gz(TEXT)[:-5]], ids=["empty", "binary", "cut off"])
def test_a_damaged_best_file_gives_way_to_the_next(tmp_path, data, caplog):
    put(tmp_path, "0/7/7-0.txt", data)
    put(tmp_path, "0/7/7.txt")
    raw = fetch(tmp_path)
    assert raw.file == "0/7/7.txt"
    assert len(raw.notes) == 1
    assert raw.notes[0].startswith("0/7/7-0.txt")
    assert "0/7/7.txt is taken instead" in caplog.text


def test_a_book_without_a_sound_file_tells_of_each(tmp_path):
    put(tmp_path, "0/7/7-0.txt", b"")
    put(tmp_path, "0/7/7.txt", PIXELS)
    with pytest.raises(BookError, match=r"7-0\.txt.* no text; 0/7/7\.txt.* control characters") as caught:
        fetch(tmp_path)
    assert caught.value.reason == "empty-file"


def test_a_link_that_leads_nowhere_is_passed_over(tmp_path):
    put(tmp_path, "0/7/7.txt")
    (tmp_path / "0" / "7" / "7-0.txt").symlink_to(tmp_path / "nowhere")
    assert fetch(tmp_path).file == "0/7/7.txt"


def test_a_link_out_of_the_folder_is_refused_and_one_within_is_read(tmp_path):
    put(tmp_path, "secret/secret.txt", b"not for you")
    put(tmp_path, "mirror/0/8/8-0.txt")
    put(tmp_path, "mirror/0/7/readme")
    (tmp_path / "mirror/0/7/7-0.txt").symlink_to(tmp_path / "secret/secret.txt")
    (tmp_path / "mirror/0/8/8.txt").symlink_to(tmp_path / "mirror/0/8/8-0.txt")
    assert refusal(tmp_path / "mirror") == "outside-source"
    assert fetch(tmp_path / "mirror", "8").data == TEXT


@pytest.mark.parametrize("kind", ["folder", "loop", "pipe"])
def test_what_is_no_file_is_a_book_error(tmp_path, kind):
    put(tmp_path, "0/7/readme.txt")
    path = tmp_path / "0/7/7-0.txt"
    put(tmp_path, "0/7/7-0.txt")
    source = FolderSource(str(tmp_path))
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    else:
        os.mkfifo(path)
    with pytest.raises(BookError, match="book 7") as caught:
        fetch_book(CatalogueEntry(book_id="7"), FetchSettings(), source=source)
    assert caught.value.reason == "unreadable"
    assert source.fingerprint("7") is None


@pytest.mark.parametrize("book_id", ["9", "../../etc/passwd", "²", ""])
def test_an_unknown_book_is_a_book_error(tmp_path, book_id):
    put(tmp_path, "0/7/7-0.txt")
    entry = CatalogueEntry.model_construct(book_id=book_id)
    with pytest.raises(BookError) as caught:
        fetch_book(entry, FetchSettings(), source=FolderSource(str(tmp_path)))
    assert caught.value.reason == "no-file"


def test_an_epub_is_read_where_there_is_no_text(tmp_path):
    put(tmp_path, "cache/epub/7/pg7.epub", make_epub(page("<h1>The Salt Road</h1><p>One.</p>")))
    raw = fetch(tmp_path)
    assert raw.data == b"The Salt Road\n\n\nOne.\n"
    assert raw.entry.title == "The Salt Road"
    put(tmp_path, "0/7/7.txt")
    assert fetch(tmp_path).data == TEXT


def test_a_known_field_is_never_overwritten():
    entry = complete_entry(
        CatalogueEntry(book_id="7", title="Mine"), {"title": "Theirs", "rights": "CC0", "type": None}
    )
    assert (entry.title, entry.rights, entry.type) == ("Mine", "CC0", None)
    raw = read_file(entry, "7.txt", TEXT, FetchSettings())
    assert raw.entry is entry


@pytest.mark.parametrize(("book_id", "folder"), [("1342", "1/3/4/1342"), ("19", "1/19"), ("7", "0/7")])
def test_the_main_collection_has_a_folder_a_digit(book_id, folder):
    assert main_folder(book_id) == folder


def test_names_tell_the_best_file():
    best_first = [
        "1/1/11/11-0.txt",
        "1/1/11/11-0.zip",
        "cache/epub/11/pg11.txt",
        "cache/epub/11/pg11.txt.utf8.gzip",
        "1/1/11/11-8.txt",
        "1/1/11/11.txt",
        "1/1/11/11.txt.gz",
        "cache/epub/11/pg11-images.epub",
        "1/1/11/old/11-0.txt",
        "1/1/11/old/8alic10.txt",
        "1/1/11/old/alice30.txt",
    ]
    named = [read_mirror_name(path) for path in best_first]
    assert [one.book_id for one in named] == ["11"] * len(named)
    assert [one.rank for one in named] == sorted(one.rank for one in named)
    assert len({one.rank for one in named}) == len(named)
    for other in ("1/1/11/readme.txt", "1/1/11/11-h.zip", "GUTINDEX.ALL", "1/1/11/old/11-h.zip", "11-10.txt"):
        assert read_mirror_name(other) is None
