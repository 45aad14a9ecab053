"""Steps -> log.jsonl -> TrainingResult: the log is the truth, the result is made of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from peft import PeftModel

from schemas.runs import TrainingResult, TrainingSpec
from schemas.value import Value
from tasks.training.samples import Selection


class StepRecord(Value):
    """A line of log.jsonl."""

    step: int
    loss: float
    plan_loss: float | None
    prose_loss: float | None
    grad_norm: float
    tokens: int
    labelled: int
    seconds: float


@contextmanager
def open_records(run_dir: Path, num_steps: int) -> Iterator[TextIO]:
    """Open log.jsonl to append to, cut back to the steps that the checkpoint holds."""
    path = run_dir / "log.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    write_atomically(path, "".join(lines[:num_steps]).encode())
    with path.open("a", encoding="utf-8") as file:
        yield file


def read_records(run_dir: Path) -> list[StepRecord]:
    """Read log.jsonl."""
    return [StepRecord.model_validate_json(line) for line in (run_dir / "log.jsonl").read_bytes().splitlines()]


def summarize_run(
    spec: TrainingSpec, records: Sequence[StepRecord], selection: Selection, model: PeftModel, adapter: Path
) -> TrainingResult:
    """Say what a finished run did."""
    num_left_out = selection.num_too_long + selection.num_unlabelled
    return TrainingResult(
        run_id=spec.run_id,
        status="completed",
        steps=len(records),
        num_samples=len(selection.samples),
        num_tokens=sum(record.labelled for record in records),
        first_loss=records[0].loss,
        last_loss=records[-1].loss,
        plan_loss=records[-1].plan_loss,
        prose_loss=records[-1].prose_loss,
        min_grad_norm=min(record.grad_norm for record in records),
        num_trainable_parameters=sum(part.numel() for part in model.parameters() if part.requires_grad),
        adapter=str(adapter),
        checkpoint=str(adapter.parent / "checkpoint"),
        seconds=round(sum(record.seconds for record in records), 3),
        device=str(model.device),
        message=f"{num_left_out} rows left out: {selection.num_too_long} too long" if num_left_out else "",
    )


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
