"""`scriptorium export` and `scriptorium import`: a data set in the forms that others load, and back."""

from __future__ import annotations

import re
from typing import Annotated

import typer
from rich.console import Console

from flows.options import Out, Takedown, Trainee, Work
from flows.profiles import load_settings
from flows.reporting import Json, Profile, Verbose, reporting
from flows.summaries import print_rows
from schemas.errors import ConfigError, PipelineError
from schemas.exports import Export, ExportForm, ExportSelection
from schemas.longpage import ImportSettings
from schemas.settings import Settings
from tasks.backends.stores import open_store
from tasks.shard import HEAD, find_snapshot

_RUNG = re.compile(r"(\d+)(k?)", re.IGNORECASE)

Data = Annotated[str, typer.Argument(metavar="OUT", help="Folder or s3:// URL of the data set.")]
To = Annotated[str, typer.Option("--to", metavar="DIR", help="Folder or s3:// URL to write: new or empty.")]
As = Annotated[
    ExportForm, typer.Option("--as", help="'hub': a config a layout. 'longpage': books in LongPage's columns.")
]
Snapshot = Annotated[str, typer.Option(help="Number of a snapshot, 'head', or 'parent'.")]
Layouts = Annotated[list[str] | None, typer.Option("--layout", help="hub: only this layout; may be repeated.")]
Windows = Annotated[
    list[str] | None,
    typer.Option("--window", help="hub: only this rung of chapter-window, such as 8k or 8192; may be repeated."),
]
Splits = Annotated[list[str] | None, typer.Option("--split", help="Only this side: train, validation or test.")]
TrainableOnly = Annotated[bool, typer.Option("--trainable-only", help="hub: leave out plans that quote the prose.")]
Untrainable = Annotated[
    bool, typer.Option("--untrainable", help="longpage: take plans that quote the prose along; no column marks them.")
]
Table = Annotated[str, typer.Argument(help="Parquet or .jsonl file in LongPage's columns, or a folder of them.")]
Quoting = Annotated[
    bool, typer.Option("--untrainable", help="Mark the rows so: the plans of this table quote the prose.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace an earlier export in DIR.")]


def export_data(
    out: Data,
    to: To,
    form: As = "hub",
    snapshot: Snapshot = HEAD,
    layout: Layouts = None,
    window: Windows = None,
    split: Splits = None,
    trainable_only: TrainableOnly = False,
    untrainable: Untrainable = False,
    force: Force = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Lay a snapshot out for others: data/CONFIG/train-00000-of-00004.parquet and so on, with a card and export.json.

    Every layout is a config, every rung of chapter-window too (chapter-window-8k), and so are books and rejected:
    load_dataset(DIR, "chapter-window-8k", split="train"). Equal snapshots give equal files; DIR appears when all
    is written, and was read again.
    """
    with reporting(json=json, verbose=verbose) as console:
        wanted = ExportSelection(
            layouts=tuple(layout or ()),
            windows=tuple(_read_window(one) for one in window or ()),
            splits=tuple(split or ()),
            trainable_only=trainable_only,
            untrainable=untrainable,
        )
        _check_form(form, wanted)
        done = _export(out, to, form, snapshot, wanted, force=force)
        if json:
            typer.echo(done.to_json())
        else:
            _show_export(done, console)


def _export(out: str, to: str, form: ExportForm, snapshot: str, wanted: ExportSelection, *, force: bool) -> Export:
    from tasks.backends.folders import writing_folder
    from tasks.export import CARD, CONTENTS, export_snapshot  # not for every other command

    store = open_store(out)
    head, manifest = find_snapshot(store, HEAD, out), find_snapshot(store, snapshot, out)
    with writing_folder(to, first=CONTENTS, last=CARD, force=force) as folder:
        contents = export_snapshot(manifest, store, folder, form, wanted, is_head=manifest.version == head.version)
    return Export(out=out, to=to, contents=contents)


def _read_window(text: str) -> int:
    found = _RUNG.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"--window {text}: give tokens, such as 8192, or thousands of them, such as 8k")
    return int(found[1]) * (1024 if found[2] else 1)


def _check_form(form: ExportForm, wanted: ExportSelection) -> None:
    """Refuse options of the other form."""
    if form == "longpage" and (wanted.layouts or wanted.windows or wanted.trainable_only):
        raise ConfigError(
            "--as longpage: its rows are books, so --layout, --window and --trainable-only have no meaning"
        )
    if form == "hub" and wanted.untrainable:
        raise ConfigError("--untrainable is of --as longpage: a hub export marks such rows, and holds them by default")


def _show_export(done: Export, console: Console) -> None:
    contents = done.contents
    rows = [
        (config, ", ".join(f"{number:,} {split}" for split, number in splits.items()))
        for config, splits in contents.rows.items()
    ]
    if contents.left_out:
        rows.append(("left out", ", ".join(f"{number:,} {reason}" for reason, number in contents.left_out.items())))
    size = sum(file.bytes for file in contents.files)
    rows.append(
        ("export", f"{done.to}: {len(contents.files)} files, {size / 1e6:,.1f} MB, snapshot {contents.snapshot}")
    )
    print_rows(rows, console)


def import_table(
    table: Table,
    out: Out = None,
    work: Work = None,
    trainee_tokenizer: Trainee = None,
    takedown: Takedown = None,
    untrainable: Quoting = False,
    profile: Profile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Make trajectories from a table in LongPage's columns: its books come with their plans, so no model is asked.

    Books of earlier builds stay in the data set, and duplicates are judged among all. A row that cannot be used is
    rejected with its reason. What the columns do not tell (where arcs and scenes begin) is guessed, and noted.
    """
    overrides = {
        "out": out,
        "work": work,
        "tokens.trainee": trainee_tokenizer,
        "source.takedown": takedown,
    }
    with reporting(json=json, verbose=verbose) as console:
        rows = ImportSettings(trainable=not untrainable)
        _import(table, load_settings(profile, overrides), rows, console, json=json)


def _import(table: str, settings: Settings, rows: ImportSettings, console: Console, *, json: bool) -> None:
    from flows.import_longpage import run_import  # Prefect takes seconds to import: not for --help
    from flows.summaries import print_build

    summary = run_import(table, settings, rows)
    if json:
        typer.echo(summary.to_json())
    else:
        repeated = f", {summary.repeated} of them repeated" if summary.repeated else ""
        print_rows([("table", f"{table}: {summary.rows:,} rows{repeated}")], console)
        print_build(summary.build, console)
    if not summary.build.num_trajectories:
        raise PipelineError(f"{settings.out}: the snapshot holds no trajectory; {summary.build.report} says why")
