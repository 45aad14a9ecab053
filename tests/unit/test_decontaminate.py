"""Works that hold evaluation texts, and where those are read from."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.corpus_settings import DecontaminateSettings
from schemas.errors import ConfigError
from tasks.backends.stores import LocalStore
from tasks.decontaminate import measure_overlap, read_evaluation_texts, refuse_contaminated
from tasks.judge import judge_texts
from tasks.likeness.evaluation import index_texts
from tasks.line import find_outcome, run_book
from tasks.prepare import find_prepared, prepare_book
from tasks.shard import Changes, read_head
from tasks.snapshot import write_snapshot
from tests.unit.test_duplicates import change, prose
from tests.unit.test_shard import bench, facts, story  # noqa: F401  # the fixture

BOOK = prose(41, 5_000)
QUESTIONS = [prose(seed, 60) for seed in range(50, 56)]
LIMITS = DecontaminateSettings()


def index(*texts, words=13):
    return index_texts([(f"set:{number}", " ".join(text)) for number, text in enumerate(texts, 1)], words)


def overlap(words, texts):
    return measure_overlap("7", " ".join(words), texts, None)


def test_a_work_that_holds_an_evaluation_text_is_refused_with_the_place_and_no_quotation():
    held = [*BOOK[:1_000], *QUESTIONS[2], *BOOK[1_000:]]
    found = overlap(held, index(*QUESTIONS))
    rejection = refuse_contaminated(found, LIMITS)
    offset = len(" ".join(BOOK[:1_000])) + 1
    (shared,) = found.shared
    assert (shared.text, shared.num_shared, shared.num_runs, shared.offset) == ("set:3", 48, 48, offset)
    assert (rejection.stage, rejection.reason) == ("decontaminate", "contaminated")
    assert (
        f"48 of the 48 runs of 13 words of the evaluation text set:3, the first at character {offset}"
        in rejection.detail
    )
    assert QUESTIONS[2][0] not in rejection.detail


def test_a_work_that_shares_nothing_is_kept():
    found = overlap(BOOK, index(*QUESTIONS))
    assert found.shared == ()
    assert refuse_contaminated(found, LIMITS) is None


@pytest.mark.parametrize(("num_words", "is_refused"), [(12, False), (13, False), (22, False), (23, True)])
def test_ten_runs_of_thirteen_words_of_a_long_text_are_allowed_and_eleven_are_not(num_words, is_refused):
    found = overlap([*BOOK, *QUESTIONS[0][:num_words]], index(QUESTIONS[0]))
    assert (refuse_contaminated(found, LIMITS) is not None) == is_refused


def test_half_of_a_short_text_is_allowed_and_more_is_not():
    short = QUESTIONS[0][:20]  # 8 runs
    for num_words, is_refused in ((16, False), (17, True)):
        found = overlap([*BOOK, *short[:num_words]], index(short))
        assert (refuse_contaminated(found, LIMITS) is not None) == is_refused


def test_a_tenth_of_a_hundredth_of_a_long_text_is_allowed():
    long = prose(59, 30_012)  # 30,000 runs
    for num_words, is_refused in ((42, False), (43, True)):
        found = overlap([*BOOK, *long[:num_words]], index(long))
        assert (refuse_contaminated(found, LIMITS) is not None) == is_refused


def test_every_text_that_could_decide_is_kept_and_no_other():
    short, middle, long = QUESTIONS[0][:15], QUESTIONS[1], prose(58, 9_000)
    held = [*short[:13], *BOOK, *middle[:25], *BOOK[:40], *long[:20], *QUESTIONS[2][:20]]
    found = overlap(held, index(long, middle, short, QUESTIONS[2]))
    assert [(one.text, one.num_shared) for one in found.shared] == [("set:3", 1), ("set:2", 13)]
    assert "set:2" in refuse_contaminated(found, LIMITS).detail


written = st.lists(st.sampled_from(["ash", "Bow", "don’t", "den,"]), max_size=40)
plain = st.lists(st.sampled_from(["ash", "bow", "den"]), max_size=20)


@settings(max_examples=50, deadline=None)
@given(written, plain)
def test_shared_runs_are_counted_as_one_counts_by_hand(book, text):
    def runs(words):
        plain = ["".join(char for char in word.casefold() if char.isalpha()) for word in words]
        return [tuple(plain[at : at + 3]) for at in range(len(plain) - 2)]

    shared = index(text, words=3).find_shared("… " + " ".join(book))
    common = set(runs(book)) & set(runs(text))
    assert [one.num_shared for one in shared] == ([len(common)] if common else [])
    if shared:
        first = next(at for at, run in enumerate(runs(book)) if run in common)
        assert shared[0].offset == 2 + sum(len(word) + 1 for word in book[:first])


def test_an_index_is_known_by_what_its_texts_say_and_by_the_length_of_a_run():
    one = index(*QUESTIONS)
    assert one.identity == index(*QUESTIONS).identity
    assert len({one.identity, index(*QUESTIONS[1:]).identity, index(*QUESTIONS, words=8).identity}) == 3


@pytest.fixture
def folder(tmp_path):
    """Three evaluation texts in three kinds of file, and a file of another kind."""
    texts = tmp_path / "texts"
    (texts / "sub").mkdir(parents=True)
    (texts / "sub" / "a.txt").write_text(" ".join(QUESTIONS[0]))
    rows = [{"text": "too short"}, {"text": " ".join(QUESTIONS[1]), "answer": 4}]
    (texts / "b.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    pq.write_table(pa.table({"text": [" ".join(QUESTIONS[2])], "n": [1]}), texts / "c.parquet")
    (texts / "notes.md").write_text("no text of these")
    return texts


def test_texts_are_read_from_files_of_three_kinds(folder, caplog):
    texts = read_evaluation_texts(DecontaminateSettings(texts=str(folder)))
    assert texts.names == ("b.jsonl:2", "c.parquet:1", "sub/a.txt")
    assert "1 evaluation texts are shorter than 13 words" in caplog.text
    alone = read_evaluation_texts(DecontaminateSettings(texts=str(folder / "c.parquet")))
    assert alone.names == ("c.parquet:1",)
    assert read_evaluation_texts(DecontaminateSettings()) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.txt", None, "cannot be read"),
        ("x.csv", b"text\n", "are read of .txt, .jsonl, .parquet"),
        ("x.jsonl", b'{"text": 4}\n', "row 1 has no text in 'text'"),
        ("x.jsonl", b"[1]\n", "row 1 has no text"),
        ("x.jsonl", b"{\n", "cannot be read"),
        ("x.parquet", b"no parquet", "cannot be read"),
        ("x.txt", b"\xff\xfe\xff", "cannot be read"),
        ("x.txt", b"A short text.", "no evaluation text of at least 13 words"),
    ],
)
def test_a_build_does_not_run_without_the_texts_that_it_was_to_avoid(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_evaluation_texts(DecontaminateSettings(texts=str(tmp_path / name)))


def test_a_parquet_file_without_the_column_is_named(folder):
    with pytest.raises(ConfigError, match=r"c\.parquet: it has no column 'question'"):
        read_evaluation_texts(DecontaminateSettings(texts=str(folder / "c.parquet"), column="question"))


def avoiding(bench, *texts):  # noqa: F811
    return replace(bench, texts=index_texts([(str(number), text) for number, text in enumerate(texts)], 13))


PASSAGE = "\n".join(story().split("\n")[8:14])


def test_other_texts_remake_verdicts_and_nothing_that_a_model_made(bench):  # noqa: F811
    kept = run_book("boat", bench)
    values = set(bench.work.store.keys(""))
    strange = avoiding(bench, " ".join(BOOK))
    again = run_book("boat", strange)
    assert again.works[0].values["compose"] == kept.works[0].values["compose"]
    assert {key.split("/")[0] for key in set(bench.work.store.keys("")) - values} == {"decontaminate", "outcome"}
    found = avoiding(bench, PASSAGE)
    assert find_prepared("boat", found) == prepare_book("boat", bench)
    assert find_outcome(prepare_book("boat", found), {}, found) is None
    refused = run_book("boat", found)
    assert (refused.status, refused.rejection.reason) == ("rejected", "contaminated")
    assert "summarize" not in refused.works[0].values
    assert find_outcome(prepare_book("boat", bench), {}, bench) == kept


def test_a_work_of_the_data_set_leaves_where_new_texts_are_given(bench, tmp_path):  # noqa: F811
    store = LocalStore(tmp_path / "out")
    write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    head = read_head(store)
    assert judge_texts(head, store, bench.work, None, LIMITS) == {}
    assert judge_texts(None, store, bench.work, index(*QUESTIONS), LIMITS) == {}
    assert judge_texts(head, store, bench.work, index(*QUESTIONS), LIMITS) == {}
    texts = avoiding(bench, PASSAGE).texts
    withdrawn = judge_texts(head, store, bench.work, texts, LIMITS)
    assert withdrawn["boat"].rejection.reason == "contaminated"
    assert (
        judge_texts(head, LocalStore(tmp_path / "gone"), bench.work, texts, LIMITS) == withdrawn
    )  # kept, not read anew
    later = replace(facts(bench), decontaminated=texts.identity)
    manifest, _ = write_snapshot(Changes([], withdrawn), bench.work, store, later)
    assert manifest.accounting.books.rejected == {"contaminated": 1}
    assert manifest.decontaminated == texts.identity


def test_a_copy_with_small_changes_is_found_by_what_is_left_of_it():
    found = overlap([*BOOK, *change(QUESTIONS[3], 0.03, seed=3)], index(*QUESTIONS))
    (shared,) = found.shared
    assert shared.text == "set:4"
    assert 0 < shared.num_shared < 48
