"""Two readers of one grammar: `tasks/grammar` and the oracle, which knows its page alone, agree about every sequence."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.scaffold import Archetype, Bullet, Character
from schemas.settings import ComposeSettings
from schemas.trajectories import Stage
from tasks.backends.tokenizers import open_tokenizer
from tasks.compose import compose_book
from tasks.grammar.limits import check_limits, limit_stage
from tasks.grammar.parser import parse_stage
from tasks.grammar.parts import GrammarError
from tasks.grammar.render import render_stage
from tasks.grammar.sequence import parse_trajectory, render_sequence, round_words
from tests.compositions import compose, rows_of
from tests.fakes import WordTokenizer
from tests.gold import MISSING, REASON, TEXTS, load_gold
from tests.grammar_oracle import STAGE_TOKENS, find_excess, find_fault
from tests.scaffolds import make_book, write_paragraphs

DRIVEN = ("full-book", "first-chapter")
SETTINGS = ComposeSettings(layouts=DRIVEN)


@cache
def sample_row(layout):
    """A row with arcs, people, a divided chapter and scenes of several numbers of words."""
    chapters = [[write_paragraphs(300), write_paragraphs(1_234)], [write_paragraphs(7)], [write_paragraphs(90)] * 14]
    book, scaffold = make_book([*chapters, *[[write_paragraphs(60)]] * 42])
    return rows_of(compose(book, scaffold, SETTINGS), layout)[0]


def refuses(row):
    """Whether the project's own reader refuses a row."""
    try:
        parse_trajectory(row)
    except GrammarError:
        return True
    return False


def with_stages(row, stages):
    return row.model_copy(update={"stages": tuple(Stage(role=r, text=t, loss=1, num_tokens=0) for r, t in stages)})


# ---- rows as they are made ----


@pytest.mark.skipif(MISSING, reason=REASON)
@pytest.mark.parametrize("book_id", sorted(TEXTS))
def test_rows_of_the_reference_scaffolds_pass_the_oracle_and_the_runner(book_id):
    gold, tokenizer = load_gold(book_id), open_tokenizer("samples")
    composed = compose_book(gold.book, gold.scaffold, SETTINGS, tokenizer)
    assert composed.rows
    for row in composed.rows:
        sequence = render_sequence(row.stages)
        assert find_fault(sequence, row.layout) is None
        assert find_excess(sequence, row.layout, tokenizer.count) is None


@pytest.mark.parametrize("layout", DRIVEN)
def test_a_composed_row_passes_both_readers_and_comes_back_equal(layout):
    row = sample_row(layout)
    assert find_fault(render_sequence(row.stages), layout) is None
    parsed = parse_trajectory(row)
    assert [render_stage(plan) for plan in parsed.plans] == [stage.text for stage in row.stages]


_LINES = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \n\t#*-;:`|<>_éß—“\u00a0\u2028")), min_size=1, max_size=40
)
_LISTS = st.lists(_LINES, min_size=1, max_size=4).map(tuple)


@st.composite
def books(draw):
    """Small books whose plans hold any text at all."""
    sizes = draw(st.lists(st.lists(st.integers(1, 120), min_size=1, max_size=14), min_size=2, max_size=4))
    book, scaffold = make_book([[write_paragraphs(words) for words in scenes] for scenes in sizes])
    chapters = []
    for chapter in scaffold.chapters:
        rested = tuple(Bullet(text=text) for text in draw(_LISTS))
        scene = chapter.scenes[0].model_copy(
            update={"title": draw(_LINES), "perspective": draw(_LINES), "focuses": draw(_LISTS), "bullets": rested}
        )
        update = {"name": draw(_LINES), "bullets": rested, "scenes": (scene, *chapter.scenes[1:])}
        chapters.append(chapter.model_copy(update=update))
    arc = scaffold.arcs[0].model_copy(update={"name": draw(_LINES), "short": draw(_LISTS), "long": draw(_LISTS)})
    people = (Character(name=draw(_LINES), bullets=draw(_LISTS)),)
    preview = scaffold.preview.model_copy(
        update={"highlight": f"{scaffold.preview.highlight} {draw(_LINES)}", "title": f"Lamp {draw(_LINES)}"}
    )
    update = {
        "chapters": tuple(chapters),
        "arcs": (arc,),
        "side_characters": people,
        "archetypes": (Archetype(name=draw(_LINES), bullets=draw(_LISTS)),),
        "world_rules": draw(_LISTS),
        "preview": preview,
    }
    return book, scaffold.model_copy(update=update)


@settings(max_examples=60, deadline=None)
@given(books())
def test_every_row_of_any_scaffold_passes_the_oracle(made):
    composed = compose(*made, SETTINGS)
    assert composed.rows or {refusal.reason for refusal in composed.refused} == {"empty-plan-text"}
    for row in composed.rows:
        sequence = render_sequence(row.stages)
        assert find_fault(sequence, row.layout) is None
        assert find_excess(sequence, row.layout, WordTokenizer().count) is None
        assert [render_stage(plan) for plan in parse_trajectory(row).plans] == [stage.text for stage in row.stages]


# ---- rows that were damaged ----


@st.composite
def damaged(draw, layout):
    """The stages of a row with one to three things changed, as (role, text)."""
    stages = [(stage.role, stage.text) for stage in sample_row(layout).stages]
    for _ in range(draw(st.integers(1, 3))):
        role = draw(st.sampled_from(sorted({role for role, _ in stages})))
        place = draw(st.sampled_from([at for at, (name, _) in enumerate(stages) if name == role]))
        if draw(st.integers(0, 5)) == 0:
            other = draw(st.integers(0, len(stages) - 1))
            stages = draw(st.sampled_from([_drop, _double, _swap]))(stages, place, other)
        else:
            stages[place] = (role, "\n".join(_damage_lines(draw, stages[place][1].split("\n"))))
    return stages


def _damage_lines(draw, lines):
    place, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
    change = draw(st.sampled_from([_drop, _double, _swap, None]))
    if change is not None:
        return change(lines, place, other) or [""]
    line = lines[place]
    at = draw(st.integers(0, len(line)))
    insert = draw(
        st.sampled_from(["", " ", "x", "#", "0", "7", ";", "- ", "*", "```", "\n", "y" * 130, "z" * 310, "%"])
    )
    return [*lines[:place], line[:at] + insert + line[at + draw(st.integers(0, 2)) :], *lines[place + 1 :]]


def _drop(items, place, other):
    return [*items[:place], *items[place + 1 :]]


def _double(items, place, other):
    return [*items[: place + 1], *items[place:]]


def _swap(items, place, other):
    items = list(items)
    items[place], items[other] = items[other], items[place]
    return items


@pytest.mark.parametrize("layout", DRIVEN)
@settings(max_examples=250, deadline=None, derandomize=True)
@given(data=st.data())
def test_both_readers_judge_a_damaged_row_alike(layout, data):
    row = with_stages(sample_row(layout), data.draw(damaged(layout)))
    assert (find_fault(render_sequence(row.stages), layout) is not None) == refuses(row)


def replaced(layout, role, old, new):
    """The stages of a row, with a text of one stage replaced."""
    stages = [(stage.role, stage.text) for stage in sample_row(layout).stages]
    place = [name for name, _ in stages].index(role)
    assert old in stages[place][1]
    stages[place] = (role, stages[place][1].replace(old, new, 1))
    return with_stages(sample_row(layout), stages)


@pytest.mark.parametrize(
    ("layout", "role", "old", "new"),
    [
        ("full-book", "book_preview", "The lamp", "The *lamp*"),
        ("full-book", "book_preview", "Winter", "Winter, cold"),
        ("full-book", "book_preview", "The Lamp", "The Lamp That Went Out And Was Not Lit"),
        ("full-book", "book_preview", "nobody", "nobody\u0250"),
        ("full-book", "book_plan", "* 41", "* 40"),
        ("full-book", "book_plan", "action: 1,", "action: 01,"),
        ("full-book", "book_plan", "pacing: 99", "pacing: 100"),
        ("full-book", "book_plan", "### Arc 2: Movement 2", "### Arc 2: Movement 3"),
        ("full-book", "book_plan", "- Chapter 2\n", "- Chapter 1\n"),
        ("full-book", "first_chapter_plan", "**Word Count:** 300", "**Word Count:** 320"),
        ("full-book", "first_chapter_plan", "#### Scene 2", "#### Scene 3"),
        ("full-book", "full_book_chapters_plan", "**Word Count:** 10", "**Word Count:** 20"),
        ("full-book", "full_book_chapters_plan", "romantic: 5", "romantic: 6"),
        ("full-book", "book_characters_list", "\n### Side Characters", "\n\n### Side Characters"),
        ("full-book", "scene_breakdown", "a lamp; the sea", "a lamp;the sea"),
        ("full-book", "scene_breakdown", "a lamp; the sea", "a lamp;  the sea"),
        ("full-book", "chapter_text", "### Chapter 2", "### Chapter 3"),
        ("full-book", "chapter_text", "noon", "noon \n"),
        ("full-book", "chapter_text", "noon", "noon\n```\n"),
        ("first-chapter", "book_plan", "## Story Arcs", "## Short Story Arcs"),
        ("first-chapter", "first_chapter_scene_breakdown", "### Chapter 1", "### Chapter One"),
        ("first-chapter", "first_chapter_plan", "### Chapter 1", "### Chapter One"),
        ("first-chapter", "first_chapter_text", "### Chapter 1", "### Chapter One"),
        ("first-chapter", "prompt", "Write", "<|eot_id|>Write"),
    ],
)
def test_both_readers_refuse_this(layout, role, old, new):
    row = replaced(layout, role, old, new)
    assert find_fault(render_sequence(row.stages), layout) is not None
    assert refuses(row)


# ---- what the runner allows ----


def test_the_limits_of_stages_are_the_same_in_both():
    assert {role: limit_stage("full-book", role) for role in STAGE_TOKENS} == STAGE_TOKENS
    assert limit_stage("first-chapter", "first_chapter_plan") == 2_500


def test_a_stage_over_its_tokens_is_found_out_by_both():
    row = sample_row("full-book")
    stages = [
        stage.model_copy(update={"num_tokens": 50_001 if stage.role == "book_plan" else 1}) for stage in row.stages
    ]
    assert check_limits("full-book", stages) == ["book_plan has 50001 tokens, 50000 allowed"]
    long = find_excess(render_sequence(row.stages), "full-book", lambda text: 50_001 if "## World" in text[:9] else 1)
    assert long == "book_plan: too many tokens"


def test_prose_that_the_runner_would_cut_is_found_out():
    row = replaced("full-book", "chapter_text", "noon", "noon " * 60 + "noon")
    assert find_fault(render_sequence(row.stages), "full-book") is None
    assert find_excess(render_sequence(row.stages), "full-book", len) == "chapter_text: the runner would cut its prose"


@settings(deadline=None)
@given(st.integers(0, 200_000))
def test_every_rounded_count_is_read_and_no_other(num_words):
    rounded = round_words(num_words)
    text = "### One\n**Word Count:** {}\n" + sample_row("first-chapter").stages[2].text.split("\n", 2)[2]
    assert parse_stage("first-chapter", "first_chapter_plan", text.format(rounded)).word_count == rounded
    if num_words != rounded:
        with pytest.raises(GrammarError):
            parse_stage("first-chapter", "first_chapter_plan", text.format(num_words))
