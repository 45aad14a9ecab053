"""A writer of its own process: adds invented books to a data set, one commit each, and notes which succeeded."""

from __future__ import annotations

import itertools
import os
import random
import time
from pathlib import Path

from schemas.books import SegmentedBook
from schemas.duplicates import Signature
from schemas.ledger import Ledger
from schemas.outcomes import Outcome
from schemas.scaffold import Findings, Scaffold
from schemas.settings import LLMSettings, Settings
from schemas.trajectories import Trajectories
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.builtin import BuiltinLLM
from tasks.backends.sources import FolderSource
from tasks.backends.stores import LocalStore, open_store
from tasks.bench import Bench
from tasks.line import run_book
from tasks.shard import Changes
from tasks.snapshot import Facts, write_snapshot
from tasks.work import Work
from tests.fakes import WordTokenizer
from tests.unit.test_shard import story, told_anew

KINDS = {
    "segment": SegmentedBook,
    "sign": Signature,
    "summarize": Scaffold,
    "verify": Findings,
    "compose": Trajectories,
}
TEMPLATE = "boat"


def make_template(folder: Path) -> None:
    """Make one invented book, of which every book of a storm is a copy with an id of its own."""
    source = folder / "source"
    source.mkdir()
    (source / f"{TEMPLATE}.txt").write_text(story())
    with BuiltinLLM(LLMSettings(), AnswerStore(folder / "answers.sqlite")) as llm:
        words, settings = WordTokenizer(), Settings(screen=told_anew())
        work = Work(LocalStore(folder / "work"))
        bench = Bench(settings, work, FolderSource(str(source)), {}, llm, settings.chunk, words, words)
        (folder / "outcome.json").write_bytes(run_book(TEMPLATE, bench).to_json())


def copy_book(folder: Path, name: str, work: Work) -> Outcome:
    """Return the template's outcome under another id, its values stored anew."""
    outcome = Outcome.model_validate_json((folder / "outcome.json").read_bytes())
    (one,) = outcome.works
    values = dict(one.values)
    for stage, kind in KINDS.items():
        value = work.load(kind, one.values[stage])
        assert value is not None
        text = value.to_json().decode().replace(f'"{TEMPLATE}"', f'"{name}"').replace(f'"{TEMPLATE}:', f'"{name}:')
        values[stage] = one.values[stage].replace(f"/{TEMPLATE}/", f"/{name}/")
        work.save(values[stage], kind.model_validate_json(text))
    renamed = one.model_copy(update={"work_id": name, "values": values})
    entry = outcome.entry.model_copy(update={"book_id": name})
    return outcome.model_copy(update={"book_id": name, "entry": entry, "works": (renamed,)})


def commit_books(environment: dict[str, str], folder: Path, location: str, name: str, number: int | None) -> None:
    """Commit books one after another, `number` of them or until killed; every success is a line of `acks-NAME`."""
    os.environ.update(environment)
    random.seed(name)
    store, work, settings = open_store(location), Work(LocalStore(folder / "work")), Settings(out=location)
    models = {"summarizer": "builtin", "reader": "words", "trainee": WordTokenizer().identity}
    acks = os.open(folder / f"acks-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for at in itertools.count() if number is None else range(number):
        book = f"{name}-{at}"
        write_snapshot(Changes([copy_book(folder, book, work)]), work, store, Facts(settings, models, Ledger()))
        os.write(acks, f"{book}\n".encode())
        time.sleep(random.random() * 0.01)  # so that writers meet in different places


def read_acks(folder: Path) -> set[str]:
    """Return the books whose commit succeeded."""
    return {book for path in folder.glob("acks-*") for book in path.read_text().splitlines()}
