"""Manifest -> Export: what of a snapshot was laid out for others, file by file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.value import Value

ExportForm = Literal["hub", "longpage"]


class ExportSelection(Value):
    """What of a snapshot is wanted; what is empty leaves nothing out."""

    layouts: tuple[str, ...] = ()
    windows: tuple[int, ...] = Field(default=(), description="rungs of chapter-window, in tokens")
    splits: tuple[str, ...] = ()
    trainable_only: bool = Field(default=False, description="hub: leave out plans that quote the prose")
    untrainable: bool = Field(default=False, description="longpage: take them along, where no column marks them")


class ExportedFile(Value):
    """One file of an export; `path` is relative to its folder."""

    path: str
    config: str
    split: str
    rows: int
    bytes: int
    sha256: str


class Contents(Value):
    """export.json: what an export holds, equal for equal snapshots and selections."""

    form: ExportForm
    snapshot: int
    content_sha256: str = Field(description="of the snapshot")
    selection: ExportSelection
    files: tuple[ExportedFile, ...]
    rows: dict[str, dict[str, int]] = Field(description="by config, then by split")
    left_out: dict[str, int] = Field(description="rows of the snapshot's tables that were not wanted, by reason")


class Export(Value):
    """What `scriptorium export` did."""

    out: str
    to: str
    contents: Contents
