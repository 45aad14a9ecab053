"""Tables of a snapshot -> the pages that list: the overview with its books, and what was refused, paged."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from schemas.runs import Manifest
from tasks.counts import tally_findings
from tasks.reporting.frame import render_page
from tasks.reporting.naming import INDEX, REFUSED, name_list, name_page
from tasks.tables import Row

ROWS_A_PAGE = 500  # a phone shows and filters them at once
SIDES = ("train", "validation", "test")
BOOK_COLUMNS = ("book_id", "title", "authors", "split", "num_words", "num_chapters", "kind")
REFUSED_COLUMNS = (
    "book_id", "parent_id", "level", "stage", "layout", "reason", "detail", "readings", "title", "node",
)  # fmt: skip
LEVELS = {
    "book": "books",
    "work": "stories",
    "layout": "layouts that a work does not fit",
    "node": "parts of a plan without an accepted answer",
    "note": "what was changed to fit",
}


class Group(NamedTuple):
    """Refusals of one level, layout and reason: where they begin in the sorted table, how many they are."""

    level: str
    layout: str
    reason: str
    first: int
    number: int

    @property
    def what(self) -> str:
        """Return what was refused, in words."""
        return LEVELS.get(self.level, self.level) + (f", {self.layout}" if self.layout else "")

    @property
    def anchor(self) -> str:
        """Return its anchor: a number, so that no reason becomes markup."""
        return f"g{self.first}"

    @property
    def page(self) -> str:
        """Return the page on which it begins."""
        return name_list(REFUSED, self.first // ROWS_A_PAGE + 1)


class Part(NamedTuple):
    """The rows of a group that stand on one page."""

    group: Group
    is_first: bool
    rows: list[Row]


def render_lists(
    manifest: Manifest, books: pa.Table, refused: pa.Table, paged: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield every page that lists, by name; the overview last, so that whatever it links to is there.

    Args:
        manifest: the snapshot.
        books: BOOK_COLUMNS of all books, by id.
        refused: REFUSED_COLUMNS of all refusals, by id.
        paged: ids of the books that have a page.
    """
    yield from _render_refused(refused, paged)
    yield from _render_books(manifest, books, refused, paged)


def _render_books(
    manifest: Manifest, books: pa.Table, refused: pa.Table, paged: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the pages of the list of books; the first of them is the overview."""
    marks = _mark_books(refused)
    pages = _name_pages(INDEX, len(books), "books")
    for here in range(len(pages), 0, -1):
        rows = books.slice((here - 1) * ROWS_A_PAGE, ROWS_A_PAGE).to_pylist()
        listed = [_link(row, paged) | {"marks": marks.get(row["book_id"], [])} for row in rows]
        if here > 1:
            yield pages[here - 1], render_page("report_books.html", books=listed, pages=pages, here=here)
            continue
        yield (
            INDEX,
            render_page(
                "report_index.html",
                manifest=manifest,
                listed=listed,
                pages=pages,
                num_rows=sum(sum(splits.values()) for splits in manifest.trajectories.values()),
                num_refused=len(refused),
                findings=tally_findings(manifest),
                sides=SIDES,
                settings=json.dumps(manifest.settings, indent=1, ensure_ascii=False),
            ),
        )


def _render_refused(refused: pa.Table, paged: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the pages of refusals: on the first what there is of each kind, then all of them, group by group."""
    table = _sort_refused(refused)
    groups = _list_groups(table)
    pages = _name_pages(REFUSED, len(table), "refused")
    for here in range(len(pages), 0, -1):
        first = (here - 1) * ROWS_A_PAGE
        rows = table.slice(first, ROWS_A_PAGE).to_pylist()
        parts = list(_divide(groups, rows, first, paged))
        yield pages[here - 1], render_page("report_refused.html", groups=groups, parts=parts, pages=pages, here=here)


def _name_pages(first: str, num_rows: int, others: str) -> list[str]:
    num_pages = max(1, -(-num_rows // ROWS_A_PAGE))
    return [first, *(name_list(f"{others}.html", number) for number in range(2, num_pages + 1))]


def _link(row: Row, paged: Collection[str]) -> Row:
    return row | {"page": name_page(row["book_id"]) if row["book_id"] in paged else None}


def _mark_books(refused: pa.Table) -> Mapping[str, list[str]]:
    """Return what stands beside a book in the list: layouts that it does not fit, missing parts of its plan."""
    marks: defaultdict[str, list[str]] = defaultdict(list)
    kept = refused.filter(pc.is_in(refused["level"], pa.array(["layout", "node"])))
    counted = kept.group_by(["book_id", "level", "layout"], use_threads=False).aggregate([([], "count_all")])
    for row in counted.to_pylist():
        told = f"no {row['layout']}" if row["level"] == "layout" else f"{row['count_all']} quarantined"
        marks[row["book_id"]].append(told)
    return marks


def _sort_refused(refused: pa.Table) -> pa.Table:
    """Return refusals by level, layout and reason, each group by id as they came."""
    rank = pc.fill_null(pc.index_in(refused["level"], pa.array(LEVELS)), len(LEVELS))
    keyed = refused.append_column("rank", rank).append_column("place", pa.array(range(len(refused)), pa.int64()))
    order = pc.sort_indices(
        keyed.select(["rank", "layout", "reason", "place"]),
        [(name, "ascending") for name in ("rank", "layout", "reason", "place")],
    )
    return refused.take(order)


def _list_groups(table: pa.Table) -> list[Group]:
    placed = table.select(["level", "layout", "reason"]).append_column("place", pa.array(range(len(table)), pa.int64()))
    grouped = placed.group_by(["level", "layout", "reason"], use_threads=False)
    counted = grouped.aggregate([("place", "min"), ("place", "count")]).to_pylist()
    found = (
        Group(row["level"] or "", row["layout"] or "", row["reason"] or "", row["place_min"], row["place_count"])
        for row in counted
    )
    return sorted(found, key=lambda group: group.first)


def _divide(groups: Sequence[Group], rows: list[Row], first: int, paged: Collection[str]) -> Iterator[Part]:
    """Yield the groups of one page, whose first row is number `first` of all."""
    at = 0
    for (level, layout, reason), members in groupby(rows, lambda row: (row["level"], row["layout"], row["reason"])):
        group = next(one for one in groups if one[:3] == (level or "", layout or "", reason or ""))
        kept = [_link(row, paged) | {"readings": _read_readings(row)} for row in members]
        yield Part(group, first + at == group.first, kept)
        at += len(kept)


def _read_readings(row: Row) -> list[dict[str, Any]]:
    """Return the ways to divide a book that needs review."""
    found: list[dict[str, Any]] = json.loads(row["readings"]) if row["readings"] else []
    return found
