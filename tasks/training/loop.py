"""Samples -> trained model: the steps, each a pure function of the spec, its number and the state before it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from schemas.errors import PipelineError
from schemas.runs import TrainingSpec
from schemas.settings import TrainSettings
from tasks.training.checkpoints import load_checkpoint, save_checkpoint
from tasks.training.loss import compute_losses, pack_row
from tasks.training.packing import plan_batch
from tasks.training.records import StepRecord, open_records
from tasks.training.samples import Sample


def train_model(run_dir: Path, spec: TrainingSpec, model: PeftModel, samples: Sequence[Sample]) -> None:
    """Take the steps that are left, and keep a record of each and a checkpoint now and then."""
    settings = spec.settings
    optimizer = torch.optim.AdamW(trainable_parameters(model), lr=settings.learning_rate, weight_decay=0.0)
    first_step = load_checkpoint(run_dir, spec.run_id, model, optimizer)
    lengths = [len(sample.ids_T) for sample in samples]
    model.train()
    with open_records(run_dir, first_step) as records:
        for step in range(first_step, settings.steps):
            batch = plan_batch(lengths, settings.batch_tokens, settings.seed, step)
            record = take_step(model, optimizer, [samples[place] for place in batch], settings, step)
            records.write(record.model_dump_json() + "\n")
            records.flush()
            if (step + 1) % settings.checkpoint_steps == 0 or step + 1 == settings.steps:
                save_checkpoint(run_dir, spec.run_id, step + 1, model, optimizer)


def take_step(
    model: PeftModel, optimizer: torch.optim.Optimizer, batch: Sequence[Sample], settings: TrainSettings, step: int
) -> StepRecord:
    """Learn from one packed row; PipelineError where loss or gradient say that nothing can be learnt."""
    started = time.monotonic()
    torch.manual_seed(settings.seed * 1_000_003 + step)  # dropout: no state of a generator to keep
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(settings, step)
    losses = compute_losses(cast(PreTrainedModel, model.get_base_model()), pack_row(batch, model.device))
    loss = losses.loss.item()
    if not math.isfinite(loss):
        raise PipelineError(f"step {step + 1}: the loss is {loss}; lower train.learning_rate")
    losses.loss.backward()
    grad_norm = float(torch.nn.utils.clip_grad_norm_(trainable_parameters(model), settings.max_grad_norm))
    if not math.isfinite(grad_norm):
        raise PipelineError(f"step {step + 1}: the gradient norm is {grad_norm}; lower train.learning_rate")
    if grad_norm == 0.0:
        raise PipelineError(f"step {step + 1}: the gradient norm is 0; nothing can be learnt, see train.lora_targets")
    optimizer.step()
    optimizer.zero_grad()
    return StepRecord(
        step=step + 1,
        loss=loss,
        plan_loss=losses.plan,
        prose_loss=losses.prose,
        grad_norm=grad_norm,
        tokens=sum(len(sample.ids_T) for sample in batch),
        labelled=losses.num_labelled,
        seconds=round(time.monotonic() - started, 4),
    )


def learning_rate(settings: TrainSettings, step: int) -> float:
    """Return the rate of a step counted from 0: linear warm-up, then a cosine that ends at a tenth."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    progress = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    return settings.learning_rate * (0.1 + 0.9 * (1 + math.cos(math.pi * progress)) / 2)


def trainable_parameters(model: PeftModel) -> list[torch.nn.Parameter]:
    """Return what the optimiser may change."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
