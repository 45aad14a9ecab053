"""Merging shards of large rows holds little of them in memory."""

import json
import os
import subprocess
import sys

from tests.integration.conftest import ROOT


def test_merging_rows_of_2_mb_stays_under_500_mb(tmp_path):
    command = [sys.executable, "benchmarks/shards.py", "--merge", str(tmp_path / "data"), "--rows", "40"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["merged_rows"] == 80  # 160 MB of text in trajectories alone
    assert figures["memory_before_mb"] < figures["peak_mb"] < 500
    assert not list(tmp_path.rglob(".tmp-*"))
