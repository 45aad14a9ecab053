"""Manifest -> a folder that others load: Parquet files with a config a layout (`hub`), or LongPage's columns."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from schemas.books import Rejection
from schemas.errors import ConfigError, PipelineError
from schemas.exports import Contents, ExportedFile, ExportForm, ExportSelection
from schemas.runs import Manifest
from tasks.exporting.card import render_card
from tasks.exporting.hub import HubExport
from tasks.exporting.longpage import SCHEMA, describe_book, longpage_row
from tasks.exporting.reading import iter_tables
from tasks.exporting.series import Series, describe_file
from tasks.protocols import Store
from tasks.sharding.merge import SPLITS

logger = logging.getLogger(__name__)

CARD, CONTENTS, SNAPSHOT_CARD, REPORT = "README.md", "export.json", "SNAPSHOT.md", "report"
DEFAULT_CONFIG = "default"
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s:]+)\)")  # of a card, beside it


def export_snapshot(
    manifest: Manifest, store: Store, folder: Path, form: ExportForm, wanted: ExportSelection, *, is_head: bool
) -> Contents:
    """Write a snapshot into an empty folder and return what lies there. Equal snapshots give equal bytes.

    Args:
        manifest: the snapshot, of this or an earlier schema.
        store: the data set.
        folder: where to write; nobody reads it before this returns.
        form: how.
        wanted: which rows.
        is_head: the snapshot is the newest, so that card and report beside it tell of it.

    Raises:
        ConfigError: nothing is left of what is wanted.
        PipelineError: a shard is missing or damaged, or rows in and out differ.
    """
    if form == "hub":
        export = HubExport(manifest, store, folder, wanted)
        files, left_out = export.write(), export.left_out
    else:
        files, left_out = _write_longpage(manifest, store, folder, wanted)
    contents = Contents(
        form=form,
        snapshot=manifest.version,
        content_sha256=manifest.content_sha256,
        selection=wanted,
        files=tuple(files),
        rows=_count_rows(files),
        left_out=dict(sorted(left_out.items())),
    )
    card = _copy_pages(store, folder) if is_head else None
    (folder / CARD).write_text(render_card(contents, card), encoding="utf-8")
    (folder / CONTENTS).write_text(contents.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return contents


def _write_longpage(
    manifest: Manifest, store: Store, folder: Path, wanted: ExportSelection
) -> tuple[list[ExportedFile], Counter[str]]:
    series: dict[str, Series] = {}
    left_out: Counter[str] = Counter()
    found = 0
    for table in iter_tables(manifest, "books", store):
        for row in table.to_pylist():
            found += 1
            split = row["split"]
            if wanted.splits and split not in wanted.splits:
                left_out["other-split"] += 1
                continue
            book = describe_book(row, untrainable=wanted.untrainable)
            if isinstance(book, Rejection):
                logger.info("book %s: left out, %s: %s", book.book_id, book.reason, book.detail)
                left_out[book.reason] += 1
                continue
            if split not in series:
                series[split] = Series(folder / "data", split, SCHEMA)
            series[split].add(pa.Table.from_pylist([longpage_row(book)], SCHEMA))
    ordered = sorted(series.items(), key=lambda item: SPLITS.index(item[0]))
    files = [describe_file(path, folder, DEFAULT_CONFIG, split) for split, one in ordered for path in one.close()]
    if not files:
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(left_out.items())) or "it holds no books"
        hint = "; --untrainable takes plans that quote the prose along" if left_out["untrainable"] else ""
        raise ConfigError(f"snapshot {manifest.version}: no book is left for LongPage's columns ({reasons}){hint}")
    if found != sum(file.rows for file in files) + left_out.total():
        raise PipelineError(f"{found} books in, {sum(file.rows for file in files)} out: they must add up")
    return files, left_out


def _count_rows(files: Sequence[ExportedFile]) -> dict[str, dict[str, int]]:
    rows: dict[str, dict[str, int]] = {}
    for file in files:
        splits = rows.setdefault(file.config, {})
        splits[file.split] = splits.get(file.split, 0) + file.rows
    return rows


def _copy_pages(store: Store, folder: Path) -> str | None:
    """Copy the report and the card of the data set, with the pictures in it; return the card, or None without one."""
    for key in store.keys(REPORT):
        _copy(key, key, store, folder)
    try:
        card = store.get(CARD).decode()
    except FileNotFoundError:
        return None
    _copy(CARD, SNAPSHOT_CARD, store, folder)
    for picture in sorted(set(_PICTURE.findall(card))):
        if ".." not in Path(picture).parts and not Path(picture).is_absolute() and store.head(picture, 1) is not None:
            _copy(picture, picture, store, folder)
    return card


def _copy(key: str, name: str, store: Store, folder: Path) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(store.get(key))
