"""Corpus as it is + corpus as it was -> what is new and changed."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.books import CatalogueEntry
from schemas.corpus import BookState, CorpusState
from schemas.corpus_settings import RefreshSettings
from schemas.errors import TransientError
from tasks.backends.stores import LocalStore
from tasks.opening import Corpus
from tasks.refresh import PENDING, advance_state, note_changes, read_state, see_corpus, state_key, write_state

TODAY = date(2026, 3, 1)
SETTINGS = RefreshSettings()


class Shelf:
    """A source whose books have stamps; `asked` lists rechecks, `changed` what they find."""

    def __init__(self, **stamps):
        self.stamps, self.asked, self.changed, self.busy = stamps, [], set(), set()

    def entry(self, book_id):
        return None

    def stamp(self, book_id):
        return self.stamps[book_id]

    def refresh(self, book_id):
        self.asked.append(book_id)
        if book_id in self.busy:
            raise TransientError("the mirror is busy")
        return book_id in self.changed


def corpus(shelf, **titles):
    entries = {book_id: CatalogueEntry(book_id=book_id, title=title) for book_id, title in titles.items()}
    return Corpus(shelf, entries, tuple(titles), {})


def refresh(one, state, settings=SETTINGS, today=TODAY, unfinished=()):
    seen = see_corpus(one, state, settings, today)
    return seen.diff, advance_state(note_changes(state, seen), seen, unfinished)


def test_everything_is_new_at_first_and_nothing_the_second_time():
    one = corpus(Shelf(a="1", b="1"), a="Alder", b="Birch")
    first, state = refresh(one, CorpusState())
    assert (first.new, first.changed, first.unchanged) == (("a", "b"), (), 0)
    second, again = refresh(one, state)
    assert (second.pending, second.unchanged) == ((), 2)
    assert again == state


@pytest.mark.parametrize("after", [corpus(Shelf(a="2", b="1"), a="Alder", b="Birch"), corpus(Shelf(a="1", b="1"), a="Elder", b="Birch")])  # fmt: skip
def test_a_changed_file_or_record_is_a_changed_book(after):
    _, state = refresh(corpus(Shelf(a="1", b="1"), a="Alder", b="Birch"), CorpusState())
    diff, state = refresh(after, state)
    assert (diff.new, diff.changed, diff.unchanged) == ((), ("a",), 1)
    assert refresh(after, state)[0].pending == ()


def test_a_book_that_could_not_be_had_is_tried_again():
    one = corpus(Shelf(a="1", b="1"), a="Alder", b="Birch")
    _, state = refresh(one, CorpusState(), unfinished=("b",))
    assert refresh(one, state)[0].new == ("b",)


def test_a_changed_book_that_could_not_be_had_is_still_changed():
    _, state = refresh(corpus(Shelf(a="1"), a="Alder"), CorpusState())
    later = corpus(Shelf(a="2"), a="Alder")
    _, state = refresh(later, state, unfinished=("a",))
    assert refresh(later, state)[0].changed == ("a",)


def test_books_beyond_the_limit_follow_in_the_next_runs():
    one = corpus(Shelf(a="1", b="1", c="1"), a="Alder", b="Birch", c="Cedar")
    settings = RefreshSettings(max_books=2)
    first, state = refresh(one, CorpusState(), settings)
    assert (first.new, first.postponed) == (("a", "b"), 1)
    second, _ = refresh(one, state, settings)
    assert (second.new, second.postponed) == (("c",), 0)


def test_a_book_that_is_gone_is_named_and_remembered():
    _, state = refresh(corpus(Shelf(a="1", b="1"), a="Alder", b="Birch"), CorpusState())
    diff, state = refresh(corpus(Shelf(a="1"), a="Alder"), state)
    assert diff.gone == ("b",)
    assert diff.pending == ()
    assert "b" in state.books


def test_books_are_asked_for_again_when_their_time_has_come_the_oldest_first():
    settings = RefreshSettings(recheck_days=30, max_rechecks=2)
    shelf = Shelf(a="1", b="1", c="1", d="1")
    one = corpus(shelf, a="Alder", b="Birch", c="Cedar", d="Dogwood")
    days = {"a": "2026-01-03", "b": "2026-01-01", "c": "2026-01-02", "d": "2026-02-20"}
    entries = one.catalogue
    books = {name: BookState(entry=entries[name].digest(), stamp="1", checked=day) for name, day in days.items()}
    shelf.changed = {"c"}
    diff, state = refresh(one, CorpusState(books=books), settings)
    assert shelf.asked == ["b", "c"]
    assert diff.changed == ("c",)
    assert {name: one.checked for name, one in state.books.items()} == {**days, "b": "2026-03-01", "c": "2026-03-01"}


def test_what_a_mirror_said_once_is_not_forgotten_when_the_build_broke(caplog):
    shelf = Shelf(a=None)
    one = corpus(shelf, a="Alder")
    books = {"a": BookState(entry=one.catalogue["a"].digest(), stamp=None, checked="2026-01-01")}
    shelf.changed = {"a"}
    noted = note_changes(CorpusState(books=books), see_corpus(one, CorpusState(books=books), SETTINGS, TODAY))
    shelf.changed = set()  # it was told
    assert noted.books["a"].stamp == PENDING
    diff, state = refresh(one, noted)
    assert diff.changed == ("a",)
    assert refresh(one, state)[0].pending == ()


def test_a_busy_mirror_is_asked_another_night(caplog):
    shelf = Shelf(a="1")
    shelf.busy = {"a"}
    one = corpus(shelf, a="Alder")
    books = {"a": BookState(entry=one.catalogue["a"].digest(), stamp="1", checked="2026-01-01")}
    diff, state = refresh(one, CorpusState(books=books))
    assert diff.pending == ()
    assert state.books["a"].checked == "2026-01-01"
    assert "book a: not rechecked" in caplog.text


def test_the_state_is_kept_by_data_set_and_a_damaged_one_counts_as_none(tmp_path, caplog):
    store = LocalStore(tmp_path)
    state = CorpusState(books={"a": BookState(entry=None, stamp="1")})
    write_state(store, "data/one", state)
    assert read_state(store, "data/one") == state
    assert read_state(store, "data/two") == CorpusState()
    store.put(state_key("data/one"), b"{")
    assert read_state(store, "data/one") == CorpusState()
    assert "damaged" in caplog.text
