"""Manifest + rows -> report/: which pages are written, kept and removed, and that nothing is half done."""

from __future__ import annotations

import json
import re

import pyarrow as pa
import pytest

from tasks import report
from tasks.backends.stores import LocalStore
from tasks.buckets import bucket_of
from tasks.report import RECORD, write_report
from tasks.reporting import lists
from tasks.reporting.naming import name_page
from tasks.tables import SCHEMAS
from tests.reports import NUM_BUCKETS, a_book, book_row, make_manifest, publish, refused_row, write_shard, write_tables

BOOKS = tuple(f"{number}" for number in range(1, 9))


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "out")


def rows_of(*ids, **changes):
    return [book_row(*a_book(book_id, 2, 4), title=f"Book {book_id}", **changes) for book_id in ids]


def pages(store):
    return {key.removeprefix("report/") for key in store.keys("report") if key.endswith(".html")}


def text_of(store, name):
    return store.get(f"report/{name}").decode()


def written(store, monkeypatch):
    """The names of all that is put from now on, in order."""
    names, put = [], store.put
    monkeypatch.setattr(store, "put", lambda key, data: (names.append(key.removeprefix("report/")), put(key, data)))
    return names


def test_every_book_has_a_page_that_the_overview_links_to(store):
    publish(store, rows_of(*BOOKS))
    assert pages(store) == {"index.html", "refused.html", *(f"books/{book_id}.html" for book_id in BOOKS)}
    overview = text_of(store, "index.html")
    assert all(f'<a href="books/{book_id}.html">Book {book_id}</a>' in overview for book_id in BOOKS)


def test_only_books_of_changed_buckets_are_written_again(store, monkeypatch):
    publish(store, rows_of(*BOOKS))
    names = written(store, monkeypatch)
    publish(store, [*rows_of(*BOOKS[1:]), *rows_of(BOOKS[0], rights="Public domain.")], version=2)
    mine = {f"books/{one}.html" for one in BOOKS if bucket_of(one, NUM_BUCKETS) == bucket_of(BOOKS[0], NUM_BUCKETS)}
    assert {name for name in names if name.startswith("books/")} == mine
    assert len(mine) < len(BOOKS)
    assert "Public domain." in text_of(store, "books/1.html")


def test_a_refusal_of_a_layout_changes_the_page_of_its_book(store):
    publish(store, rows_of(*BOOKS))
    assert "no full-book: arcs" not in text_of(store, "books/3.html")
    publish(store, rows_of(*BOOKS), [refused_row("3", "layout", "arcs", layout="full-book")], version=2)
    assert "no full-book: arcs" in text_of(store, "books/3.html")
    assert "no full-book" in text_of(store, "index.html")


def test_the_page_of_a_book_that_was_taken_down_is_removed(store):
    secret = "a sentence that must go"
    publish(store, [*rows_of("1", "2"), *rows_of("3", rights=secret)])
    assert secret in text_of(store, "books/3.html")
    publish(store, rows_of("1", "2"), [refused_row("3", "book", "taken-down")], version=2)
    assert "books/3.html" not in pages(store)
    assert not [key for key in store.keys("report") if secret.encode() in store.get(key)]
    assert "taken-down" in text_of(store, "refused.html")


def test_a_report_that_was_stopped_midway_opens_and_is_made_whole_by_the_next(store, monkeypatch):
    publish(store, rows_of(*BOOKS))
    render = report.book_page.render_book
    changed = rows_of(*BOOKS, rights="Another edition.")

    def stop(row, refused):
        if row["book_id"] == BOOKS[-1]:
            raise KeyboardInterrupt
        return render(row, refused)

    monkeypatch.setattr(report.book_page, "render_book", stop)
    with pytest.raises(KeyboardInterrupt):
        publish(store, changed, version=2)
    monkeypatch.undo()
    linked = set(re.findall(r'href="(books/[^"]+)"', text_of(store, "index.html")))
    assert linked == {f"books/{book_id}.html" for book_id in BOOKS}
    assert linked < pages(store)
    assert any("Another edition." in text_of(store, name) for name in linked)
    publish(store, rows_of(*BOOKS), version=2)  # what the stopped build had written was never in a snapshot
    assert not any("Another edition." in text_of(store, name) for name in pages(store))


def test_the_overview_is_put_after_every_page_it_links_to(store, monkeypatch):
    manifest = make_manifest(write_tables(store, rows_of(*BOOKS)))
    names = written(store, monkeypatch)
    write_report(manifest, store)
    assert [name for name in names if name.endswith(".html")][-1] == "index.html"
    assert names[0] == names[-1] == RECORD.removeprefix("report/")
    assert json.loads(store.get(RECORD))["buckets"]


def test_pages_are_written_again_when_the_templates_change(store, monkeypatch):
    manifest = publish(store, rows_of(*BOOKS))
    names = written(store, monkeypatch)
    write_report(manifest, store)
    assert not [name for name in names if name.startswith("books/")]
    monkeypatch.setattr(report, "digest_templates", lambda: "others")
    write_report(manifest, store)
    assert len([name for name in names if name.startswith("books/")]) == len(BOOKS)


def test_a_damaged_record_means_that_all_is_written(store, monkeypatch):
    manifest = publish(store, rows_of("1"))
    store.put(RECORD, b"{")
    names = written(store, monkeypatch)
    write_report(manifest, store)
    assert "books/1.html" in names


def test_equal_snapshots_have_equal_pages(store, tmp_path):
    other = LocalStore(tmp_path / "other")
    for one in (store, other):
        publish(one, rows_of(*BOOKS), [refused_row("3", "layout", "arcs", layout="full-book")])
    assert {key: store.get(key) for key in store.keys("report")} == {
        key: other.get(key) for key in other.keys("report")
    }


def test_stories_are_listed_and_have_no_page(store):
    story = book_row(a_book("wp-1")[0], None, kind="story", parent_id="wp", title="A prompt")
    publish(store, [story], recipe="tagged-story")
    assert pages(store) == {"index.html", "refused.html"}
    assert "<td>A prompt</td>" in text_of(store, "index.html")


def test_a_book_without_a_plan_has_a_page_of_its_text(store):
    book, _ = a_book()
    publish(store, [book_row(book, None, num_words=None)], recipe="outline-to-text")
    page = text_of(store, "books/7.html")
    assert "The tide turned at noon." in page
    assert 'class="plan"' not in page


def test_shards_of_before_kinds_of_books_render(store):
    old = pa.schema([field for field in SCHEMAS["books"] if field.name not in ("kind", "tags", "outlines", "rights")])
    (row,) = rows_of("1")
    table = pa.Table.from_pylist([{name: row[name] for name in old.names}], old)
    refused = pa.schema([field for field in SCHEMAS["rejected"] if field.name not in ("node", "evidence", "readings")])
    gone = refused_row("2", "book", "verse")
    gone_table = pa.Table.from_pylist([{name: gone[name] for name in refused.names}], refused)
    shards = (write_shard(store, "books", 1, table), write_shard(store, "rejected", 1, gone_table))
    write_report(make_manifest(shards, schema_version=1), store)
    assert "books/1.html" in pages(store)
    assert "verse of 2" in text_of(store, "refused.html")


def test_a_snapshot_of_nothing_has_a_report(store):
    publish(store, [], num_buckets=1)
    assert pages(store) == {"index.html", "refused.html"}
    assert "Nothing was refused." in text_of(store, "refused.html")


def test_long_lists_are_paged_and_shorter_ones_leave_no_page_behind(store, monkeypatch):
    monkeypatch.setattr(lists, "ROWS_A_PAGE", 3)
    refused = [refused_row(str(number), "note", "long-prose", layout="full-book") for number in range(5)]
    publish(store, rows_of(*BOOKS), [*refused, refused_row("9", "book", "too_short")])
    assert pages(store) > {"index.html", "books-2.html", "books-3.html", "refused.html", "refused-2.html"}
    listed = "".join(text_of(store, name) for name in ("index.html", "books-2.html", "books-3.html"))
    assert sorted(re.findall(r'href="books/(\d+)\.html"', listed)) == sorted(BOOKS)
    first, second = text_of(store, "refused.html"), text_of(store, "refused-2.html")
    assert "continued" in second
    assert '<a href="refused.html#g1">long-prose</a></td><td class="n">5</td>' in first
    assert 'id="g1"' in first
    assert sum(page.count("<td>long-prose of") for page in (first, second)) == 5
    publish(store, rows_of("1"), version=2)
    assert pages(store) == {"index.html", "refused.html", "books/1.html"}


def test_every_refusal_is_listed_once_with_its_reason_and_detail(store):
    readings = json.dumps([{"evidence": "headings", "headings": ["12: CHAPTER I", "90: CHAPTER II"]}])
    refused = [
        refused_row("2", "book", "needs-review", readings=readings),
        refused_row("3.01", "work", "too_short", parent_id="3"),
        refused_row("1", "layout", "over-window", layout="full-book"),
        refused_row("1", "node", "length", node="chapter 2, window 1"),
        refused_row("1", "note", "divided-scene", layout="chapter-window-8k"),
        refused_row("4", "of a later version", "unheard-of"),
    ]
    publish(store, rows_of("1"), refused)
    page = text_of(store, "refused.html")
    for row in refused:
        assert page.count(row["detail"]) == 1
        assert f">{row['reason']}</a>" in page
    assert "<li>90: CHAPTER II</li>" in page
    assert "<td>chapter 2, window 1</td>" in page
    assert '<a href="books/1.html">' in page
    assert 'href="books/2.html"' not in page


def test_the_overview_tells_of_the_ledger_by_level_and_in_money(store):
    publish(store, rows_of("1"))
    page = text_of(store, "index.html")
    assert '<td>read</td><td class="n">12</td>' in page
    assert "0.25 GPU hours, cost 1.5" in page
    assert "too_short&nbsp;1" in page


@pytest.mark.parametrize("book_id", ["1342", "1661.03", "top-water", "wp-0007"])
def test_a_plain_id_is_its_own_page(book_id):
    assert name_page(book_id) == f"books/{book_id}.html"


@pytest.mark.parametrize(
    "book_id", ["..", "../x", "a/b", "A", "é", "", "a b", "a\n", "-x", ".x", "x" * 300, "<b>", "a%2fb"]
)
def test_any_other_id_becomes_a_safe_name_of_its_own(book_id):
    name = name_page(book_id)
    assert re.fullmatch(r"books/[a-z0-9-]{0,40}~[0-9a-f]{16}\.html", name)
    assert name not in {name_page(f"{book_id} "), name_page(f"{book_id}.")}
