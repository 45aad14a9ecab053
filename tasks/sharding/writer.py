"""Batches in order -> one Parquet file named by its sha256: row groups cut by bytes, content-defined chunks."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import ConfigError, TransientError
from schemas.runs import ShardInfo, ShardKind
from tasks.counts import RowCounter
from tasks.protocols import Store
from tasks.sharding.arrow import keys_of, lean_rows, text_bytes
from tasks.tables import SCHEMAS

ZSTD_LEVEL = 3  # 347 MB per CPU second; level 9 is a third of that for 25 % less
# repeated words get a dictionary; texts are each their own, and one shifts with every row before it
DICTIONARY = ("layout", "split", "level", "stage", "reason", "stages.list.element.role", "messages.list.element.role")


def writer_options(kind: ShardKind) -> dict[str, Any]:
    """Return how a table is written as Parquet."""
    names = [name for name in DICTIONARY if name.split(".")[0] in SCHEMAS[kind].names]
    return {
        "compression": "zstd",
        "compression_level": ZSTD_LEVEL,
        "use_content_defined_chunking": True,
        "use_dictionary": names,
    }


class ShardWriter:
    """One shard as it grows, in a temporary file; equal rows make equal bytes however they arrive."""

    def __init__(self, kind: ShardKind, split: str | None, folder: Path, row_group_bytes: int) -> None:
        self.kind = kind
        self.split = split
        self.num_rows = 0
        self._counter = RowCounter(kind)
        self._least_bytes = row_group_bytes
        self._batches: list[pa.RecordBatch] = []  # not written yet, with the size and the mark of every row
        self._sizes: list[int] = []
        self._marks: list[bytes] = []
        self._waiting_bytes = 0
        self._folder = folder
        self._path: Path | None = None
        self._writer: pq.ParquetWriter | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Append rows that come after all that were added before."""
        if not batch.num_rows:
            return
        self.num_rows += batch.num_rows
        self._counter.add(lean_rows(batch, self._counter.columns))
        sizes = text_bytes(batch).tolist()
        self._batches.append(batch)
        self._sizes += sizes
        self._marks += [hashlib.sha256("\0".join(key).encode()).digest() for key in keys_of(self.kind, batch)]
        self._waiting_bytes += sum(sizes)
        while self._waiting_bytes >= 2 * self._least_bytes:
            self._write_group(self._find_cut())

    def finish(self, bucket: int, store: Store) -> ShardInfo | None:
        """Put the file under the name of its content and return what it holds; None for no rows.

        Raises:
            ConfigError: the disk is full.
            TransientError: another writer was putting the same shard, and did not end it.
        """
        if not self.num_rows:
            return None
        if self._sizes:
            self._write_group(len(self._sizes))
        path = self._close()
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        num_bytes = path.stat().st_size
        key = f"data/{self.kind}/{sha256}.parquet"
        put_shard(key, path, store)
        path.unlink()
        return ShardInfo(
            kind=self.kind,
            path=key,
            sha256=sha256,
            rows=self.num_rows,
            bytes=num_bytes,
            bucket=bucket,
            split=self.split,
            counts=self._counter.counts(),
        )

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._writer is not None:
            self._writer.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _find_cut(self) -> int:
        """Return how many rows make the next group: at least `row_group_bytes`, below twice as many where rows allow.

        Among the rows that may end it, the one with the least mark does: as marks follow from ids, a row that comes or
        goes moves the cut beside it and seldom another, so what was stored of later groups is found again.
        """
        ends = np.cumsum(self._sizes)
        first = int(np.searchsorted(ends, self._least_bytes))
        last = max(first, int(np.searchsorted(ends, 2 * self._least_bytes)) - 1)
        return min(range(first, last + 1), key=lambda place: self._marks[place]) + 1

    def _write_group(self, num_rows: int) -> None:
        """Write the first waiting rows as one row group: one piece of memory, so that its pages know of no batches."""
        table = pa.Table.from_batches(self._batches, SCHEMAS[self.kind])
        self._batches = table.slice(num_rows).to_batches()
        self._waiting_bytes -= sum(self._sizes[:num_rows])
        self._sizes, self._marks = self._sizes[num_rows:], self._marks[num_rows:]
        try:
            self._open().write_table(table.slice(0, num_rows).combine_chunks())
        except OSError as error:
            raise ConfigError(f"cannot write to {self._folder}: {error.strerror or error}; free some room") from error

    def _open(self) -> pq.ParquetWriter:
        if self._writer is None:
            descriptor, name = tempfile.mkstemp(prefix=".tmp-", suffix=".parquet", dir=self._folder)
            os.close(descriptor)
            self._path = Path(name)
            self._writer = pq.ParquetWriter(name, SCHEMAS[self.kind], **writer_options(self.kind))
        return self._writer

    def _close(self) -> Path:
        if self._writer is None or self._path is None:
            raise ValueError("a shard without rows has no file")
        self._writer.close()
        self._writer = None
        return self._path


def put_shard(key: str, path: Path, store: Store) -> None:
    """Put a shard, or make the one that is there young again, so that no sweep takes it before its manifest is written.

    Raises:
        TransientError: another writer was putting the same shard, and did not end it.
    """
    if store.put_file_if_absent(key, path):
        return
    try:
        store.touch(key)
    except FileNotFoundError as error:
        raise TransientError(f"{key}: another writer began it and did not end; run again") from error


def to_batch(kind: ShardKind, rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    """Return rows as one Arrow batch."""
    return pa.RecordBatch.from_pylist(list(rows), SCHEMAS[kind])
