"""Ledger -> the lines of a terminal and the tables of Prefect's UI that tell what answers cost."""

from __future__ import annotations

import logging

from prefect.artifacts import create_table_artifact

from schemas.books import SegmentedBook
from schemas.errors import PipelineError
from schemas.ledger import Ledger, Usage
from schemas.outcomes import Prepared
from tasks.bench import Bench
from tasks.chunk import list_pieces
from tasks.pricing import add_usage, price_usage

logger = logging.getLogger(__name__)

MAX_BOOKS = 500  # rows of the table of the dearest books
TOTAL = "total"

Cell = str | int | float | None


def describe_ledger(ledger: Ledger) -> list[tuple[str, str]]:
    """Return what a process asked and paid, in two columns; nothing where it asked no model and found no answer."""
    replayed = f"{ledger.replayed:,} taken from the answer store" if ledger.replayed else ""
    if not ledger.prompt_tokens:
        return [("answers", replayed)] if replayed else []
    calls = f"{ledger.calls:,} calls" + (f", {replayed}" if replayed else "")
    return [
        ("answers", calls),
        ("tokens in", f"{ledger.prompt_tokens:,}, {_share(ledger.cached_tokens, ledger.prompt_tokens)} of them cached"),
        (
            "tokens out",
            f"{ledger.completion_tokens:,}, {_share(ledger.wasted_tokens, ledger.completion_tokens)} of them wasted",
        ),
        ("cost", f"{ledger.cost:,.2f}, {ledger.gpu_hours:.2f} GPU hours"),
    ]


def publish_ledger(ledger: Ledger, prepared: dict[str, Prepared], bench: Bench) -> None:
    """Show in Prefect's UI what a run's answers cost: by level, and the dearest books; nothing where none was asked."""
    if not ledger.prompt_tokens:
        return
    out = bench.settings.out
    levels = [*sorted(ledger.levels.items()), (TOTAL, ledger)]
    rows = [{"level": name, **_row(usage, ledger, bench)} for name, usage in levels]
    create_table_artifact(rows, key="ledger", description=f"{out}: what its last run asked, by level")
    books = list_dearest(ledger, prepared, bench)
    if books:
        create_table_artifact(books, key="ledger-books", description=f"{out}: the {len(books)} dearest works")


def list_dearest(ledger: Ledger, prepared: dict[str, Prepared], bench: Bench) -> list[dict[str, Cell]]:
    """Return a row a work, the dearest first, at most MAX_BOOKS; `computed_per_book_token` is None where uncounted."""
    usages = {work_id: add_usage(*levels.values()) for work_id, levels in ledger.books.items()}
    asked = [(work_id, usage) for work_id, usage in usages.items() if usage.calls and work_id]  # "": no book's, probes
    asked.sort(key=lambda pair: (-_price(pair[1], ledger, bench), -pair[1].prompt_tokens, pair[0]))
    texts = {work.work_id: work.segmented for one in prepared.values() for work in one.works}
    rows: list[dict[str, Cell]] = []
    for work_id, usage in asked[:MAX_BOOKS]:
        num_tokens = _count_tokens(texts.get(work_id), bench)
        computed = (usage.prompt_tokens - usage.cached_tokens) / num_tokens if num_tokens else None
        row: dict[str, Cell] = {"work": work_id, **_row(usage, ledger, bench)}
        rows.append({**row, "computed_per_book_token": None if computed is None else round(computed, 3)})
    return rows


def _row(usage: Usage, ledger: Ledger, bench: Bench) -> dict[str, Cell]:
    return {
        "calls": usage.calls,
        "replayed": usage.replayed,
        "tokens_in": usage.prompt_tokens,
        "cached": usage.cached_tokens,
        "tokens_out": usage.completion_tokens,
        "wasted": usage.wasted_tokens,
        "refused": usage.refused,
        "runaways": usage.runaways,
        "seconds": round(usage.seconds, 1),
        "cost": round(_price(usage, ledger, bench), 4),
    }


def _price(usage: Usage, ledger: Ledger, bench: Bench) -> float:
    """Return what a part of a ledger cost: its share of the busy time is that of its seconds."""
    busy_seconds = ledger.busy_seconds * usage.seconds / ledger.seconds if ledger.seconds else 0.0
    return price_usage(usage, busy_seconds, bench.settings.cost)


def _count_tokens(key: str | None, bench: Bench) -> int | None:
    """Return the tokens of the chapters that are read, in the reader's tokenizer; None where nobody can count now."""
    book = bench.work.load(SegmentedBook, key) if key else None
    if book is None:
        return None
    chapters = [pieces for chapter in book.chapters() if (pieces := list_pieces(chapter))]
    try:  # as `chunk_chapter` counts them, so that a server's counts are known already
        return sum(bench.reader.count(book.text[pieces[0].start : pieces[-1].end]) for pieces in chapters)
    except PipelineError as error:
        logger.warning("tokens of a book could not be counted: %s", error)
        return None


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "0 %"
