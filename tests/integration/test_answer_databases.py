"""Answers are kept, found and shipped alike in a SQLite file and in a real PostgreSQL server."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from schemas.errors import ConfigError, TransientError
from tasks.backends.answers import AnswerStore, StoredAnswer, open_database
from tasks.backends.answers.shipping import SCHEMA, export_answers, import_answers
from tests.integration.conftest import free_port
from tests.integration.postgres import SUPERUSER, running_postgres
from tests.integration.test_build import shard_bytes

ODD = "“Salt”, \x00 she said — \ud800 😀"
START = """
import sys
from tasks.backends.answers import AnswerStore, StoredAnswer
store = AnswerStore(sys.argv[1])
"""
WRITE_MANY = """
from concurrent.futures import wait
def said(writer, number):
    return StoredAnswer(text=f"{writer} {number}", finish_reason="stop", max_tokens=9)
for number in range(60):
    store.put(f"{sys.argv[2]}-{number}", said(sys.argv[2], number))
for start in range(0, 2_000, 100):
    numbers = range(start, start + 100) if sys.argv[2] == "a" else reversed(range(start, start + 100))
    wait([store.put_later({f"shared-{number}": said(sys.argv[2], number)}) for number in numbers])
"""
PUT_FOR_EVER = """
from itertools import count
for number in count():
    store.put(f"k{number}", StoredAnswer(text=str(number), finish_reason="stop", max_tokens=9))
    print(f"k{number}", flush=True)
"""
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


@pytest.fixture(scope="module")
def postgres():
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


@pytest.fixture
def store(location):
    store = AnswerStore(location)
    yield store
    store.close()


def said(text="The keeper.", finish_reason="stop", max_tokens=10):
    return StoredAnswer(text=text, finish_reason=finish_reason, max_tokens=max_tokens, completion_tokens=4)


def key_of(name):
    return hashlib.sha256(str(name).encode()).hexdigest()


def run_sql(location, *statements):
    """Run statements as a stranger would, and return what the last one finds."""
    connect = psycopg.connect if "://" in location else sqlite3.connect
    with closing(connect(location, autocommit=True)) if "://" in location else closing(connect(location)) as other:
        for statement in statements:
            cursor = other.execute(statement)
        found = cursor.fetchall() if cursor.description else []
        other.commit()
    return found


def texts_of(location):
    with closing(AnswerStore(location)) as store:
        keys = [row[0] for row in run_sql(location, "SELECT key FROM answers")]
        return {key: answer.text for key, answer in store.get_many(keys).items()}


# ---- what a store promises ----


def test_an_answer_outlives_its_process_whatever_characters_it_holds(location):
    with closing(AnswerStore(location)) as first:
        first.put("k", said(ODD))
    with closing(AnswerStore(location)) as second:
        assert second.get("k") == said(ODD)
        assert second.get("other") is None


def test_an_answer_is_in_the_database_before_put_returns(store, location):
    store.put("k", said())
    assert run_sql(location, "SELECT key, finish_reason, max_tokens FROM answers") == [("k", "stop", 10)]


def test_the_first_answer_stays_but_a_cut_one_gives_way_to_a_longer_one(store):
    store.put("k", said("cut", "length", 10))
    store.put("k", said("cut earlier", "length", 5))
    assert store.get("k").text == "cut"
    store.put("k", said("whole", max_tokens=20))
    store.put("k", said("whole again", max_tokens=30))
    assert store.get("k").text == "whole"


def test_raising_max_tokens_reuses_every_finished_answer(store):
    store.put_later({"whole": said(max_tokens=10), "cut": said("The kee", "length", 10)}).result()
    found = store.get_many(["whole", "cut"])
    assert {key for key, answer in found.items() if answer.serves(10)} == {"whole", "cut"}
    assert {key for key, answer in found.items() if answer.serves(1_000)} == {"whole"}


def test_any_number_of_answers_is_asked_for_at_once(store):
    store.put_later({f"k{number}": said(str(number)) for number in range(1_200)}).result()
    found = store.get_many([f"k{number}" for number in range(-5, 1_205)])
    assert {key: answer.text for key, answer in found.items()} == {f"k{number}": str(number) for number in range(1_200)}
    assert store.get_many([]) == {}


def test_many_threads_write_and_read_at_once(store):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.put(f"k{number}", said(str(number))), range(200)))
        read = list(pool.map(lambda number: store.get(f"k{number}").text, range(200)))
    assert read == [str(number) for number in range(200)]


def test_two_processes_that_write_the_same_keys_at_once_lose_nothing(location):
    command = [sys.executable, "-c", START + WRITE_MANY + "store.close()", location]
    writers = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    assert [writer.wait() for writer in writers] == [0, 0]
    texts = texts_of(location)
    own = {f"{name}-{number}": f"{name} {number}" for name in ("a", "b") for number in range(60)}
    assert own.items() <= texts.items()
    shared = {key: text for key, text in texts.items() if key not in own}
    assert {key.split("-")[1] for key in shared} == {str(number) for number in range(2_000)}
    assert all(text[2:] == key.split("-")[1] for key, text in shared.items())


def test_whatever_a_killed_process_had_been_promised_is_there(location):
    command = [sys.executable, "-c", START + PUT_FOR_EVER, location]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        promised = [next(writer.stdout).strip() for _ in range(40)]
        writer.kill()
        promised += [line.strip() for line in writer.stdout if line.endswith("\n")]
    texts = texts_of(location)
    assert {key: texts[key] for key in promised} == {f"k{number}": str(number) for number in range(len(promised))}


def test_processes_that_open_a_new_store_at_once_all_get_it(new_location):
    for _ in range(3):
        command = [sys.executable, "-c", f"{START}store.close()", new_location()]
        openers = [subprocess.Popen(command) for _ in range(4)]
        assert [opener.wait() for opener in openers] == [0] * 4


def test_what_was_handed_over_is_written_before_the_store_closes(location):
    store = AnswerStore(location)
    handed = [store.put_later({f"k{number}": said()}) for number in range(50)]
    store.close()
    store.close()
    assert all(done.done() for done in handed)
    assert len(texts_of(location)) == 50
    for refused in (lambda: store.put("late", said()), lambda: store.get("k1")):
        with pytest.raises(ConfigError, match=r"answer store .*: closed"):
            refused()


def test_a_write_that_fails_is_told_to_who_waits_and_the_next_is_tried(store, location):
    if "://" in location:
        run_sql(
            location,
            "CREATE FUNCTION full_() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk is full'; END $$",
            "CREATE TRIGGER full_ BEFORE INSERT ON answers FOR EACH ROW EXECUTE FUNCTION full_()",
        )
        mend = "DROP TRIGGER full_ ON answers"
    else:
        run_sql(
            location,
            "CREATE TRIGGER full_ BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
        )
        mend = "DROP TRIGGER full_"
    with pytest.raises(ConfigError, match="disk is full; mend"):
        store.put("k", said())
    run_sql(location, mend)
    store.put("k", said())
    assert store.get("k") == said()


def test_an_answer_that_no_database_can_hold_stops_no_other(store):
    with pytest.raises(UnicodeEncodeError):
        store.put("odd", said(finish_reason="\ud800"))
    store.put("k", said())
    assert store.get_many(["odd", "k"]) == {"k": said()}


def test_a_table_of_something_else_is_one_clear_line(location):
    AnswerStore(location).close()
    run_sql(location, "DROP TABLE answers", "CREATE TABLE answers (key TEXT PRIMARY KEY, word TEXT)")
    with pytest.raises(ConfigError, match=r"answer store .*column.*set llm\.answers to another"):
        AnswerStore(location)


# ---- what only a server can do ----


@contextmanager
def opened(location):
    with closing(AnswerStore(location)) as store:
        yield store


def test_nobody_answering_is_one_clear_line():
    with pytest.raises(ConfigError, match=r"postgresql://me@127\.0\.0\.1:\d+/answers: .*Connection refused") as raised:
        AnswerStore(f"postgresql://me@127.0.0.1:{free_port()}/answers")
    assert "\n" not in str(raised.value)


def test_a_database_that_is_not_there_is_one_clear_line(postgres):
    with pytest.raises(ConfigError, match=r': database "nowhere" does not exist; mend that, or set llm\.answers'):
        AnswerStore(postgres.url("nowhere"))


def test_who_may_not_make_the_table_is_told_so(postgres):
    database = postgres.new_database()
    run_sql(postgres.url(database), "CREATE ROLE guest LOGIN")
    with pytest.raises(ConfigError, match="permission denied for schema public"):
        AnswerStore(postgres.url(database, "guest"))


def test_who_may_only_read_can_export_but_not_build(postgres, tmp_path):
    database = postgres.new_database()
    with opened(postgres.url(database)) as store:
        store.put(key_of("k"), said())
    run_sql(postgres.url(database), "CREATE ROLE reader LOGIN", "GRANT SELECT ON answers TO reader")
    with pytest.raises(ConfigError, match="permission denied for table answers"):
        AnswerStore(postgres.url(database, "reader"))
    with closing(open_database(postgres.url(database, "reader"), writes=False)) as reading:
        assert export_answers(reading, tmp_path / "answers.parquet") == 1


def test_who_may_write_needs_no_right_to_make_tables(postgres):
    database = postgres.new_database()
    AnswerStore(postgres.url(database)).close()
    run_sql(postgres.url(database), "CREATE ROLE writer LOGIN", "GRANT SELECT, INSERT, UPDATE ON answers TO writer")
    with opened(postgres.url(database, "writer")) as store:
        store.put("k", said())
        assert store.get("k") == said()


def test_a_database_that_may_only_be_read_is_refused_at_once(postgres):
    database = postgres.new_database()
    AnswerStore(postgres.url(database)).close()
    run_sql(postgres.url(SUPERUSER), f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    with pytest.raises(ConfigError, match="read-only transaction"):
        AnswerStore(postgres.url(database))


def test_the_password_is_read_from_the_environment_or_a_file(postgres, tmp_path, monkeypatch):
    database = postgres.new_database()
    run_sql(
        postgres.url(database),
        "CREATE ROLE keeper LOGIN PASSWORD 'sea-salt'",
        "GRANT CREATE ON SCHEMA public TO keeper",
    )
    url = postgres.tcp_url(database, "keeper")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    with pytest.raises(ConfigError, match=r"no password supplied \(it is read from PGPASSWORD or ~/\.pgpass\)"):
        AnswerStore(url)
    monkeypatch.setenv("PGPASSWORD", "sea-salted")
    with pytest.raises(ConfigError, match="password authentication failed for user") as raised:
        AnswerStore(url)
    assert "sea-salt" not in str(raised.value)
    monkeypatch.setenv("PGPASSWORD", "sea-salt")
    AnswerStore(url).close()
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pgpass").write_text(f"127.0.0.1:{postgres.port}:{database}:keeper:sea-salt\n")
    (tmp_path / "pgpass").chmod(0o600)
    with opened(url) as store:
        store.put("k", said())
        assert store.get("k") == said()


def end_sessions(postgres, database):
    query = b"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
    return postgres.execute(SUPERUSER, query, (database,))


def test_a_connection_lost_in_the_middle_is_made_anew(postgres):
    database = postgres.new_database()
    with opened(postgres.url(database)) as store:
        store.put("k", said())
        for number in range(3):
            assert end_sessions(postgres, database) == [(True,), (True,)]
            assert store.get("k") == said()
            store.put(f"k{number}", said(str(number)))
        assert {key: store.get(key).text for key in ("k0", "k1", "k2")} == {"k0": "0", "k1": "1", "k2": "2"}


def test_a_server_that_stays_away_is_waited_for_by_who_asks_and_comes_back(postgres):
    with opened(postgres.url(postgres.new_database())) as store:
        store.put("k", said())
        postgres.stop()
        try:
            for asked in (lambda: store.get("k"), lambda: store.put("late", said())):
                with pytest.raises(TransientError, match=r"answer store postgresql://.*No such file") as raised:
                    asked()
                assert "\n" not in str(raised.value)
        finally:
            postgres.start()
        assert store.get("k") == said()
        store.put("late", said())
        assert store.get("late") == said()


def test_no_answer_is_lost_while_connections_break_under_many_writers(postgres):
    database = postgres.new_database()
    with opened(postgres.url(database)) as store, ThreadPoolExecutor(8) as pool:
        done = [pool.submit(store.put, f"k{number}", said(str(number))) for number in range(400)]
        while not all(one.done() for one in done):
            end_sessions(postgres, database)
            time.sleep(0.05)
        failed = {f"k{number}" for number, one in enumerate(done) if one.exception() is not None}
        assert {type(one.exception()) for one in done} <= {type(None), TransientError}
        kept = store.get_many([f"k{number}" for number in range(400)])
        assert kept.keys() | failed == {f"k{number}" for number in range(400)}
        assert len(failed) < 200


def test_a_table_that_another_session_holds_is_busy_not_wrong(postgres, monkeypatch):
    monkeypatch.setattr("tasks.backends.answers.postgres.BUSY_S", 1.0)
    database = postgres.new_database()
    with opened(postgres.url(database)) as store:
        with psycopg.connect(postgres.url(database)) as other:
            other.execute("LOCK TABLE answers")
            with pytest.raises(TransientError, match="lock timeout"):
                store.put("k", said())
        store.put("k", said())
        assert store.get("k") == said()


# ---- shipping ----


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
