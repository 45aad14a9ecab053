"""Answers by key over a database: read by any thread, written by one that groups what waits."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import urlsplit

from schemas.errors import ConfigError
from tasks.backends.answers.rows import Database, make_row, read_row, settle
from tasks.backends.answers.sqlite import SqliteDatabase
from tasks.backends.answers.values import StoredAnswer

POSTGRES = ("postgresql", "postgres")  # both are libpq's


def open_database(location: str | Path, *, writes: bool = True) -> Database:
    """Return the database at a SQLite file or a URL.

    Args:
        location: a path, or postgresql://user@host/database.
        writes: False for who only reads: then no table is made, and no right to write is needed.

    Raises:
        ConfigError: it cannot be used, or the URL holds a password.
    """
    scheme = urlsplit(location).scheme if isinstance(location, str) and "://" in location else ""
    if not scheme:
        return SqliteDatabase(Path(location).expanduser(), writes=writes)
    if scheme in POSTGRES:
        from tasks.backends.answers.postgres import PostgresDatabase  # libpq takes 0.1 s to load: not for a file

        return PostgresDatabase(str(location), writes=writes)
    raise ConfigError(f"llm.answers: {scheme}:// is unknown: name a SQLite file, or postgresql://user@host/database")


class AnswerStore:
    """Answers by key; several threads, processes and, over PostgreSQL, machines may use it at once."""

    def __init__(self, location: str | Path) -> None:
        self._database = open_database(location)
        self._sending = threading.Lock()
        self._closed = False
        self._queue: SimpleQueue[tuple[Mapping[str, StoredAnswer], Future[None]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_groups, name="answers", daemon=True)
        self._thread.start()

    def get(self, key: str) -> StoredAnswer | None:
        """Return the answer under a key, if there is one."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, StoredAnswer]:
        """Return the answers there are."""
        if self._closed:
            raise self._refusal()
        return {row.key: read_row(row, self._database.name) for row in self._database.read(list(keys))}

    def put(self, key: str, answer: StoredAnswer) -> None:
        """Write an answer; it is on the disk when this returns."""
        self.put_later({key: answer}).result()

    def put_later(self, answers: Mapping[str, StoredAnswer]) -> Future[None]:
        """Hand answers to the writer; they are on the disk when the future is done."""
        done: Future[None] = Future()
        with self._sending:
            if self._closed:
                raise self._refusal()
            self._queue.put((answers, done))
        return done

    def close(self) -> None:
        """Write what was handed over, and let go of the database."""
        with self._sending:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._database.close()

    def _refusal(self) -> ConfigError:
        return ConfigError(f"answer store {self._database.name}: closed")

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
                self._database.write(settle(row for answers, _ in entries for row in map(make_row, answers.items())))
            except Exception as error:  # the thread's boundary: who waits is told, and the next group is tried
                for done in waiting:
                    done.set_exception(error)
            else:
                for done in waiting:
                    done.set_result(None)
