"""SIGINT or SIGTERM -> a quick end that loses nothing."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import psutil

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE_S = 3.0  # for a child to end by itself: a training job, a temporary Prefect server


@contextmanager
def quick_end() -> Iterator[None]:
    """End the process at once when it is told to stop.

    Every store bears kill -9, so there is nothing to tidy; waiting for the books in work and for Prefect to
    send its history to a server that has been stopped too would take minutes.
    """
    before = [signal.signal(number, _stop) for number in SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:  # the form of a handler
    end_children()
    sys.stderr.write("\nscriptorium: stopped; nothing is lost: run the same command to go on\n")
    sys.stderr.flush()
    os._exit(128 + number)  # as shells count


def end_children() -> None:
    """End every process that this one has started, by its process id."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        _send(child, signal.SIGTERM)
    _, alive = psutil.wait_procs(children, PATIENCE_S)
    for child in alive:
        _send(child, signal.SIGKILL)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
