"""Options of the commands that build: what to read, whom to ask, where to write, what to spend."""

from __future__ import annotations

from typing import Annotated

import typer

from schemas.settings import Recipe

RecipeOption = Annotated[
    Recipe | None,
    typer.Option("--recipe", help="What is made: trajectories of books, or pairs of an older recipe."),
]
Source = Annotated[
    str | None,
    typer.Option(help="Folder or base URL of a Gutenberg mirror, a folder of texts, or files of stories."),
]
Catalogue = Annotated[
    str | None, typer.Option(help="pg_catalog.csv or .csv.gz; else the RDF beside a text, else its header.")
]
Takedown = Annotated[
    str | None, typer.Option(help="File of ids and sha256 hashes that no snapshot may hold from now on.")
]
Decontaminate = Annotated[
    str | None,
    typer.Option(help="File or folder of evaluation texts (.txt, .jsonl, .parquet); a work that holds one is refused."),
]
Books = Annotated[str | None, typer.Option(help="'all', ids such as 84,1342, or 'none': only takedowns.")]
Llm = Annotated[str | None, typer.Option(help="'builtin' (no model), or the URL of an OpenAI-compatible server.")]
Model = Annotated[str | None, typer.Option(help="Model id on that server.")]
Out = Annotated[str | None, typer.Option(help="Folder or s3:// URL of the data set.")]
Work = Annotated[str | None, typer.Option(help="Folder or URL of unfinished work; default: work/ in the data set.")]
Reader = Annotated[
    str | None, typer.Option(help="Tokenizer of the summarising model: a tiktoken name, a file, or 'server'.")
]
Trainee = Annotated[str | None, typer.Option(help="Tokenizer of the model to be trained: a tiktoken name or a file.")]
Budget = Annotated[
    float | None,
    typer.Option(help="Stop when this run has cost so much, at the rates of [cost]; exit code 3 while books wait."),
]
