"""The command line: what a person sees, and one clear line for everything that is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tests.integration.conftest import ROOT
from tests.integration.ports import free_port

SAMPLE = ROOT / "samples" / "top-water.txt"


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def one_line(result):
    """The last words of a failed command: one line on standard error."""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("scriptorium: ")
    return lines[0]


def bad_profile(tmp_path, text):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    return str(path)


def test_help_names_every_command():
    result = run("--help")
    for command in ("answers", "build", "diff", "finetune", "gc", "look", "status", "verify"):
        assert command in result.output


BAD = {
    "unknown-id": (["--books", "top-water,999999"], "999999"),
    "empty-books": (["--books", " , "], "--books is empty"),
    "no-folder": (["--source", "{tmp}/nowhere"], "no such folder"),
    "empty-folder": (["--source", "{tmp}/empty"], "holds no .txt file"),
    "no-catalogue": (["--catalogue", "{tmp}/none.csv"], "cannot be read"),
    "truncated-catalogue": (["--catalogue", "{tmp}/cut.csv"], "cut off or damaged"),
    "server-refuses": (["--llm", "http://127.0.0.1:{port}/v1"], "no server answers"),
    "unwritable": (["--out", "{tmp}/file/out"], "cannot write"),
    "empty-out": (["--out", ""], "out = ''"),
    "bad-profile-key": (["--profile", "{tmp}/bad.toml"], "no setting is called 'llm.modle'"),
    "no-profile": (["--profile", "nosuch"], "no such profile"),
    "bad-tokenizer": (["--trainee-tokenizer", "{tmp}/nope.tiktoken"], "nope.tiktoken"),
    "reader-without-server": (["--reader-tokenizer", "server"], "needs a server"),
    "human-site": (["--source", "https://www.gutenberg.org"], "for people only"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line_and_leaves_nothing(case, tmp_path):
    arguments, expected = BAD[case]
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "bad.toml").write_text('[llm]\nmodle = "x"\n')
    (tmp_path / "cut.csv").write_text('Text#,Type,Issued,Title,Language,Authors,Subjects,LoCC,Bookshelves\n1,Text,"cut')
    out = [] if "--out" in arguments else ["--out", str(tmp_path / "out")]
    filled = [argument.format(tmp=tmp_path, port=free_port()) for argument in arguments]
    result = run("build", *out, *filled)
    assert result.exit_code == 2
    assert expected in one_line(result)
    assert not (tmp_path / "out").exists()


def test_a_bad_value_in_a_profile_is_named(tmp_path):
    result = run("build", "--profile", bad_profile(tmp_path, "max_workers = 0\n"))
    assert "max_workers = 0" in one_line(result)


def test_a_broken_profile_is_named(tmp_path):
    result = run("build", "--profile", bad_profile(tmp_path, "max_workers =\n"))
    assert "cannot be read" in one_line(result)


def test_look_shows_how_a_book_is_read():
    result = run("look", str(SAMPLE))
    assert result.exit_code == 0
    assert "PART ONE" in result.output


def test_look_as_json_holds_the_fields_of_the_design():
    result = run("look", str(SAMPLE), "--json")
    report = json.loads(result.stdout)
    assert set(report) == {
        "book_id",
        "title",
        "encoding",
        "first_line",
        "last_line",
        "narrative_first_line",
        "narrative_last_line",
        "removed",
        "divisions",
        "needs_review",
    }
    assert report["title"] == "Top Water"
    lines = SAMPLE.read_bytes().decode("utf-8").split("\r\n")
    parts = [division for division in report["divisions"] if division["level"] == "part"]
    assert [lines[part["line"] - 1].strip() for part in parts] == ["PART ONE", "PART TWO", "PART THREE"]
    assert (
        sum(division["level"] == "chapter" and division["kind"] == "narrative" for division in report["divisions"])
        == 11
    )


@pytest.mark.parametrize("data", [bytes(range(256)) * 100, b"", b"\n \n"])
def test_look_at_what_is_no_text_is_one_clear_line(tmp_path, data):
    path = tmp_path / "noise.txt"
    path.write_bytes(data)
    result = run("look", str(path))
    assert result.exit_code == 1
    assert "noise.txt" in one_line(result)


def test_look_at_no_file_is_one_clear_line(tmp_path):
    assert "cannot be read" in one_line(run("look", str(tmp_path / "none.txt")))


def test_status_tells_what_is_there(built):
    result = run("status", str(built))
    assert "3 in = 3 out + 0 rejected" in result.output
    found = json.loads(run("status", str(built), "--json").stdout)
    assert found["accounting"]["books"] == {"in": 3, "out": 3, "rejected": {}}
    assert found["missing"] == []


@pytest.mark.parametrize("command", ["status", "verify", "finetune"])
def test_a_damaged_or_later_manifest_is_one_clear_line(tmp_path, command):
    (tmp_path / "_manifests").mkdir()
    (tmp_path / "_manifests" / f"{1:020d}.json").write_text('{"schema_version": 9}')
    result = run(command, str(tmp_path))
    assert result.exit_code == 2
    assert "it is of schema 9, this version reads 1 to 2" in one_line(result)
    (tmp_path / "_manifests" / f"{1:020d}.json").write_text('{"schema_version": 2}')
    assert "no manifest of schema 2" in one_line(run(command, str(tmp_path)))


def test_status_of_an_empty_name_is_one_clear_line():
    assert "out = ''" in one_line(run("status", ""))


def test_status_of_nothing_is_one_clear_line(tmp_path):
    assert "neither a snapshot nor an unfinished build" in one_line(run("status", str(tmp_path)))


def test_verify_finds_nothing_wrong_with_a_good_snapshot(built):
    result = run("verify", str(built), "--json")
    audit = json.loads(result.stdout)
    assert result.exit_code == 0, audit
    assert audit["ok"]
    assert audit["checked"]["books rows"] == 3


def damage_bytes(out):
    path = next((out / "data" / "trajectories").iterdir())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def damage_missing(out):
    next((out / "data" / "books").iterdir()).unlink()


def damage_manifest(out):
    path = next((out / "_manifests").iterdir())
    manifest = json.loads(path.read_text())
    manifest["accounting"]["books"]["out"] += 1
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("damage", [damage_bytes, damage_missing, damage_manifest])
def test_verify_finds_every_damage(built, tmp_path, damage):
    out = tmp_path / "damaged"
    shutil.copytree(built, out, ignore=shutil.ignore_patterns("work"))
    damage(out)
    result = run("verify", str(out), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["num_problems"] > 0


def test_verify_without_a_snapshot_is_one_clear_line(tmp_path):
    result = run("verify", str(tmp_path))
    assert result.exit_code == 1
    assert "no snapshot there" in one_line(result)


def test_verify_with_another_tokenizer_is_refused(built, tmp_path):
    vocabulary = ROOT / "samples" / "vocabulary"
    lines = Path(f"{vocabulary}.tiktoken").read_bytes().splitlines()[:-1]
    (tmp_path / "other.tiktoken").write_bytes(b"\n".join(lines) + b"\n")
    shutil.copy(f"{vocabulary}.json", tmp_path / "other.json")
    result = run("verify", str(built), "--trainee-tokenizer", str(tmp_path / "other.tiktoken"))
    assert "were counted with" in one_line(result)


def test_a_build_without_any_trajectory_exits_with_1(cli, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "note.txt").write_text("A short note.\n")
    done = cli("build", "--source", str(source), "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "holds no trajectory" in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
