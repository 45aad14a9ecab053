"""Every answer is kept under what was asked, and comes back."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from schemas.errors import ConfigError
from tasks.backends.answers import AnswerStore, Sampling, StoredAnswer, answer_key

SAMPLING = Sampling("tiny", None, 0.7, 0.95)
MESSAGES = [{"role": "user", "content": "Who keeps the light?"}]
SCHEMA = {"type": "string", "maxLength": 9}
WRITE_MANY = """
import sys
from pathlib import Path
from tasks.backends.answers import AnswerStore, StoredAnswer
store = AnswerStore(Path(sys.argv[1]))
for number in range(100):
    store.put(f"{sys.argv[2]}-{number}", StoredAnswer(text="salt", finish_reason="stop", max_tokens=9))
store.close()
"""


@pytest.fixture
def store(tmp_path):
    store = AnswerStore(tmp_path / "new" / "answers.sqlite")
    yield store
    store.close()


def said(text="The keeper.", finish_reason="stop", max_tokens=10):
    return StoredAnswer(text=text, finish_reason=finish_reason, max_tokens=max_tokens, completion_tokens=4)


def test_an_answer_outlives_its_process_whatever_characters_it_holds(tmp_path):
    path = tmp_path / "answers.sqlite"
    first = AnswerStore(path)
    first.put("k", said("“Salt”, \x00 she said — \ud800 😀"))
    first.close()
    second = AnswerStore(path)
    assert second.get("k") == said("“Salt”, \x00 she said — \ud800 😀")
    assert second.get("other") is None
    second.close()


def test_an_answer_is_in_the_file_before_put_returns(store, tmp_path):
    store.put("k", said())
    other = sqlite3.connect(tmp_path / "new" / "answers.sqlite")
    assert other.execute("SELECT key FROM answers").fetchall() == [("k",)]
    other.close()


def test_the_key_holds_everything_that_shapes_an_answer():
    keys = {
        answer_key(SAMPLING, MESSAGES, SCHEMA, 0, 0),
        answer_key(replace(SAMPLING, model="other"), MESSAGES, SCHEMA, 0, 0),
        answer_key(replace(SAMPLING, revision="abc"), MESSAGES, SCHEMA, 0, 0),
        answer_key(replace(SAMPLING, temperature=0.0), MESSAGES, SCHEMA, 0, 0),
        answer_key(replace(SAMPLING, top_p=1.0), MESSAGES, SCHEMA, 0, 0),
        answer_key(SAMPLING, [*MESSAGES, {"role": "assistant", "content": "Nobody."}], SCHEMA, 0, 0),
        answer_key(SAMPLING, MESSAGES, {"type": "string"}, 0, 0),
        answer_key(SAMPLING, MESSAGES, SCHEMA, 1, 0),
        answer_key(SAMPLING, MESSAGES, SCHEMA, 0, 1),
    }
    assert len(keys) == 9


def test_the_order_of_names_in_a_schema_does_not_change_the_key():
    turned = dict(reversed(SCHEMA.items()))
    assert answer_key(SAMPLING, MESSAGES, SCHEMA, 0, 0) == answer_key(SAMPLING, MESSAGES, turned, 0, 0)


def test_an_answer_that_ended_by_itself_serves_any_limit_and_a_cut_one_only_lower_ones():
    assert said(max_tokens=10).serves(1_000)
    assert said(finish_reason="length", max_tokens=10).serves(10)
    assert not said(finish_reason="length", max_tokens=10).serves(11)


def test_the_first_answer_stays_but_a_cut_one_gives_way_to_a_longer_one(store):
    store.put("k", said("cut", "length", 10))
    store.put("k", said("cut earlier", "length", 5))
    assert store.get("k").text == "cut"
    store.put("k", said("whole", max_tokens=20))
    store.put("k", said("whole again", max_tokens=30))
    assert store.get("k").text == "whole"


def test_many_threads_write_and_read_at_once(store):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.put(f"k{number}", said(str(number))), range(200)))
        read = list(pool.map(lambda number: store.get(f"k{number}").text, range(200)))
    assert read == [str(number) for number in range(200)]


def test_two_processes_write_to_one_file(tmp_path):
    path = tmp_path / "answers.sqlite"
    command = [sys.executable, "-c", WRITE_MANY, str(path)]
    writers = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    assert [writer.wait() for writer in writers] == [0, 0]
    store = AnswerStore(path)
    assert len(store.get_many(f"{name}-{number}" for name in ("a", "b") for number in range(100))) == 200
    store.close()


def test_processes_that_open_a_new_file_at_once_all_get_it(tmp_path):
    command = [
        sys.executable,
        "-c",
        "import sys; from pathlib import Path; from tasks.backends.answers import AnswerStore",
    ]
    command[-1] += "; AnswerStore(Path(sys.argv[1])).close()"
    for number in range(3):
        openers = [subprocess.Popen([*command, str(tmp_path / f"{number}.sqlite")]) for _ in range(4)]
        assert [opener.wait() for opener in openers] == [0] * 4


def test_what_was_handed_over_is_written_before_the_store_closes(tmp_path):
    path = tmp_path / "answers.sqlite"
    store = AnswerStore(path)
    handed = [store.put_later({f"k{number}": said()}) for number in range(50)]
    store.close()
    store.close()
    assert all(done.done() for done in handed)
    with pytest.raises(ConfigError, match="closed"):
        store.put("late", said())


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"once upon a time " * 100)
    with pytest.raises(ConfigError, match=r"answers\.sqlite: file is not a database; mend or move the file"):
        AnswerStore(path)


def test_a_database_of_something_else_is_one_clear_line(tmp_path):
    path = tmp_path / "answers.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE answers (key TEXT PRIMARY KEY, word TEXT)")
    other.close()
    with pytest.raises(ConfigError, match="no such column"):
        AnswerStore(path)


def test_a_path_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=r"answer store .*file/answers\.sqlite"):
        AnswerStore(tmp_path / "file" / "answers.sqlite")
    with pytest.raises(ConfigError, match="unable to open database file"):
        AnswerStore(tmp_path)


def test_a_row_that_was_damaged_is_one_clear_line(store, tmp_path):
    store.put("k", said())
    other = sqlite3.connect(tmp_path / "new" / "answers.sqlite")
    other.execute("UPDATE answers SET text = x'00'")
    other.commit()
    other.close()
    with pytest.raises(ConfigError, match="mend or move the file"):
        store.get("k")


def test_a_write_that_fails_is_told_to_who_waits_and_the_next_is_tried(store, tmp_path):
    other = sqlite3.connect(tmp_path / "new" / "answers.sqlite", isolation_level=None)
    other.execute("CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    with pytest.raises(ConfigError, match="disk is full"):
        store.put("k", said())
    other.execute("DROP TRIGGER full")
    other.close()
    store.put("k", said())
    assert store.get("k") == said()
