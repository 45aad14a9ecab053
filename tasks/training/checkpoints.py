"""State of a run -> checkpoint, whole or not at all: the number of steps done, LoRA matrices and the optimiser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict

_STATE = "checkpoint/state.pt"


def save_checkpoint(run_dir: Path, run_id: str, step: int, model: PeftModel, optimizer: torch.optim.Optimizer) -> None:
    """Write the state after `step` steps in place of the one before."""
    state = {
        "run_id": run_id,
        "step": step,
        "adapter": get_peft_model_state_dict(model, save_embedding_layers=False),  # frozen, drawn from the seed
        "optimizer": optimizer.state_dict(),
    }
    path = run_dir / _STATE
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(run_dir: Path, run_id: str, model: PeftModel, optimizer: torch.optim.Optimizer) -> int:
    """Put the last state of this run into model and optimiser; return the steps done, 0 where there is none."""
    path = run_dir / _STATE
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True, map_location="cpu")
    if state["run_id"] != run_id:
        return 0
    set_peft_model_state_dict(model, state["adapter"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def save_adapter(run_dir: Path, model: PeftModel) -> Path:
    """Write the adapter as PEFT does, in place of one that an interrupted run left; return its folder."""
    adapter, partial = run_dir / "adapter", run_dir / "adapter.partial"
    for folder in (adapter, partial):
        shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(str(partial))
    partial.rename(adapter)
    return adapter
