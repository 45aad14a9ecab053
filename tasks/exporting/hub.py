"""Snapshot -> data/<config>/<split>-00000-of-00004.parquet: a config a layout, and a rung of chapter-window."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import ConfigError, PipelineError
from schemas.exports import ExportedFile, ExportSelection
from schemas.runs import Manifest
from tasks.composing.window import LAYOUT as WINDOWED
from tasks.composing.window import name_rung
from tasks.exporting.reading import iter_tables
from tasks.exporting.series import Series, describe_file
from tasks.protocols import Store
from tasks.sharding.merge import SPLITS
from tasks.tables import SCHEMAS

FOLDER = "data"
NO_SPLIT = "train"  # where a table has no sides: the only split that every reader knows


class HubExport:
    """One export on its way: what it wants, what it leaves out by table and reason, which books have a row in it."""

    def __init__(self, manifest: Manifest, store: Store, root: Path, wanted: ExportSelection) -> None:
        self.manifest, self.store, self.root, self.wanted = manifest, store, root, wanted
        self.left_out: Counter[str] = Counter()
        self._books: set[str] = set()  # with a trajectory that may be trained on, where only such are wanted

    def write(self) -> list[ExportedFile]:
        """Write the wanted rows below the folder and return the files.

        Books and refusals go along with any layout: of the books, those on the wanted sides, and only such as have a
        trainable row there where just these are wanted.

        Raises:
            ConfigError: the snapshot has no such layout or side, or no trajectory is left.
            PipelineError: rows are lost on the way.
        """
        self._check_wanted()
        files = [file for split in SPLITS for file in self._write_split(split)]
        files.sort(key=lambda file: _order(file.config))
        if not files:
            raise ConfigError(f"snapshot {self.manifest.version}: no trajectory is left of {_describe(self.wanted)}")
        files += self._write_table("books", self._iter_books())
        rejected = iter_tables(self.manifest, "rejected", self.store)
        files += self._write_table("rejected", ((NO_SPLIT, table) for table in rejected))
        num_held, num_left = sum(shard.rows for shard in self.manifest.shards), self.left_out.total()
        num_out = sum(file.rows for file in files)
        if num_held != num_out + num_left:
            raise PipelineError(f"{num_held} rows held, {num_out} out, {num_left} left out: they must add up")
        return files

    def _write_split(self, split: str) -> list[ExportedFile]:
        if self.wanted.splits and split not in self.wanted.splits:
            shards = [one for one in self.manifest.shards if one.kind == "trajectories" and one.split == split]
            self._leave_out("trajectories", "other-split", sum(shard.rows for shard in shards))
            return []
        series: dict[str, Series] = {}
        for table in iter_tables(self.manifest, "trajectories", self.store, split):
            for config, rows in self._iter_configs(table):
                if config not in series:
                    series[config] = Series(self.root / FOLDER / config, split, SCHEMAS["trajectories"])
                series[config].add(rows)
        return [file for config, one in series.items() for file in self._close(one, config, split)]

    def _iter_configs(self, table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        """Yield the wanted rows of a table by their config."""
        if self.wanted.trainable_only:
            kept = table.filter(table.column("trainable"))
            self._leave_out("trajectories", "untrainable", table.num_rows - kept.num_rows)
            table = kept
        self._books.update(table.column("book_id").to_pylist())
        places: dict[tuple[str, int], list[int]] = defaultdict(list)
        keys = zip(table.column("layout").to_pylist(), table.column("window").to_pylist(), strict=True)
        for at, key in enumerate(keys):
            places[key].append(at)
        for (layout, window), rows in places.items():
            if self._is_wanted(layout, window):
                yield name_config(layout, window), table.take(rows)
            else:
                self._leave_out("trajectories", "other-layout", len(rows))

    def _iter_books(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield the wanted books by their sides."""
        for table in iter_tables(self.manifest, "books", self.store):
            for split in SPLITS:
                rows = table.filter(pc.equal(table.column("split"), split))
                if self.wanted.splits and split not in self.wanted.splits:
                    self._leave_out("books", "other-split", rows.num_rows)
                    continue
                kept = rows
                if self.wanted.trainable_only:
                    kept = rows.filter(pc.is_in(rows.column("book_id"), pa.array(sorted(self._books), pa.string())))
                    self._leave_out("books", "untrainable", rows.num_rows - kept.num_rows)
                if kept.num_rows:
                    yield split, kept

    def _write_table(self, config: str, tables: Iterable[tuple[str, pa.Table]]) -> list[ExportedFile]:
        series: dict[str, Series] = {}
        for split, table in tables:
            if split not in series:
                series[split] = Series(self.root / FOLDER / config, split, table.schema)
            series[split].add(table)
        ordered = sorted(series.items(), key=lambda item: SPLITS.index(item[0]))
        return [file for split, one in ordered for file in self._close(one, config, split)]

    def _close(self, series: Series, config: str, split: str) -> list[ExportedFile]:
        return [describe_file(path, self.root, config, split) for path in series.close()]

    def _leave_out(self, table: str, reason: str, number: int) -> None:
        if number:
            self.left_out[f"{table}: {reason}"] += number

    def _is_wanted(self, layout: str, window: int) -> bool:
        """Tell whether a row is wanted; a rung alone means chapter-window alone."""
        layouts = self.wanted.layouts or ((WINDOWED,) if self.wanted.windows else ())
        if layouts and layout not in layouts:
            return False
        return layout != WINDOWED or not self.wanted.windows or window in self.wanted.windows

    def _check_wanted(self) -> None:
        held = sorted(self.manifest.trajectories)
        for name, asked, known in (("layout", self.wanted.layouts, held), ("split", self.wanted.splits, SPLITS)):
            strange = [one for one in asked if one not in known]
            if strange:
                raise ConfigError(f"--{name} {strange[0]}: snapshot {self.manifest.version} has {', '.join(known)}")


def name_config(layout: str, window: int) -> str:
    """Return the config that a row is in: its layout, or its rung, such as 'chapter-window-8k'."""
    return name_rung(window) if layout == WINDOWED else layout


def _order(config: str) -> tuple[str, int]:
    """Return what rungs are sorted by: 8k before 32k."""
    number = re.search(r"\d+", config)
    return config[: number.start()] if number else config, int(number[0]) if number else 0


def _describe(wanted: ExportSelection) -> str:
    asked = {name: value for name, value in wanted.model_dump().items() if value}
    return ", ".join(f"{name} {value}" for name, value in asked.items()) or "it"
