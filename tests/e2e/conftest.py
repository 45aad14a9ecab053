"""A real vLLM server on the CPU with a tiny random model, one for the whole run.

Its interpreter is that of the virtual environment SCRIPTORIUM_VLLM_VENV names (default: .venv-vllm), which
`deploy/vllm_cpu_install.sh` makes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = "tiny"
MAX_MODEL_LEN = 32_768
START_S = 400  # 50 to 90 s where nothing else runs
FLAGS = [
    *("--served-model-name", MODEL, "--host", "127.0.0.1", "--max-model-len", str(MAX_MODEL_LEN)),
    *("--dtype", "bfloat16", "--max-num-seqs", "16", "--block-size", "32", "--enforce-eager", "--seed", "0"),
    # xgrammar cannot write a quotation mark in a bounded string; backends allow endless white space and new keys
    "--structured-outputs-config",
    '{"backend":"guidance","disable_any_whitespace":true,"disable_additional_properties":true}',
    *("--enable-prompt-tokens-details", "--max-num-queued-reqs", "256"),
]
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; else a big part of the memory
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # other programs run on these cores
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_CI_ENV": "1",  # compile nothing
}


@dataclass(frozen=True)
class VllmServer:
    """A server that answers: its base URL, its model's id, the folder of the model, its log."""

    url: str
    model: str
    model_dir: Path
    log: Path


def find_interpreter() -> Path:
    """Return the interpreter that has vLLM."""
    venv = Path(os.environ.get("SCRIPTORIUM_VLLM_VENV", ROOT / ".venv-vllm")).absolute()
    interpreter = venv / "bin" / "python"
    if not interpreter.exists():
        pytest.fail(f"no vLLM in {venv}: run deploy/vllm_cpu_install.sh {venv}, or set SCRIPTORIUM_VLLM_VENV")
    return interpreter


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_health(server: subprocess.Popen[bytes], root: str, log: Path) -> None:
    """Return when the server answers; fail with the end of its log when it has died or takes too long."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{root}/health", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass  # refused while it loads
        time.sleep(0.5)
    pytest.fail(f"vLLM did not start (exit code {server.poll()}):\n{log.read_text(errors='replace')[-4_000:]}")


def end_group(server: subprocess.Popen[bytes]) -> None:
    """End the server with every process it has started, by their process group."""
    for number, patience in ((signal.SIGTERM, 30), (signal.SIGKILL, 10)):
        try:
            os.killpg(server.pid, number)
            server.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="session")
def vllm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """Yield a vLLM server with a tiny model; it takes about a minute and 3 GB of memory."""
    folder = tmp_path_factory.mktemp("vllm")
    model_dir, log = folder / MODEL, folder / "server.log"
    interpreter, environment = find_interpreter(), os.environ | ENVIRONMENT
    texts = sorted((ROOT / "samples").glob("*.txt"))
    with log.open("wb") as output:
        script = ROOT / "tests" / "e2e" / "tiny_model.py"
        made = subprocess.run([interpreter, script, model_dir, *texts], env=environment, stdout=output, stderr=output)
        assert made.returncode == 0, log.read_text(errors="replace")[-4_000:]
        port = free_port()
        command = [interpreter, "-m", "vllm.entrypoints.openai.api_server", "--model", model_dir, "--port", str(port)]
        server = subprocess.Popen(
            [*command, *FLAGS], env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_for_health(server, f"http://127.0.0.1:{port}", log)
        yield VllmServer(f"http://127.0.0.1:{port}/v1", MODEL, model_dir, log)
    finally:
        end_group(server)
