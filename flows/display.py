"""Events of a run -> a live bar on a terminal, plain lines elsewhere, an artifact in Prefect's UI."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

logger = logging.getLogger(__name__)

PLAIN_LINES = 10  # of progress in a log, whatever the number of books
ARTIFACT_STEP = 5.0  # percent between two updates of the artifact: each is a call to the server
POLL_S = 0.5  # between two looks at the log of a training job


class Display(Protocol):
    """Where a run shows how far it is."""

    def begin(self, unit: str, total: int, done: int) -> None:
        """Show `total` units ("books", "steps"), of which `done` were finished before."""

    def advance(self, note: str, line: str | None = None) -> None:
        """Count one more unit; `note` stands beside the bar, `line` stays above it."""

    def finish(self) -> None:
        """No more units."""


class PlainDisplay:
    """A line every tenth of the units, in the log; what became of a book is a line there already."""

    def begin(self, unit: str, total: int, done: int) -> None:
        """Say how much there is to do."""
        self._unit, self._total, self._done, self._shown = unit, total, done, 0
        logger.info("%d %s: %d done before, %d to do", total, unit, done, total - done)

    def advance(self, note: str, line: str | None = None) -> None:  # the log has the line
        """Say it when another tenth is done."""
        self._done += 1
        tenth = self._done * PLAIN_LINES // max(1, self._total)
        if tenth > self._shown:
            self._shown = tenth
            logger.info("%d of %d %s, %s", self._done, self._total, self._unit, note)

    def finish(self) -> None:
        """Nothing is open."""


class LiveDisplay:
    """A bar that moves, on a terminal."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))
        self._unit = ""
        self._bar: TaskID | None = None

    def begin(self, unit: str, total: int, done: int) -> None:
        """Show a bar below those that are there."""
        self._unit = unit
        self._bar = self._progress.add_task(unit, total=total, completed=done)
        self._progress.start()

    def advance(self, note: str, line: str | None = None) -> None:
        """Move the bar."""
        if line is not None:
            self._progress.console.print(line, highlight=False, markup=False)
        if self._bar is not None:
            self._progress.update(self._bar, advance=1, description=f"{self._unit}, {note}")

    def finish(self) -> None:
        """Leave the bars as they stand."""
        self._progress.stop()


class ArtifactDisplay:
    """The same bar in Prefect's UI."""

    def begin(self, unit: str, total: int, done: int) -> None:
        """Create the artifact."""
        self._total, self._done = max(1, total), done
        self._shown = 100.0 * done / self._total
        artifact = create_progress_artifact(
            progress=self._shown, key=unit.replace(" ", "-"), description=f"{total} {unit}"
        )
        self._artifact = artifact if isinstance(artifact, UUID) else None

    def advance(self, note: str, line: str | None = None) -> None:  # an artifact has room for a bar
        """Update it now and then."""
        self._done += 1
        percent = 100.0 * self._done / self._total
        if self._artifact is not None and (percent - self._shown >= ARTIFACT_STEP or self._done == self._total):
            self._shown = percent
            update_progress_artifact(artifact_id=self._artifact, progress=percent)

    def finish(self) -> None:
        """The last update was the last."""


current_display: ContextVar[Display | None] = ContextVar("display", default=None)


def choose_display() -> Display:
    """Return a live bar where standard error is a terminal, plain lines elsewhere."""
    return LiveDisplay() if sys.stderr.isatty() else PlainDisplay()


@contextmanager
def show_progress(unit: str, total: int, done: int) -> Iterator[Sequence[Display]]:
    """Open the display that the command line chose (else plain lines) and the artifact of Prefect's UI."""
    displays: tuple[Display, ...] = (current_display.get() or PlainDisplay(), ArtifactDisplay())
    for display in displays:
        display.begin(unit, total, done)
    try:
        yield displays
    finally:
        for display in displays:
            display.finish()


@contextmanager
def follow_training(log: Path, num_steps: int) -> Iterator[None]:
    """Show the steps that a training job writes to its log while it runs."""
    ended = threading.Event()
    done = sum(1 for _ in _read_steps(log))
    with show_progress("steps", num_steps, done) as displays:
        follower = threading.Thread(target=_follow, args=(log, done, displays, ended), daemon=True)
        follower.start()
        try:
            yield
        finally:
            ended.set()
            follower.join()


def _follow(log: Path, done: int, displays: Sequence[Display], ended: threading.Event) -> None:
    while True:
        is_last = ended.wait(POLL_S)
        losses = list(_read_steps(log))
        for loss in losses[done:]:
            for display in displays:
                display.advance(f"loss {loss:.3f}")
        done = max(done, len(losses))
        if is_last:
            return


def _read_steps(log: Path) -> Iterator[float]:
    """Yield the loss of every whole line of a training log; a line may be half-written when it is read."""
    lines = log.read_text(encoding="utf-8").split("\n")[:-1] if log.is_file() else []
    yield from (float(json.loads(line)["loss"]) for line in lines)
