"""The grammar: rendering, reading back, refusing, and the chat turns."""

import re

import pytest

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
from tasks.grammar.parser import parse_stage
from tasks.grammar.parts import TAG_WORD, TEXT_WORD, GrammarError
from tasks.grammar.render import render_stage, render_vector
from tasks.grammar.sequence import (
    round_words,
)
from tests.scaffolds import PREVIEW, VECTOR

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
    [(0, 10), (4, 10), (5, 10), (14, 10), (15, 20), (25, 20), (94, 90), (95, 100), (124, 100), (125, 100), (175, 200)],
)
def test_short_word_counts_are_rounded_half_to_even(num_words, rounded):
    assert round_words(num_words) == rounded


@pytest.mark.parametrize(
    ("num_words", "rounded"),
    [(974, 950), (999, 1_000), (1_050, 1_000), (1_150, 1_200), (9_949, 9_900), (10_250, 10_000), (10_750, 11_000)],
)
def test_long_word_counts_are_rounded_half_to_even(num_words, rounded):
    assert round_words(num_words) == rounded


def test_a_word_count_has_five_digits_at_most():
    assert round_words(250_000) == 99_500


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
        (
            "book_preview",
            _PREVIEW_TEXT.replace("The lamp went out, and nobody", "Nobody"),
            "54 words, 55 to 140 expected",
        ),
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
