"""CatalogueEntry -> Prepared: the stages of a book that need no model, each made only if it is not there yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from schemas.books import CatalogueEntry, CleanBook, RawBook, Rejection, SegmentedBook
from schemas.duplicates import Signature
from schemas.errors import BookError
from schemas.outcomes import Prepared, PreparedWork
from schemas.repetition import Repetition
from schemas.value import Value
from tasks.bench import Bench
from tasks.catalogue import read_header, read_rdf
from tasks.clean import clean_book
from tasks.cleaning.decoding import decode_text
from tasks.composing.splits import name_sides
from tasks.dividing.works import split_works
from tasks.fetch import complete_entry, fetch_book
from tasks.keys import code_digest, hash_json, stage_name
from tasks.repetition import measure_repetition, refuse_repetitive
from tasks.screen import screen_book
from tasks.segment import segment_book
from tasks.sign import sign_work
from tasks.turns import COMPUTING

logger = logging.getLogger(__name__)

V = TypeVar("V", bound=Value)

NEEDS_REVIEW = "needs-review"


def prepared_key(book_id: str, bench: Bench) -> str | None:
    """Return where a prepared book lies if it is made, or None while its bytes are unknown (not fetched yet).

    The key covers all that shapes any of its values: bytes, catalogue entry, code, settings, versions.
    """
    fingerprint = bench.source.fingerprint(book_id)
    if fingerprint is None:
        return None
    settings, entry = bench.settings, bench.catalogue.get(book_id)
    groups = (settings.fetch, settings.clean, settings.screen, settings.segment, settings.sign)
    shaped_by = {
        "bytes": fingerprint,
        "entry": entry.digest() if entry else None,
        "code": code_digest(__name__),
        "settings": [group.digest() for group in groups],
    }
    return f"prepared/{book_id}/{hash_json(shaped_by)}.json.zst"


def find_prepared(book_id: str, bench: Bench) -> Prepared | None:
    """Return a book that is prepared and whose values are all there, or None."""
    key = prepared_key(book_id, bench)
    prepared = bench.work.load(Prepared, key) if key else None
    if prepared is None:
        return None
    values = [*prepared.values.values(), *(key for work in prepared.works for key in _keys_of(work))]
    return prepared if all(bench.work.digest(value) is not None for value in values) else None


def _keys_of(work: PreparedWork) -> tuple[str, ...]:
    return work.segmented, work.signature, work.repetition


def prepare_book(book_id: str, bench: Bench) -> Prepared:
    """Fetch, clean, screen and divide one book, and store what came of it.

    Raises:
        TransientError: the mirror was busy for longer than its own patience; nothing is lost.
    """
    done = find_prepared(book_id, bench)
    if done is not None:
        return done
    started = time.monotonic()
    prepared = _Preparation(book_id, bench).run()
    key = prepared_key(book_id, bench)
    if key is not None:
        bench.work.save(key, prepared)
    result = f"{len(prepared.works)} works" if prepared.rejection is None else f"rejected, {prepared.rejection.reason}"
    logger.info("book %s: prepared, %s, %.1f s", book_id, result, time.monotonic() - started)
    return prepared


class _Preparation:
    """One book on its way to the model; remembers where each value lies and which stage is at work."""

    def __init__(self, book_id: str, bench: Bench) -> None:
        self.bench, self.book_id = bench, book_id
        self.entry = bench.source.entry(book_id) or CatalogueEntry(book_id=book_id)  # one's own table comes first
        if catalogued := bench.catalogue.get(book_id):
            self.entry = complete_entry(self.entry, dict(catalogued))
        self.stage = "fetch"
        self.values: dict[str, str] = {}
        self.raw: RawBook | None = None

    def run(self) -> Prepared:
        """Return what became of the book; an error of the book is a value, too."""
        rejection: Rejection | None = None
        works: tuple[PreparedWork, ...] = ()
        try:
            raw = fetch_book(self.entry, self.bench.settings.fetch, source=self.bench.source)
            with COMPUTING:
                self.raw = self._record(raw)
                found = self._run_stages(self.raw)
        except BookError as error:
            rejection = Rejection(book_id=self.book_id, stage=self.stage, reason=error.reason, detail=error.detail)
        else:
            rejection, works = (found, ()) if isinstance(found, Rejection) else (None, found)
        return Prepared(
            book_id=self.book_id,
            entry=self.entry,
            file_sha256=self.raw.file_sha256 if self.raw else None,
            source_sha256=self.raw.source_sha256 if self.raw else None,
            rejection=rejection,
            values=self.values,
            works=works,
        )

    def _run_stages(self, raw: RawBook) -> Rejection | tuple[PreparedWork, ...]:
        settings = self.bench.settings
        clean = self._make(CleanBook, clean_book, settings.clean, raw)
        self.stage = "screen"
        screened = screen_book(clean, settings.screen)
        if isinstance(screened, Rejection):
            return screened
        segmented = self._make(SegmentedBook, segment_book, settings.segment, screened)
        if segmented.needs_review:
            return self._refuse_doubtful(segmented)
        return tuple(self._prepare_work(work, segmented, clean) for work in split_works(segmented, settings.segment))

    def _prepare_work(self, work: SegmentedBook, book: SegmentedBook, clean: CleanBook) -> PreparedWork:
        """Store a work, its signature and its repetition; the only work of a book is the book itself."""
        store, settings = self.bench.work, self.bench.settings
        key = self.values["segment"]
        if work.book_id != book.book_id:
            key = store.key(work.book_id, split_works, settings.segment, (book.digest(),))
            if store.digest(key) is None:
                store.save(key, work)
        signature, _ = store.make(Signature, work.book_id, sign_work, settings.sign, work, clean)
        repetition, found = store.make(Repetition, work.book_id, measure_repetition, None, work)
        rejection = self._refuse_short(work) if work.book_id != book.book_id else None
        return PreparedWork(
            work_id=work.book_id,
            segmented=key,
            signature=signature,
            repetition=repetition,
            side_names=name_sides(work.entry),
            rejection=rejection or refuse_repetitive(work.book_id, found, settings.screen),
        )

    def _refuse_short(self, story: SegmentedBook) -> Rejection | None:
        num_words, limit = len(story.text.split()), self.bench.settings.screen.min_story_words
        if num_words >= limit:
            return None
        detail = f"{num_words} words, at least {limit} needed of a story (screen.min_story_words)"
        return Rejection(book_id=story.book_id, stage="screen", reason="too-short", detail=detail)

    def _refuse_doubtful(self, book: SegmentedBook) -> Rejection:
        counts = ", ".join(f"{len(reading.headings)} by {reading.evidence}" for reading in book.readings)
        detail = f"the ways to divide it disagree ({counts}): {len(book.chapters())} chapters were found"
        return Rejection(
            book_id=self.book_id, stage="segment", reason=NEEDS_REVIEW, detail=detail, readings=book.readings
        )

    def _record(self, raw: RawBook) -> RawBook:
        """Store the bytes, and who wrote them: table, catalogue, else EPUB, RDF or the text's own header."""
        if self.book_id not in self.bench.catalogue:
            known = self._read_record() or read_header(decode_text(raw.data)[0], self.book_id)
            raw = raw.model_copy(update={"entry": complete_entry(raw.entry, dict(known))})
        self.entry = raw.entry
        key = self.bench.work.key(self.book_id, fetch_book, self.bench.settings.fetch, (raw.digest(),))
        if self.bench.work.digest(key) is None:
            self.bench.work.save(key, raw)
        self.values["fetch"] = key
        return raw

    def _read_record(self) -> CatalogueEntry | None:
        rdf = self.bench.source.rdf(self.book_id)
        try:
            return read_rdf(rdf, self.book_id) if rdf else None
        except BookError as error:
            logger.warning("%s; its header is read instead", error)
            return None

    def _make(self, kind: type[V], stage: Callable[..., V], settings: Value, *inputs: Value) -> V:
        self.stage = stage_name(stage)
        key, value = self.bench.work.make(kind, self.book_id, stage, settings, *inputs)
        self.values[self.stage] = key
        return value
