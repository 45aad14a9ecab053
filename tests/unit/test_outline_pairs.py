"""Pairs of an outline and its passage: both templates, read back; references that share nothing with the target."""

from __future__ import annotations

import hashlib
import json
import re

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.plans import OutlinePrompt, Passage
from schemas.recipe_settings import OutlineSettings
from schemas.settings import ComposeSettings
from tasks.compose import compose_outlines
from tasks.grammar.outline_words import PAPER_LEAD
from tasks.grammar.parser import CONTROL_TOKENS, parse_stage
from tasks.grammar.parts import GrammarError
from tasks.grammar.render import render_stage
from tasks.grammar.sequence import check_trajectory, messages, parse_trajectory, stages_from_messages
from tests.fakes import WordTokenizer, build_book, write_nonsense
from tests.tellers import outline, refuse, tell, write_book, write_paragraph

LAYOUT = "outline-to-text"
# of the form that Mistral's instruct models have: marks around the user's turn, a space before the answer
MISTRAL = (
    "{{ bos }}{% for turn in messages %}{% if turn.role == 'user' %}[INST] {{ turn.content }} [/INST]"
    "{% else %} {{ turn.content }}{{ eos }}{% endif %}{% endfor %}"
)


def compose(book, script=tell, prose_loss=1.0, **changes):
    return compose_outlines(
        book,
        outline(book, script),
        ComposeSettings(prose_loss=prose_loss),
        outline=OutlineSettings(**{"passage_tokens": 100, **changes}),
        trainee=WordTokenizer(),
    )


def hash_text(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def grams(text):
    """The runs of 8 words of a text, by a way of its own."""
    words = re.sub(r"[^a-z0-9]+", " ", text.casefold()).split()
    return {tuple(words[at : at + 8]) for at in range(len(words) - 7)}


# ---- rows ----


@pytest.mark.parametrize("template", ["clean", "paper"])
def test_every_passage_with_an_outline_is_the_target_of_one_row(template):
    book = write_book([6], [4])
    composed = compose(book, refuse(2), template=template)
    assert [row.trajectory_id for row in composed.rows] == [
        "m1:outline-to-text:0001",
        "m1:outline-to-text:0003",
        "m1:outline-to-text:0004",
        "m1:outline-to-text:0005",
    ]
    assert [row.targets for row in composed.rows] == [(1,), (1,), (2,), (2,)]
    for row in composed.rows:
        prompt, passage = row.stages
        assert ((prompt.role, prompt.loss), (passage.role, passage.loss)) == (("prompt", 0.0), ("passage", 1.0))
        assert passage.text.endswith(book.text[passage.start : passage.end])
        assert check_trajectory(row, book.text, WordTokenizer()) == []
        assert row.window // 2 < row.num_tokens <= row.window
        assert (row.plan_tokens, row.prose_tokens) == (0, passage.num_tokens)
        assert stages_from_messages(LAYOUT, messages(row.stages)) == [(one.role, one.text) for one in row.stages]


def test_a_row_says_who_wrote_its_outline():
    book = write_book([3])
    (row,) = compose(book, passage_tokens=400).rows[:1]
    told = json.loads(row.provenance)
    assert told["summarizer"] == "fake-1@main"
    assert told["outlines_sha256"] == outline(book).digest()
    assert "scaffold_sha256" not in told


def test_the_weight_of_the_passage_is_that_of_prose():
    assert {row.stages[1].loss for row in compose(write_book([3]), prose_loss=0.5).rows} == {0.5}


@pytest.mark.parametrize("template", ["clean", "paper"])
@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_model_says_every_row_reads_back(template, seed):
    book, script = write_book([6], [5]), lambda request: write_nonsense(request.schema, hash_text(request.node) + seed)
    composed, outlines = compose(book, script, template=template), outline(book, script)
    assert len(composed.rows) == len(outlines.told) > 0
    assert all(check_trajectory(row, book.text, WordTokenizer()) == [] for row in composed.rows)


# ---- templates ----


def test_the_clean_template_has_its_whole_instruction_in_the_prompt():
    book = write_book([6])
    row = compose(book, style_reference=False).rows[0]
    prompt, passage = row.stages
    assert prompt.text == (
        "Write a passage of fiction that tells the outline below. Answer with the passage alone.\n\n"
        "## Outline\n- She sets out before light.\n- What she finds is gone.\n- She says nothing of it."
    )
    assert passage.text == book.text[passage.start : passage.end]


def test_the_paper_template_ends_its_instruction_at_the_head_of_the_target():
    book = write_book([6])
    row = compose(book, template="paper").rows[0]
    prompt, passage = row.stages
    assert "plot: She sets out before light.\nWhat she finds is gone.\nShe says nothing of it. Add " in prompt.text
    assert passage.text == f"Try to write your text as well as this one: {book.text[passage.start : passage.end]}"
    assert not any(mark in stage.text for stage in row.stages for mark in ("[INST]", "[/INST]"))
    assert parse_trajectory(row).plans[1] == Passage(book.text[passage.start : passage.end], PAPER_LEAD)


def test_with_mistral_s_marks_the_paper_s_sentence_stands_after_the_instruction():
    (row, *_) = compose(write_book([6]), template="paper").rows
    turns = jinja2.Template(MISTRAL).render(messages=messages(row.stages), bos="<s>", eos="</s>")
    assert re.fullmatch(
        r"<s>\[INST\] .* plot: .*\. Add .* \[/INST\] Try to write your text as well as this one: Mara .*</s>",
        turns,
        re.DOTALL,
    )
    assert turns.count("[INST]") == turns.count("[/INST]") == 1


STATEMENTS = st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), min_size=1, max_size=300)
TEXTS = st.lists(st.text("ab -#.`<|>\u2014", max_size=30).map(str.rstrip), min_size=1, max_size=6).map("\n".join)


def clean(text):
    return not text[-1:].isspace() and not any(token in text for token in CONTROL_TOKENS)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["clean", "paper"]),
    st.lists(STATEMENTS.filter(clean), min_size=1, max_size=8),
    TEXTS.filter(lambda text: clean(text) and text.strip()),
    st.booleans(),
)
def test_any_prompt_reads_back_to_the_same_values(template, statements, text, is_shown):
    plan = OutlinePrompt(template, tuple(statements), text if is_shown and template == "clean" else "")
    assert parse_stage(LAYOUT, "prompt", render_stage(plan)) == plan


@given(TEXTS.filter(lambda text: clean(text) and text.strip() and text[0] != "\n"), st.sampled_from(["", PAPER_LEAD]))
def test_any_passage_reads_back_to_the_same_values(text, lead):
    assert parse_stage(LAYOUT, "passage", render_stage(Passage(text, lead))) == Passage(text, lead)


BARE = render_stage(OutlinePrompt("clean", ("She goes.",)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Write about a lamp.", "a template of outline-to-text expected"),
        (BARE.replace("- She goes.", "She goes."), "a bullet expected"),
        (BARE + "\n- She goes." * 8, "9 bullets, at most 8 allowed"),
        (BARE + "\n\n## Style Reference\nShe went.", "Another passage of the same work"),
        (BARE + "\n\nShe went.", "'## Style Reference' expected"),
        (BARE.replace("She goes.", "She goes." * 40), "a bullet expected"),
        (render_stage(OutlinePrompt("paper", ("She goes",) * 9)), "9 statements, at most 8 allowed"),
        (render_stage(OutlinePrompt("paper", ("",))), "a statement expected"),
    ],
)
def test_a_prompt_outside_of_its_template_is_refused_with_its_line(text, said):
    with pytest.raises(GrammarError, match=re.escape(said)):
        parse_stage(LAYOUT, "prompt", text)


def test_prompt_and_passage_of_two_templates_are_no_row():
    book = write_book([6])
    row, paper = compose(book).rows[0], compose(book, template="paper").rows[0]
    for mixed in ((row.stages[0], paper.stages[1]), (paper.stages[0], row.stages[1])):
        (problem,) = check_trajectory(row.model_copy(update={"stages": mixed}), book.text)
        assert "the passage of the other one" in problem


# ---- style references ----


def references(composed):
    return {row.trajectory_id[-4:]: parse_trajectory(row).plans[0].reference for row in composed.rows}


def test_a_reference_is_a_passage_of_another_chapter_and_the_same_every_time():
    book = write_book([6], [6])
    passages = outline(book).passages
    shown = references(compose(book))
    assert shown == references(compose(book))
    by_text = {book.text[one.start : one.end].strip(): one for one in passages}
    for target in passages:
        assert by_text[shown[f"{target.number:04}"]].chapter != target.chapter
    assert len(set(shown.values())) > 1


def test_a_book_of_one_chapter_takes_a_passage_of_it_but_not_the_one_beside():
    book = write_book([8])
    by_text = {book.text[one.start : one.end].strip(): one.number for one in outline(book).passages}
    shown = {int(name): by_text[text] for name, text in references(compose(book)).items()}
    assert len(shown) == 4
    assert all(abs(number - other) > 1 for number, other in shown.items())


def test_a_passage_that_shares_eight_words_with_the_target_is_no_reference():
    shared = "the long low wall beside the water was wet"
    texts = [f"{write_paragraph(number, 60)} {shared if number != 2 else ''}." for number in range(4)]
    book = build_book(*[[[text]] for text in texts])
    shown = references(compose(book))
    assert shown == {"0001": texts[2].strip(), "0002": "", "0003": texts[0].strip(), "0004": ""}


def test_without_a_fit_passage_the_row_has_no_reference_and_that_is_noted():
    composed = compose(write_book([2]))
    assert references(composed) == {"0001": ""}
    (note,) = composed.notes
    assert (note.layout, note.reason, note.detail) == (LAYOUT, "no-style-reference", "1 of 1 passages")
    assert compose(write_book([2]), style_reference=False).notes == ()
    assert compose(write_book([2]), template="paper").notes == ()


def test_a_passage_without_an_outline_is_no_reference():
    book = write_book([2], [2], [2])
    shown = references(compose(book, refuse(3)))
    assert shown == {"0001": "", "0002": ""}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3), min_size=1, max_size=5), st.integers(50, 120))
def test_no_reference_ever_shares_eight_words_with_its_target_nor_lies_beside_it(chapters, budget):
    book = build_book(*[[[write_paragraph(number) for number in numbers]] for numbers in chapters])
    outlines = outline(book, passage_tokens=budget)
    composed = compose_outlines(book, outlines, ComposeSettings(), outline=OutlineSettings(), trainee=WordTokenizer())
    texts = {one.number: book.text[one.start : one.end].strip() for one in outlines.passages}
    for row in composed.rows:
        number, reference = int(row.trajectory_id[-4:]), parse_trajectory(row).plans[0].reference
        fit = {
            text for other, text in texts.items() if abs(other - number) > 1 and not grams(text) & grams(texts[number])
        }
        assert reference in fit if fit else reference == ""
