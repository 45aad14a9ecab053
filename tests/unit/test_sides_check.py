"""What `verify` computes again of sides and repetition."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from schemas.runs import ShardInfo
from schemas.settings import ComposeSettings, ShardSettings
from tasks.backends.stores import LocalStore
from tasks.screening.repetition import measure_text
from tasks.sharding.writer import ShardWriter, to_batch
from tasks.sides_check import check_sides
from tasks.tables import SCHEMAS
from tests.unit.test_duplicates import change, prose, sign
from tests.unit.test_sides import author_in

FRONT = "A note to the reader.\n\n"
TEXT = " ".join(prose(61, 4_000))


def division(depth, kind, start, end):
    place = {"start": start, "body_start": start, "end": end}
    return {"depth": depth, "level": "chapter", "kind": kind, "label": "", "title": "", **place}


def row(book_id, split, words=TEXT, author=None, **changes):
    """A row of the books table: a front leaf, and a part with one narrative leaf."""
    text = FRONT + words
    narrative = [division(0, "narrative", len(FRONT), len(text)), division(1, "narrative", len(FRONT), len(text))]
    facts = {
        "book_id": book_id,
        "title": f"The Lamp {book_id}",
        "authors": [author or author_in(split)],
        "split": split,
        "text": text,
        "divisions": [division(0, "front", 0, len(FRONT)), *narrative],
        "signature": sign(book_id, text).model_dump_json(),
        "repetition": measure_text(words).model_dump_json(),
    }
    return {**dict.fromkeys(SCHEMAS["books"].names), **facts, **changes}


@pytest.fixture
def problems(tmp_path):
    """Return what is wrong with a snapshot of these rows."""

    def check(*rows, schema_version=2, recipe="prompt-to-book", settings=None):
        store = LocalStore(tmp_path / "out")
        writer = ShardWriter("books", None, store.scratch(), ShardSettings().row_group_bytes)
        writer.add(to_batch("books", sorted(rows, key=lambda one: one["book_id"])))
        shard = writer.finish(0, store)
        compose = {"held_out_share": ComposeSettings().held_out_share}
        manifest = SimpleNamespace(
            schema_version=schema_version,
            recipe=recipe,
            shards=(shard,),
            settings={"compose": compose} if settings is None else settings,
        )
        return list(check_sides(manifest, store))

    return check


def test_a_sound_snapshot_has_no_problem(problems):
    assert problems(row("1", "train"), row("2", "test", " ".join(prose(62, 4_000)))) == []
    assert problems(row("1", "train"), settings={}) == []


def test_a_work_on_another_side_than_one_of_its_authors_is_found(problems):
    strayed = row("1", "train", author=author_in("test"))
    (problem,) = problems(strayed)
    assert problem.startswith("book 1: it is in train, and 'author ")
    assert problem.endswith("' belongs to test")
    assert len(problems({**row("1", "train"), "authors": [author_in("train"), author_in("validation")]})) == 1


def test_works_of_two_sides_that_share_text_are_found(problems):
    (problem,) = problems(row("1", "train"), row("2", "validation", " ".join(change(TEXT.split(), 0.1))))
    assert problem.startswith("book 1: it is in train, and like 2, which is in validation: ")


def test_repetition_that_is_not_the_texts_is_found(problems):
    wrong = measure_text(TEXT).model_copy(update={"longest_repeat": 90})
    (problem,) = problems(row("1", "train", repetition=wrong.model_dump_json()))
    assert problem.startswith("book 1: its repetition is ")
    another_zlib = measure_text(TEXT).model_copy(update={"zlib_ratio": measure_text(TEXT).zlib_ratio + 0.01})
    assert problems(row("1", "train", repetition=another_zlib.model_dump_json())) == []


def test_what_was_made_before_sides_were_judged_is_left_as_it_is(problems):
    strayed = row("1", "train", author=author_in("test"))
    assert problems(strayed, schema_version=1) == []
    assert problems(strayed, recipe="tagged-story") == []
    assert problems({**strayed, "signature": None, "repetition": None}) == []


def test_a_shard_that_is_gone_is_told_elsewhere(tmp_path):
    gone = ShardInfo(kind="books", path="data/books/x.parquet", sha256="x", rows=1, bytes=1, bucket=0)
    manifest = SimpleNamespace(schema_version=2, recipe="prompt-to-book", shards=(gone,), settings={})
    assert list(check_sides(manifest, LocalStore(tmp_path))) == []


def test_a_signature_of_another_work_is_found(problems):
    stray = row("1", "train", signature=sign("9", TEXT).model_dump_json())
    assert problems(stray) == ["book 1: its signature is that of 9"]
