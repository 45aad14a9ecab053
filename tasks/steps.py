"""Every Prefect task, thin: ids in, outcomes out; texts travel through the store."""

from __future__ import annotations

import logging
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from schemas.books import CatalogueEntry, Rejection
from schemas.errors import PipelineError, TransientError
from schemas.runs import Manifest, Outcome, TrainingResult, TrainingSpec
from schemas.settings import Settings
from tasks.backends.trainers import SubprocessTrainer
from tasks.line import Bench, run_book
from tasks.opening import open_bench
from tasks.shard import CRASHED, UNAVAILABLE
from tasks.snapshot import Facts, write_snapshot

logger = logging.getLogger(__name__)

RETRIES = 3
RETRY_DELAYS_S = exponential_backoff(backoff_factor=5)


def is_busy(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:  # Prefect's signature
    """Retry where a mirror or a bucket was busy; the engine has its own patience with the model's server."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, TransientError) and not error.retried


@task(
    task_run_name="book-{book_id}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS_S,
    retry_jitter_factor=0.5,
    retry_condition_fn=is_busy,
)
def process_book(book_id: str, settings: Settings) -> Outcome:
    """CatalogueEntry -> Trajectories, every stage of one book."""
    return _run_guarded(book_id, open_bench(settings).bench)


@task(task_run_name="books-{book_ids[0]}-to-{book_ids[-1]}", cache_policy=NO_CACHE, persist_result=False)
def process_batch(book_ids: tuple[str, ...], settings: Settings) -> list[Outcome]:
    """The same for a batch of books: a flow run holds at most 500 task runs."""
    bench = open_bench(settings).bench
    outcomes = []
    for book_id in book_ids:
        try:
            outcomes.append(_run_guarded(book_id, bench))
        except TransientError as error:
            outcomes.append(unavailable(book_id, error))
    return outcomes


@task(task_run_name="snapshot", cache_policy=NO_CACHE, persist_result=False)
def commit_snapshot(outcomes: list[Outcome], settings: Settings) -> tuple[Manifest, bool]:
    """Outcomes -> Manifest."""
    opened = open_bench(settings)
    facts = Facts(settings, opened.models(), opened.engine.ledger())
    return write_snapshot(outcomes, opened.bench.work, opened.out, facts)


@task(task_run_name="train-{spec.run_id}", cache_policy=NO_CACHE, persist_result=False)
def train_model(spec: TrainingSpec) -> TrainingResult:
    """Manifest -> TrainingRun, in a process of its own."""
    return SubprocessTrainer().train(spec)


def unavailable(book_id: str, error: Exception) -> Outcome:
    """Return the outcome of a book that could not be had now."""
    return _reject(book_id, UNAVAILABLE, f"{error}; run again later")


def _run_guarded(book_id: str, bench: Bench) -> Outcome:
    """Run a book; a bug that it hits is logged and rejects it, so that it stops no other."""
    try:
        return run_book(book_id, bench)
    except PipelineError:
        raise
    except Exception as error:
        logger.exception("book %s: crashed", book_id)
        return _reject(book_id, CRASHED, f"{type(error).__name__}: {error}; please report this")


def _reject(book_id: str, reason: str, detail: str) -> Outcome:
    """Return an outcome that is not stored, so that the next run tries again."""
    rejection = Rejection(book_id=book_id, stage="book", reason=reason, detail=detail)
    return Outcome(book_id=book_id, status="rejected", entry=CatalogueEntry(book_id=book_id), rejection=rejection)
