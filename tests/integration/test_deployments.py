"""`prefect deployment run build-trajectories`, as written, against a real server and a real worker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.integration.conftest import ROOT


def prefect(env, *arguments, cwd, timeout=180):
    command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The repository's own files in a folder where a run may write its data."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("schemas", "tasks", "flows", "deploy", "samples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def deployed(prefect_env, checkout):
    env = {**prefect_env, "PYTHONPATH": str(checkout)}
    made = prefect(env, "work-pool", "create", "--type", "process", "local", cwd=checkout)
    assert made.returncode == 0, made.stderr
    done = prefect(env, "deploy", "--all", "--prefect-file", "deploy/prefect.yaml", cwd=checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    return env


def read_flow_run(env, flow_run_id):
    with temporary_settings({PREFECT_API_URL: env["PREFECT_API_URL"]}), get_client(sync_client=True) as client:
        return client.read_flow_run(flow_run_id)


def run_deployment(env, checkout, name):
    """Run a deployment by its bare name, with a worker that takes this one run; return the flow run at its end."""
    done = prefect(env, "deployment", "run", name, cwd=checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    flow_run_id = next(
        line.split(":", 1)[1].strip()
        for line in done.stdout.splitlines()
        if line.strip().startswith(("UUID", "└── UUID", "├── UUID"))
    )
    with (checkout / "worker.log").open("wb") as log:
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "local", "--run-once"]
        worker = subprocess.Popen(command, env=env, cwd=checkout, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + 240
            run = read_flow_run(env, flow_run_id)
            while not run.state.is_final() and time.monotonic() < deadline:
                time.sleep(1)
                run = read_flow_run(env, flow_run_id)
        finally:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGTERM)
                worker.wait(30)
    assert run.state.is_completed(), (checkout / "worker.log").read_text()[-3000:]
    return run


def test_the_bare_name_runs_and_completes(deployed, checkout):
    run_deployment(deployed, checkout, "build-trajectories")
    manifests = list((checkout / "data" / "samples" / "_manifests").iterdir())
    assert json.loads(manifests[0].read_text())["accounting"]["books"] == {"in": 3, "out": 3, "rejected": {}}


def test_the_refresh_runs_every_night_and_by_hand(deployed, checkout):
    with temporary_settings({PREFECT_API_URL: deployed["PREFECT_API_URL"]}), get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("refresh-corpus/refresh-corpus")
    (schedule,) = deployment.schedules
    assert schedule.active
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("17 3 * * *", "Etc/UTC")
    run_deployment(deployed, checkout, "refresh-corpus")
    manifests = list((checkout / "data" / "samples" / "_manifests").iterdir())
    assert json.loads(manifests[-1].read_text())["accounting"]["books"]["out"] == 3


def test_an_unknown_bare_name_is_not_found(deployed, checkout):
    done = prefect(deployed, "deployment", "run", "no-such-deployment", cwd=checkout)
    assert done.returncode != 0
    assert "not found" in (done.stdout + done.stderr).lower()


def test_a_name_of_two_deployments_lists_both(deployed, checkout):
    second = ["deploy", "flows/finetune.py:finetune", "--name", "build-trajectories", "--pool", "local"]
    assert prefect(deployed, *second, cwd=checkout).returncode == 0
    try:
        done = prefect(deployed, "deployment", "run", "build-trajectories", cwd=checkout)
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode != 0
        assert "finetune/build-trajectories" in said
    finally:
        prefect(deployed, "deployment", "delete", "finetune/build-trajectories", cwd=checkout)
