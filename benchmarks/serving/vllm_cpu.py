"""A real vLLM server on the CPU with a tiny random model: started on a free port of this machine, ended by its group.

The environment is that of SCRIPTORIUM_VLLM_VENV (default: .venv-vllm), which `deploy/vllm_cpu_install.sh` makes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
MODEL = "tiny"
MAX_MODEL_LEN = 32_768
START_S = 400  # 50 to 90 s where nothing else runs
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

    @property
    def root(self) -> str:
        """Where /metrics and /health lie."""
        return self.url.removesuffix("/v1")

    def counters(self) -> dict[str, float]:
        """Return the sums of the server's counters, by name without `vllm:`."""
        sums: dict[str, float] = {}
        for line in httpx.get(f"{self.root}/metrics", trust_env=False).text.splitlines():
            if line.startswith("vllm:"):
                name, value = line.split("{", 1)[0].removeprefix("vllm:"), float(line.rsplit(" ", 1)[1])
                sums[name] = sums.get(name, 0.0) + value
        return sums

    def forget(self) -> None:
        """Empty the prefix cache, so that no run profits from the one before; needs VLLM_SERVER_DEV_MODE."""
        httpx.post(f"{self.root}/reset_prefix_cache", trust_env=False, timeout=30).raise_for_status()


class ServerError(Exception):
    """The server cannot be had; the message says what to do or ends with its log."""


def find_interpreter(*, install: bool = False) -> Path:
    """Return the interpreter that has vLLM; ServerError where there is none and it is not to be installed."""
    venv = Path(os.environ.get("SCRIPTORIUM_VLLM_VENV", ROOT / ".venv-vllm")).absolute()
    interpreter = venv / "bin" / "python"
    if not interpreter.exists() and install:
        subprocess.run(["bash", str(ROOT / "deploy" / "vllm_cpu_install.sh"), str(venv)], check=True)
    if not interpreter.exists():
        raise ServerError(f"no vLLM in {venv}: run deploy/vllm_cpu_install.sh {venv}, or set SCRIPTORIUM_VLLM_VENV")
    return interpreter


@contextmanager
def serve_tiny_model(folder: Path, interpreter: Path, *, max_num_seqs: int = 16, **more: str) -> Iterator[VllmServer]:
    """Make the model in a folder and serve it; it takes about a minute and 3 GB of memory.

    Args:
        folder: for the model and the log.
        interpreter: has vLLM.
        max_num_seqs: sequences that run at once.
        more: further environment variables of the server.

    Raises:
        ServerError: it died or did not answer in time.
    """
    model_dir, log, environment = folder / MODEL, folder / "server.log", os.environ | ENVIRONMENT | more
    texts = sorted((ROOT / "samples").glob("*.txt"))
    with log.open("wb") as output:
        script = Path(__file__).with_name("tiny_model.py")
        made = subprocess.run([interpreter, script, model_dir, *texts], env=environment, stdout=output, stderr=output)
        if made.returncode:
            raise ServerError(f"no model was made:\n{log.read_text(errors='replace')[-4_000:]}")
        port = _free_port()
        command = [interpreter, "-m", "vllm.entrypoints.openai.api_server", *_flags(model_dir, port, max_num_seqs)]
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
    try:
        found = VllmServer(f"http://127.0.0.1:{port}/v1", MODEL, model_dir, log)
        _wait_for_health(server, found)
        yield found
    finally:
        _end_group(server)


def server_environment() -> Mapping[str, str]:
    """Return the environment in which every program of vLLM runs here."""
    return os.environ | ENVIRONMENT


def _flags(model_dir: Path, port: int, max_num_seqs: int) -> list[str]:
    return [
        *("--model", str(model_dir), "--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port)),
        *("--max-model-len", str(MAX_MODEL_LEN), "--dtype", "bfloat16", "--max-num-seqs", str(max_num_seqs)),
        *("--block-size", "32", "--enforce-eager", "--seed", "0"),
        # xgrammar cannot write a quotation mark in a bounded string; backends allow endless white space and new keys
        "--structured-outputs-config",
        '{"backend":"guidance","disable_any_whitespace":true,"disable_additional_properties":true}',
        *("--enable-prompt-tokens-details", "--max-num-queued-reqs", "256"),
    ]


def _free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_health(process: subprocess.Popen[bytes], server: VllmServer) -> None:
    """Return when the server answers."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{server.root}/health", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass  # refused while it loads
        time.sleep(0.5)
    said = server.log.read_text(errors="replace")[-4_000:]
    raise ServerError(f"vLLM did not start (exit code {process.poll()}):\n{said}")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the server with every process it has started, by their process group."""
    for number, patience in ((signal.SIGTERM, 30), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
