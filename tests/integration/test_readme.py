"""Everything that the README says: its commands run, its paths exist."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.integration.conftest import ROOT

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.split("#", 1)[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
DEPLOYING = (ROOT / "tests" / "integration" / "test_deployments.py").read_text()


@pytest.fixture
def mirror(tmp_path):
    """A small mirror whose numbers are those that the README names."""
    for number, sample in (("84", "top-water"), ("1342", "the-skarvoe-account")):
        folder = tmp_path / "mirror" / "/".join(number[:-1]) / number
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "samples" / f"{sample}.txt", folder / f"{number}-0.txt")
    return tmp_path / "mirror"


def test_the_two_commands_are_targets_that_help_lists():
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "check", "bench", "ui"):
        assert f"make {target}" in said
    assert {"make demo", "make test", "make ui"} <= set(COMMANDS)


def test_its_scriptorium_commands_run_as_written(cli, mirror, tmp_path):
    commands = [command for command in COMMANDS if command.startswith(".venv/bin/scriptorium")]
    assert [command.split()[1] for command in commands] == [
        *("look", "forecast", "build", "refresh", "status", "verify", "finetune", "export", "diff", "gc"),
        *("build", "build", "build", "import"),
    ]
    replaced = {
        "MIRROR": str(mirror),
        "BOOK.txt": str(mirror / "8" / "84" / "84-0.txt"),
        "http://127.0.0.1:8000/v1": "builtin",  # the real server has its own tests
        "MODEL_FOLDER": "random",
        "TABLE": "table",
        "pg_catalog.csv": str(tmp_path / "pg_catalog.csv"),
    }
    (tmp_path / "pg_catalog.csv").write_text(
        "Text#,Type,Issued,Title,Language,Authors,Subjects,LoCC,Bookshelves\n"
        '84,Text,1993-10-01,Top Water,en,"Invented, Ann",Sea stories,PR,\n'
        '1342,Text,1998-06-01,The Account,en,"Invented, Ann",Sea stories,PR,\n'
    )
    profile = tmp_path / "extractive.toml"
    profile.write_text("[train]\nallow_untrainable = true\nsteps = 2\n")
    for command in commands:
        words = [replaced.get(word, word) for word in command.split()[1:]]
        if words[0] == "import":  # of a table that the same data set was exported to
            assert cli("export", "data/two", "--to", "table", "--as", "longpage", "--untrainable").returncode == 0
        if words[0] == "finetune":
            words += ["--profile", str(profile)]
        done = cli(*words)
        assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_its_prefect_commands_are_those_that_the_deployment_test_runs():
    commands = [command for command in COMMANDS if command.startswith("prefect")]
    assert len(commands) == 4
    for command in commands:
        words = [word for word in command.split()[1:] if word != "--no-prompt"]
        assert ", ".join(f'"{word}"' for word in words) in DEPLOYING, command


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#]+)\)", README)) - {"docs/report.png"}))
def test_its_links_lead_somewhere(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tasks|schemas|deploy|flows)/[\w/.]*)", README))))
def test_the_places_to_edit_exist(path):
    assert (ROOT / path).exists() or "<" in path


def test_the_picture_of_the_report_is_there():
    assert (ROOT / "docs" / "report.png").read_bytes().startswith(b"\x89PNG")
