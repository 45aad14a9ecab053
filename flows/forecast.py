"""Settings -> Forecast: what a build will cost, from what is counted and a few books that are really asked about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rich.console import Console

from flows.build_plan import Build, open_build, plan_books, unprepared
from flows.summaries import print_rows
from schemas.errors import ConfigError
from schemas.ledger import Forecast, Ledger, Pilot
from schemas.outcomes import Outcome, PreparedWork
from schemas.settings import CostSettings, Settings
from tasks.forecast import (
    ASKINGS,
    CountedWork,
    choose_pilots,
    count_work,
    find_concurrency,
    fit_input,
    make_forecast,
    run_pilot,
)
from tasks.line import verdict_on
from tasks.opening import Opened, close_benches, open_bench
from tasks.pilot import InputCounter
from tasks.shard import read_head
from tasks.steps import prepare_books

logger = logging.getLogger(__name__)

T = TypeVar("T")
V = TypeVar("V")

SHOWN = ("calls", "prompt_tokens", "cached_tokens", "completion_tokens")
HEADINGS = ("", "calls", "tokens in", "cached", "tokens out")


def forecast_build(settings: Settings, num_pilots: int) -> Forecast:
    """Count what a build of these settings will ask, and ask about a few books to know what answers cost.

    The books are prepared and the pilots' answers kept in the work folder, where the build finds them; data, manifests
    and outcomes are left as they are.

    Raises:
        ConfigError: as a build; or the recipe is one of stories.
    """
    if settings.recipe not in ASKINGS:
        raise ConfigError(f"recipe {settings.recipe}: a forecast counts books; this one asks one question a story")
    try:
        opened = open_bench(settings)
        build = open_build(opened)
        _prepare(build, settings)
        plan_books(build)
        works, counter = list_works(build), InputCounter(opened.bench.reader)
        found = _run_all(lambda work: count_work(work, opened.bench, opened.engine, counter), works, settings)
        counted = [work for work in found if work is not None]
        logger.info("%d works of %d books: %d windows", len(counted), len(build.prepared), sum(map(_size, counted)))
        chosen = choose_pilots(counted, num_pilots) if opened.engine.trainable else []
        measured = _run_all(lambda work: run_pilot(work, opened.bench), chosen, settings)
        pilots = {work.work_id: pilot for work, pilot in zip(chosen, measured, strict=True)}
        last = _last_ledger(opened)
        forecast = make_forecast(len(build.prepared), counted, pilots, last, settings.cost)
        return forecast.model_copy(update={"assumed": _tell_assumed(opened, pilots, last)})
    finally:
        close_benches()


def list_works(build: Build) -> list[PreparedWork]:
    """Return the works that a model is to see, or has seen."""
    return [
        work
        for prepared in build.prepared.values()
        if prepared.rejection is None
        for work in prepared.works
        if verdict_on(work, prepared, build.judgement.verdicts) is None
    ]


def print_forecast(forecast: Forecast, rates: CostSettings, console: Console) -> None:
    """Print a forecast for people: a table by level, then what remains to be paid, and what that rests on."""
    print_rows([("books", f"{forecast.books}: {forecast.works} works, {forecast.windows} windows")], console)
    rows = [
        *forecast.levels.items(),
        ("total", forecast.total),
        ("already answered", forecast.already_answered),
        ("remaining", forecast.remaining),
    ]
    lines = [HEADINGS, *((name, *(f"{getattr(usage, field):,}" for field in SHOWN)) for name, usage in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    for name, *cells in lines:
        aligned = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        console.print(f"{name:<{widths[0]}}  {aligned}", highlight=False, markup=False, soft_wrap=True)
    print_rows(
        [
            ("GPU hours", f"{forecast.gpu_hours:.2f} (cost.num_gpus = {rates.num_gpus})"),
            ("cost", f"{forecast.cost:,.2f}"),
            *(("assumed", one) for one in forecast.assumed),
        ],
        console,
    )


def _prepare(build: Build, settings: Settings) -> None:
    """Prepare what is not prepared, as a build does; books that cannot be had now are left out."""
    batches = [(book_id,) for book_id in unprepared(build)]
    for made in _run_all(lambda batch: prepare_books.fn(batch, settings), batches, settings):
        for book in made:
            if isinstance(book, Outcome):
                build.away[book.book_id] = book
            else:
                build.prepared[book.book_id] = book
    if build.away:
        logger.warning("%d books cannot be had now, and are left out", len(build.away))


def _run_all(run: Callable[[T], V], items: Iterable[T], settings: Settings) -> list[V]:
    """Run on all items, `max_workers` at once."""
    with ThreadPoolExecutor(settings.max_workers) as executor:
        return list(executor.map(run, items))


def _size(work: CountedWork) -> int:
    return len(work.sizes)


def _last_ledger(opened: Opened) -> Ledger:
    """Return the ledger of the newest snapshot if the same model made it."""
    head = read_head(opened.out)
    same = head is not None and head.models.get("summarizer") == opened.bench.llm.identity
    return head.ledger if head is not None and same else Ledger()


def _tell_assumed(opened: Opened, pilots: dict[str, Pilot], last: Ledger) -> tuple[str, ...]:
    call = ASKINGS[opened.bench.settings.recipe].call
    counted = f"the input of the {call} calls is counted with {opened.bench.reader.identity.split(':')[0]}"
    if not opened.engine.trainable:
        return (counted, "the builtin model costs nothing; what answers take needs a model: --llm URL")
    points = [point for pilot in pilots.values() for point in pilot.points.get(call, ())]
    if not points:
        return (counted, "no work was asked about: output, the other calls and the hours are not told; give --pilot 3")
    line = fit_input(points)
    template = f"plus {line.base:g} tokens of a chat template" if line.slope == 1.0 else f"times {line.slope:.3f}"
    return (
        f"{counted}, {template}",
        f"output, cache hits and the other calls are as in {len(pilots)} works of middling size: {', '.join(pilots)}",
        _tell_pace(pilots, last),
    )


def _tell_pace(pilots: dict[str, Pilot], last: Ledger) -> str:
    concurrency = find_concurrency(pilots, last)
    if not concurrency:
        return "no pace is known, for the pilots were answered before: the GPU hours are left out"
    timed = any(pilot.concurrency for pilot in pilots.values())
    source = "these works were asked" if timed else "the last snapshot was made"
    return f"a token takes as long as when {source}, with {concurrency:.1f} requests in flight"
