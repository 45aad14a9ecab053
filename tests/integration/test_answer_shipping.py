"""Answers shipped as a Parquet file, from and into both databases."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.backends.answers import AnswerStore, open_database
from tasks.backends.answers.shipping import SCHEMA, export_answers, import_answers
from tests.integration.answer_stores import ODD, key_of, run_sql, said, texts_of
from tests.integration.test_build import shard_bytes

SHIP = """
import json, re, sys
from pathlib import Path
import psutil
from tasks.backends.answers import open_database
from tasks.backends.answers.shipping import export_answers, import_answers
first, path, second = map(Path, sys.argv[1:])
before = psutil.Process().memory_info().rss
rows = export_answers(open_database(first, writes=False), path)
assert import_answers(path, open_database(second)) == (rows, rows)
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1_024
print(json.dumps({"rows": rows, "grown_bytes": peak - before}))
"""


def run(*arguments):
    return CliRunner().invoke(app, ["answers", *map(str, arguments)])


def one_line(result):
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    return lines[0]


def fill(location, num_answers=1_700):
    """Write answers, one of them odd, one of them cut; return them by key."""
    answers = {key_of(number): said(f"{number} " * 20) for number in range(num_answers)}
    answers[key_of(1)] = said(ODD)
    answers[key_of(2)] = said("The kee", "length", 10)
    with closing(AnswerStore(location)) as store:
        store.put_later(answers).result()
    return answers


@pytest.fixture
def shipped(tmp_path):
    """A file of answers, and what it holds."""
    answers = fill(str(tmp_path / "origin.sqlite"))
    path = tmp_path / "answers.parquet"
    with closing(open_database(tmp_path / "origin.sqlite")) as database:
        assert export_answers(database, path) == len(answers)
    return path, answers


def test_answers_shipped_into_an_empty_store_are_the_same(location, shipped, tmp_path):
    path, answers = shipped
    result = run("import", path, "--answers", location, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) | {"answers": ""} == {
        "file": str(path),
        "answers": "",
        "rows": len(answers),
        "new": len(answers),
    }
    with closing(AnswerStore(location)) as store:
        assert store.get_many(list(answers)) == answers
    again = tmp_path / "again.parquet"
    assert run("export", again, "--answers", location).exit_code == 0
    assert again.read_bytes() == path.read_bytes()


def test_a_file_of_answers_is_sorted_small_and_read_by_others(shipped):
    path, answers = shipped
    table = pq.read_table(path)
    assert table["key"].to_pylist() == sorted(answers)
    assert table.schema.field("text").type == pa.large_string()
    assert path.stat().st_size < sum(len(answer.text) + 64 for answer in answers.values()) / 3
    assert [row for row in table["raw_text"].to_pylist() if row is not None] == [ODD.encode("utf-8", "surrogatepass")]
    compressions = {pq.ParquetFile(path).metadata.row_group(0).column(index).compression for index in range(8)}
    assert compressions == {"ZSTD"}


def test_an_import_keeps_what_is_there_unless_it_was_cut_shorter(location, shipped):
    path, answers = shipped
    with closing(AnswerStore(location)) as store:
        store.put(key_of(0), said("mine"))
        store.put(key_of(2), said("The k", "length", 5))
        store.put(key_of(3), said("mine, cut", "length", 500))
        with closing(open_database(location)) as database:
            assert import_answers(path, database) == (len(answers), len(answers) - 2)
            assert import_answers(path, database) == (len(answers), 0)
        texts = [store.get(key_of(number)).text for number in (0, 2, 3)]
    assert texts == ["mine", "The kee", "mine, cut"]


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def write_rows(*rows, schema=SCHEMA):
    whole = {"text": "t", "finish_reason": "stop", "max_tokens": 9, "prompt_tokens": 0, "cached_tokens": 0}
    whole |= {"completion_tokens": 0, "raw_text": None}
    return lambda path: pq.write_table(pa.Table.from_pylist([whole | row for row in rows], schema), path)


GOOD_ROW = {"key": key_of("good")}
FOREIGN = {
    "cut": (cut, "no file of answers, or a damaged one"),
    "flipped": (flip, "CRC"),
    "text": (lambda path: path.write_text("once upon a time"), "no file of answers"),
    "missing": (lambda path: path.unlink(), "No such file"),
    "columns": (lambda path: pq.write_table(pa.table({"word": ["salt"]}), path), "its columns are word string"),
    "no-key": (write_rows(GOOD_ROW, {"key": "7"}), "row 2 has no right key"),
    "null-key": (write_rows({"key": None}), "row 1 has no right key"),
    "no-text": (write_rows(*[GOOD_ROW] * 700, GOOD_ROW | {"text": None}), "row 701 has no right text"),
    "no-reason": (write_rows(GOOD_ROW | {"finish_reason": ""}), "row 1 has no right finish_reason"),
    "less-than-none": (write_rows(GOOD_ROW | {"cached_tokens": -1}), "row 1 has no right cached_tokens"),
    "no-characters": (write_rows(GOOD_ROW | {"raw_text": b"\xff"}), "can't decode byte"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_damaged_or_foreign_file_is_one_clear_line_and_imports_nothing(case, shipped, tmp_path):
    damage, words = FOREIGN[case]
    path, _ = shipped
    damage(path)
    target = tmp_path / "target.sqlite"
    result = run("import", path, "--answers", target)
    assert result.exit_code == 2
    assert words in one_line(result)
    assert one_line(result).endswith("nothing was imported")
    assert texts_of(str(target)) == {}


def test_an_export_that_fails_leaves_the_old_file_alone(shipped, tmp_path):
    path, answers = shipped
    before = path.read_bytes()
    run_sql(str(tmp_path / "origin.sqlite"), f"UPDATE answers SET text = x'00' WHERE key = '{max(answers)}'")
    result = run("export", path, "--answers", tmp_path / "origin.sqlite")
    assert result.exit_code == 2
    assert f"the row {max(answers)} is damaged" in one_line(result)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_a_store_that_is_not_there_is_not_made_by_who_reads(new_location, tmp_path, postgres):
    for location in (str(tmp_path / "none.sqlite"), postgres.url(postgres.new_database())):
        result = run("export", tmp_path / "out.parquet", "--answers", location)
        assert result.exit_code == 2
        assert "no such file" in one_line(result) or 'relation "answers" does not exist' in one_line(result)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_one_clear_line(location, tmp_path):
    AnswerStore(location).close()
    result = run("export", tmp_path / "nowhere" / "out.parquet", "--answers", location)
    assert result.exit_code == 2
    assert "it cannot be written: No such file" in one_line(result)


def test_an_answer_is_shown_by_its_key(location):
    answers = fill(location, 3)
    shown = run("show", key_of(1), "--answers", location)
    assert shown.exit_code == 0, shown.stderr
    assert answers[key_of(1)].shown_text in shown.stdout
    assert "completion tokens  4" in shown.stdout
    found = json.loads(run("show", key_of(2), "--answers", location, "--json").stdout)
    assert found["answer"]["finish_reason"] == "length"
    missing = run("show", key_of("none"), "--answers", location)
    assert missing.exit_code == 1
    assert f"no answer under {key_of('none')}" in one_line(missing)


def test_a_build_told_the_answers_of_another_asks_nothing(built, cli, location, tmp_path):
    path, out, profile = tmp_path / "answers.parquet", tmp_path / "replayed", tmp_path / "here.toml"
    assert run("export", path, "--out", built).exit_code == 0
    assert run("import", path, "--answers", location).exit_code == 0
    profile.write_text(f'[llm]\nanswers = "{location}"\n')
    done = cli("build", "--out", str(out), "--profile", str(profile), "--json")
    assert done.returncode == 0, done.stderr
    ledger = json.loads(done.stdout)["ledger"]
    assert ledger["calls"] == 0
    assert ledger["replayed"] == pq.read_metadata(path).num_rows > 0
    assert shard_bytes(out) == shard_bytes(built)


def test_shipping_holds_a_small_part_of_a_store_in_memory(tmp_path):
    first, second, path = (tmp_path / name for name in ("first.sqlite", "second.sqlite", "answers.parquet"))
    with closing(AnswerStore(first)) as store:
        for start in range(0, 10_000, 500):
            answers = {key_of(number): said(f"{number} " * 8_000) for number in range(start, start + 500)}
            store.put_later(answers).result()
    command = [sys.executable, "-c", SHIP, str(first), str(path), str(second)]
    shipped = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert shipped["rows"] == 10_000
    assert shipped["grown_bytes"] < 250_000_000  # of 390 MB of text
