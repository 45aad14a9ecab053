"""ShardInfo + its file -> rows, and whatever is wrong with the file, its rows and what the manifest says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from schemas.errors import PipelineError
from schemas.runs import ShardInfo
from tasks.counts import RowCounter
from tasks.protocols import Store
from tasks.sharding.arrow import Key, keys_of, read_batches
from tasks.tables import SCHEMAS, Row


class ShardReading:
    """One shard as it is read; `problems` and `recounted` are whole when its rows are at their end."""

    def __init__(self, shard: ShardInfo) -> None:
        self.shard = shard
        self.problems: list[str] = []
        self._counter = RowCounter(shard.kind)
        self._num_rows = 0
        self._num_strays = 0
        self._is_ordered = True
        self._last: Key = ()

    def rows(self, store: Store) -> Iterator[Row]:
        """Yield the rows; a file that is missing or damaged ends them and is a problem."""
        path = self.shard.path
        try:
            with store.file(path) as file:
                self._check_file(file)
                for batch in read_batches(file, self.shard.kind):
                    self._look_at(keys_of(self.shard.kind, batch))
                    rows = batch.to_pylist()
                    self._counter.add(rows)
                    self._num_rows += len(rows)
                    self._num_strays += sum(row["split"] != self.shard.split for row in rows if self.shard.split)
                    yield from rows
        except FileNotFoundError:
            self.problems.append(f"{path}: the shard is missing")
            return
        except (PipelineError, ValueError) as error:  # a flipped bit may leave good pages with text that is none
            self.problems.append(f"{path}: its rows cannot be read: {error}")
            return
        self._check_counts()

    @property
    def recounted(self) -> ShardInfo:
        """What the manifest would say of the rows that were found."""
        return self.shard.model_copy(update={"rows": self._num_rows, "counts": self._counter.counts()})

    def _check_file(self, file: Path) -> None:
        shard, num_bytes = self.shard, file.stat().st_size
        if num_bytes != shard.bytes:
            self.problems.append(f"{shard.path}: {num_bytes} bytes, the manifest says {shard.bytes}")
        with file.open("rb") as data:
            sha256 = hashlib.file_digest(data, "sha256").hexdigest()
        if sha256 != shard.sha256 or shard.path.rsplit("/", 1)[-1] != f"{sha256}.parquet":
            self.problems.append(f"{shard.path}: its sha256 is {sha256}, the manifest says {shard.sha256}")
        try:
            fields = list(pq.read_schema(file))
        except (OSError, ValueError):
            return  # said when its rows are read
        if any(field not in list(SCHEMAS[shard.kind]) for field in fields):  # older snapshots may have fewer columns
            self.problems.append(f"{shard.path}: its columns are not those of {shard.kind}")

    def _look_at(self, keys: list[Key]) -> None:
        for key in keys:
            self._is_ordered = self._is_ordered and self._last <= key
            self._last = key

    def _check_counts(self) -> None:
        shard, counts = self.shard, self._counter.counts()
        if self._num_rows != shard.rows:
            self.problems.append(f"{shard.path}: {self._num_rows} rows, the manifest says {shard.rows}")
        if self._num_strays:
            self.problems.append(f"{shard.path}: rows of another split than {shard.split}")
        if not self._is_ordered:
            self.problems.append(f"{shard.path}: its rows are not in the order of their ids")
        if any(counts.get(group) != said for group, said in shard.counts.items()):
            self.problems.append(f"{shard.path}: its counts differ from the manifest's")
