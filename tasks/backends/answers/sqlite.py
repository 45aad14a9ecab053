"""Rows in one SQLite file (WAL), for the threads and processes of one machine."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import ConfigError, PipelineError, TransientError
from tasks.backends.answers.rows import BUSY_S, COLUMNS, NAMES, RULE, Row

OPEN_AGAIN_S = 0.02  # between two tries to open a file that others are opening
MOST_KEYS = 500  # in one question; SQLite before 3.32 takes 999
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
INSERT = f"INSERT INTO answers ({COLUMNS}) VALUES ({', '.join('?' * len(NAMES))}) {RULE}"
PAGE = f"SELECT {COLUMNS} FROM answers WHERE key > ? ORDER BY key LIMIT ?"


class SqliteDatabase:
    """One file; one connection reads, another writes.

    Args:
        path: of the file; it and its folder are made.
        writes: False for who only reads: then nothing is made.

    Raises:
        ConfigError: it cannot be opened or written, is no database, or one of something else.
        TransientError: another process holds it for a minute.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        if not writes and not path.is_file():
            raise ConfigError(f"answer store {path}: no such file")
        self._path, self._writes = path, writes
        self._reading, self._writing = threading.Lock(), threading.Lock()
        self._reader = self._open()
        self._writer = self._open()

    @property
    def name(self) -> str:
        """The file."""
        return str(self._path)

    def read(self, keys: Sequence[str]) -> list[Row]:
        """Return the rows there are."""
        rows: list[Row] = []
        for start in range(0, len(keys), MOST_KEYS):
            asked = keys[start : start + MOST_KEYS]
            marks = ", ".join("?" * len(asked))
            rows += self._select(f"SELECT {COLUMNS} FROM answers WHERE key IN ({marks})", asked)
        return rows

    def page(self, after: str, num_rows: int) -> list[Row]:
        """Return the next rows behind a key, by key."""
        return self._select(PAGE, (after, num_rows))

    def write(self, rows: Sequence[Row]) -> int:
        """Write rows as one transaction; how many were taken."""
        with self._writing:
            try:
                return self._write(rows)
            except sqlite3.Error as error:
                raise self._explain(error) from error

    def close(self) -> None:
        """Let go of the file."""
        with self._reading, self._writing:
            self._reader.close()
            self._writer.close()

    def _select(self, query: str, values: Sequence[object]) -> list[Row]:
        try:
            with self._reading:
                return [Row._make(row) for row in self._reader.execute(query, values)]
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _write(self, rows: Sequence[Row]) -> int:
        before = self._writer.total_changes
        with self._writer:  # ends in COMMIT, or in ROLLBACK
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.executemany(INSERT, rows)
        return self._writer.total_changes - before

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
        if self._writes:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            if self._writes:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")  # an answer outlives a power cut
                connection.execute(TABLE)
                connection.execute("PRAGMA user_version = 1")  # a write: a read-only file is refused here
            connection.execute(PAGE, ("", 0))
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _explain(self, error: Exception) -> PipelineError:
        if _is_locked(error):
            return TransientError(f"answer store {self._path}: another process has been writing for {BUSY_S:.0f} s")
        return ConfigError(f"answer store {self._path}: {error}; mend or move the file, or set llm.answers to another")


def _is_locked(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
