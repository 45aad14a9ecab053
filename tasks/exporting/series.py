"""Tables -> numbered Parquet files of bounded size, and the check that what was written can be read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import PipelineError
from schemas.exports import ExportedFile
from tasks.sharding.arrow import iter_batches

FILE_BYTES = 300_000_000  # of a file, about: what the Hub's viewer and a resumed download like
GROUP_BYTES = 16_000_000  # of Arrow data in a row group: a reader of one row holds no more
ZSTD_LEVEL = 3  # as the snapshot's own shards


class Series:
    """The files of one config and split; each is written once, from its first row to its last."""

    def __init__(self, folder: Path, split: str, schema: pa.Schema, file_bytes: int = FILE_BYTES) -> None:
        self._folder, self._split, self._schema, self._file_bytes = folder, split, schema, file_bytes
        self._parts: list[Path] = []
        self._pending: list[pa.Table] = []
        self._size = 0
        self._writer: pq.ParquetWriter | None = None
        self._sink: pa.NativeFile | None = None
        self._ids = hashlib.sha256()
        self.num_rows = 0

    def add(self, table: pa.Table) -> None:
        """Take rows of the series' schema; row groups are cut by their bytes."""
        self._pending.append(table)
        self._size += table.nbytes
        self.num_rows += table.num_rows
        _add_ids(self._ids, table.column(0))
        if self._size >= GROUP_BYTES:
            self._write_group()

    def close(self) -> list[Path]:
        """Write what is left, give every file its last name, and return the files.

        Raises:
            PipelineError: read again, they do not hold the rows that were taken, in their order.
        """
        self._write_group()
        self._end_file()
        total = len(self._parts)
        names = [self._folder / f"{self._split}-{at:05d}-of-{total:05d}.parquet" for at in range(total)]
        files = [part.replace(name) for part, name in zip(self._parts, names, strict=True)]
        self._check(files)
        return files

    def _write_group(self) -> None:
        if not self._pending:
            return
        if self._writer is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._parts.append(self._folder / f".{self._split}-{len(self._parts):05d}.part")
            self._sink = pa.OSFile(str(self._parts[-1]), "wb")
            self._writer = pq.ParquetWriter(
                self._sink,
                self._schema,
                compression="zstd",
                compression_level=ZSTD_LEVEL,
                use_content_defined_chunking=True,
            )
        self._writer.write_table(pa.concat_tables(self._pending).combine_chunks())
        self._pending, self._size = [], 0
        if self._sink is not None and self._sink.tell() >= self._file_bytes:
            self._end_file()

    def _end_file(self) -> None:
        if self._writer is not None and self._sink is not None:
            self._writer.close()
            self._sink.close()
        self._writer = self._sink = None

    def _check(self, files: list[Path]) -> None:
        found, ids = 0, hashlib.sha256()
        for path in files:
            for batch in iter_batches(path, [self._schema.names[0]]):
                found += batch.num_rows
                _add_ids(ids, batch.column(0))
        if found != self.num_rows or ids.digest() != self._ids.digest():
            raise PipelineError(
                f"{self._folder}: {self.num_rows} rows were written, {found} are read back, or in another order: "
                "the disk is not to be trusted; export again elsewhere"
            )


def describe_file(path: Path, root: Path, config: str, split: str) -> ExportedFile:
    """Return what there is to know of a written file."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedFile(
        path=path.relative_to(root).as_posix(),
        config=config,
        split=split,
        rows=pq.read_metadata(path).num_rows,
        bytes=path.stat().st_size,
        sha256=sha256,
    )


def _add_ids(digest: hashlib._Hash, column: pa.ChunkedArray | pa.Array) -> None:
    for value in column.to_pylist():
        digest.update(f"{value}\n".encode())
