"""The rules of docs/conventions.md that a program can check."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = [path for folder in ("schemas", "tasks", "flows", "deploy") for path in sorted((ROOT / folder).rglob("*.py"))]
ARROWED = [path for path in MODULES if path.parent.name == "tasks" and path.name != "__init__.py"]


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_functions_stay_under_40_lines_and_files_under_300(path):
    text = path.read_text(encoding="utf-8")
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno + 1 > 40
    ]
    assert not long
    assert text.count("\n") <= 300


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_environment_is_read_in_backends_only(path):
    if "backends" in path.parts:
        return
    assert not re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))


def test_no_module_is_called_after_nothing():
    assert not [name(path) for path in MODULES if path.stem in {"utils", "common", "misc", "manager", "helpers"}]


def test_no_flow_is_named_like_an_importable_package():
    importable = set(packages_distributions())
    assert not [path.stem for path in (ROOT / "flows").glob("*.py") if path.stem in importable - {"__init__"}]


def test_every_dependency_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(need for extra in project["optional-dependencies"].values() for need in extra),
    ]
    names = {re.split(r"[\[<>=]", need)[0].strip().lower().replace("_", "-") for need in wanted}
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all("==" in line for line in lines)
    assert names <= {line.split("==")[0].lower().replace("_", "-") for line in lines}


def test_profiles_hold_only_settings_that_exist():
    from flows.profiles import load_settings

    for path in (ROOT / "deploy" / "profiles").glob("*.toml"):
        assert load_settings(path.stem, {}).out == f"data/{path.stem}"
