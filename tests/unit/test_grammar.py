"""The grammar: rendering, reading back, refusing, and the chat turns."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import (
    ArcPlan,
    BookPlan,
    ChapterEntry,
    ChapterPlan,
    ChaptersPlan,
    CharactersList,
    FirstChapterPlan,
    Named,
    OpeningPlan,
    Premise,
    Prose,
    SceneBreakdown,
    ScenePlan,
    StorySoFar,
)
from schemas.settings import ComposeSettings
from schemas.trajectories import Stage
from tasks.compose import compose_book
from tasks.grammar import (
    check_trajectory,
    messages,
    parse_trajectory,
    render_sequence,
    round_words,
    stages_from_messages,
)
from tasks.grammar_parser import parse_stage
from tasks.grammar_reader import TAG_WORD, TEXT_WORD, GrammarError
from tasks.grammar_render import render_stage, render_vector
from tests.fakes import WordTokenizer
from tests.scaffolds import PREVIEW, VECTOR, make_book, write_paragraphs

CHAPTER = ChapterPlan("One", 150, VECTOR, ("a lamp", "the sea"), ("It begins.",))
SCENE = ScenePlan("At the door", 20, VECTOR, ("a lamp",), "first person", ("She knocks.", "Nobody answers."))
ARCS = (
    ArcPlan(
        "Ebb", ("a",), ("b", "c"), ("d", "e", "f"), (ChapterEntry("One", VECTOR, 150), ChapterEntry("Two", VECTOR, 90))
    ),
    ArcPlan("Flood", ("g",), ("h",), ("i",), (ChapterEntry("Three", VECTOR, 99_500),)),
)
PEOPLE = (Named("Ada", ("Keeps the lamp.",)), Named("Marl", ("Rows.", "Lies.")))
BOOK_PLAN = BookPlan(("The lamp burns.",), ARCS, PEOPLE, ("Short.",))

STAGES = [
    ("full-book", "prompt", "Write about\n\na lamp."),
    ("full-book", "book_preview", PREVIEW),
    ("full-book", "book_plan", BOOK_PLAN),
    ("full-book", "first_chapter_plan", FirstChapterPlan(CHAPTER, (SCENE, SCENE))),
    ("full-book", "first_chapter_text", Prose("One", "The tide turned.\n\n  Indented verse,\nand more.")),
    ("full-book", "full_book_chapters_plan", ChaptersPlan((CHAPTER._replace(name="Two"), CHAPTER))),
    ("full-book", "book_characters_list", CharactersList(PEOPLE, PEOPLE[:1])),
    ("full-book", "scene_breakdown", SceneBreakdown("Two", (SCENE,) * 12)),
    ("first-chapter", "book_plan", OpeningPlan(PREVIEW, ("Rule.",), PEOPLE, PEOPLE, ("Short.",))),
    ("first-chapter", "first_chapter_plan", CHAPTER),
    ("chapter-window", "premise", Premise("The Lamp", "A line.", PEOPLE)),
    ("chapter-window", "premise", Premise("The Lamp", "", ())),
    ("chapter-window", "story_so_far", StorySoFar(PEOPLE)),
]


@pytest.mark.parametrize(("layout", "role", "plan"), STAGES)
def test_every_stage_reads_back_to_the_same_values(layout, role, plan):
    assert parse_stage(layout, role, render_stage(plan)) == plan


def test_a_chapter_block_is_letter_for_letter_the_grammar():
    assert render_stage(FirstChapterPlan(CHAPTER, (SCENE,))) == (
        "### One\n**Word Count:** 150\n"
        "**Embedding Space:** action: 1, dialog: 22, world_building: 3, exposition: 40, romantic: 5, erotic: 0, pacing: 99\n"
        "**Narrative Focuses:** a lamp; the sea\n**Chapter Summary:**\n- It begins.\n\n"
        "### Scene Breakdown\n#### Scene 1: At the door\n**Word Count:** 20\n"
        "**Embedding Space:** action: 1, dialog: 22, world_building: 3, exposition: 40, romantic: 5, erotic: 0, pacing: 99\n"
        "**Narrative Focus:** a lamp\n**Narrative Perspective:** first person\n**Scene Summary:**\n"
        "- She knocks.\n- Nobody answers."
    )


def test_a_book_plan_has_its_sections_in_order():
    text = render_stage(BOOK_PLAN)
    assert re.findall(r"(?m)^## (.*)$", text) == [
        "World Rules",
        "Short Story Arcs",
        "Character Archetypes",
        "Writing Style",
        "Medium Story Arcs",
        "Long Story Arcs",
        "Number of Chapters",
        "Chapter Names",
        "Chapters Embedding Space",
        "Chapters Word Count",
    ]
    assert (
        "## Number of Chapters\n### Arc 1: Ebb\n* 2\n\n### Arc 2: Flood\n* 1\n\n## Chapter Names\n### Arc 1: Ebb\n- One\n- Two"
        in text
    )
    assert text.endswith(
        f"#### Three\n{render_vector(VECTOR)}\n\n## Chapters Word Count\n### Arc 1: Ebb\n#### One\n150\n#### Two\n90\n\n### Arc 2: Flood\n#### Three\n99500"
    )


def test_prose_stands_between_fences_under_its_name():
    assert render_stage(Prose("One", "The tide turned.")) == "### One\n```\nThe tide turned.\n```"


def test_what_is_no_plan_is_not_rendered():
    with pytest.raises(TypeError, match="int is no stage"):
        render_stage(3)


@pytest.mark.parametrize(
    ("num_words", "rounded"),
    [(0, 10), (4, 10), (5, 10), (14, 10), (15, 20), (25, 20), (94, 90), (95, 100), (99, 100)]
    + [(124, 100), (125, 100), (175, 200), (974, 950), (999, 1000)]
    + [
        (1050, 1000),
        (1150, 1200),
        (9_949, 9_900),
        (10_249, 10_000),
        (10_250, 10_000),
        (10_750, 11_000),
        (250_000, 99_500),
    ],
)
def test_word_counts_are_rounded_half_to_even_in_the_steps_of_their_range(num_words, rounded):
    assert round_words(num_words) == rounded


@pytest.mark.parametrize(
    "word", ["a", "7th", "“Well,", "(the", "it's", "&", "—", "…", "rock’n’roll", "…and", "Œuvre", "'t", "7.5"]
)
def test_a_word_of_the_preview_is_taken(word):
    assert TEXT_WORD.fullmatch(word)


@pytest.mark.parametrize("word", ["", "*bold*", "100%", "_it_", "-", "''t", "(", "дом", "a b", "[x]", "€5"])
def test_no_word_of_the_preview_is_taken(word):
    assert not TEXT_WORD.fullmatch(word)


def test_a_tag_takes_fewer_marks_than_a_paragraph():
    assert TEXT_WORD.fullmatch("storm,")
    assert not TAG_WORD.fullmatch("storm,")


_PREVIEW_TEXT = render_stage(PREVIEW)
_PLAN_TEXT = render_stage(BOOK_PLAN)
_SCENES_TEXT = render_stage(SceneBreakdown("Two", (SCENE, SCENE)))
_MANY = "\n".join("- x" for _ in range(400))


@pytest.mark.parametrize(
    ("role", "text", "said"),
    [
        ("no_such_role", "x", "has no stage"),
        ("prompt", "", "empty"),
        ("prompt", "Write. ", "ends in white space"),
        ("prompt", "Write <|eot_id|> now.", "control token"),
        ("book_preview", _PREVIEW_TEXT.replace("The lamp went", "The *lamp* went"), "is no word"),
        ("book_preview", _PREVIEW_TEXT.replace("The lamp went out, ", ""), "words, 55 to 140 expected"),
        ("book_preview", _PREVIEW_TEXT.replace("The Lamp", "a b c d e f g h i"), "1 to 8 expected"),
        ("book_preview", _PREVIEW_TEXT.replace("- Winter\n", ""), "a seventh tag"),
        ("book_preview", _PREVIEW_TEXT.replace("Slow dread", "Slow, dread"), "is no word"),
        ("book_preview", _PREVIEW_TEXT + "\nMore.", "the end expected"),
        ("book_plan", _PLAN_TEXT.replace("- Short.", "Short."), "a bullet expected"),
        ("book_plan", _PLAN_TEXT.replace("- Short.", _MANY), "at most 40 allowed"),
        ("book_plan", _PLAN_TEXT.replace("- Short.", "- " + "x" * 301), "a bullet expected"),
        ("book_plan", _PLAN_TEXT.replace("Arc 2: Flood\n- g", "Arc 3: Flood\n- g"), "arc 3 after 1 arcs"),
        ("book_plan", _PLAN_TEXT.replace("Arc 2: Flood\n- g", "Arc 2: Surge\n- g"), "not the same in every section"),
        ("book_plan", _PLAN_TEXT.replace("* 2", "* 3"), "its chapters are not the same"),
        ("book_plan", _PLAN_TEXT.replace("* 2", "* 0"), r"\* n expected"),
        ("book_plan", _PLAN_TEXT.replace("#### Two\n90", "#### One\n90"), "a second chapter"),
        ("book_plan", _PLAN_TEXT.replace("#### Two\n90", "#### Six\n90"), "its chapters are not the same"),
        ("book_plan", _PLAN_TEXT.replace("#### Two\n90", "#### Two\n9"), "2 to 5 digits expected"),
        ("book_plan", _PLAN_TEXT.replace("pacing: 99", "pacing: 100", 1), "a vector expected"),
        ("book_plan", _PLAN_TEXT.replace("## Medium", "\n## Medium"), "expected"),
        ("first_chapter_plan", "### One\n**Word Count:** 7", "Word Count"),
        ("scene_breakdown", _SCENES_TEXT.replace("Scene 2", "Scene 3"), "scene 3 after 1 scenes"),
        ("scene_breakdown", _SCENES_TEXT.replace("Focus:** a lamp", "Focus:** a lamp ;b", 1), "Narrative Focus"),
        (
            "scene_breakdown",
            _SCENES_TEXT.replace("Focus:** a lamp", "Focus:** " + "; ".join("abcdefgh"), 1),
            "Narrative Focus",
        ),
        ("scene_breakdown", _SCENES_TEXT.replace("first person", "x" * 201, 1), "Narrative Perspective"),
        ("scene_breakdown", "### One\n" + _SCENES_TEXT.replace("At the door", "x" * 121), "expected"),
        ("book_characters_list", "### Main Characters\n#### Ada\n- Keeps.", "'### Side Characters' expected"),
        ("chapter_text", "### One\nThe tide.\n```", "'```' expected"),
        ("chapter_text", "### One\n```\n```", "no prose"),
        ("chapter_text", "### One\n```\nThe tide.\n```\nMore.\n```", "the end expected"),
        ("chapter_text", "### One\n```\nThe tide.\n```text\nMore.\n```", "'```' expected"),
        ("chapter_text", "### One\n```\nThe tide. \n```", "ends in white space"),
        ("premise", "## Book Title\nThe Lamp\n\n## Main Characters", "a heading with a name expected, the end found"),
    ],
)
def test_a_stage_outside_the_grammar_is_refused_with_the_reason(role, text, said):
    with pytest.raises(GrammarError, match=said):
        parse_stage("full-book", role, text)


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
    assert problems == ["7:first-chapter: 'Chapter 1' has 300 words, 450 planned"]


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
    assert stages_from_messages(messages(stages)) == list(zip(roles, texts, strict=True))
