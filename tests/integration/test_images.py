"""Dockerfile: `flows` needs no torch, `train` needs no Prefect and has all that the job imports."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml
from typer.testing import CliRunner

from flows.cli import app
from tasks import keys
from tests.integration.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
RUN = """
import sys
from importlib.machinery import PathFinder

class Lacking(PathFinder):  # None in sys.modules would look like a package to who asks whether it is loaded
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in {missing!r} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Lacking
import {module}
"""


@pytest.mark.parametrize(
    ("module", "missing"),
    [
        ("flows.run_local", ["torch", "transformers", "peft", "safetensors"]),
        ("flows.cli", ["torch", "transformers", "peft", "safetensors"]),
        ("tasks.training.job", ["prefect", "polars", "sklearn", "typer", "rich", "py3langid", "jinja2"]),
    ],
)
def test_an_image_imports_nothing_that_it_lacks(module, missing):
    command = [sys.executable, "-c", RUN.format(missing=missing, module=module)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_train_image_installs_what_the_job_imports():
    installed = re.search(r"pip install -c constraints.txt (torch .*)", DOCKERFILE)
    assert installed
    _, packages = keys._closure("tasks.training.job")
    assert packages <= {*installed[1].split(), "numpy"}  # numpy comes with transformers


def test_every_folder_that_an_image_copies_exists():
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists()


def test_compose_builds_targets_that_exist_and_publishes_to_this_machine_only():
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    targets = {service["build"]["target"] for service in services.values() if "build" in service}
    assert targets <= set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_kubernetes_job_uses_options_that_exist():
    job = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "build-job.yaml").read_text())
    command, *options = job["spec"]["template"]["spec"]["containers"][0]["args"]
    said = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    assert all(option.split("=")[0] in said for option in options)


def test_the_server_script_is_a_script():
    for name in ("vllm.sh", "vllm_cpu_install.sh"):
        done = subprocess.run(["bash", "-n", str(ROOT / "deploy" / name)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
