"""What every command shares: its options, where its logs go, how it fails."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from schemas.errors import ConfigError, PipelineError

EXIT_FAILED, EXIT_CONFIG = 1, 2

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else.")]
Profile = Annotated[str | None, typer.Option(help="demo, local, full, or a .toml file of your own.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log every book and stage to standard error.")]


@contextmanager
def reporting(*, json: bool, verbose: bool) -> Iterator[Console]:
    """Send logs to standard error, and every expected failure to one line there with an exit code."""
    level = logging.INFO if verbose or not sys.stderr.isatty() else logging.WARNING
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s", force=True)
    for name in ("flows", "tasks"):
        logging.getLogger(name).setLevel(level)
    try:
        yield Console(stderr=json)
    except ConfigError as error:
        _fail(error, EXIT_CONFIG)
    except PipelineError as error:
        _fail(error, EXIT_FAILED)
    except KeyboardInterrupt:
        typer.echo("stopped; nothing is lost: run the same command to go on", err=True)
        raise typer.Exit(130) from None  # 128 + SIGINT, as shells count


def _fail(error: PipelineError, code: int) -> None:
    typer.echo(f"scriptorium: {str(error).strip()}", err=True)
    raise typer.Exit(code)
