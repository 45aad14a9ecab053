"""Parquet rows -> Sample: the token ids of a trajectory and the weight of each in the loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import fsspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import ConfigError, PipelineError
from schemas.runs import TrainingData
from schemas.settings import TrainSettings
from tasks.backends.tokenizers import CONTROL_TOKENS, TiktokenTokenizer

_COLUMNS = ("trajectory_id", "layout", "trainable", "num_tokens", "stages")
_ROWS_AT_ONCE = 16  # a row of a whole book has megabytes of text


@dataclass(frozen=True)
class Sample:
    """One trajectory as T tokens."""

    ids_T: npt.NDArray[np.int64]
    weights_T: npt.NDArray[np.float32]  # 0: context
    prose_T: npt.NDArray[np.bool_]  # of the book's own text


@dataclass(frozen=True)
class Selection:
    """What a training run learns from, and how many rows it leaves out."""

    samples: tuple[Sample, ...]
    num_too_long: int
    num_unlabelled: int


def load_samples(data: TrainingData, settings: TrainSettings, tokenizer: TiktokenTokenizer) -> Selection:
    """Read the rows of the layouts asked for; longer ones are left out, and counted.

    Raises:
        ConfigError: rows are not to be trained on, were counted with another tokenizer, or none is left.
        PipelineError: a file is missing or is no Parquet file of trajectories.

    """
    samples: list[Sample] = []
    num_too_long = num_unlabelled = 0
    for path in data.files:
        for row in _read_rows(f"{data.root.rstrip('/')}/{path}", settings.layouts):
            if row["num_tokens"] > settings.max_tokens:
                num_too_long += 1
                continue
            if data.trainable_only and not row["trainable"]:
                raise ConfigError(
                    f"trajectory {row['trajectory_id']} is marked trainable=false (its plans quote the prose); "
                    "build with a model, or set train.allow_untrainable for a demonstration"
                )
            sample = render_sample(row, tokenizer)
            if sample.weights_T[1:].any():
                samples.append(sample)
            else:
                num_unlabelled += 1
    if not samples:
        raise ConfigError(
            f"no row to train on in {len(data.files)} files of {data.root}: {num_too_long} of layouts "
            f"{', '.join(settings.layouts)} have more than {settings.max_tokens} tokens, {num_unlabelled} no label"
        )
    return Selection(tuple(samples), num_too_long, num_unlabelled)


def render_sample(row: dict[str, Any], tokenizer: TiktokenTokenizer) -> Sample:
    """Render a row's stages as the trajectory grammar says; only what a stage's text and end say has its weight."""
    start, stop, end = (tokenizer.control_ids[token] for token in CONTROL_TOKENS)
    ids: list[int] = []
    weights: list[npt.NDArray[np.float32]] = []
    prose: list[npt.NDArray[np.bool_]] = []
    for stage in row["stages"]:
        header = [start, *tokenizer.encode(stage["role"]), stop]
        body = [*tokenizer.encode("\n\n" + stage["text"]), end]
        ids += header + body
        weights += [np.zeros(len(header), np.float32), np.full(len(body), stage["loss"], np.float32)]
        prose.append(np.full(len(header) + len(body), stage["start"] is not None))
    if len(ids) != row["num_tokens"]:
        raise ConfigError(
            f"trajectory {row['trajectory_id']} has {len(ids)} tokens, its row says {row['num_tokens']}: "
            f"it was counted with another tokenizer than {tokenizer.name}"
        )
    return Sample(np.array(ids, np.int64), np.concatenate(weights), np.concatenate(prose))


def _read_rows(path: str, layouts: Sequence[str]) -> Iterator[dict[str, Any]]:
    try:
        with fsspec.open(path, "rb") as file:
            yield from _selected(pq.ParquetFile(file).iter_batches(_ROWS_AT_ONCE, columns=list(_COLUMNS)), layouts)
    except FileNotFoundError as error:
        raise PipelineError(f"{path}: no such file, though the manifest lists it") from error
    except (pa.ArrowInvalid, pa.ArrowKeyError, KeyError) as error:
        line = str(error).splitlines()[0]
        raise PipelineError(f"{path}: not a Parquet file of trajectories: {line}") from error


def _selected(batches: Iterable[pa.RecordBatch], layouts: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.filter(pc.is_in(batch["layout"], pa.array(layouts))).to_pylist()
