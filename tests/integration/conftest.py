"""One temporary Prefect server for the whole session, and the command line as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.ports import free_port
from tests.integration.postgres import running_postgres

ROOT = Path(__file__).resolve().parents[2]
STARTUP_S = 180

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


def wait_for(url: str, process: subprocess.Popen[bytes], timeout_s: float = STARTUP_S) -> None:
    """Wait until a server answers; fail when its process has ended."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server of {url} ended with {process.returncode}"
        try:
            if httpx.get(url, timeout=5).status_code < 500:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise TimeoutError(f"{url} did not answer in {timeout_s} s")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it started, by process id."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


@pytest.fixture(scope="session")
def prefect_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment of a Prefect client: a server on a free port, its database in a folder of its own."""
    home = tmp_path_factory.mktemp("prefect")
    port = free_port()
    env = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "DO_NOT_TRACK": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    with (home / "server.log").open("wb") as log:
        command = [sys.executable, "-m", "prefect", "server", "start"]
        process = subprocess.Popen(command, env=env, cwd=home, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(f"http://127.0.0.1:{port}/api/health", process)
            yield {**env, "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
        finally:
            end(process)


@pytest.fixture
def cli(prefect_env: dict[str, str], tmp_path: Path) -> Cli:
    """Run `scriptorium` as a user does, in a folder of its own."""

    def run(
        *arguments: str, env: dict[str, str] | None = None, timeout_s: float = 300
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.cli", *arguments]
        return subprocess.run(
            command,
            env={**prefect_env, "PYTHONPATH": str(ROOT), **(env or {})},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def built(prefect_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set built from the samples, once; tests only read it."""
    out = tmp_path_factory.mktemp("built") / "data"
    command = [sys.executable, "-m", "flows.cli", "build", "--out", str(out), "--json"]
    done = subprocess.run(
        command,
        env={**prefect_env, "PYTHONPATH": str(ROOT)},
        cwd=out.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def postgres():
    """A PostgreSQL server of the module's own."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def new_location(request, tmp_path):
    """Where an empty store may lie; another place each time."""
    numbers = iter(range(9))

    def make():
        if request.param == "sqlite":
            return str(tmp_path / "new" / f"{next(numbers)}.sqlite")
        server = request.getfixturevalue("postgres")
        return server.url(server.new_database())

    return make


@pytest.fixture
def location(new_location):
    return new_location()
