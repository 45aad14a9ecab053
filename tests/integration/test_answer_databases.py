"""Answers are kept, found and shipped alike in a SQLite file and in a real PostgreSQL server."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg
import pytest

from schemas.errors import ConfigError, TransientError
from tasks.backends.answers import AnswerStore, open_database
from tasks.backends.answers.shipping import export_answers
from tests.integration.answer_stores import ODD, key_of, run_sql, said, texts_of
from tests.integration.ports import free_port
from tests.integration.postgres import SUPERUSER

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


@pytest.fixture
def store(location):
    store = AnswerStore(location)
    yield store
    store.close()


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
