"""Sides, evaluation texts and loops through the flow: what is refused on the first night, and on the next."""

from __future__ import annotations

import json

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.build_trajectories import build_trajectories, find_finished
from schemas.books import CatalogueEntry
from schemas.corpus_settings import DecontaminateSettings, SourceSettings
from schemas.errors import ConfigError
from schemas.settings import ComposeSettings, Settings
from tasks.audit import audit_snapshot
from tasks.backends.stores import LocalStore
from tasks.backends.tokenizers import open_tokenizer
from tasks.buckets import read_table
from tasks.composing.splits import assign_split
from tasks.opening import close_benches
from tasks.shard import read_head
from tests.tales import tale

SHARE = ComposeSettings().held_out_share


def author_in(split):
    names = (f"Quill, Mara {'x' * number}" for number in range(1, 2_000))
    return next(name for name in names if assign_split(CatalogueEntry(book_id="1", authors=(name,)), SHARE) == split)


def by(author, title, text):
    """A tale under another author and title."""
    return f"Title: {title}\n\nAuthor: {author}\n\n\n\n" + text[text.index("CHAPTER 1") :]


def retold(seed, other, num_kept):
    """Chapters of a tale, the first paragraphs of which are another one's."""
    own, held = (text[text.index("CHAPTER 1") :].split("\n\n\n\n") for text in (tale(seed), tale(other)))
    return "\n\n\n\n".join(_mix(one, two, num_kept) for one, two in zip(own, held, strict=True))


def _mix(own, held, num_kept):
    (head, mine), (_, theirs) = (chapter.split("\n\n\n") for chapter in (own, held))
    return f"{head}\n\n\n" + "\n\n".join([*theirs.split("\n\n")[:num_kept], *mine.split("\n\n")[num_kept:]])


def passage_of(seed):
    """A paragraph of a tale."""
    return tale(seed).split("\n\n\n")[-1].split("\n\n")[3]


@pytest.fixture
def server(prefect_env):
    with temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}):
        yield


@pytest.fixture
def shelf(tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "known.txt").write_text(by(author_in("train"), "The Lamp", retold(3, 5, 16)))
    (folder / "other.txt").write_text(by(author_in("train"), "The Gate", tale(7)))
    return folder


def settings_of(shelf, tmp_path, books="all", **groups):
    return Settings(out=str(tmp_path / "out"), source=SourceSettings(location=str(shelf), books=books), **groups)


def audited(tmp_path):
    """The newest snapshot, which is sound."""
    store = LocalStore(tmp_path / "out")
    head = read_head(store)
    audit = audit_snapshot(head, store, open_tokenizer("samples"))
    assert audit.ok, audit.problems
    return head, store


def test_a_work_that_shares_text_with_a_held_out_one_is_refused_and_leaves_when_that_one_comes(server, shelf, tmp_path):
    first = build_trajectories(settings_of(shelf, tmp_path))
    assert first.books.out == 2
    head, _ = audited(tmp_path)
    (shelf / "held.txt").write_text(by(author_in("test"), "The Bridge", tale(5)))
    second = build_trajectories(settings_of(shelf, tmp_path))
    assert second.books.rejected["near-duplicate-across-sides"] == 1
    later, store = audited(tmp_path)
    rows = {row["book_id"]: row for row in read_table(later, "books", store, ["book_id", "split", "repetition"])}
    assert {name: row["split"] for name, row in rows.items()} == {"held": "test", "other": "train"}
    assert json.loads(rows["held"]["repetition"])["num_words"] > 3_000
    refused = {row["book_id"]: row for row in read_table(later, "rejected", store, ["book_id", "reason", "detail"])}
    assert refused["known"]["reason"] == "near-duplicate-across-sides"
    assert "like held, which is in test" in refused["known"]["detail"]
    assert later.accounting.books.in_ == 3
    assert head.version + 1 == later.version


def test_a_night_refuses_a_new_work_that_shares_text_with_what_is_held_out_already(server, shelf, tmp_path):
    (shelf / "held.txt").write_text(by(author_in("test"), "The Bridge", tale(5)))
    (shelf / "known.txt").unlink()
    build_trajectories(settings_of(shelf, tmp_path))
    (shelf / "held.txt").unlink()
    (shelf / "new.txt").write_text(by(author_in("train"), "The Lamp", retold(3, 5, 16)))
    summary = build_trajectories(settings_of(shelf, tmp_path))
    assert summary.books.rejected == {"near-duplicate-across-sides": 1}
    later, _ = audited(tmp_path)
    assert (later.accounting.books.in_, later.accounting.books.out) == (3, 2)


def test_books_that_hold_evaluation_texts_are_refused_and_leave_where_they_are_held(server, shelf, tmp_path):
    build_trajectories(settings_of(shelf, tmp_path, "other"))
    texts = tmp_path / "questions.jsonl"
    texts.write_text(json.dumps({"text": passage_of(7)}) + "\n")
    avoiding = settings_of(shelf, tmp_path, "known", decontaminate=DecontaminateSettings(texts=str(texts)))
    build_trajectories(avoiding)
    head, _ = audited(tmp_path)
    assert head.accounting.books.rejected == {"contaminated": 1}
    assert head.decontaminated
    assert find_finished(avoiding) is not None
    close_benches()
    again = build_trajectories(settings_of(shelf, tmp_path, decontaminate=avoiding.decontaminate))
    assert again.books.rejected == {"contaminated": 1}


def test_the_shares_of_a_data_set_do_not_change(server, shelf, tmp_path):
    build_trajectories(settings_of(shelf, tmp_path))
    with pytest.raises(ConfigError, match="its authors would change sides"):
        build_trajectories(settings_of(shelf, tmp_path, compose=ComposeSettings(held_out_share=0.3)))


def test_the_command_line_takes_evaluation_texts(cli, shelf, tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text(passage_of(7))
    done = cli("build", "--source", str(shelf), "--out", str(tmp_path / "out"), "--decontaminate", str(texts), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["books"]["rejected"] == {"contaminated": 1}
