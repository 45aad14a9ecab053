"""An answer <-> a row of a database; the table, and the rule for two answers to one question."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import zstandard

from schemas.errors import ConfigError
from tasks.backends.answers.values import StoredAnswer

BUSY_S = 60.0  # wait for another process that writes
NAMES = ("key", "text", "finish_reason", "max_tokens", "prompt_tokens", "cached_tokens", "completion_tokens")
COLUMNS = ", ".join(NAMES)
# an answer that ended by itself stays; one that was cut gives way to one that was asked for with more room
RULE = f"""
ON CONFLICT (key) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in NAMES[1:])}
WHERE answers.finish_reason = 'length' AND excluded.max_tokens > answers.max_tokens
"""


class Row(NamedTuple):
    """An answer as a database keeps it, its text compressed."""

    key: str
    text: bytes
    finish_reason: str
    max_tokens: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


class Database(Protocol):
    """Rows by key, for several threads at once.

    Its methods raise ConfigError where the database refuses for good, TransientError where it is busy or away.
    """

    @property
    def name(self) -> str:
        """Where it lies, as messages may show it: without secrets."""

    def read(self, keys: Sequence[str]) -> list[Row]:
        """Return the rows there are, in any order."""

    def write(self, rows: Sequence[Row]) -> int:
        """Write rows, one a key, all or none, by RULE; how many were taken. On the disk when this returns."""

    def page(self, after: str, num_rows: int) -> list[Row]:
        """Return the next rows behind a key, by key."""

    def close(self) -> None:
        """Let go of it."""


class _Codec(threading.local):
    """One compressor and one decompressor a thread: making them costs more than their work on an answer."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor().compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_codec = _Codec()


def make_row(entry: tuple[str, StoredAnswer]) -> Row:
    """Return the row of a key and its answer."""
    key, answer = entry
    text = _codec.compress(answer.text.encode("utf-8", "surrogatepass"))
    counts = (answer.prompt_tokens, answer.cached_tokens, answer.completion_tokens)
    return Row(key, text, answer.finish_reason, answer.max_tokens, *counts)


def read_row(row: Row, name: str) -> StoredAnswer:
    """Return the answer of a row in the database of that name; ConfigError where it is damaged."""
    try:
        text = _codec.decompress(row.text).decode("utf-8", "surrogatepass")
        return StoredAnswer(
            text=text,
            finish_reason=row.finish_reason,
            max_tokens=row.max_tokens,
            prompt_tokens=row.prompt_tokens,
            cached_tokens=row.cached_tokens,
            completion_tokens=row.completion_tokens,
        )
    except (zstandard.ZstdError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"answer store {name}: the row {row.key} is damaged ({reason}): delete it") from error


def settle(rows: Iterable[Row]) -> list[Row]:
    """Return one row a key, by RULE; by key, so that two writers never wait for each other in a ring."""
    kept: dict[str, Row] = {}
    for row in rows:
        old = kept.get(row.key)
        if old is None or (old.finish_reason == "length" and row.max_tokens > old.max_tokens):
            kept[row.key] = row
    return [kept[key] for key in sorted(kept)]
