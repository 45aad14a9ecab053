"""A data set of books whose scaffolds are given: rows, shards, manifest and pages as a build writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from schemas.books import SegmentedBook
from schemas.ledger import Ledger
from schemas.outcomes import Prepared, PreparedWork
from schemas.repetition import Repetition
from schemas.runs import Manifest
from schemas.scaffold import Scaffold
from schemas.settings import ComposeSettings, Settings
from tasks.backends.sources import FolderSource
from tasks.backends.stores import LocalStore
from tasks.bench import Bench
from tasks.composing.splits import name_sides
from tasks.importing.sign import sign_row
from tasks.line import run_prepared
from tasks.repetition import measure_repetition
from tasks.shard import Changes
from tasks.snapshot import Facts, write_snapshot
from tasks.work import Work
from tests.fakes import FakeLLM, WordTokenizer

SAMPLES = Path(__file__).resolve().parents[1] / "samples"  # a source that nothing is read from
RUNGS = (2_048, 8_192)


def make_bench(folder: Path) -> Bench:
    """Return a bench without books or a model; its work lies in a folder."""
    settings = Settings(out=str(folder), compose=ComposeSettings(windows=RUNGS, held_out_share=0.25))
    words = WordTokenizer()
    work = Work(LocalStore(folder / "work"))
    return Bench(
        settings,
        work,
        FolderSource(str(SAMPLES)),
        {},
        FakeLLM(lambda request: request.inputs),
        settings.chunk,
        words,
        words,
    )


def write_data(folder: Path, books: Sequence[tuple[SegmentedBook, Scaffold]]) -> tuple[Manifest, LocalStore]:
    """Return the snapshot of these books, and the store that it lies in."""
    bench, store = make_bench(folder), LocalStore(folder)
    outcomes = [run_prepared(_prepare(book, scaffold, bench), bench) for book, scaffold in books]
    models = {"summarizer": "hand", "reader": "words", "trainee": bench.trainee.identity}
    manifest, _ = write_snapshot(Changes(outcomes), bench.work, store, Facts(bench.settings, models, Ledger()))
    return manifest, store


def _prepare(book: SegmentedBook, scaffold: Scaffold, bench: Bench) -> Prepared:
    name = book.book_id
    keys = {
        kind: f"{kind}/{name}/{value.digest()}.json.zst" for kind, value in (("segment", book), ("summarize", scaffold))
    }
    bench.work.save(keys["segment"], book)
    bench.work.save(keys["summarize"], scaffold)
    signature = f"sign/{name}/{book.digest()}.json.zst"
    bench.work.save(signature, sign_row(book, bench.settings.sign))
    repetition, _ = bench.work.make(Repetition, name, measure_repetition, None, book)
    work = PreparedWork(
        work_id=name,
        segmented=keys["segment"],
        signature=signature,
        repetition=repetition,
        side_names=name_sides(book.entry),
        scaffold=keys["summarize"],
    )
    return Prepared(book_id=name, entry=book.entry, source_sha256=book.source_sha256, works=(work,))
