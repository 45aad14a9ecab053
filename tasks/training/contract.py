"""Manifest -> TrainingSpec: what a training job is told, made without torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from schemas.errors import ConfigError
from schemas.runs import Manifest, TrainingData, TrainingSpec
from schemas.settings import TrainSettings
from tasks.backends.tokenizers import TiktokenTokenizer

_SHAPE_NOTHING = {"after_build", "timeout_s", "python", "checkpoint_steps"}


def make_training_spec(
    manifest: Manifest, root: str, settings: TrainSettings, trainee: TiktokenTokenizer, runs: str
) -> TrainingSpec:
    """Return the spec of a run in a folder of its own below `runs`; equal data, settings and tokenizer are one run.

    Args:
        manifest: snapshot whose shards of split `train` are read.
        root: the data set's folder or URL.
        settings: of the training.
        trainee: tokenizer of the model to be trained, the one that counted the rows.
        runs: local folder of all runs.

    Raises:
        ConfigError: the snapshot has no training shards.

    """
    shards = sorted(
        (shard for shard in manifest.shards if shard.kind == "trajectories" and shard.split == "train" and shard.rows),
        key=lambda shard: shard.path,
    )
    if not shards:
        raise ConfigError(
            f"snapshot {manifest.version} of {root} has no trajectories of split train: nothing to train on"
        )
    shaping = settings.model_dump(mode="json", exclude=_SHAPE_NOTHING)
    parts = [[shard.sha256 for shard in shards], shaping, trainee.sha256]
    run_id = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
    data = TrainingData(
        root=root if "://" in root else str(Path(root).resolve()),
        manifest=manifest.version,
        files=tuple(shard.path for shard in shards),
        trainable_only=not settings.allow_untrainable,
        tokenizer=trainee.location,
        tokenizer_sha256=trainee.sha256,
    )
    return TrainingSpec(run_id=run_id, data=data, settings=settings, out=str(Path(runs).resolve() / run_id))
