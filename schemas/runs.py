"""Shard + Manifest, and the file contract of a training run: run.json in, result.json out."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from schemas.ledger import Ledger
from schemas.settings import Recipe, TrainSettings
from schemas.value import Value

SCHEMA_VERSION: Literal[2] = 2  # 1: before recipes; its snapshots are read as they are


ShardKind = Literal["trajectories", "books", "rejected"]


class ShardInfo(Value):
    """One immutable Parquet file; `path` is relative to the data set's root."""

    kind: ShardKind
    path: str
    sha256: str
    rows: int
    bytes: int
    bucket: int
    split: str | None = Field(default=None, description="of trajectories; null for the other kinds")
    counts: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="what its rows add to the manifest's totals: layouts, tokens, reasons"
    )


class Tally(Value):
    """In = out + rejected."""

    in_: int = Field(alias="in", default=0)
    out: int = 0
    rejected: dict[str, int] = Field(default_factory=dict, description="by reason")

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    @property
    def num_rejected(self) -> int:
        """All rejections."""
        return sum(self.rejected.values())


class LayoutTally(Value):
    """How many rows of a layout were made, and why it was refused."""

    made: int = 0
    refused: dict[str, int] = Field(default_factory=dict, description="by reason")


class Accounting(Value):
    """Every book, work and layout, accounted for."""

    books: Tally
    works: Tally
    layouts: dict[str, LayoutTally]
    nodes: dict[str, int] = Field(
        default_factory=dict, description="quarantined nodes of works that are out, by reason"
    )


class TokenTally(Value):
    """Tokens of the trainee's tokenizer in all trajectories of a snapshot."""

    total: int = 0
    plan: int = 0
    prose: int = 0


class Manifest(Value):
    """One snapshot of a data set, written last and never changed."""

    schema_version: Literal[1, 2] = SCHEMA_VERSION
    recipe: Recipe = "prompt-to-book"
    version: int = Field(ge=1)
    parent: int | None = None
    shards: tuple[ShardInfo, ...]
    accounting: Accounting
    trajectories: dict[str, dict[str, int]] = Field(description="rows by layout, then by split")
    tokens: TokenTally
    num_buckets: int
    settings: dict[str, object]
    models: dict[str, str] = Field(description="identity of the summarizer and of both tokenizers")
    prompts: dict[str, str] = Field(description="sha256 of every prompt file")
    versions: dict[str, str] = Field(description="of Python and of the packages that shape the values")
    content_sha256: str = Field(description="of shards and accounting: equal for equal data sets")
    run_sha256: str = Field(description="of the outcomes of the build that wrote it")
    writer: str = Field(description="nonce of the process that wrote it")
    created: str
    ledger: Ledger
    left_out: dict[str, int] = Field(default_factory=dict, description="catalogue entries not selected, by reason")
    decontaminated: str | None = Field(
        default=None, description="identity of the evaluation texts that its works were held against, if any"
    )
    takedown: tuple[str, ...] = Field(default=(), description="ids and hashes that no later snapshot may hold")


class TrainingData(Value):
    """Which rows a training job reads: explicit files, never a glob."""

    root: str
    manifest: int
    files: tuple[str, ...]
    trainable_only: bool
    tokenizer: str = Field(description="path of the trainee's tokenizer file")
    tokenizer_sha256: str


class TrainingSpec(Value):
    """run.json: everything a training job is told."""

    run_id: str
    data: TrainingData
    settings: TrainSettings
    out: str


class TrainingResult(Value):
    """result.json: what a training job tells."""

    run_id: str
    status: Literal["completed", "failed"]
    steps: int
    num_samples: int
    num_tokens: int = Field(description="labelled tokens seen")
    first_loss: float
    last_loss: float
    plan_loss: float | None = None
    prose_loss: float | None = None
    min_grad_norm: float
    num_trainable_parameters: int
    adapter: str
    checkpoint: str
    seconds: float
    device: str
    message: str = ""


class TrainingRun(Value):
    """Manifest -> TrainingRun: the contract's two halves together."""

    spec: TrainingSpec
    result: TrainingResult
