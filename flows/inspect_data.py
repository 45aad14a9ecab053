"""A file, a data set -> what it holds, for people and for programs."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from pydantic import Field
from rich.console import Console

from flows.ledgers import describe_ledger
from flows.profiles import load_settings
from flows.summaries import count_nodes, print_rows
from schemas.books import CleanBook, LookReport, RawBook, Rejection, SegmentedBook
from schemas.errors import BookError, ConfigError, PipelineError
from schemas.ledger import Ledger
from schemas.runs import Accounting, Manifest, TokenTally
from schemas.settings import Settings
from schemas.value import Value
from tasks.backends.stores import open_store
from tasks.catalogue import read_header
from tasks.clean import clean_book
from tasks.cleaning.decoding import decode_text
from tasks.dividing.works import split_works
from tasks.fetching.file_names import read_mirror_name
from tasks.fetching.soundness import RefusedError
from tasks.fetching.unpacking import unpack_text
from tasks.look import describe_book, render_look
from tasks.opening import BUILD_FILE, work_location
from tasks.protocols import Store
from tasks.screen import screen_book
from tasks.segment import segment_book
from tasks.shard import list_versions, read_head


class Status(Value):
    """What a data set or an unfinished build holds."""

    out: str
    snapshot: int | None = None
    created: str | None = None
    snapshots: tuple[int, ...] = Field(default=(), description="all that are there, for diff, gc and verify")
    accounting: Accounting | None = None
    trajectories: dict[str, dict[str, int]] = Field(default_factory=dict)
    tokens: TokenTally | None = None
    ledger: Ledger | None = None
    models: dict[str, str] = Field(default_factory=dict)
    work: dict[str, int] = Field(default_factory=dict, description="books that have a value of each stage")
    build: int | None = Field(default=None, description="books of the last build")
    missing: tuple[str, ...] = Field(default=(), description="those of them without an outcome")


def look_at_file(file: Path, settings: Settings) -> tuple[LookReport, str]:
    """Return how one raw file is read, as a report and as text.

    Raises:
        ConfigError: the file cannot be read.
        PipelineError: it is no text of a book.
    """
    try:
        data = unpack_text(file.name, file.read_bytes(), settings.fetch.max_bytes).data
    except OSError as error:
        raise ConfigError(f"{file}: it cannot be read: {error.strerror}") from error
    except RefusedError as refused:
        raise PipelineError(f"{file}: {refused.detail}") from refused
    known = read_mirror_name(file.absolute().as_posix())
    try:
        entry = read_header(decode_text(data)[0], known.book_id if known else None)
        raw = RawBook(entry=entry, file=file.name, source_sha256=hashlib.sha256(data).hexdigest(), data=data)
        clean = clean_book(raw, settings.clean)
        segmented = segment_book(clean, settings.segment)
    except BookError as error:
        raise PipelineError(f"{file}: {error.detail}") from error
    report = describe_book(clean, segmented)
    return report, f"{render_look(report, segmented.readings)}\nuse: {_describe_use(clean, segmented, settings)}"


def _describe_use(clean: CleanBook, segmented: SegmentedBook, settings: Settings) -> str:
    """Return what a build would make of a book, on one line."""
    screened = screen_book(clean, settings.screen)
    if isinstance(screened, Rejection):
        return f"rejected, {screened.reason}: {screened.detail}"
    if segmented.needs_review:
        return "rejected, needs-review: the ways to divide it disagree"
    works = split_works(segmented, settings.segment)
    return "one work" if len(works) == 1 else f"a collection of {len(works)} stories, each a work"


def read_status(out: str) -> Status:
    """Return what lies at `out`; ConfigError where neither a snapshot nor a build is there."""
    settings = load_settings(None, {"out": out})
    store = open_store(out)
    manifest = read_head(store)
    work = open_store(work_location(settings))
    books: dict[str, set[str]] = defaultdict(set)
    for key in work.keys(""):
        stage, _, rest = key.partition("/")
        if rest.endswith(".json.zst"):
            books[stage].add(rest.rsplit("/", 1)[0])
    if manifest is None and not books:
        raise ConfigError(
            f"{out}: neither a snapshot nor an unfinished build there; build one: scriptorium build --out {out}"
        )
    build = _read_build(work)
    found = {} if manifest is None else _of_manifest(manifest)
    return Status(
        out=out,
        snapshots=tuple(list_versions(store)),
        work={stage: len(ids) for stage, ids in sorted(books.items())},
        build=None if build is None else len(build),
        missing=tuple(book_id for book_id in build or () if book_id not in books["outcome"]),
        **found,
    )


def show_status(status: Status, console: Console) -> None:
    """Print a status for a person."""
    rows = [("snapshot", "none yet" if status.snapshot is None else f"{status.snapshot} of {status.created}")]
    if len(status.snapshots) > 1:
        rows.append(("snapshots", f"{len(status.snapshots)}: {status.snapshots[0]} to {status.snapshots[-1]}"))
    if status.accounting is not None and status.tokens is not None and status.ledger is not None:
        books, tokens, ledger = status.accounting.books, status.tokens, status.ledger
        reasons = ", ".join(f"{number} {reason}" for reason, number in books.rejected.items())
        rejected = f"{books.num_rejected} rejected" + (f" ({reasons})" if reasons else "")
        rows.append(("books", f"{books.in_} in = {books.out} out + {rejected}"))
        if (works := status.accounting.works) != books:
            rows.append(("works", f"{works.in_} in = {works.out} out + {works.num_rejected} rejected"))
        for layout, splits in status.trajectories.items():
            rows.append((layout, ", ".join(f"{number} {split}" for split, number in splits.items()) or "none"))
        if nodes := status.accounting.nodes:
            rows.append(("quarantined", count_nodes(nodes)))
        rows.append(("tokens", f"{tokens.total:,}: {tokens.plan:,} of plans, {tokens.prose:,} of prose"))
        rows.extend((f"{name} (last run)", told) for name, told in describe_ledger(ledger))
    rows.append(("work", ", ".join(f"{number} {stage}" for stage, number in status.work.items()) or "none"))
    if status.build is not None:
        listed = ", ".join(status.missing[:10])
        missing = f"{len(status.missing)} missing: {listed}" if status.missing else "none missing"
        rows.append(("last build", f"{status.build} books, {missing}"))
    print_rows(rows, console)


def _of_manifest(manifest: Manifest) -> dict[str, Any]:
    return {
        "snapshot": manifest.version,
        "created": manifest.created,
        "accounting": manifest.accounting,
        "trajectories": manifest.trajectories,
        "tokens": manifest.tokens,
        "ledger": manifest.ledger,
        "models": manifest.models,
    }


def _read_build(work: Store) -> list[str] | None:
    try:
        return [str(book_id) for book_id in json.loads(work.get(BUILD_FILE))["book_ids"]]
    except FileNotFoundError:
        return None
