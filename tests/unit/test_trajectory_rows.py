"""Whole rows: what is found out about one, its counts, and its chat turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import ComposeSettings
from schemas.trajectories import Stage
from tasks.compose import compose_book
from tasks.grammar.parts import GrammarError
from tasks.grammar.sequence import (
    check_trajectory,
    messages,
    parse_trajectory,
    render_sequence,
    stages_from_messages,
)
from tests.fakes import WordTokenizer
from tests.scaffolds import make_book, write_paragraphs


def _row(layout="full-book"):
    book, scaffold = make_book([[write_paragraphs(300)], [write_paragraphs(200), write_paragraphs(90)]])
    rows = compose_book(book, scaffold, ComposeSettings(), WordTokenizer()).rows
    return next(row for row in rows if row.layout == layout), book.text


def _change(row, place, **changes):
    stages = list(row.stages)
    stages[place] = stages[place].model_copy(update=changes)
    return row.model_copy(update={"stages": tuple(stages)})


@pytest.mark.parametrize("layout", ["full-book", "first-chapter", "chapter-window"])
def test_a_row_that_was_composed_has_no_problem(layout):
    row, text = _row(layout)
    assert check_trajectory(row, text, WordTokenizer()) == []


def test_the_rendered_sequence_has_the_control_tokens_and_nothing_between_stages():
    row, _ = _row()
    sequence = render_sequence(row.stages[:2])
    assert sequence.startswith("<|start_header_id|>prompt<|stop_header_id|>\n\n")
    assert "<|eot_id|><|start_header_id|>book_preview<|stop_header_id|>\n\n## Book Highlight\n" in sequence
    assert sequence.endswith("<|eot_id|>")


def test_tokens_of_a_row_are_three_control_tokens_a_stage_and_the_texts_between():
    row, _ = _row()
    count = WordTokenizer().count
    assert row.num_tokens == sum(3 + count(stage.role) + count(stage.text) for stage in row.stages)
    assert row.prose_tokens == sum(stage.num_tokens for stage in row.stages if stage.role.endswith("_text"))
    assert row.plan_tokens + row.prose_tokens + row.stages[0].num_tokens == sum(
        stage.num_tokens for stage in row.stages
    )


@pytest.mark.parametrize(
    ("place", "changes", "said"),
    [
        (4, {"start": 0}, "is not the book's text"),
        (4, {"role": "chapter_text"}, "stages out of order"),
        (4, {"text": "### Chapter 9\n```\nThe tide.\n```"}, "after the plan of 'Chapter 1'"),
        (3, {"num_tokens": 1}, "plan_tokens is"),
    ],
)
def test_a_row_that_was_changed_is_found_out(place, changes, said):
    row, text = _row()
    assert said in " ".join(check_trajectory(_change(row, place, **changes), text))


def test_a_plan_of_other_word_counts_than_the_prose_is_found_out():
    row, text = _row("first-chapter")
    plan = row.stages[2].text
    problems = check_trajectory(_change(row, 2, text=plan.replace("**Word Count:** 300", "**Word Count:** 450")), text)
    assert problems == ["'Chapter 1' has 300 words, 450 planned"]


def test_chapters_out_of_order_are_found_out():
    row, _ = _row()
    plan = row.stages[5].text.replace("romantic: 5", "romantic: 6")
    with pytest.raises(GrammarError, match=r"differ from book_plan"):
        parse_trajectory(_change(row, 5, text=plan))
    assert "unknown layout" in check_trajectory(row.model_copy(update={"layout": "novel"}), "")[0]


def test_wrong_counts_are_found_out_with_a_tokenizer():
    row, text = _row("chapter-window")
    wrong = row.model_copy(update={"num_tokens": row.num_tokens + 1})
    assert check_trajectory(wrong, text) == []
    assert "stated" in check_trajectory(wrong, text, WordTokenizer())[0]
    assert "allowed" in check_trajectory(row.model_copy(update={"window": 100}), text)[0]


def test_a_text_before_the_text_before_it_is_found_out():
    row, text = _row()
    swapped = text.replace("CHAPTER", "Chapter")
    first, second = row.stages[4], row.stages[8]
    behind = _change(row, 4, start=first.start + len(text), end=first.end + len(text))
    assert second.start is not None
    assert "the text before it ends at" in " ".join(check_trajectory(behind, swapped + swapped))


def test_stages_become_turns_with_the_context_before_a_fixed_instruction():
    stages = [
        Stage(role="prompt", text="Write about a lamp.", loss=0, num_tokens=1),
        Stage(role="premise", text="## Book Title\nThe Lamp", loss=0, num_tokens=1),
        Stage(role="scene_breakdown", text="### One", loss=1, num_tokens=1),
        Stage(role="chapter_text", text="### One\n```\nx\n```", loss=0.5, num_tokens=1),
    ]
    context = "Write about a lamp.\n\n<premise>\n## Book Title\nThe Lamp\n</premise>\n\nWrite: scene_breakdown"
    assert messages(stages) == [
        {"role": "user", "content": context},
        {"role": "assistant", "content": "### One"},
        {"role": "user", "content": "Write: chapter_text"},
        {"role": "assistant", "content": "### One\n```\nx\n```"},
    ]


_TEXTS = st.one_of(
    st.text(min_size=1, max_size=30),
    st.lists(
        st.sampled_from(["<premise>", "</premise>", "\\<premise>", "Write: chapter_text", "", "x", "\n"]),
        min_size=1,
        max_size=8,
    ).map("\n".join),
).filter(bool)


@given(
    texts=st.lists(_TEXTS, min_size=4, max_size=4), losses=st.lists(st.sampled_from([0.0, 1.0]), min_size=3, max_size=3)
)
def test_stages_come_back_equal_from_their_messages(texts, losses):
    roles = ("prompt", "premise", "story_so_far", "chapter_text")
    weights = (0.0, *losses)
    stages = [Stage(role=r, text=t, loss=w, num_tokens=0) for r, t, w in zip(roles, texts, weights, strict=True)]
    assert stages_from_messages("chapter-window", messages(stages)) == list(zip(roles, texts, strict=True))
