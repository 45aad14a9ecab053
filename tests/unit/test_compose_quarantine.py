"""compose_book where the model gave no accepted answer: what is refused, what is made without it."""

import re

import pytest

from schemas.scaffold import NOT_STATED, Bullet, UserPrompt
from schemas.settings import ComposeSettings
from tasks.grammar.sequence import check_trajectory, parse_trajectory, round_words
from tests.compositions import (
    SMALL,
    TWO_CHAPTERS,
    change_chapter,
    compose,
    lose,
    prose_spans,
    quarantine,
    refusals,
    rows_of,
)
from tests.fakes import WordTokenizer
from tests.scaffolds import PREVIEW, make_book, write_paragraphs

BOOK_CALLS = ("prompts", "preview", "world", "style", "arcs", "people")


def write_book(num_chapters=12):
    return make_book([[write_paragraphs(200), write_paragraphs(200)] for _ in range(num_chapters)])


def texts_of(rows, *roles):
    return [stage.text for row in rows for stage in row.stages if stage.role in roles]


def test_a_quarantined_chapter_refuses_the_whole_book_and_names_its_node():
    book, scaffold = write_book()
    assert refusals(compose(book, quarantine(scaffold, 3, 5))) == {
        "full-book": ("quarantined", "no accepted answer for chapter 3, window 1 (read), chapter 5, window 1 (read)")
    }


def test_a_first_chapter_without_a_plan_refuses_both_layouts_of_the_runner():
    book, scaffold = write_book()
    assert set(refusals(compose(book, quarantine(scaffold, 1)))) == {"full-book", "first-chapter"}


@pytest.mark.parametrize("call", BOOK_CALLS)
def test_a_book_without_one_of_its_plans_has_windows_at_most(call):
    book, scaffold = make_book(TWO_CHAPTERS)
    composed = compose(book, lose(scaffold, call))
    refused = refusals(composed)
    assert {refused[layout] for layout in ("full-book", "first-chapter")} == {
        ("quarantined", f"no accepted answer for book ({call})")
    }
    assert {row.layout for row in composed.rows} == {"chapter-window"}


def test_a_window_without_a_prompt_of_its_book_asks_for_a_book_of_its_length():
    book, scaffold = make_book(TWO_CHAPTERS)
    composed = compose(book, lose(scaffold, "prompts"))
    prompts = {row.stages[0].text for row in composed.rows}
    assert prompts == {f"Write a novel of about {round_words(scaffold.num_words)} words in 2 chapters."}
    assert "measured-prompt" in [note.reason for note in composed.notes]


def test_a_part_without_a_summary_is_missed_by_no_layout():
    book, scaffold = make_book(TWO_CHAPTERS)
    assert refusals(compose(book, lose(scaffold, "parts"))) == {}


def test_every_other_chapter_is_a_target_once_and_the_rows_go_on_after_the_gap():
    book, scaffold = write_book()
    rows = rows_of(compose(book, quarantine(scaffold, 1, 6, 7, 12)), "chapter-window")
    assert [number for row in rows for number in row.targets] == [2, 3, 4, 5, 8, 9, 10, 11]
    kept = [scaffold.chapters[number - 1] for number in (2, 3, 4, 5, 8, 9, 10, 11)]
    assert prose_spans(rows) == [(chapter.start, chapter.end) for chapter in kept]


def test_a_run_of_targets_ends_at_a_gap():
    book, scaffold = write_book()
    rows = rows_of(
        compose(book, quarantine(scaffold, 6), ComposeSettings(windows=(65_536,), layouts=("chapter-window",))),
        "chapter-window",
    )
    assert [row.targets for row in rows] == [(1, 2, 3, 4, 5), (7, 8, 9, 10, 11, 12)]


def test_the_text_before_may_be_that_of_a_quarantined_chapter_but_nothing_is_told_of_it():
    book, scaffold = write_book()
    rows = rows_of(compose(book, quarantine(scaffold, 1, 6)), "chapter-window")
    after = next(row for row in rows if row.targets[0] == 7)
    tail = next(stage for stage in after.stages if stage.role == "previous_text")
    assert tail.end == scaffold.chapters[5].end
    told = "\n".join(texts_of(rows, "story_so_far"))
    assert "### Chapter 5\n" in told
    assert "### Chapter 6\n" not in told
    first = rows[0]
    assert (first.targets[0], [stage.role for stage in first.stages[:3]]) == (2, ["prompt", "premise", "previous_text"])


def test_an_arc_of_quarantined_chapters_is_not_told():
    book, scaffold = write_book(60)
    told = texts_of(rows_of(compose(book, scaffold), "chapter-window"), "story_so_far")
    assert any("### Movement 1" in text for text in told)
    untold = texts_of(rows_of(compose(book, quarantine(scaffold, *range(1, 41))), "chapter-window"), "story_so_far")
    assert untold
    assert not any("### Movement 1" in text for text in untold)


def test_no_placeholder_reaches_a_row():
    book, scaffold = write_book()
    scaffold = quarantine(scaffold, 2, 12)
    for call in ("preview", "world", "style", "arcs", "people"):
        scaffold = lose(scaffold, call)
    rows = compose(book, scaffold).rows
    assert rows
    assert not [stage.role for row in rows for stage in row.stages if NOT_STATED in stage.text]
    assert parse_trajectory(rows[0]).plans[1] == ("The Lamp", "", ())


@pytest.mark.parametrize(
    ("mark", "rest"),
    [
        ("- ", "(not stated)"),
        ("#### Scene 1: ", "(not stated)"),
        ("**Narrative Perspective:** ", "(not stated)"),
        ("**Narrative Focus:** ", "a lamp; (not stated); the sea"),
    ],
)
def test_a_row_with_a_placeholder_is_outside_the_grammar(mark, rest):
    book, scaffold = make_book(TWO_CHAPTERS)
    row = rows_of(compose(book, scaffold), "chapter-window")[0]
    line = re.compile(rf"(?m)^{re.escape(mark)}.*$")
    stages = [
        stage.model_copy(update={"text": line.sub(mark + rest, stage.text, count=1)})
        if stage.role == "scene_breakdown"
        else stage
        for stage in row.stages
    ]
    problems = check_trajectory(row.model_copy(update={"stages": tuple(stages)}), book.text)
    assert set(problems) == {"scene_breakdown holds a line '(not stated)'"}


def test_prose_and_bullets_may_say_that_something_is_not_stated():
    book, scaffold = make_book([[["(not stated)"]], [write_paragraphs(300)]])
    bullets = (Bullet(text="Ada leaves for a town (not stated)"),)
    composed = compose(book, change_chapter(scaffold, 0, bullets=bullets))
    assert composed.refused == ()
    assert all(check_trajectory(row, book.text, WordTokenizer()) == [] for row in composed.rows)


def test_a_placeholder_that_is_not_marked_counts_as_nothing_said():
    book, scaffold = make_book(TWO_CHAPTERS)
    composed = compose(book, change_chapter(scaffold, 1, bullets=(Bullet(text=f"- {NOT_STATED}"),)))
    assert refusals(composed)["full-book"][0] == "empty-plan-text"
    assert [row.targets for row in rows_of(composed, "chapter-window")] == [(1,)]
    prompts = (UserPrompt(style="terse", text=NOT_STATED),)
    composed = compose(book, scaffold.model_copy(update={"prompts": prompts}))
    assert "chapter-window" not in refusals(composed)
    assert all(NOT_STATED not in row.stages[0].text for row in rows_of(composed, "chapter-window"))


def test_a_book_of_quarantined_chapters_fits_no_layout_for_that_reason():
    book, scaffold = make_book(TWO_CHAPTERS)
    composed = compose(book, quarantine(scaffold, 1, 2), SMALL)
    assert composed.rows == ()
    assert {reason for reason, _ in refusals(composed).values()} == {"quarantined"}


def test_a_chapter_marked_without_a_node_is_named_by_its_number():
    book, scaffold = make_book(TWO_CHAPTERS)
    composed = compose(book, change_chapter(scaffold, 1, quarantined=True))
    assert refusals(composed)["full-book"] == ("quarantined", "no accepted answer for chapter 2")
    assert PREVIEW.highlight in texts_of(rows_of(composed, "first-chapter"), "book_plan")[0]
