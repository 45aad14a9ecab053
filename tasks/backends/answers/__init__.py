"""Every answer of a model, kept under the hash of what was asked: nothing is asked twice."""

from __future__ import annotations

from tasks.backends.answers.rows import Database, make_row, read_row
from tasks.backends.answers.store import AnswerStore, open_database
from tasks.backends.answers.values import Sampling, StoredAnswer, answer_key

__all__ = [
    "AnswerStore",
    "Database",
    "Sampling",
    "StoredAnswer",
    "answer_key",
    "make_row",
    "open_database",
    "read_row",
]
