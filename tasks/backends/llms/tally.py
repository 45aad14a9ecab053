"""Answers -> what they cost, by book and level, and whether the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from schemas.errors import BudgetError
from schemas.ledger import Ledger, Usage
from schemas.settings import CostSettings
from tasks.pricing import count_gpu_hours, price_usage


@dataclass
class Counts:
    """The fields of a Usage, for counting."""

    calls: int = 0
    replayed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    wasted_tokens: int = 0
    refused: int = 0
    runaways: int = 0
    lenient: int = 0
    failures: int = 0
    seconds: float = 0.0

    def add(self, amounts: dict[str, float]) -> None:
        """Add amounts by field."""
        fields = vars(self)
        for name, amount in amounts.items():
            fields[name] += amount

    def usage(self) -> Usage:
        """Return the counts as a value."""
        return Usage(**vars(self))


class Tally:
    """Counts of one process, written by the thread of the engine alone and read by any.

    Of several flow processes that share the servers, each bears its part of the GPUs' time and of the budget.
    """

    def __init__(self, rates: CostSettings, num_processes: int = 1) -> None:
        self._rates, self._num_processes = rates, num_processes
        self._counts: dict[tuple[str, str], Counts] = {}
        self._total = Counts()
        self._in_flight, self._busy_seconds, self._busy_since = 0, 0.0, 0.0

    def add(self, book_id: str, call: str, **amounts: float) -> None:
        """Add amounts by field of Usage to a level of a book."""
        self._counts.setdefault((book_id, call), Counts()).add(amounts)
        self._total.add(amounts)

    @contextmanager
    def flight(self, book_id: str, call: str) -> Iterator[None]:
        """Measure the time of one request on the wire."""
        start = time.monotonic()
        if not self._in_flight:
            self._busy_since = start
        self._in_flight += 1
        try:
            yield
        finally:
            end = time.monotonic()
            self._in_flight -= 1
            if not self._in_flight:
                self._busy_seconds += end - self._busy_since
            self.add(book_id, call, seconds=end - start)

    def check_budget(self) -> None:
        """Raise BudgetError where the budget is spent."""
        budget = self._rates.budget
        if budget is None:
            return
        spent = price_usage(self._total.usage(), self._gpu_seconds(), self._rates) * self._num_processes
        if spent >= budget:
            said = f"the budget of {budget:.2f} is spent: {spent:.2f} for {self._total.calls:,} requests"
            raise BudgetError(f"{said}; nothing more is sent, run again to go on")

    def ledger(self) -> Ledger:
        """Return what was counted so far."""
        levels: dict[str, Counts] = {}
        books: dict[str, dict[str, Usage]] = {}
        for (book_id, call), counts in sorted(self._counts.items()):
            levels.setdefault(call, Counts()).add(vars(counts))
            books.setdefault(book_id, {})[call] = counts.usage()
        total, gpu_seconds = self._total.usage(), self._gpu_seconds()
        return Ledger(
            **vars(self._total),
            levels={call: counts.usage() for call, counts in levels.items()},
            books=books,
            busy_seconds=self._measure_busy(),
            gpu_hours=count_gpu_hours(gpu_seconds, self._rates),
            cost=price_usage(total, gpu_seconds, self._rates),
        )

    def _measure_busy(self) -> float:
        since = time.monotonic() - self._busy_since if self._in_flight else 0.0
        return self._busy_seconds + since

    def _gpu_seconds(self) -> float:
        return self._measure_busy() / self._num_processes
