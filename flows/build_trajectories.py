"""Settings -> Manifest: fan out over the books that are not done, then write the snapshot."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.display import show_progress
from flows.finetune import find_training, finetune
from flows.summaries import BuildSummary, summarize_build
from schemas.errors import PipelineError, TransientError
from schemas.runs import Manifest, Outcome
from schemas.settings import Settings
from tasks.line import describe, find_outcome
from tasks.opening import close_benches, open_bench, record_build
from tasks.shard import read_head, run_digest
from tasks.steps import commit_snapshot, process_batch, process_book, unavailable

logger = logging.getLogger(__name__)

MAX_TASK_RUNS = 500  # a larger map loses history on Prefect's server
MAX_TABLE_ROWS = 500

Runner = ThreadPoolTaskRunner[Any]


@dataclass(frozen=True)
class Plan:
    """What is done of a build, and what is to do."""

    done: tuple[Outcome, ...]
    pending: tuple[str, ...]


def plan_build(settings: Settings) -> Plan:
    """Look every book up in the work store, before Prefect fans out.

    Raises:
        ConfigError: something the settings name is not there, cannot be read or cannot be written.
    """
    opened = open_bench(settings)
    found = {book_id: find_outcome(book_id, opened.bench) for book_id in opened.book_ids}
    done = tuple(outcome for outcome in found.values() if outcome is not None)
    return Plan(done, tuple(book_id for book_id, outcome in found.items() if outcome is None))


def find_finished(settings: Settings) -> BuildSummary | None:
    """Return the summary of a build that has nothing left to do, or None."""
    started = time.monotonic()
    plan = plan_build(settings)
    opened = open_bench(settings)
    manifest = read_head(opened.out)
    if plan.pending or manifest is None or manifest.run_sha256 != run_digest(plan.done):
        return None
    training = find_training(settings) if settings.train.after_build else None
    if settings.train.after_build and training is None:
        return None
    summary = _summary(list(plan.done), manifest, settings, is_new=False, seconds=time.monotonic() - started)
    return summary.model_copy(update={"training": training})


@flow(name="build-trajectories", flow_run_name="build-{settings.out}", persist_result=False)
def build_trajectories(settings: Settings = Settings()) -> BuildSummary:  # noqa: B008  # frozen: the UI's form shows it
    """Turn books into prompt-to-book trajectories and write them as a snapshot of a data set."""
    started = time.monotonic()
    try:
        plan = plan_build(settings)
        record_build(settings)
        outcomes = [*plan.done, *_process(plan, settings)]
        manifest, is_new = commit_snapshot(outcomes, settings)
        summary = _summary(outcomes, manifest, settings, is_new=is_new, seconds=time.monotonic() - started)
        _publish(summary, outcomes)
        if not summary.num_trajectories:
            raise PipelineError(
                f"{settings.out}: the snapshot holds no trajectory; the report says why: {summary.report}"
            )
    finally:
        close_benches()
    if settings.train.after_build:
        training = finetune(settings)
        seconds = round(time.monotonic() - started, 1)
        summary = summary.model_copy(update={"training": training, "seconds": seconds})
    return summary


def _process(plan: Plan, settings: Settings) -> list[Outcome]:
    """Run the pending books, `max_workers` at once; what happens to one stops no other."""
    outcomes: list[Outcome] = []
    num_done, num_pending = len(plan.done), len(plan.pending)
    with show_progress("books", num_done + num_pending, num_done) as displays, _open_runner(settings) as runner:
        for outcome in _collect(_submit(runner, plan.pending, settings)):
            outcomes.append(outcome)
            line = f"book {outcome.book_id}: {describe(outcome)}" if outcome.rejection is not None else None
            for display in displays:
                display.advance(f"last {outcome.book_id}", line)
    return outcomes


def _open_runner(settings: Settings) -> Runner:
    return ThreadPoolTaskRunner(max_workers=settings.max_workers)


def _submit(runner: Runner, pending: tuple[str, ...], settings: Settings) -> dict[PrefectFuture[Any], tuple[str, ...]]:
    """One task a book, or a batch where there would be more than MAX_TASK_RUNS."""
    size = ceil(len(pending) / MAX_TASK_RUNS)
    batches = [pending[at : at + size] for at in range(0, len(pending), max(1, size))]
    if size <= 1:
        return {
            runner.submit(process_book, {"book_id": book_id, "settings": settings}): (book_id,) for book_id in pending
        }
    return {runner.submit(process_batch, {"book_ids": batch, "settings": settings}): batch for batch in batches}


def _collect(futures: dict[PrefectFuture[Any], tuple[str, ...]]) -> Iterator[Outcome]:
    for future in as_completed(list(futures)):
        result = future.result(raise_on_failure=False)
        if isinstance(result, Outcome):
            yield result
        elif isinstance(result, list):
            yield from result
        elif isinstance(result, TransientError):
            yield from (unavailable(book_id, result) for book_id in futures[future])
        elif isinstance(result, BaseException):
            raise result


def _summary(
    outcomes: list[Outcome], manifest: Manifest, settings: Settings, *, is_new: bool, seconds: float
) -> BuildSummary:
    trainable = open_bench(settings).bench.llm.trainable
    return summarize_build(outcomes, manifest, settings, is_new=is_new, trainable=trainable, seconds=seconds)


def _publish(summary: BuildSummary, outcomes: list[Outcome]) -> None:
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
