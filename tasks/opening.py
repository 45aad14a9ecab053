"""Settings -> Bench: opens the source, the stores, the model and the tokenizers that the settings name."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.corpus_settings import SourceSettings
from schemas.errors import ConfigError
from schemas.settings import ChunkSettings, Settings, SummarizeSettings
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.builtin import BuiltinLLM
from tasks.backends.llms.engine import Engine
from tasks.backends.llms.server import connect_server
from tasks.backends.llms.server_tokenizer import ServerTokenizer
from tasks.backends.llms.vllm import LEAST_SHARE, VllmLLM
from tasks.backends.sources import open_source, refresh_feed
from tasks.backends.sources.polite import shown
from tasks.backends.sources.stories import NoBooks, open_stories
from tasks.backends.stores import is_url, open_store, probe_store
from tasks.backends.tokenizers import open_tokenizer
from tasks.bench import Bench
from tasks.catalogue import Catalogue, read_catalogue, select_entries
from tasks.collector import calm_collector
from tasks.decontaminate import read_evaluation_texts
from tasks.planning.ask import count_beside_text
from tasks.protocols import Store, TextSource, Tokenizer
from tasks.settled import check_settled
from tasks.shard import read_head
from tasks.takedown import read_takedown
from tasks.work import Work

logger = logging.getLogger(__name__)

BUILTIN = "builtin"
NO_BOOKS = "none"  # a build that only honours a takedown list
NOT_HELD = "not-in-source"  # selected entries of a catalogue that knows more than the source holds
MAX_FEED_BYTES = 256_000_000  # pg_catalog.csv takes 20 MB
BUILD_FILE = "build.json"  # in the work store: the books of the last build, for `scriptorium status`
TEXT_SHARE = 0.8  # of the room: the rest is for paragraph numbers, the book's head, a list of scenes
MIN_WINDOW = 200  # tokens of text, as ChunkSettings has it
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Corpus:
    """The books that the settings name: where they come from, what is known of them, which are chosen."""

    source: TextSource
    catalogue: Catalogue
    book_ids: tuple[str, ...]
    left_out: dict[str, int]


@dataclass(frozen=True)
class Opened:
    """A bench and what else a run needs; `taken` are the ids and hashes that no snapshot may hold."""

    bench: Bench
    out: Store
    engine: Engine
    book_ids: tuple[str, ...]
    left_out: dict[str, int]
    taken: frozenset[str]

    def models(self) -> dict[str, str]:
        """Return the identities that a manifest names."""
        bench = self.bench
        return {
            "summarizer": bench.llm.identity,
            "reader": bench.reader.identity,
            "trainee": bench.trainee.identity,
        }


_opened: dict[str, Opened] = {}
_opening = threading.Lock()


def open_bench(settings: Settings) -> Opened:
    """Return the bench of these settings, opened once a process and shared by all its books.

    Raises:
        ConfigError: something the settings name is not there, cannot be read or cannot be written.
    """
    key = settings.digest()
    with _opening:
        if key not in _opened:
            calm_collector()
            _opened[key] = _open(settings)
        return _opened[key]


def record_build(settings: Settings, book_ids: Sequence[str]) -> None:
    """Note which books a build is about, so that `scriptorium status` can tell what is missing."""
    open_bench(settings).bench.work.store.put(BUILD_FILE, json.dumps({"book_ids": book_ids}).encode())


def close_benches() -> None:
    """Close every model, answer store and server connection that this process opened."""
    with _opening:
        for opened in _opened.values():
            opened.engine.close()
            if isinstance(opened.bench.reader, ServerTokenizer):
                opened.bench.reader.close()
        _opened.clear()


def work_location(settings: Settings) -> str:
    """Return where the work store lies: `work/` in the data set unless the settings say otherwise."""
    return settings.work or f"{settings.out.rstrip('/')}/work"


def at_root(location: str) -> str:
    """Return a relative folder as the repository has it, where the current folder has none of that name."""
    path = Path(location)
    return str(ROOT / path) if not path.exists() and (ROOT / path).exists() else location


def open_corpus(settings: Settings, work: Store, *, renew: bool = False) -> Corpus:
    """Return the books that the settings name.

    Args:
        settings: source, catalogue, selection.
        work: keeps what is fetched.
        renew: list a harvest again, which may have listed its books long ago.

    Raises:
        ConfigError: the source, the catalogue or an id is not there or cannot be read.
    """
    source_settings = settings.source
    if "://" not in source_settings.location:
        source_settings = source_settings.model_copy(update={"location": at_root(source_settings.location)})
    source = open_source(source_settings, work, settings.fetch.max_bytes)
    if renew:
        source.relist()
    catalogue = _read_catalogue(settings.source, work)
    book_ids, left_out = choose_books(settings, source, catalogue)
    return Corpus(source, catalogue, book_ids, left_out)


def _open(settings: Settings) -> Opened:
    if settings.cost.budget is not None and settings.llm.url == BUILTIN:
        raise ConfigError("cost.budget: the builtin model costs nothing: leave --budget out, or give --llm URL")
    work_store = open_store(work_location(settings))
    stories = open_stories(settings, ROOT)
    corpus = open_corpus(settings, work_store) if stories is None else Corpus(NoBooks(), Catalogue.of(()), (), {})
    taken = read_takedown(settings.source.takedown)
    texts = read_evaluation_texts(settings.decontaminate)
    trainee = open_tokenizer(settings.tokens.trainee)
    if settings.llm.url != BUILTIN:
        connect_server(settings.llm)  # before anything is written
    reader = _open_reader(settings)
    out = open_store(settings.out)
    probe_store(out, settings.out)
    head = read_head(out)
    check_settled(head, settings)
    engine = _open_engine(settings)
    chunk = fit_chunk(settings.chunk, engine, reader)
    settings = settings.model_copy(update={"summarize": fit_context(settings.summarize, engine, reader)})
    bench = Bench(
        settings, Work(work_store), corpus.source, corpus.catalogue, engine, chunk, reader, trainee, stories, texts
    )
    taken |= frozenset(head.takedown if head else ())
    return Opened(bench, out, engine, corpus.book_ids, corpus.left_out, taken)


def fit_chunk(settings: ChunkSettings, engine: Engine, reader: Tokenizer) -> ChunkSettings:
    """Return the settings with windows that leave a server room for its question and its answer.

    Raises:
        ConfigError: the model's window is too small for any text beside the longest question.
    """
    if engine.max_model_len is None:
        return settings
    beside, room = measure_room(engine.max_model_len, reader)
    if room < MIN_WINDOW:
        raise ConfigError(
            f"the model's window of {engine.max_model_len} tokens is too small: the longest question takes {beside} "
            f"beside the text; serve the model with at least {beside + int(MIN_WINDOW / TEXT_SHARE) + 1}"
        )
    return settings.model_copy(update={"window_tokens": min(settings.window_tokens, room)})


def fit_context(settings: SummarizeSettings, engine: Engine, reader: Tokenizer) -> SummarizeSettings:
    """Return the settings with contexts of the calls about a book that a server has room for."""
    if engine.max_model_len is None:
        return settings
    _, room = measure_room(engine.max_model_len, reader)
    return settings.model_copy(update={"context_tokens": min(settings.context_tokens, room)})


def measure_room(max_model_len: int, reader: Tokenizer) -> tuple[int, int]:
    """Return the tokens that the longest question takes beside its text, and those that are left for the text."""
    beside = count_beside_text(reader, LEAST_SHARE)
    return beside, int((max_model_len - beside) * TEXT_SHARE)


def choose_books(
    settings: Settings, source: TextSource, catalogue: Catalogue
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the ids to build, and how many catalogue entries were left out, by reason.

    Where no ids are named, a catalogue's entries are selected by `settings.select`; a text of which the catalogue knows
    nothing is built, too.

    Raises:
        ConfigError: an id that the source does not hold, or 'all' of a mirror without a catalogue.
    """
    wanted = settings.source.books.strip()
    if wanted == "all":
        return _all_books(settings, source, catalogue)
    if wanted == NO_BOOKS:
        return (), {}
    ids = tuple(dict.fromkeys(part.strip() for part in wanted.split(",") if part.strip()))
    if not ids:
        raise ConfigError("--books is empty: give 'all', or ids separated by commas such as 84,1342")
    unknown = [book_id for book_id in ids if not source.files(book_id)]
    if unknown:
        raise ConfigError(f"book {', '.join(unknown)}: the source {settings.source.location} holds no text of it")
    return ids, {}


def _all_books(settings: Settings, source: TextSource, catalogue: Catalogue) -> tuple[tuple[str, ...], dict[str, int]]:
    if not catalogue:
        return source.book_ids(), {}
    selection = select_entries(catalogue, settings.select)
    try:
        held = source.book_ids()
    except ConfigError:  # a mirror that cannot be listed is asked for every entry
        return selection.book_ids, selection.left_out
    chosen = set(selection.book_ids)
    ids = tuple(book_id for book_id in held if book_id in chosen or book_id not in catalogue)
    missing = len(chosen.difference(held))
    return ids, {**selection.left_out, **({NOT_HELD: missing} if missing else {})}


def _read_catalogue(settings: SourceSettings, work: Store) -> Catalogue:
    """Read the catalogue that the settings name; one at a URL is asked for again, and kept where it is unchanged."""
    location = settings.catalogue
    if location is None:
        return Catalogue.of(())
    if is_url(location):
        return read_catalogue(refresh_feed(location, settings, work, MAX_FEED_BYTES)[0], shown(location))
    try:
        data = Path(location).expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(f"{location}: the catalogue cannot be read: {error.strerror}") from error
    return read_catalogue(data, location)


def _open_reader(settings: Settings) -> Tokenizer:
    name = settings.tokens.reader
    if name == "auto":
        name = "samples" if settings.llm.url == BUILTIN else "server"
    if name != "server":
        return open_tokenizer(name)
    if settings.llm.url == BUILTIN:
        raise ConfigError("--reader-tokenizer server needs a server: give --llm URL, or name a tokenizer")
    return ServerTokenizer(settings.llm)


def _open_engine(settings: Settings) -> Engine:
    answers = open_answers(settings)
    if settings.llm.url == BUILTIN:
        return BuiltinLLM(settings.llm, answers)
    return VllmLLM(settings.llm, answers, cost=settings.cost)


def open_answers(settings: Settings) -> AnswerStore:
    """Return the answer store that the settings name; ConfigError where it cannot be opened or written."""
    return AnswerStore(answers_location(settings))


def answers_location(settings: Settings) -> str:
    """Return the URL or the SQLite file of the answers.

    Unless one is named, it is a file in the work folder, or on this machine where that is a bucket.
    """
    if settings.llm.answers:
        return settings.llm.answers
    location = work_location(settings)
    if not is_url(location):
        return str(Path(location) / "answers.sqlite")
    return str(Path("data") / f"answers-{hashlib.sha256(location.encode()).hexdigest()[:12]}.sqlite")
