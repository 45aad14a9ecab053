"""Answers, and a look into an answer store from outside: for tests of both databases."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing

import psycopg

from tasks.backends.answers import AnswerStore, StoredAnswer

ODD = "“Salt”, \x00 she said — \ud800 😀"


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
