"""Settings -> summary: a flow run in this process, with a live display and a quiet temporary Prefect server."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.settings import (
    PREFECT_API_DATABASE_CONNECTION_URL,
    PREFECT_API_URL,
    PREFECT_SERVER_ANALYTICS_ENABLED,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    PREFECT_SERVER_LOGGING_LEVEL,
    temporary_settings,
)
from rich.console import Console

from flows.build_trajectories import build_trajectories, find_finished
from flows.display import choose_display, current_display
from flows.finetune import find_training, finetune
from flows.interrupts import quick_end
from flows.refresh_corpus import refresh_corpus
from flows.summaries import BuildSummary, RefreshSummary
from schemas.runs import TrainingResult
from schemas.settings import Settings
from tasks.opening import close_benches

logger = logging.getLogger(__name__)

STARTUP_S = 120  # a temporary server takes 10 to 20 s on two busy cores


def run_build(settings: Settings) -> BuildSummary:
    """Run the build-trajectories flow, unless all of it is done already."""
    try:
        finished = find_finished(settings)
        if finished is not None:
            logger.info("everything is done already: nothing to make")
            return finished
        with _local_prefect():
            return build_trajectories(settings)
    finally:
        close_benches()


def run_refresh(settings: Settings) -> RefreshSummary:
    """Run the refresh-corpus flow."""
    try:
        with _local_prefect():
            return refresh_corpus(settings)
    finally:
        close_benches()


def run_finetune(settings: Settings) -> TrainingResult:
    """Run the finetune flow, unless the same training is done already."""
    done = find_training(settings)
    if done is not None:
        logger.info("this training is done already: nothing to make")
        return done
    with _local_prefect():
        return finetune(settings)


@contextmanager
def _local_prefect() -> Iterator[None]:
    """Run flows quietly, with a display that suits where standard error goes."""
    logging.getLogger("prefect").setLevel(logging.CRITICAL)  # a failure is told once, by the command line
    chosen = current_display.set(choose_display())
    try:
        with _open_server(), quick_end():
            yield
    finally:
        current_display.reset(chosen)


@contextmanager
def _open_server() -> Iterator[None]:
    """Use the server that PREFECT_API_URL names; without one, a temporary server whose history goes with it.

    Its database is in memory: on disk, two builds at once would wait for each other's locks.
    """
    if PREFECT_API_URL.value():
        yield
        return
    if sys.stderr.isatty():
        Console(stderr=True).print(
            "starting a temporary Prefect server, 10 to 20 s; PREFECT_API_URL names one of your own"
        )
    quiet = {
        PREFECT_API_DATABASE_CONNECTION_URL: "sqlite+aiosqlite:///:memory:",
        PREFECT_SERVER_ANALYTICS_ENABLED: False,
        PREFECT_SERVER_LOGGING_LEVEL: "CRITICAL",
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: STARTUP_S,
    }
    with temporary_settings(updates=quiet):
        yield
