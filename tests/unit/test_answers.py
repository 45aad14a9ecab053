"""Every answer is kept under what was asked, and comes back."""

import sqlite3
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from schemas.errors import ConfigError
from schemas.settings import LLMSettings, Settings
from tasks.backends.answers import AnswerStore, Sampling, StoredAnswer, answer_key, make_row, read_row
from tasks.backends.answers.rows import settle
from tasks.opening import answers_location

SAMPLING = Sampling("tiny", None, 0.7, 0.95)
MESSAGES = [{"role": "user", "content": "Who keeps the light?"}]
SCHEMA = {"type": "string", "maxLength": 9}
OLD_LAYOUT = """
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    text BLOB NOT NULL,
    finish_reason TEXT NOT NULL,
    max_tokens INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL
)
"""


@pytest.fixture
def store(tmp_path):
    store = AnswerStore(tmp_path / "new" / "answers.sqlite")
    yield store
    store.close()


def said(text="The keeper.", finish_reason="stop", max_tokens=10):
    return StoredAnswer(text=text, finish_reason=finish_reason, max_tokens=max_tokens, completion_tokens=4)


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
    with pytest.raises(ConfigError, match=r"answers\.sqlite: the row k is damaged .*: delete it"):
        store.get("k")


def test_a_file_of_the_first_layout_is_opened_and_used(tmp_path):
    path = tmp_path / "answers.sqlite"
    old = sqlite3.connect(path)
    old.execute(OLD_LAYOUT)
    text = zstandard.ZstdCompressor().compress("“Salt”, she said.".encode())
    old.execute("INSERT INTO answers VALUES (?, ?, 'stop', 10, 7, 5, 4)", ("k", text))
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    store = AnswerStore(path)
    store.put("new", said())
    assert store.get("k") == StoredAnswer(
        text="“Salt”, she said.",
        finish_reason="stop",
        max_tokens=10,
        prompt_tokens=7,
        cached_tokens=5,
        completion_tokens=4,
    )
    assert store.get("new") == said()
    store.close()


def test_a_url_of_another_database_is_one_clear_line():
    with pytest.raises(ConfigError, match=r"mysql:// is unknown: name a SQLite file, or postgresql://user@host"):
        AnswerStore("mysql://user:secret@host/database")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hidden@host/answers",
        "postgresql://me@host/answers?password=hidden",
        "postgresql://me@host/answers?sslpassword=hidden",
        "postgresql://me:hidden@host:port/answers",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_told(url):
    with pytest.raises(ConfigError) as raised:
        AnswerStore(url)
    assert "llm.answers" in str(raised.value)
    assert "hidden" not in "".join(traceback.format_exception(raised.value))


def test_of_two_answers_in_one_group_the_same_rule_decides():
    cut, longer, whole = said("cut", "length", 5), said("longer", "length", 9), said("whole")
    rows = [make_row((key, answer)) for key in ("b", "a") for answer in (cut, longer, cut, whole, longer)]
    assert [(row.key, read_row(row, "test").text) for row in settle(rows)] == [("a", "whole"), ("b", "whole")]


def test_the_answers_lie_where_the_settings_say_or_beside_the_work():
    named = "postgresql://me@host/answers"
    assert answers_location(Settings(llm=LLMSettings(answers=named))) == named
    assert Path(answers_location(Settings(out="data/here"))).parts == ("data", "here", "work", "answers.sqlite")
    assert answers_location(Settings(out="s3://bucket/here")).startswith("data/answers-")
