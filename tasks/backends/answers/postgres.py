"""Rows in a PostgreSQL database, for the processes of several machines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from schemas.errors import ConfigError, PipelineError, TransientError
from tasks.backends.answers.rows import BUSY_S, COLUMNS, RULE, Row

Connection = psycopg.Connection[TupleRow]
T = TypeVar("T")

# a server that vanished is noticed within a minute; what the URL says comes first
CONNECT: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": int(BUSY_S * 1_000),
    "application_name": "scriptorium",
}
CREATING = 4_711_001  # advisory lock: two that make the table at once would collide in the catalogue
# keys compare by byte on every server, so that an export has one order
TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT COLLATE "C" PRIMARY KEY,
    text BYTEA NOT NULL,
    finish_reason TEXT NOT NULL,
    max_tokens BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL
)
"""
TYPES = ("text", "bytea", "text", "bigint", "bigint", "bigint", "bigint")
INSERT = f"""
INSERT INTO answers ({COLUMNS})
SELECT * FROM unnest({", ".join(f"%b::{kind}[]" for kind in TYPES)}) {RULE}
"""
READ = f"SELECT {COLUMNS} FROM answers WHERE key = ANY(%s)"
PAGE = f"SELECT {COLUMNS} FROM answers WHERE key > %s ORDER BY key LIMIT %s"
MEND = "mend that, or set llm.answers to another"
BUSY = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure, errors.TooManyConnections)


class _Link:
    """One connection, used by one thread at a time; one that was lost is made anew once a call."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._using = threading.Lock()
        self._ended = False
        self._connection = self._connect()

    @property
    def lost(self) -> bool:
        return self._connection.closed

    def run(self, ask: Callable[[Connection], T]) -> T:
        """Return what `ask` returns; it may run twice. psycopg.Error where that fails, too."""
        with self._using:
            try:
                return ask(self._connection)
            except psycopg.Error:
                if self._ended or not self._connection.closed:
                    raise
            self._connection = self._connect()
            return ask(self._connection)

    def close(self) -> None:
        with self._using:
            self._ended = True
            self._connection.close()

    def _connect(self) -> Connection:
        connection = psycopg.connect(**CONNECT | self._options, autocommit=True)
        connection.execute(f"SET lock_timeout = '{BUSY_S:.0f}s'")
        return connection


class PostgresDatabase:
    """The table `answers` of a database; one connection reads, another writes.

    Args:
        url: as libpq reads it, but without a password: that comes from PGPASSWORD or ~/.pgpass.
        writes: False for who only reads: then nothing is made.

    Raises:
        ConfigError: nobody answers, the database or the right to use it is missing, or the URL holds a password.
        TransientError: another session holds the table for a minute.
    """

    def __init__(self, url: str, *, writes: bool = True) -> None:
        options = read_url(url)
        self._name = show_options(options)
        self._reader = self._open(options)
        try:
            self._ask(self._reader, _make_table if writes else _find_table)
            self._writer = self._open(options)
        except PipelineError:
            self._reader.close()
            raise

    @property
    def name(self) -> str:
        """The URL, without its options."""
        return self._name

    def read(self, keys: Sequence[str]) -> list[Row]:
        """Return the rows there are."""
        return self._ask(self._reader, lambda connection: _select(connection, READ, [list(keys)]))

    def page(self, after: str, num_rows: int) -> list[Row]:
        """Return the next rows behind a key, by key."""
        return self._ask(self._reader, lambda connection: _select(connection, PAGE, [after, num_rows]))

    def write(self, rows: Sequence[Row]) -> int:
        """Write rows as one statement; how many were taken, which after a lost connection may miss some."""
        return self._ask(self._writer, lambda connection: _insert(connection, rows))

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()
        self._writer.close()

    def _open(self, options: dict[str, Any]) -> _Link:
        try:
            return _Link(options)
        except psycopg.Error as error:
            said = f"answer store {self._name}: {_reason(error)}"
            if "password" in said:
                said += " (it is read from PGPASSWORD or ~/.pgpass)"
            raise ConfigError(f"{said}; {MEND}") from error

    def _ask(self, link: _Link, ask: Callable[[Connection], T]) -> T:
        try:
            return link.run(ask)
        except psycopg.Error as error:
            said = f"answer store {self._name}: {_reason(error)}"
            if link.lost or isinstance(error, BUSY):
                raise TransientError(said) from error
            raise ConfigError(f"{said}; {MEND}") from error


def read_url(url: str) -> dict[str, Any]:
    """Return the options of a URL; ConfigError, which does not repeat it, where it is none or holds a secret."""
    try:
        options = conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its message may hold a piece of the password
        raise ConfigError("llm.answers: this URL cannot be read: write postgresql://user@host:port/database") from None
    if any("password" in name or "secret" in name for name in options):
        raise ConfigError(
            "llm.answers: leave the password out of the URL: settings are shown and kept; "
            "it is read from PGPASSWORD or ~/.pgpass"
        )
    return options


def show_options(options: dict[str, Any]) -> str:
    """Return where a database lies as a short URL."""
    user = f"{options['user']}@" if "user" in options else ""
    port = f":{options['port']}" if "port" in options else ""
    return f"postgresql://{user}{options.get('host', '')}{port}/{options.get('dbname', '')}"


def _make_table(connection: Connection) -> None:
    """Make the table unless it is there, and try whether it may be read and written as it is."""
    with connection.transaction():
        if not _has_table(connection):
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [CREATING])
            connection.execute(TABLE)
    _insert(connection, [])
    _find_table(connection)


def _find_table(connection: Connection) -> None:
    _select(connection, PAGE, ["", 0])


def _has_table(connection: Connection) -> bool:
    row = connection.execute("SELECT to_regclass('answers')").fetchone()
    return row is not None and row[0] is not None


def _insert(connection: Connection, rows: Sequence[Row]) -> int:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in TYPES]
    return connection.execute(INSERT, columns).rowcount


def _select(connection: Connection, query: str, values: Sequence[object]) -> list[Row]:
    with connection.cursor(binary=True) as cursor:
        return [Row._make(row) for row in cursor.execute(query, values)]


def _reason(error: psycopg.Error) -> str:
    """Return in one line what the server says, or libpq; of several addresses tried, of the last."""
    said = (error.diag.message_primary or str(error)).strip()
    lines = said.splitlines() or [type(error).__name__]
    line = next((line.removeprefix("- ") for line in reversed(lines) if line.startswith("- ")), lines[0])
    return line.rpartition("FATAL: ")[2].strip()
