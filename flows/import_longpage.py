"""LongPage's table -> Manifest: its books come with their scaffolds, so there is no model and no fan-out."""

from __future__ import annotations

import logging
import time
from functools import partial

from flows.build_plan import Build, add_outcome, changes_of, open_build, plan_books, verdicts_of
from flows.summaries import BuildSummary, summarize_build
from schemas.longpage import ImportSettings
from schemas.outcomes import Outcome
from schemas.settings import Settings
from schemas.value import Value
from tasks.adopt import adopt_row
from tasks.importing.summarize import SUMMARIZER
from tasks.importing.table import iter_rows, list_files
from tasks.line import run_prepared
from tasks.opening import NO_BOOKS, Opened, close_benches, open_bench
from tasks.snapshot import Facts, write_snapshot
from tasks.steps import run_guarded

logger = logging.getLogger(__name__)

NO_READER = "none"  # no model has read these texts


class ImportSummary(Value):
    """What `scriptorium import` has made of a table."""

    table: str
    rows: int
    repeated: int
    build: BuildSummary


def run_import(table: str, settings: Settings, rows: ImportSettings) -> ImportSummary:
    """Add the books of a table to a data set; what is done already is not done again.

    Rows are read one at a time and what came of them lies in the work store, so memory does not grow with the table.

    Raises:
        ConfigError: there is no such table, it lacks columns, or the data set is of another recipe.
    """
    started = time.monotonic()
    files = list_files(table)
    source = settings.source.model_copy(update={"books": NO_BOOKS})
    try:
        opened = open_bench(settings.model_copy(update={"source": source}))
        build = open_build(opened)
        num_rows = num_repeated = 0
        for raw in iter_rows(files):
            prepared = adopt_row(raw, rows, opened.bench)
            num_rows += 1
            num_repeated += prepared.book_id in build.prepared
            build.prepared[prepared.book_id] = prepared
        _run(build)
        summary = _commit(build, opened, trainable=rows.trainable, seconds=time.monotonic() - started)
    finally:
        close_benches()
    return ImportSummary(table=table, rows=num_rows, repeated=num_repeated, build=summary)


def _run(build: Build) -> None:
    """Check and compose every book that is no duplicate and not taken down; one of them stops no other."""
    while pending := plan_books(build):
        for book_id in pending:
            run = partial(run_prepared, build.prepared[book_id], build.opened.bench, verdicts_of(build, book_id))
            outcome: Outcome = run_guarded(book_id, run)
            add_outcome(build, outcome)


def _commit(build: Build, opened: Opened, *, trainable: bool, seconds: float) -> BuildSummary:
    models = {**opened.models(), "summarizer": SUMMARIZER, "reader": NO_READER}
    facts = Facts(opened.bench.settings, models, opened.engine.ledger(), takedown=opened.taken)
    manifest, is_new = write_snapshot(changes_of(build), opened.bench.work, opened.out, facts)
    summary = summarize_build(build.outcomes, manifest, opened, is_new=is_new, seconds=seconds)
    return summary.model_copy(update={"trainable": trainable})
