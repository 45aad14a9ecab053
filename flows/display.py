"""Events of a run -> a live display on a terminal, plain lines elsewhere, artifacts in Prefect's UI."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
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

from schemas.runs import Outcome
from tasks.line import describe

logger = logging.getLogger(__name__)

PLAIN_LINES = 10  # of progress in a log, whatever the number of books
ARTIFACT_STEP = 0.05  # share of the books between two updates of the artifact: each is a call to the server


class Display(Protocol):
    """Where a run shows how far it is."""

    def begin(self, total: int, done: int) -> None:
        """A run over `total` books starts; `done` of them were finished before."""

    def advance(self, outcome: Outcome) -> None:
        """A book has come to its end."""

    def finish(self) -> None:
        """No more books."""


class PlainDisplay:
    """A line every tenth of the books, in the log; each book has its own line there already."""

    def __init__(self) -> None:
        self._total = self._done = self._shown = 0

    def begin(self, total: int, done: int) -> None:
        """Say how much there is to do."""
        self._total, self._done = total, done
        logger.info("%d books: %d done before, %d to do", total, done, total - done)

    def advance(self, outcome: Outcome) -> None:  # the log has said what became of it
        """Say it when another tenth is done."""
        self._done += 1
        step = self._done * PLAIN_LINES // max(1, self._total)
        if step > self._shown:
            self._shown = step
            logger.info("%d of %d books", self._done, self._total)

    def finish(self) -> None:
        """Nothing is open."""


class LiveDisplay:
    """A bar that moves, on a terminal."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))
        self._bar: TaskID | None = None
        self._rejected = 0

    def begin(self, total: int, done: int) -> None:
        """Show the bar."""
        self._progress.start()
        self._bar = self._progress.add_task("books", total=total, completed=done)

    def advance(self, outcome: Outcome) -> None:
        """Move it; rejected books stay above it as lines."""
        if self._bar is None:
            return
        if outcome.rejection is not None:
            self._rejected += 1
            self._progress.console.print(f"book {outcome.book_id}: {describe(outcome)}", highlight=False, markup=False)
        note = f"books ({self._rejected} rejected), last {outcome.book_id}"
        self._progress.update(self._bar, advance=1, description=note)

    def finish(self) -> None:
        """Leave the bar as it stands."""
        self._progress.stop()


class ArtifactDisplay:
    """The same bar in Prefect's UI."""

    def __init__(self) -> None:
        self._artifact: UUID | None = None
        self._total = self._done = 0
        self._shown = 0.0

    def begin(self, total: int, done: int) -> None:
        """Create the artifact."""
        self._total, self._done = total, done
        artifact = create_progress_artifact(
            progress=self._percent(), key="books", description="Books that came to their end"
        )
        self._artifact = artifact if isinstance(artifact, UUID) else None

    def advance(self, outcome: Outcome) -> None:  # the bar counts, whatever became of the book
        """Update it now and then."""
        self._done += 1
        if self._percent() - self._shown >= 100 * ARTIFACT_STEP or self._done == self._total:
            self._shown = self._percent()
            if self._artifact is not None:
                update_progress_artifact(artifact_id=self._artifact, progress=self._shown)

    def finish(self) -> None:
        """The last update was the last."""

    def _percent(self) -> float:
        return 100.0 * self._done / max(1, self._total)


current_display: ContextVar[Display | None] = ContextVar("display", default=None)


def open_display() -> Display:
    """Return the display that the command line chose, else plain lines."""
    return current_display.get() or PlainDisplay()


def choose_display() -> Display:
    """Return a live bar where standard error is a terminal, plain lines elsewhere."""
    return LiveDisplay() if sys.stderr.isatty() else PlainDisplay()
