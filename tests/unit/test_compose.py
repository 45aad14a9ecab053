"""compose_book: rows, ids, losses, provenance; real books; any scaffold at all."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.scaffold import Bullet, Character
from schemas.settings import ComposeSettings
from tasks.compose import LAYOUTS
from tasks.composing.divide import partition_evenly
from tasks.composing.text import clean_scaffold
from tasks.grammar.sequence import check_trajectory, messages, stages_from_messages
from tests.compositions import SMALL, TWO_CHAPTERS, compose, prose_spans, refusals, rows_of
from tests.fakes import WordTokenizer
from tests.gold import MISSING, REASON, TEXTS, load_gold
from tests.scaffolds import make_book, write_paragraphs

needs_shared = pytest.mark.skipif(MISSING, reason=REASON)


def test_a_book_gets_a_row_in_every_layout_under_its_own_id():
    composed = compose(*make_book(TWO_CHAPTERS), ComposeSettings(windows=(8_192, 1_000_000)))
    ids = [row.trajectory_id for row in composed.rows]
    assert ids == ["7:full-book", "7:first-chapter", "7:chapter-window-8k:0001", "7:chapter-window-1000000:0001"]
    assert composed.refused == ()
    assert composed.notes == ()


def test_only_the_layouts_of_the_settings_are_made():
    composed = compose(*make_book(TWO_CHAPTERS), ComposeSettings(layouts=("first-chapter",)))
    assert [row.layout for row in composed.rows] == ["first-chapter"]
    assert set(LAYOUTS) == {"full-book", "first-chapter", "chapter-window"}


def test_roles_of_a_full_book_are_in_their_order():
    (row,) = rows_of(compose(*make_book(TWO_CHAPTERS)), "full-book")
    assert [stage.role for stage in row.stages] == [
        "prompt",
        "book_preview",
        "book_plan",
        "first_chapter_plan",
        "first_chapter_text",
        "full_book_chapters_plan",
        "book_characters_list",
        "scene_breakdown",
        "chapter_text",
    ]


def test_losses_are_those_of_the_settings_and_context_has_none():
    composed = compose(*make_book(TWO_CHAPTERS), SMALL.model_copy(update={"plan_loss": 0.5, "prose_loss": 0.25}))
    losses = {stage.role: stage.loss for row in composed.rows for stage in row.stages}
    assert {role for role, loss in losses.items() if loss == 0} == {
        "prompt",
        "premise",
        "story_so_far",
        "previous_text",
    } & set(losses)
    assert losses["book_plan"] == losses["scene_breakdown"] == 0.5
    assert losses["chapter_text"] == losses["first_chapter_text"] == 0.25


def test_provenance_and_trainable_are_those_of_the_scaffold():
    book, scaffold = make_book(TWO_CHAPTERS)
    row = compose(book, scaffold.model_copy(update={"trainable": False, "summarizer": "a-model"})).rows[0]
    assert row.trainable is False
    assert row.source_sha256 == book.source_sha256
    facts = json.loads(row.provenance)
    assert facts["summarizer"] == "a-model"
    assert facts["source_sha256"] == book.source_sha256
    assert set(facts) >= {"text_sha256", "scaffold_sha256", "trainee_tokenizer", "layout_version"}


def test_composing_twice_gives_equal_rows():
    assert compose(*make_book(TWO_CHAPTERS)) == compose(*make_book(TWO_CHAPTERS))


_NASTY = st.sampled_from(
    [
        "<|eot_id|>",
        "```",
        "## World Rules",
        "- x",
        "### Arc 1: y",
        "a;b",
        " ",
        "\n",
        "*",
        "\u2028",
        "\x00",
        "</premise>",
        "I",
    ]
)
_LINE = st.one_of(_NASTY, st.text(min_size=1, max_size=40), st.lists(_NASTY, min_size=1, max_size=20).map(" ".join))
_PARAGRAPH = st.integers(1, 300).map(lambda num_words: write_paragraphs(num_words, 1_000)[0])
_CHAPTERS = st.lists(
    st.lists(st.lists(_PARAGRAPH, min_size=1, max_size=5), min_size=1, max_size=14), min_size=1, max_size=5
)


@st.composite
def books(draw):
    """A book of any shape whose plans hold anything."""
    book, scaffold = make_book(draw(_CHAPTERS))
    sound = draw(st.booleans())

    def line(most):
        return ("x" * sound + draw(_LINE))[:most]

    def bullets(*_):
        return tuple(line(300) for _ in range(draw(st.integers(1, 3))))

    def rested():
        return tuple(Bullet(text=text, paragraphs=(draw(st.integers(0, 9)),)) for text in bullets())

    chapters = [
        chapter.model_copy(
            update={
                "name": line(120),
                "quarantined": draw(st.integers(0, 4)) == 4,
                "bullets": rested(),
                "scenes": tuple(
                    scene.model_copy(
                        update={
                            "title": line(120),
                            "perspective": line(200),
                            "focuses": (line(65),),
                            "bullets": rested(),
                        }
                    )
                    for scene in chapter.scenes
                ),
            }
        )
        for chapter in scaffold.chapters
    ]
    people = {
        side: tuple(Character(name=line(120), bullets=bullets()) for _ in range(draw(st.integers(int(sound), 2))))
        for side in ("main_characters", "side_characters")
    }
    arcs = tuple(arc.model_copy(update={"name": line(120), "short": bullets()}) for arc in scaffold.arcs)
    changes = {"chapters": tuple(chapters), "arcs": arcs, "world_rules": bullets(), **people}
    return book, scaffold.model_copy(update=changes)


@settings(max_examples=60, deadline=None)
@given(books())
def test_any_scaffold_gives_rows_that_read_back_and_tile_the_chapters_with_a_plan(book_and_scaffold):
    book, scaffold = book_and_scaffold
    composed = compose(book, scaffold)
    empty = clean_scaffold(scaffold)[1].chapters
    told = [chapter for chapter in scaffold.chapters if not chapter.quarantined and chapter.number not in empty]
    assert ("chapter-window" in refusals(composed)) == (not told)
    for row in composed.rows:
        assert check_trajectory(row, book.text, WordTokenizer()) == []
        assert stages_from_messages(row.layout, messages(row.stages)) == [
            (stage.role, stage.text) for stage in row.stages
        ]
    spans = prose_spans(rows_of(composed, "chapter-window"))
    whole = "".join(book.text[chapter.start : chapter.end] for chapter in told)
    assert "".join("".join(book.text[start:end] for start, end in spans).split()) == "".join(whole.split())


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=12), num_groups=st.integers(1, 15))
def test_a_partition_keeps_every_item_in_order_and_no_run_empty(sizes, num_groups):
    groups = partition_evenly(list(range(len(sizes))), sizes, num_groups)
    assert [item for group in groups for item in group] == list(range(len(sizes)))
    assert all(groups)
    assert len(groups) == min(num_groups, len(sizes))


@needs_shared
@pytest.mark.parametrize("book_id", TEXTS)
def test_reference_scaffolds_compose_into_rows_of_real_books(book_id):
    book, scaffold = load_gold(book_id)
    composed = compose(book, scaffold, ComposeSettings())
    reasons = {layout: reason for layout, (reason, _) in refusals(composed).items()}
    assert reasons == ({"full-book": "one-chapter"} if book_id == "1952" else {})
    assert all(check_trajectory(row, book.text, WordTokenizer()) == [] for row in composed.rows)
    for window in ComposeSettings().windows:
        rung = [row for row in rows_of(composed, "chapter-window") if row.window == window]
        words = sum(len(book.text[start:end].split()) for start, end in prose_spans(rung))
        assert words == sum(chapter.num_words for chapter in scaffold.chapters)
        total, plans = sum(row.num_tokens for row in rung), sum(row.plan_tokens for row in rung)
        assert total <= 1.5 * WordTokenizer().count(book.text) + plans
