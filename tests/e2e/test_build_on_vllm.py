"""The main job against a real vLLM server with a tiny random model: plans are nonsense, and valid."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.scaffold import Scaffold
from tasks.backends.stores import LocalStore
from tasks.work import Work

pytestmark = pytest.mark.vllm

ROOT = Path(__file__).resolve().parents[2]
MIRROR = ROOT.parent / "shared" / "gutenberg" / "mirror"


def scriptorium(*arguments, timeout_s=1_200):
    command = [sys.executable, "-m", "flows.cli", *arguments, "--json"]
    env = os.environ | {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout_s, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def build(server, out, *arguments):
    code, summary, said = scriptorium("build", "--llm", server.url, "--out", str(out), *arguments)
    assert code == 0, said
    return summary


def scaffolds(out):
    work = Work(LocalStore(out / "work"))
    return [work.load(Scaffold, key) for key in work.store.keys("summarize")]


def shards(out):
    return {path.name: path.read_bytes() for path in (out / "data").rglob("*.parquet")}


def test_a_sample_is_built_and_its_answers_are_replayed(vllm_server, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    summary = build(vllm_server, first, "--books", "top-water")
    assert summary["books"] == {"in": 1, "out": 1, "rejected": {}}
    assert summary["ledger"]["calls"] > 10
    assert summary["trainable"]
    (second / "work").mkdir(parents=True)
    shutil.copy(first / "work" / "answers.sqlite", second / "work")
    replayed = build(vllm_server, second, "--books", "top-water")
    assert replayed["ledger"]["calls"] == 0
    assert shards(second) == shards(first)


def test_two_real_works_are_built_with_valid_scaffolds(vllm_server, tmp_path):
    if not MIRROR.exists():
        pytest.skip("the shared test corpus is not beside the checkout")
    out = tmp_path / "out"
    summary = build(vllm_server, out, "--source", str(MIRROR), "--books", "43,1952")
    assert summary["books"] == {"in": 2, "out": 2, "rejected": {}}
    found = {scaffold.book_id: scaffold for scaffold in scaffolds(out)}
    assert set(found) == {"43", "1952"}
    assert len(found["43"].chapters) == 10
    assert all(scaffold.trainable and scaffold.summarizer.startswith("tiny") for scaffold in found.values())
    code, audit, said = scriptorium("verify", str(out))
    assert code == 0, said
    assert audit["ok"]


def test_a_wrong_model_is_one_clear_line(vllm_server, tmp_path):
    out = tmp_path / "out"
    code, _, said = scriptorium("build", "--llm", vllm_server.url, "--model", "no-such-model", "--out", str(out))
    assert code == 2
    assert [line for line in said.splitlines() if line.strip()][-1].startswith("scriptorium: llm.model:")
    assert "tiny" in said
    assert not (out / "_manifests").exists()
