"""Every answer of a model, kept in SQLite under the hash of what was asked: nothing is asked twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

import zstandard

from schemas.errors import ConfigError, PipelineError, TransientError
from schemas.value import Value

BUSY_S = 60.0  # wait for another process that writes
OPEN_AGAIN_S = 0.02  # between two tries to open a file that others are opening
TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    text BLOB NOT NULL,
    finish_reason TEXT NOT NULL,
    max_tokens INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL
)
"""
COLUMNS = "text, finish_reason, max_tokens, prompt_tokens, cached_tokens, completion_tokens"
# an answer that ended by itself stays; one that was cut gives way to one that was asked for with more room
INSERT = f"""
INSERT INTO answers (key, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    text = excluded.text, finish_reason = excluded.finish_reason, max_tokens = excluded.max_tokens,
    prompt_tokens = excluded.prompt_tokens, cached_tokens = excluded.cached_tokens,
    completion_tokens = excluded.completion_tokens
WHERE answers.finish_reason = 'length' AND excluded.max_tokens > answers.max_tokens
"""
SELECT = f"SELECT {COLUMNS} FROM answers WHERE key = ?"


class StoredAnswer(Value):
    """One sample as the model gave it, accepted or not."""

    text: str
    finish_reason: str
    max_tokens: int
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def serves(self, max_tokens: int) -> bool:
        """Whether asking again with `max_tokens` could bring nothing else."""
        return self.finish_reason != "length" or self.max_tokens >= max_tokens


@dataclass(frozen=True)
class Sampling:
    """Who answers, and how it draws: the same for every request of an engine."""

    model: str
    revision: str | None
    temperature: float
    top_p: float


def answer_key(
    sampling: Sampling, messages: Sequence[Mapping[str, str]], schema: Mapping[str, object], seed: int, index: int
) -> str:
    """Return the hex sha256 of everything that shapes a sample, but for `max_tokens`, which only cuts it."""
    asked = [asdict(sampling), list(messages), schema, seed, index]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


class AnswerStore:
    """Answers by key in one SQLite file; several threads and processes of one machine may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader, self._writer = self._open(), self._open()
        self._reading, self._sending = threading.Lock(), threading.Lock()
        self._closed = False
        self._queue: SimpleQueue[tuple[Mapping[str, StoredAnswer], Future[None]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_groups, name="answers", daemon=True)
        self._thread.start()

    def get(self, key: str) -> StoredAnswer | None:
        """Return the answer under a key, if there is one."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, StoredAnswer]:
        """Return the answers there are."""
        try:
            with self._reading:
                rows = {key: self._reader.execute(SELECT, (key,)).fetchone() for key in keys}
            return {key: read_row(row) for key, row in rows.items() if row is not None}
        except (sqlite3.Error, zstandard.ZstdError, UnicodeDecodeError) as error:
            raise self._explain(error) from error

    def put(self, key: str, answer: StoredAnswer) -> None:
        """Write an answer; it is on the disk when this returns."""
        self.put_later({key: answer}).result()

    def put_later(self, answers: Mapping[str, StoredAnswer]) -> Future[None]:
        """Hand answers to the writer; they are on the disk when the future is done."""
        done: Future[None] = Future()
        with self._sending:
            if self._closed:
                raise ConfigError(f"answer store {self._path}: closed")
            self._queue.put((answers, done))
        return done

    def close(self) -> None:
        """Write what was handed over, and let go of the file."""
        with self._sending:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        with self._reading:
            self._reader.close()
        self._writer.close()

    def _open(self) -> sqlite3.Connection:
        """Open the file; while others open it too, SQLite refuses the change to WAL without waiting, so ask again."""
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                return self._connect()
            except (sqlite3.Error, OSError) as error:
                if not _is_locked(error) or time.monotonic() > deadline:
                    raise self._explain(error) from error
                time.sleep(OPEN_AGAIN_S)

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # an answer outlives a power cut
            connection.execute(TABLE)
            connection.execute("PRAGMA user_version = 1")  # a write: a read-only file is refused here
            connection.execute(SELECT, ("",))
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _write_groups(self) -> None:
        """Write whatever waits as one transaction, again and again: one fsync for many answers."""
        open_for_more = True
        while open_for_more:
            group = [self._queue.get()]
            group += [self._queue.get() for _ in range(self._queue.qsize())]
            open_for_more = None not in group
            entries = [entry for entry in group if entry is not None]
            waiting = [done for _, done in entries if done.set_running_or_notify_cancel()]
            try:
                self._write([row for answers, _ in entries for row in map(make_row, answers.items())])
            except sqlite3.Error as error:
                for done in waiting:
                    done.set_exception(self._explain(error))
            else:
                for done in waiting:
                    done.set_result(None)

    def _write(self, rows: Sequence[tuple[object, ...]]) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            self._writer.executemany(INSERT, rows)
            self._writer.execute("COMMIT")
        except sqlite3.Error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    def _explain(self, error: Exception) -> PipelineError:
        if _is_locked(error):
            return TransientError(f"answer store {self._path}: another process has been writing for {BUSY_S:.0f} s")
        return ConfigError(f"answer store {self._path}: {error}; mend or move the file, or set llm.answers to another")


def _is_locked(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def make_row(entry: tuple[str, StoredAnswer]) -> tuple[object, ...]:
    """Return the row of an answer, its text compressed."""
    key, answer = entry
    text = zstandard.ZstdCompressor().compress(answer.text.encode("utf-8", "surrogatepass"))
    counts = (answer.prompt_tokens, answer.cached_tokens, answer.completion_tokens)
    return (key, text, answer.finish_reason, answer.max_tokens, *counts)


def read_row(row: tuple[bytes, str, int, int, int, int]) -> StoredAnswer:
    """Return the answer of a row."""
    text, finish_reason, max_tokens, prompt_tokens, cached_tokens, completion_tokens = row
    return StoredAnswer(
        text=zstandard.ZstdDecompressor().decompress(text).decode("utf-8", "surrogatepass"),
        finish_reason=finish_reason,
        max_tokens=max_tokens,
        prompt_tokens=prompt_tokens,
        cached_tokens=cached_tokens,
        completion_tokens=completion_tokens,
    )
