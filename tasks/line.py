"""CatalogueEntry -> Trajectories: every stage of one book, in order, each made only if it is not there yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from schemas.books import CatalogueEntry, CleanBook, RawBook, Rejection, SegmentedBook
from schemas.errors import BookError
from schemas.runs import Outcome
from schemas.scaffold import Findings, Scaffold
from schemas.settings import ChunkSettings, Settings
from schemas.trajectories import Trajectories
from schemas.value import Value
from tasks.catalogue import read_header, read_rdf
from tasks.clean import clean_book
from tasks.cleaning.decoding import decode_text
from tasks.compose import compose_book
from tasks.fetch import complete_entry, fetch_book
from tasks.keys import code_digest, hash_json, stage_name
from tasks.protocols import LLM, Identified, TextSource, Tokenizer
from tasks.screen import screen_book
from tasks.segment import segment_book
from tasks.summarize import summarize_book
from tasks.verify import verify_scaffold
from tasks.work import Work

logger = logging.getLogger(__name__)

V = TypeVar("V", bound=Value)


@dataclass(frozen=True)
class Bench:
    """What the stages of a book work with; one a process, shared by all its books."""

    settings: Settings
    work: Work
    source: TextSource
    catalogue: dict[str, CatalogueEntry]
    llm: LLM
    chunk: ChunkSettings
    reader: Tokenizer
    trainee: Tokenizer


def outcome_key(book_id: str, bench: Bench) -> str | None:
    """Return where a book's outcome lies if it is made, or None while its bytes are unknown (not fetched yet).

    The key covers all that shapes any value of the book: bytes, code, prompts, settings, seams, versions.
    """
    fingerprint = bench.source.fingerprint(book_id)
    if fingerprint is None:
        return None
    settings, entry = bench.settings, bench.catalogue.get(book_id)
    corpus = (settings.fetch, settings.clean, settings.screen, settings.segment)
    groups = (*corpus, bench.chunk, settings.summarize, settings.verify, settings.compose)
    shaped_by = {
        "bytes": fingerprint,
        "entry": entry.digest() if entry else None,
        "code": code_digest(__name__),
        "settings": [group.digest() for group in groups],
        "seams": [bench.llm.identity, bench.reader.identity, bench.trainee.identity],
    }
    return f"outcome/{book_id}/{hash_json(shaped_by)}.json.zst"


def find_outcome(book_id: str, bench: Bench) -> Outcome | None:
    """Return the outcome of a book that is done and whose values are all there, or None."""
    key = outcome_key(book_id, bench)
    outcome = bench.work.load(Outcome, key) if key else None
    if outcome is None or any(bench.work.digest(value) is None for value in outcome.values.values()):
        return None
    return outcome


def run_book(book_id: str, bench: Bench) -> Outcome:
    """Run every stage of one book and store its outcome.

    Raises:
        TransientError: the mirror or the server was busy for longer than their own patience; nothing is lost.
    """
    done = find_outcome(book_id, bench)
    if done is not None:
        return done
    started = time.monotonic()
    outcome = _BookRun(book_id, bench).run()
    key = outcome_key(book_id, bench)
    if key is not None:
        bench.work.save(key, outcome)
    logger.info("book %s: %s, %.1f s", book_id, describe(outcome), time.monotonic() - started)
    return outcome


def describe(outcome: Outcome) -> str:
    """Return what became of a book, on one line."""
    if outcome.rejection is None:
        return f"{outcome.num_rows} trajectories"
    return f"rejected by {outcome.rejection.stage}, {outcome.rejection.reason}: {outcome.rejection.detail}"


class _BookRun:
    """One book on its way through the stages; remembers where each value lies and which stage is at work."""

    def __init__(self, book_id: str, bench: Bench) -> None:
        self.bench, self.book_id = bench, book_id
        self.entry = bench.source.entry(book_id) or CatalogueEntry(book_id=book_id)  # one's own table comes first
        if catalogued := bench.catalogue.get(book_id):
            self.entry = complete_entry(self.entry, dict(catalogued))
        self.stage = "fetch"
        self.values: dict[str, str] = {}

    def run(self) -> Outcome:
        """Return what became of the book; an error of the book is an outcome, too."""
        try:
            composed = self._run_stages()
        except BookError as error:
            return self._reject(error.reason, error.detail)
        if isinstance(composed, Rejection):
            return self._reject(composed.reason, composed.detail)
        if not composed.rows:
            refused = "; ".join(f"{refusal.layout}: {refusal.detail}" for refusal in composed.refused)
            return self._reject("no-layout", f"it fits no layout ({refused})")
        return Outcome(
            book_id=self.book_id, status="out", entry=self.entry, values=self.values, num_rows=len(composed.rows)
        )

    def _run_stages(self) -> Trajectories | Rejection:
        settings, bench = self.bench.settings, self.bench
        raw = self._fetch()
        clean = self._make(CleanBook, clean_book, settings.clean, raw)
        self.stage = "screen"
        screened = screen_book(clean, settings.screen)
        if isinstance(screened, Rejection):
            return screened
        segmented = self._make(SegmentedBook, segment_book, settings.segment, screened)
        seams: dict[str, Value | Identified] = {"llm": bench.llm, "reader": bench.reader, "chunk": bench.chunk}
        scaffold = self._make(Scaffold, summarize_book, settings.summarize, segmented, **seams)
        self._make(Findings, verify_scaffold, settings.verify, segmented, scaffold)
        return self._make(Trajectories, compose_book, settings.compose, segmented, scaffold, trainee=bench.trainee)

    def _fetch(self) -> RawBook:
        """Read the bytes, and who wrote them: table, catalogue, else EPUB, RDF or the text's own header."""
        source, settings = self.bench.source, self.bench.settings.fetch
        raw = fetch_book(self.entry, settings, source=source)
        if self.book_id not in self.bench.catalogue:
            known = self._read_record() or read_header(decode_text(raw.data)[0], self.book_id)
            raw = raw.model_copy(update={"entry": complete_entry(raw.entry, dict(known))})
        self.entry = raw.entry
        key = self.bench.work.key(self.book_id, fetch_book, settings, (raw.digest(),))
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

    def _make(
        self, kind: type[V], stage: Callable[..., V], settings: Value, *inputs: Value, **seams: Value | Identified
    ) -> V:
        self.stage = stage_name(stage)
        key, value = self.bench.work.make(kind, self.book_id, stage, settings, *inputs, **seams)
        self.values[self.stage] = key
        return value

    def _reject(self, reason: str, detail: str) -> Outcome:
        rejection = Rejection(book_id=self.book_id, stage=self.stage, reason=reason, detail=detail)
        return Outcome(
            book_id=self.book_id, status="rejected", entry=self.entry, rejection=rejection, values=self.values
        )
