"""Corpus as it is + corpus as it was -> CorpusDiff: new and changed books, and nothing else."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from pydantic import ValidationError

from schemas.corpus import BookState, CorpusDiff, CorpusState
from schemas.corpus_settings import RefreshSettings
from schemas.errors import BookError, TransientError
from tasks.opening import Corpus
from tasks.protocols import Store

logger = logging.getLogger(__name__)

NEVER = date.min.isoformat()
PENDING = "pending"  # the stamp of a book that is known to have changed and is not built yet


class Seen(NamedTuple):
    """The corpus as it is now, and what differs from the state of the last refresh."""

    books: dict[str, BookState]
    diff: CorpusDiff
    changed: tuple[str, ...]  # all of them, those that are postponed too


def state_key(out: str) -> str:
    """Return where the state of the corpus of a data set lies in the work store."""
    return f"refresh/{hashlib.sha256(out.encode()).hexdigest()[:16]}.json"


def read_state(store: Store, out: str) -> CorpusState:
    """Return the state that the last refresh left; an empty one where there is none, or where it is damaged."""
    try:
        return CorpusState.model_validate_json(store.get(state_key(out)))
    except FileNotFoundError:
        return CorpusState()
    except ValidationError:
        logger.warning("%s is damaged: every book is looked at again", state_key(out))
        return CorpusState()


def write_state(store: Store, out: str, state: CorpusState) -> None:
    """Keep the state for the next refresh."""
    store.put(state_key(out), state.to_json())


def see_corpus(corpus: Corpus, state: CorpusState, settings: RefreshSettings, today: date) -> Seen:
    """Return the books as they are now, and which of them are new or changed.

    Args:
        corpus: source, catalogue and selection.
        state: what the last refresh left.
        settings: how often a source is asked again, how many books a night may build.
        today: the day on which a recheck is noted.
    """
    rechecked = _recheck(corpus, state, settings, today)
    books = {book_id: _state_of(book_id, corpus, state, rechecked, today) for book_id in corpus.book_ids}
    before = state.books
    new = [book_id for book_id in books if book_id not in before]
    changed = [
        book_id
        for book_id, one in books.items()
        if book_id in before and (_differs(one, before[book_id]) or rechecked.get(book_id, False))
    ]
    gone = tuple(book_id for book_id in before if book_id not in books)
    diff = limit_diff(new, changed, settings.max_books)
    diff = diff.model_copy(update={"gone": gone, "unchanged": len(books) - len(new) - len(changed)})
    return Seen(books, diff, tuple(changed))


def limit_diff(new: Sequence[str], changed: Sequence[str], limit: int | None) -> CorpusDiff:
    """Return what one run builds: of new and changed books at most `limit`, the new ones first."""
    chosen = [*new, *changed] if limit is None else [*new, *changed][:limit]
    kept = set(chosen)
    return CorpusDiff(
        new=tuple(book_id for book_id in new if book_id in kept),
        changed=tuple(book_id for book_id in changed if book_id in kept),
        postponed=len(new) + len(changed) - len(kept),
    )


def note_changes(state: CorpusState, seen: Seen) -> CorpusState:
    """Return the state in which changed books are pending: to be kept before they are built.

    A mirror that was asked whether a book has changed says so only once.
    """
    pending = {book_id: state.books[book_id].model_copy(update={"stamp": PENDING}) for book_id in seen.changed}
    return CorpusState(books={**state.books, **pending})


def advance_state(state: CorpusState, seen: Seen, unfinished: Sequence[str]) -> CorpusState:
    """Return the state after a build: its books as they were seen, but for those that could not be had."""
    done = {book_id for book_id in seen.diff.pending if book_id not in set(unfinished)}
    pending = set(seen.diff.pending)
    books = dict(state.books)
    for book_id, one in seen.books.items():
        if book_id in done or (book_id in books and book_id not in pending and not _differs(one, books[book_id])):
            books[book_id] = one
    return CorpusState(books=dict(sorted(books.items())))


def _differs(one: BookState, other: BookState) -> bool:
    return (one.entry, one.stamp) != (other.entry, other.stamp)


def _state_of(
    book_id: str, corpus: Corpus, state: CorpusState, rechecked: Mapping[str, bool], today: date
) -> BookState:
    entries = (corpus.source.entry(book_id), corpus.catalogue.get(book_id))
    before = state.books.get(book_id)
    is_checked = before is None or book_id in rechecked
    return BookState(
        entry=" ".join(entry.digest() for entry in entries if entry) or None,
        stamp=corpus.source.stamp(book_id),
        checked=today.isoformat() if is_checked or before is None else before.checked,
    )


def _recheck(corpus: Corpus, state: CorpusState, settings: RefreshSettings, today: date) -> dict[str, bool]:
    """Ask the source about the books that it was not asked about for longest; whether each has changed, by id."""
    oldest = (today - timedelta(days=settings.recheck_days)).isoformat()
    wanted = set(corpus.book_ids)
    due = sorted((one.checked or NEVER, book_id) for book_id, one in state.books.items() if book_id in wanted)
    changed: dict[str, bool] = {}
    for checked, book_id in due[: settings.max_rechecks]:
        if checked > oldest:
            break
        try:
            changed[book_id] = corpus.source.refresh(book_id)
        except (TransientError, BookError) as error:
            logger.warning("book %s: not rechecked: %s", book_id, error)
    return changed
