"""kill -9 in the middle, run again: the same bytes, nothing finished made again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.integration.conftest import ROOT
from tests.integration.test_build import shard_bytes


def finished(out: Path) -> dict[Path, int]:
    """Every value in the work store, and when it was written."""
    return {path: path.stat().st_mtime_ns for path in (out / "work").rglob("*.json.zst")}


def test_a_killed_build_goes_on_and_ends_with_the_same_bytes(built, cli, prefect_env, tmp_path):
    out = tmp_path / "killed"
    profile = tmp_path / "one.toml"
    profile.write_text("max_workers = 1\n")
    arguments = ["build", "--out", str(out), "--profile", str(profile)]
    env = {**prefect_env, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *arguments], env=env, cwd=tmp_path, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 200
        while not list((out / "work" / "outcome").glob("*/*.json.zst")) and time.monotonic() < deadline:
            assert process.poll() is None, "the build ended before it could be killed"
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
    left = finished(out)
    assert any("outcome" in path.parts for path in left)
    assert not (out / "_manifests").exists() or not list((out / "_manifests").iterdir())

    done = cli(*arguments)
    assert done.returncode == 0, done.stderr
    assert shard_bytes(out) == shard_bytes(built)
    after = finished(out)
    assert {path: after[path] for path in left} == left


def test_status_of_an_unfinished_build_tells_what_is_missing(cli, tmp_path, built):
    out = tmp_path / "half"
    for path in (built / "work").rglob("*"):
        if path.is_file() and "sqlite" not in path.name and "top-water" not in str(path):
            copy = out / "work" / path.relative_to(built / "work")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    done = cli("status", str(out))
    assert done.returncode == 0, done.stderr
    assert "none yet" in done.stdout
    assert "1 missing: top-water" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_told_to_stop_ends_at_once_and_leaves_no_process(number, prefect_env, tmp_path):
    out = tmp_path / "stopped"
    env = {name: value for name, value in prefect_env.items() if name != "PREFECT_API_URL"}  # its own server
    command = [sys.executable, "-m", "flows.cli", "build", "--out", str(out)]
    process = subprocess.Popen(
        command,
        env={**env, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 200
    while not list((out / "work").glob("clean/*/*")) and time.monotonic() < deadline:
        assert process.poll() is None, "the build ended before it could be stopped"
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert said.strip().splitlines()[-1] == "scriptorium: stopped; nothing is lost: run the same command to go on"
    assert "Traceback" not in said
    assert children
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
