"""Manifest -> TrainingRun: hand the newest snapshot to the torch job through a file contract."""

from __future__ import annotations

import logging
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.display import follow_training
from schemas.errors import ConfigError
from schemas.runs import Manifest, TrainingResult, TrainingSpec
from schemas.settings import Settings, TokenSettings
from tasks.backends.stores import is_url, open_store
from tasks.backends.tokenizers import open_tokenizer
from tasks.backends.trainers import read_result
from tasks.shard import read_head
from tasks.steps import train_model
from tasks.training.contract import make_training_spec

logger = logging.getLogger(__name__)


def training_spec(settings: Settings) -> TrainingSpec:
    """Return what the training job is told: the newest snapshot's files, the settings, where to write.

    Raises:
        ConfigError: there is no snapshot, or its tokens were counted with another tokenizer.
    """
    manifest = read_head(open_store(settings.out))
    if manifest is None:
        raise ConfigError(f"{settings.out}: no snapshot there; build one first: scriptorium build --out {settings.out}")
    trainee = open_tokenizer(_choose_tokenizer(settings, manifest))
    if manifest.models["trainee"] != trainee.identity:
        raise ConfigError(
            f"{settings.out}: its tokens were counted with {manifest.models['trainee']}, not with {trainee.identity}; "
            "give the same --trainee-tokenizer"
        )
    return make_training_spec(manifest, settings.out, settings.train, trainee, training_folder(settings))


def _choose_tokenizer(settings: Settings, manifest: Manifest) -> str:
    """Return the tokenizer that the settings name, or where they name none, the one that counted the data set."""
    named = settings.tokens.trainee
    return Settings.model_validate(manifest.settings).tokens.trainee if named == TokenSettings().trainee else named


def training_folder(settings: Settings) -> str:
    """Return where runs lie: `training/` in the data set, or on this machine where that is a bucket."""
    return "data/training" if is_url(settings.out) else f"{settings.out.rstrip('/')}/training"


def find_training(settings: Settings) -> TrainingResult | None:
    """Return the result of a training run that is done, or None."""
    spec = training_spec(settings)
    return read_result(Path(spec.out), spec.run_id)


@flow(name="finetune", flow_run_name="finetune-{settings.out}", persist_result=False)
def finetune(settings: Settings = Settings()) -> TrainingResult:  # noqa: B008  # frozen: the UI's form shows it
    """Fine-tune a model on the newest snapshot of a data set, in a process of its own."""
    spec = training_spec(settings)
    logger.info("training %s on %d files of snapshot %d", spec.run_id, len(spec.data.files), spec.data.manifest)
    with follow_training(Path(spec.out) / "log.jsonl", spec.settings.steps):
        result = train_model(spec)
    create_markdown_artifact(_describe(result), key="training", description=f"run {result.run_id}")
    return result


def _describe(result: TrainingResult) -> str:
    rows = {
        "steps": result.steps,
        "rows": result.num_samples,
        "loss": f"{result.first_loss:.3f} -> {result.last_loss:.3f}",
        "least gradient norm": f"{result.min_grad_norm:.3g}",
        "adapter": result.adapter,
    }
    return "\n".join(["| what | value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows.items())])


if __name__ == "__main__":
    finetune()
