"""`scriptorium answers`: what models said, shipped as a file, or looked at one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.profiles import load_settings
from flows.reporting import Json, Profile, Verbose, reporting
from flows.summaries import print_rows
from schemas.errors import PipelineError
from schemas.value import Value
from tasks.backends.answers import Database, StoredAnswer, open_database, read_row
from tasks.backends.answers.shipping import export_answers, import_answers
from tasks.opening import answers_location

answers_app = typer.Typer(help="Ship the answers of models as a file, so that a run can be replayed; look at one.")

File = Annotated[Path, typer.Argument(help="Parquet file.")]
Out = Annotated[str | None, typer.Option(help="The data set whose answers are meant: folder or s3:// URL.")]
Answers = Annotated[
    str | None, typer.Option(help="The answer store itself: a SQLite file, or postgresql://user@host/database.")
]


class Shipment(Value):
    """What an export or an import did."""

    file: str
    answers: str
    rows: int
    new: int | None = None


class ShownAnswer(Value):
    """One stored answer and where it lies."""

    key: str
    answers: str
    answer: StoredAnswer


@answers_app.command("export")
def export_file(
    file: File,
    out: Out = None,
    answers: Answers = None,
    profile: Profile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write every answer of a store to a Parquet file; equal stores give equal files."""
    with reporting(json=json, verbose=verbose) as console, _opened(out, answers, profile, writes=False) as database:
        num_rows = export_answers(database, file)
        _tell(Shipment(file=str(file), answers=database.name, rows=num_rows), console, json=json)


@answers_app.command("import")
def import_file(
    file: File,
    out: Out = None,
    answers: Answers = None,
    profile: Profile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Read a file of answers into a store, which keeps what it has unless that was cut shorter.

    A build of the same books with the same model and settings then asks nothing that the file answers.
    """
    with reporting(json=json, verbose=verbose) as console, _opened(out, answers, profile, writes=True) as database:
        num_rows, num_new = import_answers(file, database)
        _tell(Shipment(file=str(file), answers=database.name, rows=num_rows, new=num_new), console, json=json)


@answers_app.command("show")
def show_answer(
    key: Annotated[str, typer.Argument(help="Of an answer, as a quarantined node names it.")],
    out: Out = None,
    answers: Answers = None,
    profile: Profile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Print one stored answer as the model gave it, and its counts."""
    with reporting(json=json, verbose=verbose) as console, _opened(out, answers, profile, writes=False) as database:
        found = database.read([key])
        if not found:
            raise PipelineError(f"answer store {database.name}: no answer under {key}")
        answer = read_row(found[0], database.name)
        if json:
            shown = answer.model_copy(update={"text": answer.shown_text})
            typer.echo(ShownAnswer(key=key, answers=database.name, answer=shown).to_json())
        else:
            counts = answer.model_dump(exclude={"text"})
            print_rows([(name.replace("_", " "), str(value)) for name, value in counts.items()], console)
            console.print(answer.shown_text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _opened(out: str | None, answers: str | None, profile: str | None, *, writes: bool) -> Iterator[Database]:
    settings = load_settings(profile, {"out": out, "llm.answers": answers})
    database = open_database(answers_location(settings), writes=writes)
    try:
        yield database
    finally:
        database.close()


def _tell(shipment: Shipment, console: Console, *, json: bool) -> None:
    if json:
        typer.echo(shipment.to_json())
        return
    new = "" if shipment.new is None else f", {shipment.new:,} of them new"
    console.print(f"{shipment.file}: {shipment.rows:,} answers{new}; {shipment.answers}", highlight=False, markup=False)
