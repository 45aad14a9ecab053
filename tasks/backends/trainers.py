"""TrainingSpec -> TrainingResult: the Trainer that runs a module as a process and talks to it through files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pydantic import ValidationError

from schemas.errors import PipelineError
from schemas.runs import TrainingResult, TrainingSpec

_ROOT = Path(__file__).resolve().parents[2]


class SubprocessTrainer:
    """Runs `python -m MODULE RUN_DIR` in the repository's root; its output goes to RUN_DIR/train.log."""

    def __init__(self, module: str = "tasks.training.job") -> None:
        self._module = module

    def train(self, spec: TrainingSpec) -> TrainingResult:
        """Run a training job to its end; a run that has its result is not made again.

        Raises:
            PipelineError: the folder cannot be written, the job failed (with the last line it said), or took too long.

        """
        run_dir = Path(spec.out).resolve()
        result = read_result(run_dir, spec.run_id)
        if result is not None:
            return result
        try:
            run_dir.mkdir(parents=True, exist_ok=True)
            partial = run_dir / "run.json.partial"
            partial.write_bytes(spec.to_json())
            partial.replace(run_dir / "run.json")
            returncode = self._run(run_dir, spec)
        except OSError as error:
            raise PipelineError(f"training {spec.run_id}: {error.filename or run_dir}: {error.strerror}") from error
        result = read_result(run_dir, spec.run_id)
        if returncode or result is None:
            raise PipelineError(
                f"training {spec.run_id} failed ({_end(returncode)}): {_last_line(run_dir / 'train.log')}"
            )
        return result

    def _run(self, run_dir: Path, spec: TrainingSpec) -> int:
        command = [spec.settings.python or sys.executable, "-m", self._module, str(run_dir)]
        with (run_dir / "train.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=_ROOT, env=os.environ | {"HF_HUB_OFFLINE": "1"}, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                return process.wait(spec.settings.timeout_s)
            except subprocess.TimeoutExpired as error:
                limit = f"{spec.settings.timeout_s:g} s (train.timeout_s)"
                raise PipelineError(
                    f"training {spec.run_id} ended after {limit}; the next run goes on from its last checkpoint"
                ) from error
            finally:
                if process.poll() is None:  # this process is interrupted: leave none behind; the job bears kill -9
                    process.kill()
                    process.wait()


def read_result(run_dir: Path, run_id: str) -> TrainingResult | None:
    """Return the result of a run that is done, or None; PipelineError where what lies there is no result."""
    path = run_dir / "result.json"
    try:
        result = TrainingResult.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise PipelineError(f"{path}: not a training result; remove it to train again") from error
    return result if result.run_id == run_id else None


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _end(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
