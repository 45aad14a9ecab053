"""Settings -> Manifest: fan out over the books that are not done, then write the snapshot."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.build_plan import Build, add_outcome, changes_of, open_build, plan_books, unprepared, verdicts_of
from flows.build_stories import find_stories, make_stories
from flows.display import show_progress
from flows.finetune import find_training, finetune
from flows.ledgers import publish_ledger
from flows.summaries import BuildSummary, summarize_build
from schemas.errors import PipelineError, TransientError
from schemas.outcomes import Outcome, Prepared
from schemas.settings import Settings
from tasks.line import describe
from tasks.opening import Opened, close_benches, open_bench, record_build
from tasks.shard import Changes, read_head, run_digest
from tasks.steps import commit_snapshot, prepare_books, process_batch, process_book, unavailable

logger = logging.getLogger(__name__)

# at most 500 task runs in a flow run, as a larger map loses history on Prefect's server: these, and the snapshot's
MAX_PREPARE_RUNS, MAX_PROCESS_RUNS = 100, 390
MAX_TABLE_ROWS = 500

Runner = ThreadPoolTaskRunner[Any]
Futures = dict[PrefectFuture[Any], tuple[str, ...]]  # a task and its books


def find_finished(settings: Settings) -> BuildSummary | None:
    """Return the summary of a build that has nothing left to do, or None."""
    started = time.monotonic()
    opened = open_bench(settings)
    changes = find_stories(opened) if opened.bench.stories is not None else _find_books(opened)
    manifest = read_head(opened.out)
    if changes is None or manifest is None or manifest.run_sha256 != run_digest(changes.outcomes) or changes.withdrawn:
        return None
    if not opened.taken <= set(manifest.takedown) or opened.bench.avoided != manifest.decontaminated:
        return None
    training = find_training(settings) if settings.train.after_build else None
    if settings.train.after_build and training is None:
        return None
    summary = summarize_build(changes.outcomes, manifest, opened, is_new=False, seconds=time.monotonic() - started)
    return summary.model_copy(update={"training": training})


def _find_books(opened: Opened) -> Changes | None:
    """Return what books that are all done change, or None where one is not."""
    build = open_build(opened)
    return None if unprepared(build) or plan_books(build) else changes_of(build)


@flow(name="build-trajectories", flow_run_name="build-{settings.out}", persist_result=False)
def build_trajectories(settings: Settings = Settings()) -> BuildSummary:  # noqa: B008  # frozen: the UI's form shows it
    """Turn books into prompt-to-book trajectories and write them as a snapshot of a data set."""
    started = time.monotonic()
    try:
        opened = open_bench(settings)
        changes, prepared = _make_books(settings) if opened.bench.stories is None else (make_stories(settings), {})
        manifest, is_new = commit_snapshot(changes, settings)
        seconds = time.monotonic() - started
        summary = summarize_build(changes.outcomes, manifest, opened, is_new=is_new, seconds=seconds)
        _publish(summary, changes.outcomes)
        publish_ledger(summary.ledger, prepared, opened.bench)
        if not summary.num_trajectories and not summary.over_budget:
            raise PipelineError(
                f"{settings.out}: the snapshot holds no trajectory; the report says why: {summary.report}"
            )
    finally:
        close_benches()
    if settings.train.after_build and not summary.over_budget:  # a part of the books is not worth training on
        training = finetune(settings)
        summary = summary.model_copy(update={"training": training, "seconds": round(time.monotonic() - started, 1)})
    return summary


def _make_books(settings: Settings) -> tuple[Changes, dict[str, Prepared]]:
    """Run every stage of the books, and return what the next snapshot changes."""
    build = open_build(open_bench(settings))
    record_build(settings, build.opened.book_ids)
    _prepare(build, settings)
    _process(build, settings)
    return changes_of(build), build.prepared


def _prepare(build: Build, settings: Settings) -> None:
    """Fetch, clean and divide the books that are not prepared: before a model sees one, duplicates are judged."""
    pending = unprepared(build)
    if not pending:
        return
    num_done = len(build.opened.book_ids) - len(pending)
    with (
        show_progress("books prepared", num_done + len(pending), num_done) as displays,
        _open_runner(settings) as runner,
    ):
        batches = _divide(pending, MAX_PREPARE_RUNS)
        futures: Futures = {
            runner.submit(prepare_books, {"book_ids": batch, "settings": settings}): batch for batch in batches
        }
        for book in _collect(futures):
            if isinstance(book, Outcome):
                build.away[book.book_id] = book
            else:
                build.prepared[book.book_id] = book
            for display in displays:
                display.advance(f"last {book.book_id}")


def _process(build: Build, settings: Settings) -> None:
    """Run the books that a model is to see, `max_workers` at once; what happens to one stops no other."""
    num_runs = 0
    while pending := plan_books(build):
        total = len(build.outcomes) + len(pending)
        with show_progress("books", total, total - len(pending)) as displays, _open_runner(settings) as runner:
            futures = _submit(runner, pending, build, max(1, MAX_PROCESS_RUNS - num_runs))
            num_runs += len(futures)
            for outcome in _collect(futures):
                add_outcome(build, outcome)
                line = f"book {outcome.book_id}: {describe(outcome)}" if outcome.rejection is not None else None
                for display in displays:
                    display.advance(f"last {outcome.book_id}", line)


def _open_runner(settings: Settings) -> Runner:
    return ThreadPoolTaskRunner(max_workers=settings.max_workers)


def _submit(runner: Runner, pending: tuple[str, ...], build: Build, max_runs: int) -> Futures:
    """One task a book, or a batch where there would be more than `max_runs`."""
    settings = build.opened.bench.settings
    verdicts = {book_id: verdicts_of(build, book_id) for book_id in pending}
    if len(pending) <= max_runs:
        return {
            runner.submit(process_book, {"book_id": book_id, "settings": settings, "verdicts": verdicts[book_id]}): (
                book_id,
            )
            for book_id in pending
        }
    return {
        runner.submit(
            process_batch, {"book_ids": batch, "settings": settings, "verdicts": {one: verdicts[one] for one in batch}}
        ): batch
        for batch in _divide(pending, max_runs)
    }


def _divide(book_ids: tuple[str, ...], max_batches: int) -> list[tuple[str, ...]]:
    size = ceil(len(book_ids) / max_batches)
    return [book_ids[at : at + size] for at in range(0, len(book_ids), size)]


def _collect(futures: Futures) -> Iterator[Any]:
    """Yield what the tasks return, one value a book, as they end."""
    for future in as_completed(list(futures)):
        result = future.result(raise_on_failure=False)
        if isinstance(result, TransientError):
            yield from (unavailable(book_id, result) for book_id in futures[future])
        elif isinstance(result, BaseException):
            raise result
        else:
            yield from result if isinstance(result, list) else [result]


def _publish(summary: BuildSummary, outcomes: Sequence[Outcome]) -> None:
    """Show in Prefect's UI what the terminal shows."""
    lines = [f"| {name} | {value} |" for name, value in _figures(summary).items()]
    create_markdown_artifact(
        "\n".join(["| what | number |", "| --- | --- |", *lines]), key="build", description=summary.out
    )
    rejected = [outcome.rejection.model_dump() for outcome in outcomes if outcome.rejection is not None]
    if rejected:
        create_table_artifact(rejected[:MAX_TABLE_ROWS], key="rejected", description=f"{len(rejected)} rejected books")


def _figures(summary: BuildSummary) -> dict[str, object]:
    layouts = {f"`{layout}` rows": tally.made for layout, tally in summary.accounting.layouts.items()}
    return {
        "books in": summary.books.in_,
        "books out": summary.books.out,
        "books rejected": summary.books.num_rejected,
        **layouts,
        "tokens": summary.tokens.total,
        "answers asked": summary.ledger.calls,
        "report": summary.report,
    }


if __name__ == "__main__":
    build_trajectories()
