"""`scriptorium`: the line of values from a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.answer_commands import answers_app
from flows.data_commands import diff, gc, verify
from flows.export_commands import export_data, import_table
from flows.inspect_data import look_at_file, read_status, show_status
from flows.options import (
    Books,
    Budget,
    Catalogue,
    Decontaminate,
    Llm,
    Model,
    Out,
    Reader,
    RecipeOption,
    Source,
    Takedown,
    Trainee,
    Work,
)
from flows.profiles import load_settings
from flows.reporting import Json, Profile, Verbose, reporting
from schemas.errors import PipelineError
from schemas.settings import Settings

app = typer.Typer(
    help="Turn public-domain novels into training data for models that write books.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(answers_app, name="answers")
app.command()(verify)
app.command()(diff)
app.command()(gc)
app.command("export")(export_data)
app.command("import")(import_table)

EXIT_WAITING = 3  # the budget is spent, and books wait


@app.command()
def build(
    recipe: RecipeOption = None,
    source: Source = None,
    catalogue: Catalogue = None,
    books: Books = None,
    takedown: Takedown = None,
    decontaminate: Decontaminate = None,
    llm: Llm = None,
    model: Model = None,
    out: Out = None,
    work: Work = None,
    reader_tokenizer: Reader = None,
    trainee_tokenizer: Trainee = None,
    budget: Budget = None,
    profile: Profile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Build trajectories from books, and a snapshot that holds them.

    Without options it builds the three novels in samples/. What is done is never done twice: run the same
    command again after a stop, and it goes on. Books of earlier builds stay in the data set.
    """
    overrides = {
        "recipe": recipe,
        "source.location": source,
        "source.catalogue": catalogue,
        "source.books": books,
        "source.takedown": takedown,
        "decontaminate.texts": decontaminate,
        "llm.url": llm,
        "llm.model": model,
        "out": out,
        "work": work,
        "tokens.reader": reader_tokenizer,
        "tokens.trainee": trainee_tokenizer,
        "cost.budget": budget,
    }
    with reporting(json=json, verbose=verbose) as console:
        _build(load_settings(profile, overrides), console, json=json)


def _build(settings: Settings, console: Console, *, json: bool) -> None:
    from flows.run_local import run_build  # Prefect takes seconds to import: not for --help
    from flows.summaries import print_build

    summary = run_build(settings)
    if json:
        typer.echo(summary.to_json())
    else:
        print_build(summary, console)
    if summary.over_budget:
        raise typer.Exit(EXIT_WAITING)
    if not summary.num_trajectories:
        raise PipelineError(f"{summary.out}: the snapshot holds no trajectory; {summary.report} says why")


@app.command()
def refresh(
    source: Source = None,
    catalogue: Catalogue = None,
    takedown: Takedown = None,
    llm: Llm = None,
    model: Model = None,
    out: Out = None,
    work: Work = None,
    budget: Budget = None,
    profile: Profile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Build the books that are new or changed since the last refresh; without any, do nothing.

    The deployment refresh-corpus does the same every night.
    """
    overrides = {
        "source.location": source,
        "source.catalogue": catalogue,
        "source.takedown": takedown,
        "llm.url": llm,
        "llm.model": model,
        "out": out,
        "work": work,
        "cost.budget": budget,
    }
    with reporting(json=json, verbose=verbose) as console:
        from flows.run_local import run_refresh
        from flows.summaries import print_refresh

        summary = run_refresh(load_settings(profile, overrides))
        if json:
            typer.echo(summary.to_json())
        else:
            print_refresh(summary, console)
        if summary.build is not None and summary.build.over_budget:
            raise typer.Exit(EXIT_WAITING)


@app.command()
def forecast(
    recipe: RecipeOption = None,
    source: Source = None,
    catalogue: Catalogue = None,
    books: Books = None,
    takedown: Takedown = None,
    llm: Llm = None,
    model: Model = None,
    out: Out = None,
    work: Work = None,
    reader_tokenizer: Reader = None,
    trainee_tokenizer: Trainee = None,
    pilot: Annotated[int, typer.Option(min=0, help="Works that the model is really asked about.")] = 3,
    profile: Profile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Tell what a build of the same options will cost: input counted, output as of a few works that are asked now.

    Their answers are kept, so the build does not ask for them again.
    """
    overrides = {
        "recipe": recipe,
        "source.location": source,
        "source.catalogue": catalogue,
        "source.books": books,
        "source.takedown": takedown,
        "llm.url": llm,
        "llm.model": model,
        "out": out,
        "work": work,
        "tokens.reader": reader_tokenizer,
        "tokens.trainee": trainee_tokenizer,
    }
    with reporting(json=json, verbose=verbose) as console:
        _forecast(load_settings(profile, overrides), pilot, console, json=json)


def _forecast(settings: Settings, num_pilots: int, console: Console, *, json: bool) -> None:
    from flows.forecast import forecast_build, print_forecast

    found = forecast_build(settings, num_pilots)
    if json:
        typer.echo(found.to_json())
    else:
        print_forecast(found, settings.cost, console)


@app.command()
def finetune(
    out: Annotated[str | None, typer.Argument(help="Folder or s3:// URL of the data set.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the optimiser.")] = None,
    model: Annotated[str | None, typer.Option(help="'random', or the folder of a Hugging Face model.")] = None,
    trainee_tokenizer: Trainee = None,
    profile: Profile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Fine-tune a model with LoRA on the newest snapshot of a data set."""
    overrides = {"out": out, "train.steps": steps, "train.model": model, "tokens.trainee": trainee_tokenizer}
    with reporting(json=json, verbose=verbose) as console:
        from flows.run_local import run_finetune
        from flows.summaries import print_training

        result = run_finetune(load_settings(profile, overrides))
        if json:
            typer.echo(result.to_json())
        else:
            print_training(result, console)


@app.command()
def look(
    file: Annotated[Path, typer.Argument(help="A raw text file of a book.")],
    profile: Profile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Show how one raw book is read: its ends, what was removed by which rule, its divisions."""
    with reporting(json=json, verbose=verbose) as console:
        report, text = look_at_file(file, load_settings(profile, {}))
        if json:
            typer.echo(report.to_json())
        else:
            console.print(text, highlight=False, markup=False, soft_wrap=True)


@app.command()
def status(
    out: Annotated[str, typer.Argument(help="Folder or s3:// URL of the data set.")],
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Tell what a data set or an unfinished build holds, what is missing and what it cost."""
    with reporting(json=json, verbose=verbose) as console:
        found = read_status(out)
        if json:
            typer.echo(found.to_json())
        else:
            show_status(found, console)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
