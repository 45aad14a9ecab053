"""A running build, looked at from a thread beside it: memory, books in work, books that wait for answers."""

from __future__ import annotations

import sys
import threading
from types import FrameType

import psutil

INTERVAL_S = 0.1
PHASES = {"_prepare": "prepare", "_process": "process", "commit_snapshot": "snapshot"}  # by functions of the flow


class Sampler:
    """Peaks of a process, in bytes and in books; `with` starts and ends the looking."""

    def __init__(self) -> None:
        self.most_books = self.most_waiting = 0
        self.peaks: dict[str, int] = {}
        self._phase, self._process = "start", psutil.Process()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="sampler", daemon=True)

    def __enter__(self) -> Sampler:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            stacks = [_functions(frame) for frame in sys._current_frames().values()]
            at_work = [stack for stack in stacks if "run_book" in stack]
            self.most_books = max(self.most_books, len(at_work))
            self.most_waiting = max(self.most_waiting, sum("answer" in stack for stack in at_work))
            for function, phase in PHASES.items():
                if any(function in stack for stack in stacks):
                    self._phase = phase
            self.peaks[self._phase] = max(self.peaks.get(self._phase, 0), self._process.memory_info().rss)


def _functions(frame: FrameType | None) -> set[str]:
    names = set()
    while frame is not None:
        names.add(frame.f_code.co_name)
        frame = frame.f_back
    return names
