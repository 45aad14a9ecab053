"""TrainingSpec -> TrainingResult: a LoRA fine-tuning job as its own process, `python -m tasks.training.job RUN_DIR`.

RUN_DIR/run.json is read; log.jsonl gets a line a step, checkpoint/ the state to go on from, adapter/ what was learnt,
and result.json, written last, says that the run is whole.
"""

from __future__ import annotations

import fcntl
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from pydantic import ValidationError

from schemas.errors import ConfigError, PipelineError
from schemas.runs import TrainingResult, TrainingSpec
from tasks.backends.tokenizers import TiktokenTokenizer, open_tokenizer
from tasks.backends.trainers import read_result
from tasks.training.checkpoints import save_adapter
from tasks.training.loop import train_model
from tasks.training.models import open_model
from tasks.training.records import read_records, summarize_run, write_atomically
from tasks.training.samples import load_samples


def main(arguments: list[str]) -> int:
    """Run the job of a folder; on a failure say one line on standard error and return 1."""
    try:
        if len(arguments) != 1:
            raise ConfigError("give the folder of one run: python -m tasks.training.job RUN_DIR")
        run_job(Path(arguments[0]))
    except (PipelineError, OSError, torch.OutOfMemoryError) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    return 0


def run_job(run_dir: Path) -> TrainingResult:
    """Train what RUN_DIR/run.json says, from the last checkpoint on; a run that has its result is not made again."""
    spec = read_spec(run_dir)
    with hold_folder(run_dir):
        result = read_result(run_dir, spec.run_id)
        if result is not None:
            return result
        tokenizer = open_trainee(spec)
        selection = load_samples(spec.data, spec.settings, tokenizer)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = open_model(spec.settings, tokenizer, run_dir / "base").to(device)
        train_model(run_dir, spec, model, selection.samples)
        adapter = save_adapter(run_dir, model)
        result = summarize_run(spec, read_records(run_dir), selection, model, adapter)
        write_atomically(run_dir / "result.json", result.to_json())
    return result


def read_spec(run_dir: Path) -> TrainingSpec:
    """Read run.json; ConfigError where there is none or it is no spec."""
    try:
        return TrainingSpec.model_validate_json((run_dir / "run.json").read_bytes())
    except FileNotFoundError as error:
        raise ConfigError(f"{run_dir}: no run.json in it") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{run_dir / 'run.json'}: {place}: {first['msg']}") from error


def open_trainee(spec: TrainingSpec) -> TiktokenTokenizer:
    """Open the tokenizer; ConfigError where it is not the one that counted the rows."""
    tokenizer = open_tokenizer(spec.data.tokenizer)
    if tokenizer.sha256 != spec.data.tokenizer_sha256:
        raise ConfigError(
            f"tokenizer {spec.data.tokenizer}: its sha256 is {tokenizer.sha256[:12]}, the run asks for "
            f"{spec.data.tokenizer_sha256[:12]}: the file has changed, build the data set again"
        )
    return tokenizer


@contextmanager
def hold_folder(run_dir: Path) -> Iterator[None]:
    """Keep other processes out of the folder; wait for one that trains in it. The lock goes with its process."""
    with (run_dir / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    warnings.simplefilter("ignore", FutureWarning)  # of the libraries to each other
    sys.exit(main(sys.argv[1:]))
