"""Every Prefect task, thin: ids in, outcomes out; texts travel through the store."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from schemas.books import CatalogueEntry, Rejection
from schemas.errors import BudgetError, PipelineError, TransientError
from schemas.outcomes import Outcome, Prepared, Verdicts
from schemas.runs import Manifest, TrainingResult, TrainingSpec
from schemas.settings import Settings
from tasks.backends.trainers import SubprocessTrainer
from tasks.buckets import CRASHED, OVER_BUDGET, UNAVAILABLE
from tasks.judge import judge_texts, read_known
from tasks.line import run_book
from tasks.opening import open_bench
from tasks.prepare import prepare_book
from tasks.shard import Changes
from tasks.snapshot import Facts, write_snapshot
from tasks.story_line import BlockKeys, Job, gather_blocks, prepare_block, run_block

logger = logging.getLogger(__name__)

V = TypeVar("V")

RETRIES = 3
RETRY_DELAYS_S = exponential_backoff(backoff_factor=5)


def is_busy(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:  # Prefect's signature
    """Retry where a mirror or a bucket was busy; the engine has its own patience with the model's server."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, TransientError) and not error.retried


@task(task_run_name="prepare-from-{book_ids[0]}", cache_policy=NO_CACHE, persist_result=False)
def prepare_books(book_ids: tuple[str, ...], settings: Settings) -> list[Prepared | Outcome]:
    """CatalogueEntry -> Prepared, for a batch of books; an Outcome where a book could not be had now."""
    bench, delays = open_bench(settings).bench, iter(RETRY_DELAYS_S(RETRIES))
    return [_guard(book_id, partial(prepare_book, book_id, bench), delays) for book_id in book_ids]


@task(
    task_run_name="book-{book_id}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS_S,
    retry_jitter_factor=0.5,
    retry_condition_fn=is_busy,
)
def process_book(book_id: str, settings: Settings, verdicts: Verdicts) -> Outcome:
    """CatalogueEntry -> Trajectories, every stage of one book; those before the model are done already."""
    return run_guarded(book_id, partial(run_book, book_id, open_bench(settings).bench, verdicts))


@task(task_run_name="books-from-{book_ids[0]}", cache_policy=NO_CACHE, persist_result=False)
def process_batch(book_ids: tuple[str, ...], settings: Settings, verdicts: dict[str, Verdicts]) -> list[Outcome]:
    """The same for a batch of books: a flow run holds at most 500 task runs."""
    bench, delays = open_bench(settings).bench, iter(RETRY_DELAYS_S(RETRIES))
    return [_guard(book_id, partial(run_book, book_id, bench, verdicts[book_id]), delays) for book_id in book_ids]


@task(task_run_name="gather-stories", cache_policy=NO_CACHE, persist_result=False)
def gather_stories(settings: Settings) -> dict[str, str]:
    """StoryFiles -> RawBlocks: block -> where it lies."""
    return gather_blocks(open_bench(settings).bench)


@task(task_run_name="read-stories", cache_policy=NO_CACHE, persist_result=False)
def prepare_blocks(raw: dict[str, str], settings: Settings) -> dict[str, BlockKeys]:
    """RawBlock -> StoryBlock and its signs, for a batch of blocks."""
    bench = open_bench(settings).bench
    return {block_id: prepare_block(block_id, key, bench) for block_id, key in raw.items()}


@task(task_run_name="pair-stories-from-{jobs[0].block_id}", cache_policy=NO_CACHE, persist_result=False)
def process_blocks(jobs: tuple[Job, ...], settings: Settings) -> list[Outcome]:
    """StoryBlock -> PairedBlock, for a batch of blocks."""
    bench, delays = open_bench(settings).bench, iter(RETRY_DELAYS_S(RETRIES))
    return [_guard(job.block_id, partial(run_block, job, bench), delays) for job in jobs]


@task(task_run_name="snapshot", cache_policy=NO_CACHE, persist_result=False)
def commit_snapshot(changes: Changes, settings: Settings) -> tuple[Manifest, bool]:
    """Outcomes -> Manifest."""
    opened = open_bench(settings)
    bench = opened.bench
    facts = Facts(settings, opened.models(), opened.engine.ledger(), opened.left_out, opened.taken, bench.avoided)
    manifest, is_new = write_snapshot(changes, bench.work, opened.out, facts)
    if bench.stories is None:
        read_known(manifest, opened.out, bench.work)  # now, so that a build with nothing to do writes nothing
        judge_texts(manifest, opened.out, bench.work, bench.texts, settings.decontaminate)
    return manifest, is_new


@task(task_run_name="train-{spec.run_id}", cache_policy=NO_CACHE, persist_result=False)
def train_model(spec: TrainingSpec) -> TrainingResult:
    """Manifest -> TrainingRun, in a process of its own."""
    return SubprocessTrainer().train(spec)


def unavailable(book_id: str, error: Exception) -> Outcome:
    """Return the outcome of a book that could not be had now."""
    return _reject(book_id, UNAVAILABLE, f"{error}; run again later")


def _guard(book_id: str, run: Callable[[], V], delays: Iterator[float]) -> V | Outcome:
    """Run a book of a batch; it stops no other. `delays` is the patience of the whole batch with a busy mirror."""
    while True:
        try:
            return run_guarded(book_id, run)
        except TransientError as error:
            delay_s = None if error.retried else next(delays, None)
            if delay_s is None:
                return unavailable(book_id, error)
            logger.warning("book %s: %s; again in %.0f s", book_id, error, delay_s)
            time.sleep(delay_s)


def run_guarded(book_id: str, run: Callable[[], V]) -> V | Outcome:
    """Run a book; a spent budget leaves it for another run, and a bug is logged and rejects it: no other is stopped."""
    try:
        return run()
    except BudgetError as error:
        return _reject(book_id, OVER_BUDGET, str(error))
    except PipelineError:
        raise
    except Exception as error:
        logger.exception("book %s: crashed", book_id)
        return _reject(book_id, CRASHED, f"{type(error).__name__}: {error}; please report this")


def _reject(book_id: str, reason: str, detail: str) -> Outcome:
    """Return an outcome that is not stored, so that the next run tries again."""
    rejection = Rejection(book_id=book_id, stage="book", reason=reason, detail=detail)
    return Outcome(book_id=book_id, status="rejected", entry=CatalogueEntry(book_id=book_id), rejection=rejection)
