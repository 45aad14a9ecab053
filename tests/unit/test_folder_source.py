"""A folder of books: a mirror's, or one's own with its table."""

import pytest

from schemas.corpus_settings import SourceSettings
from schemas.errors import ConfigError
from tasks.backends.sources import FolderSource, open_source
from tasks.backends.stores import LocalStore


def put(root, path, data=b"A wet morning.\n"):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(data if isinstance(data, bytes) else data.encode())


def names(source, book_id):
    return [file.path.rsplit("/", 1)[-1] for file in source.files(book_id)]


def refuse(root, match, table=None):
    with pytest.raises(ConfigError, match=match) as caught:
        FolderSource(str(root), table=table)
    return str(caught.value)


def one_line(message):
    return "\n" not in message


def test_both_layouts_of_a_mirror_are_found_best_file_first(tmp_path):
    for path in ("1342.txt", "1342-0.txt", "1342-0.zip", "1342-8.txt", "old/pandp10.txt", "old/pandp12.txt"):
        put(tmp_path, f"1/3/4/1342/{path}")
    put(tmp_path, "cache/epub/1342/pg1342.txt")
    put(tmp_path, "0/7/7.txt")
    put(tmp_path, "readme.txt")
    put(tmp_path, "1/3/4/1342/1342-h/1342.txt")
    source = FolderSource(str(tmp_path))
    assert source.book_ids() == ("7", "1342")
    assert names(source, "1342") == [
        "1342-0.txt",
        "1342-0.zip",
        "pg1342.txt",
        "1342-8.txt",
        "1342.txt",
        "pandp12.txt",
        "pandp10.txt",
    ]
    assert source.files("9") == ()
    assert source.entry("7") is None


def test_a_plain_folder_takes_names_as_ids(tmp_path):
    for path in ("the-salt-road.txt", "a/story.txt", "b/story.txt", "7.txt", "b/7.txt", "b/tale.epub", "b/tale.txt"):
        put(tmp_path, path)
    put(tmp_path, ".hidden.txt")
    put(tmp_path, "notes.md")
    source = FolderSource(str(tmp_path))
    assert source.book_ids() == ("7", "a-story", "b-7", "b-story", "b-tale", "the-salt-road")
    assert names(source, "b-tale") == ["tale.txt", "tale.epub"]


def test_two_books_of_one_id_are_told(tmp_path):
    put(tmp_path, "a/b.txt")
    put(tmp_path, "a-b.txt")
    assert one_line(refuse(tmp_path, "would both be book 'a-b'"))


def test_a_name_too_long_for_an_id_is_passed_over(tmp_path, caplog):
    put(tmp_path, "x" * 220 + ".txt")
    put(tmp_path, "y.txt")
    assert FolderSource(str(tmp_path)).book_ids() == ("y",)
    assert "too long" in caplog.text


def test_the_record_beside_a_text_is_found(tmp_path):
    put(tmp_path, "0/7/7-0.txt")
    put(tmp_path, "cache/epub/7/pg7.rdf", b"<rdf/>")
    source = FolderSource(str(tmp_path))
    assert source.rdf("7") == b"<rdf/>"
    assert source.rdf("8") is None


def test_a_fingerprint_changes_with_the_text_the_record_and_the_table(tmp_path):
    put(tmp_path, "7.txt", b"one")
    seen = [FolderSource(str(tmp_path)).fingerprint("7")]
    put(tmp_path, "7.txt", b"two")
    seen.append(FolderSource(str(tmp_path)).fingerprint("7"))
    put(tmp_path, "cache/epub/7/pg7.rdf", b"<rdf/>")
    seen.append(FolderSource(str(tmp_path)).fingerprint("7"))
    put(tmp_path, "books.csv", "id,title\n7,The Boy\n")
    seen.append(FolderSource(str(tmp_path)).fingerprint("7"))
    assert len(set(seen)) == 4
    assert FolderSource(str(tmp_path)).fingerprint("7") == seen[-1]


def test_a_fingerprint_covers_the_file_that_is_taken_instead(tmp_path):
    put(tmp_path, "0/7/7-0.txt", b"")
    put(tmp_path, "0/7/7.txt", b"one")
    first = FolderSource(str(tmp_path)).fingerprint("7")
    put(tmp_path, "0/7/7.txt", b"two")
    assert FolderSource(str(tmp_path)).fingerprint("7") != first


def test_a_fingerprint_leaves_worse_files_out(tmp_path):
    put(tmp_path, "0/7/7-0.txt", b"one")
    put(tmp_path, "0/7/7.txt", b"one")
    first = FolderSource(str(tmp_path)).fingerprint("7")
    put(tmp_path, "0/7/7.txt", b"two")
    assert FolderSource(str(tmp_path)).fingerprint("7") == first


def test_an_empty_or_missing_folder_is_one_clear_line(tmp_path):
    assert one_line(refuse(tmp_path, r"holds no \.txt file"))
    assert one_line(refuse(tmp_path / "nowhere", "no such folder"))


def test_link_loops_and_links_out_are_not_walked(tmp_path, caplog):
    put(tmp_path, "other/9/9.txt")
    put(tmp_path, "mirror/0/7/7.txt")
    (tmp_path / "mirror" / "0" / "loop").symlink_to(tmp_path / "mirror")
    (tmp_path / "mirror" / "0" / "out").symlink_to(tmp_path / "other")
    source = FolderSource(str(tmp_path / "mirror"))
    assert source.book_ids() == ("7",)
    assert "2 links to folders are not followed" in caplog.text


def test_a_folder_behind_a_link_is_a_source(tmp_path):
    put(tmp_path, "real/0/7/7.txt", b"one")
    (tmp_path / "mirror").symlink_to(tmp_path / "real")
    source = FolderSource(str(tmp_path / "mirror"))
    assert source.read(source.files("7")[0]) == b"one"


def test_a_folder_is_listed_again_when_asked(tmp_path):
    put(tmp_path, "a.txt")
    source = FolderSource(str(tmp_path))
    assert not source.relist()
    put(tmp_path, "b.txt")
    assert source.relist()
    assert source.book_ids() == ("a", "b")
    assert not source.refresh("a")


def test_a_table_names_the_books(tmp_path):
    put(tmp_path, "one.txt")
    put(tmp_path, "two.epub")
    put(tmp_path, "three.txt")
    put(
        tmp_path,
        "books.csv",
        '\ufefffile, id ,title,author,language,rights\none.txt,road,"The Salt Road, a Tale",Reed; Pike,EN,CC0\n\ntwo.epub,,Two,,,\n',
    )
    source = FolderSource(str(tmp_path))
    assert source.book_ids() == ("road", "three", "two")
    entry = source.entry("road")
    assert (entry.title, entry.authors, entry.languages, entry.rights) == (
        "The Salt Road, a Tale",
        ("Reed", "Pike"),
        ("en",),
        "CC0",
    )
    assert source.entry("two").title == "Two"
    assert source.entry("two").authors == ()
    assert source.entry("three") is None


def test_a_table_is_found_by_its_name_or_by_being_the_only_one(tmp_path):
    put(tmp_path / "texts", "a.txt")
    put(tmp_path, "mine.csv", "id,title\na,One\n")
    assert FolderSource(str(tmp_path / "texts"), table=str(tmp_path / "mine.csv")).entry("a").title == "One"
    put(tmp_path / "texts", "list.csv", "id,title\na,Two\n")
    assert FolderSource(str(tmp_path / "texts")).entry("a").title == "Two"
    put(tmp_path / "texts", "other.csv", "x\n")
    assert one_line(refuse(tmp_path / "texts", "2 CSV files; name the table"))
    put(tmp_path / "texts", "books.csv", "id,title\na,Three\n")
    assert FolderSource(str(tmp_path / "texts")).entry("a").title == "Three"


def test_a_stray_csv_in_a_mirror_is_left_alone(tmp_path):
    put(tmp_path, "0/7/7.txt")
    put(tmp_path, "pg_catalog.csv", "Text#,Type\n")
    assert FolderSource(str(tmp_path)).entry("7") is None


BAD = {
    "unknown column": ("file,titel\na.txt,x\n", r"unknown column 'titel'; known are file, id"),
    "semicolons": ("file;title\na.txt;x\n", "unknown column 'file;title'.* commas"),
    "no key": ("title\nx\n", "needs a column 'file' or 'id'"),
    "empty": ("", "needs a column"),
    "column twice": ("file,file\na.txt,a.txt\n", "twice"),
    "missing file": ("file,title\nb.txt,x\n", r"line 2: 'b\.txt' is not in the folder"),
    "other kind of file": ("file\nc.csv\n", r"'c\.csv' is no \.txt or \.epub file"),
    "unknown id": ("id,title\nz,x\n", "line 2: the folder holds no text of book 'z'"),
    "same file twice": ("file\na.txt\na.txt\n", r"line 3 repeats the file 'a\.txt' of line 2"),
    "same id twice": ("file,id\na.txt,x\nb/b.txt,x\n", "repeats the id 'x' of line 2"),
    "id of another": ("file,id\na.txt,b-b\n", "would both be book 'b-b'"),
    "nothing named": ("file,title\n,x\n", "names neither a file nor an id"),
    "climbing file": ("file\n../a.txt\n", "leads out of the folder"),
    "rooted file": ("file\n/etc/passwd\n", "leads out of the folder"),
    "climbing id": ("file,id\na.txt,../../x\n", "cannot name a folder"),
    "short row": ("file,title\na.txt\n", "line 2 has 1 fields, 2 needed"),
    "open quotation": ('file,title\na.txt,"x\n', "no CSV at line"),
    "latin-1": ("file,title\na.txt,Caf\xe9\n".encode("latin-1"), "not UTF-8 at byte 20"),
}


@pytest.mark.parametrize(("table", "match"), BAD.values(), ids=BAD)
def test_a_wrong_table_is_one_clear_line(tmp_path, table, match):
    put(tmp_path, "a.txt")
    put(tmp_path, "b/b.txt")
    put(tmp_path, "c.csv", b"x")
    put(tmp_path, "books.csv", table)
    assert one_line(refuse(tmp_path, match))


def test_a_missing_table_is_one_clear_line(tmp_path):
    put(tmp_path, "a.txt")
    assert one_line(refuse(tmp_path, "cannot be read: No such file", table=str(tmp_path / "none.csv")))


@pytest.mark.parametrize(
    ("location", "match"),
    [
        ("https://www.gutenberg.org", "for people only"),
        ("http://GUTENBERG.org./ebooks/", "for people only"),
        ("https://u:secret@www.gutenberg.org/files", "for people only"),
        ("ftp://u:secret@example.org/books", "ftp://example.org/books: a source is .* not ftp://"),
        ("http://u:secret@example.org:port/", "no URL"),
    ],
)
def test_a_source_that_is_none_is_refused_without_its_secret(tmp_path, location, match):
    with pytest.raises(ConfigError, match=match) as caught:
        open_source(SourceSettings(location=location), LocalStore(tmp_path), 10_000)
    assert "secret" not in str(caught.value)


def test_a_table_of_a_mirror_by_url_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="not of a mirror"):
        open_source(SourceSettings(location="http://example.org", table="x.csv"), LocalStore(tmp_path), 10_000)
