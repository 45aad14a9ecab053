"""Prepared works + pilots -> Forecast: the input of every window is counted, the rest is estimated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls

from schemas.answers import LEVELS
from schemas.books import SegmentedBook
from schemas.errors import BookError
from schemas.ledger import Forecast, Ledger, Pilot, Point, Usage
from schemas.outcomes import PreparedWork
from schemas.settings import CostSettings, Recipe
from schemas.value import Value
from tasks.backends.llms.engine import Engine
from tasks.bench import Bench
from tasks.line import outline_seams, seams_of
from tasks.outline import outline_book
from tasks.pilot import (
    OUTLINE,
    READ,
    WINDOW_CALLS,
    InputCounter,
    list_outlines,
    list_reads,
    measure_outlines,
    measure_work,
)
from tasks.pricing import add_usage, count_gpu_hours, price_usage, subtract_usage
from tasks.protocols import Request
from tasks.summarize import summarize_book

LEAST_POINTS = 3  # of different size: with fewer a mean says as much as a line
FIELDS = ("prompt_tokens", "cached_tokens", "completion_tokens")


@dataclass(frozen=True)
class CountedWork:
    """A work that a model is to see: the size of each window, and what is known of its answers already."""

    work_id: str
    segmented: str
    sizes: tuple[int, ...]
    is_planned: bool  # its scaffold is in the work store: nothing of it is asked
    num_read: int  # windows whose first call is answered
    read: Usage  # what these answers cost
    call: str = READ  # that is asked of every window first


class Asking(NamedTuple):
    """The stage of a recipe that asks a model: its first call, what shapes it, and how to count and to measure it."""

    call: str
    stage: Callable[..., Value]
    settings: Callable[[Bench], Value]
    seams: Callable[[Bench], dict[str, Any]]
    list_requests: Callable[..., list[Request]]
    measure: Callable[..., Pilot]


ASKINGS: dict[Recipe, Asking] = {
    "prompt-to-book": Asking(
        READ, summarize_book, lambda bench: bench.settings.summarize, seams_of, list_reads, measure_work
    ),
    "outline-to-text": Asking(
        OUTLINE, outline_book, lambda bench: bench.settings.outline, outline_seams, list_outlines, measure_outlines
    ),
}


class Line(NamedTuple):
    """Something that grows with a size."""

    base: float
    slope: float

    def sum_over(self, sizes: Sequence[int]) -> float:
        """Return the sum of its values at these sizes."""
        return self.base * len(sizes) + self.slope * sum(sizes)


@dataclass(frozen=True)
class LevelRate:
    """What one level costs: by window where its requests have one, otherwise by work and its number of windows."""

    by_window: bool
    calls: Line  # by unit
    tokens: Mapping[str, Line]  # by unit, a line for each of FIELDS
    repairs: Mapping[str, float]  # what was really spent, for each of FIELDS and calls, by what first tries spent
    wasted: float  # share of the completion tokens
    seconds: float  # by completion token

    def predict(self, works: Sequence[CountedWork]) -> Usage:
        """Return the expected usage of works."""
        units = [size for work in works for size in (work.sizes if self.by_window else (len(work.sizes),))]
        counts = {name: line.sum_over(units) * self.repairs[name] for name, line in self.tokens.items()}
        return _round_usage(self.calls.sum_over(units) * self.repairs["calls"], counts, self.wasted, self.seconds)


def count_work(work: PreparedWork, bench: Bench, engine: Engine, counter: InputCounter) -> CountedWork | None:
    """Count the windows of a work and the exact input of each; None where it has no chapter to read."""
    book = bench.work.load(SegmentedBook, work.segmented)
    if book is None:
        raise FileNotFoundError(work.segmented)
    asking = ASKINGS[bench.settings.recipe]
    settings, seams = asking.settings(bench), asking.seams(bench)
    try:
        requests = asking.list_requests(book, settings, **seams)
    except BookError:
        return None
    sizes = tuple(counter.count(request) for request in requests)
    planned = bench.work.key(work.work_id, asking.stage, settings, (book.digest(),), **seams)
    is_planned = bench.work.digest(planned) is not None
    found = [answers for request in requests if (answers := engine.find_stored(request))]
    usages = [Usage(calls=1, **{name: sum(getattr(one, name) for one in of) for name in FIELDS}) for of in found]
    return CountedWork(work.work_id, work.segmented, sizes, is_planned, len(found), add_usage(*usages), asking.call)


def choose_pilots(works: Sequence[CountedWork], num_pilots: int) -> list[CountedWork]:
    """Return the works that are the most like the others: those whose number of windows is nearest the median."""
    middle = median(len(work.sizes) for work in works) if works else 0
    ordered = sorted(works, key=lambda work: (abs(len(work.sizes) - middle), work.work_id))
    return ordered[:num_pilots]


def run_pilot(work: CountedWork, bench: Bench) -> Pilot:
    """Return what a work's answers cost, measured once: they are asked now where they are not known."""
    book = bench.work.load(SegmentedBook, work.segmented)
    if book is None:
        raise FileNotFoundError(work.segmented)
    asking = ASKINGS[bench.settings.recipe]
    seams = {**asking.seams(bench), "reader": bench.reader}
    _, pilot = bench.work.make(Pilot, work.work_id, asking.measure, asking.settings(bench), book, **seams)
    return pilot


def make_forecast(
    num_books: int, works: Sequence[CountedWork], pilots: Mapping[str, Pilot], last: Ledger, cost: CostSettings
) -> Forecast:
    """Return what works will cost.

    Args:
        num_books: books that they are in.
        works: all that a model is to see, those that it has seen already among them.
        pilots: by work id; none: only the input of the calls on windows is told.
        last: of the same model's last run, for its pace where the pilots were answered before; may be empty.
        cost: rates.
    """
    rates = rate_levels(pilots, works, last)
    others = [work for work in works if work.work_id not in pilots]
    levels = predict_levels(others, pilots, rates)
    total, already = add_usage(*levels.values()), find_known(others, pilots, rates)
    remaining = subtract_usage(total, already)
    concurrency = find_concurrency(pilots, last)
    busy_seconds = remaining.seconds / concurrency if concurrency else 0.0
    return Forecast(
        books=num_books,
        works=len(works),
        pilot=tuple(sorted(pilots)),
        windows=sum(len(work.sizes) for work in works),
        levels=levels,
        total=total,
        already_answered=already,
        remaining=remaining,
        gpu_hours=count_gpu_hours(busy_seconds, cost),
        cost=price_usage(remaining, busy_seconds, cost),
    )


def find_concurrency(pilots: Mapping[str, Pilot], last: Ledger) -> float:
    """Return the requests in flight on average while pilots were asked, else in the last run; 0 where none is known."""
    known = [pilot.concurrency for pilot in pilots.values() if pilot.concurrency]
    if known:
        return sum(known) / len(known)
    return last.seconds / last.busy_seconds if last.busy_seconds else 0.0


def rate_levels(pilots: Mapping[str, Pilot], works: Sequence[CountedWork], last: Ledger) -> dict[str, LevelRate]:
    """Return what each level costs, from the pilots; seconds come from the last run where no pilot has any."""
    num_windows = {work.work_id: len(work.sizes) for work in works if work.work_id in pilots}
    levels = sorted({level for pilot in pilots.values() for level in pilot.points})
    return {level: _rate_level(level, pilots, num_windows, last) for level in levels}


def predict_levels(
    works: Sequence[CountedWork], pilots: Mapping[str, Pilot], rates: Mapping[str, LevelRate]
) -> dict[str, Usage]:
    """Return the usage of each level: measured of pilots, expected of the other works; the calls' order is kept."""
    if not rates:
        sizes = [size for work in works for size in work.sizes]
        return {works[0].call if works else READ: Usage(calls=len(sizes), prompt_tokens=sum(sizes))}
    return {
        level: add_usage(_measure(level, pilots, rates[level]), rates[level].predict(works))
        for level in LEVELS
        if level in rates
    }


def find_known(works: Sequence[CountedWork], pilots: Mapping[str, Pilot], rates: Mapping[str, LevelRate]) -> Usage:
    """Return what is answered already: pilots, works with a scaffold, and of others what is read and follows that."""
    done = [work for work in works if work.is_planned]
    known = list(predict_levels(done, pilots, rates).values())
    for work in works:
        if work.num_read and not work.is_planned:
            share = work.num_read / len(work.sizes)
            followed = (
                rate.predict([work]) for level, rate in rates.items() if rate.by_window and level not in WINDOW_CALLS
            )
            known += [work.read, *(_scale(usage, share) for usage in followed)]
    return add_usage(*known)


def fit_line(pairs: Iterable[tuple[float, float]]) -> Line:
    """Return the line through pairs of size and value, neither falling nor below 0 at size 0; a mean of few sizes."""
    points = list(pairs)
    if len({size for size, _ in points}) < LEAST_POINTS:
        return Line(sum(value for _, value in points) / len(points), 0.0)
    sizes, values = np.array(points, dtype=float).T
    (base, slope), _ = nnls(np.column_stack([np.ones_like(sizes), sizes]), values)
    return Line(float(base), float(slope))


def fit_input(points: Sequence[Point]) -> Line:
    """Return a read call's input by its size: exactly that and the chat template, where the reader is the server's."""
    differences = {point.prompt_tokens - point.size for point in points}
    if len(differences) == 1:
        return Line(float(differences.pop()), 1.0)
    return fit_line((point.size, point.prompt_tokens) for point in points)


def _rate_level(level: str, pilots: Mapping[str, Pilot], num_windows: Mapping[str, int], last: Ledger) -> LevelRate:
    by_work = {work_id: pilot.points.get(level, ()) for work_id, pilot in pilots.items()}
    points = [point for found in by_work.values() for point in found]
    by_window = any(point.size for point in points)
    if by_window:
        calls = Line(len(points) / sum(num_windows.values()), 0.0)
        lines = {name: fit_line((point.size, getattr(point, name)) for point in points) for name in FIELDS}
        if level in WINDOW_CALLS:
            lines["prompt_tokens"] = fit_input(points)
        tokens = {name: Line(line.base * calls.base, line.slope * calls.base) for name, line in lines.items()}
    else:
        calls = _fit_works(num_windows, {work_id: float(len(found)) for work_id, found in by_work.items()})
        tokens = {name: _fit_works(num_windows, _sum_points(by_work, name)) for name in FIELDS}
    return LevelRate(by_window, calls, tokens, *_measure_rest(level, pilots, last))


def _sum_points(by_work: Mapping[str, Sequence[Point]], name: str) -> dict[str, float]:
    return {work_id: float(sum(getattr(point, name) for point in points)) for work_id, points in by_work.items()}


def _fit_works(num_windows: Mapping[str, int], totals: Mapping[str, float]) -> Line:
    """Return the line through works' totals at their numbers of windows; one or two works give a mean."""
    if len(totals) < LEAST_POINTS:
        return Line(sum(totals.values()) / len(totals), 0.0)
    return fit_line((float(num_windows[work_id]), total) for work_id, total in totals.items())


def _measure_rest(level: str, pilots: Mapping[str, Pilot], last: Ledger) -> tuple[dict[str, float], float, float]:
    """Return what was spent by what first tries spent, the share that was wasted, and seconds by completion token.

    The first two are of pilots whose answers all came now: the store does not tell which answers were repairs.
    """
    whole = [pilot for pilot in pilots.values() if level in pilot.usage and not pilot.usage[level].replayed]
    spent = add_usage(*(pilot.usage[level] for pilot in whole))
    first = [point for pilot in whole for point in pilot.points.get(level, ())]
    repairs = {"calls": spent.calls / len(first) if first else 1.0}
    for name in FIELDS:
        once = sum(getattr(point, name) for point in first)
        repairs[name] = getattr(spent, name) / once if once else 1.0
    wasted = spent.wasted_tokens / spent.completion_tokens if spent.completion_tokens else 0.0
    timed = add_usage(*(pilot.usage[level] for pilot in pilots.values() if level in pilot.usage))
    if not timed.completion_tokens:
        timed = last.levels.get(level, last)
    seconds = timed.seconds / timed.completion_tokens if timed.completion_tokens else 0.0
    return repairs, wasted, seconds


def _measure(level: str, pilots: Mapping[str, Pilot], rate: LevelRate) -> Usage:
    points = [point for pilot in pilots.values() for point in pilot.points.get(level, ())]
    counts = {name: sum(getattr(point, name) for point in points) * rate.repairs[name] for name in FIELDS}
    return _round_usage(len(points) * rate.repairs["calls"], counts, rate.wasted, rate.seconds)


def _scale(usage: Usage, share: float) -> Usage:
    return _round_usage(usage.calls * share, {name: getattr(usage, name) * share for name in FIELDS}, 0.0, 0.0)


def _round_usage(calls: float, counts: Mapping[str, float], wasted: float, seconds: float) -> Usage:
    completion = counts["completion_tokens"]
    return Usage(
        calls=round(calls),
        wasted_tokens=round(completion * wasted),
        seconds=completion * seconds,
        **{name: round(count) for name, count in counts.items()},
    )
