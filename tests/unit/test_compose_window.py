"""chapter-window: every rung tiles the book, within its tokens."""

import pytest

from schemas.scaffold import Preview, UserPrompt
from schemas.settings import ComposeSettings
from tasks.grammar.sequence import parse_trajectory
from tests.compositions import TWO_CHAPTERS, compose, prose_spans, refusals, rows_of
from tests.fakes import WordTokenizer
from tests.scaffolds import PREVIEW, make_book, write_paragraphs


def write_book(num_chapters=40, num_words=400, scenes=2):
    return make_book([[write_paragraphs(num_words // scenes)] * scenes for _ in range(num_chapters)])


def test_a_rung_tiles_the_book_with_every_chapter_a_target_once():
    book, scaffold = write_book()
    rows = rows_of(compose(book, scaffold), "chapter-window")
    assert prose_spans(rows) == [(chapter.start, chapter.end) for chapter in scaffold.chapters]
    assert [number for row in rows for number in row.targets] == list(range(1, 41))
    assert [row.trajectory_id for row in rows[:2]] == ["7:chapter-window-2k:0001", "7:chapter-window-2k:0002"]


def test_only_the_first_sample_has_nothing_before_it():
    rows = rows_of(compose(*write_book()), "chapter-window")
    assert [stage.role for stage in rows[0].stages[:3]] == ["prompt", "premise", "scene_breakdown"]
    for row in rows[1:]:
        assert [stage.role for stage in row.stages[:4]] == ["prompt", "premise", "story_so_far", "previous_text"]


def test_prompts_rotate_over_the_samples():
    rows = rows_of(compose(*write_book()), "chapter-window")
    assert [row.stages[0].text for row in rows[:3]] == [
        "Write about a lamp.",
        "<|genre:gothic|>\nTwo sisters keep a lamp.",
        "Write about a lamp.",
    ]


def test_the_tail_ends_where_the_targets_begin_and_is_a_tenth_of_the_window_at_most():
    book, scaffold = write_book()
    for row in rows_of(compose(book, scaffold), "chapter-window")[1:]:
        tail = next(stage for stage in row.stages if stage.role == "previous_text")
        first = scaffold.chapters[row.targets[0] - 1]
        assert (tail.end, tail.loss) == (scaffold.chapters[row.targets[0] - 2].end, 0)
        assert tail.num_tokens <= 204
        assert tail.start is not None
        assert book.text[: tail.start].endswith("\n\n")
        assert tail.end is not None
        assert tail.end < first.start


def test_the_story_so_far_tells_finished_arcs_and_the_nearest_chapters_fullest():
    book, scaffold = write_book(num_chapters=60)
    last = rows_of(compose(book, scaffold), "chapter-window")[-1]
    first = last.targets[0]
    story = next(
        plan
        for plan, role in zip(parse_trajectory(last).plans, [s.role for s in last.stages], strict=True)
        if role == "story_so_far"
    )
    names = [entry.name for entry in story.entries]
    assert names[0] == "Movement 1"
    assert names[-1] == f"Chapter {first - 1}"
    assert f"Chapter {first}" not in names
    assert len(story.entries[-1].bullets) > len(story.entries[1].bullets)


@pytest.mark.parametrize("window", [2_048, 4_096, 8_192, 32_768])
@pytest.mark.parametrize(("num_chapters", "num_words"), [(40, 400), (12, 1_100), (300, 60), (9, 2_600), (25, 900)])
def test_a_rung_holds_at_most_one_and_a_half_times_the_book_plus_its_plans(window, num_chapters, num_words):
    book, scaffold = write_book(num_chapters, num_words)
    rows = rows_of(
        compose(book, scaffold, ComposeSettings(windows=(window,), layouts=("chapter-window",))), "chapter-window"
    )
    total, plans = sum(row.num_tokens for row in rows), sum(row.plan_tokens for row in rows)
    assert total <= 1.5 * WordTokenizer().count(book.text) + plans
    assert max(row.num_tokens for row in rows) <= window


def test_a_sample_takes_as_many_chapters_as_fit():
    rows = rows_of(
        compose(*write_book(num_chapters=30, num_words=200), ComposeSettings(windows=(8_192,))), "chapter-window"
    )
    assert all(row.num_tokens > 0.8 * row.window for row in rows[:-1])


def test_a_scene_of_sixty_percent_of_the_window_is_whole_and_a_longer_one_is_divided():
    words = 1_040  # 1,223 tokens with their full stops; 60 % of 2,048 is 1,228
    book, scaffold = make_book([[write_paragraphs(words)], [write_paragraphs(words + 20)], [write_paragraphs(30)]])
    composed = compose(book, scaffold, ComposeSettings(windows=(2_048,), layouts=("chapter-window",)))
    spans = prose_spans(rows_of(composed, "chapter-window"))
    assert spans[0] == (scaffold.chapters[0].start, scaffold.chapters[0].end)
    assert len(spans) == 4
    assert {note.detail for note in composed.notes} == {"chapter 2: 1 scenes between paragraphs", "chapter 2: 2 parts"}


def test_a_paragraph_over_the_window_is_divided_between_sentences():
    book, scaffold = make_book([[write_paragraphs(3_995, paragraph_words=3_995)], [write_paragraphs(30)]])
    rows = rows_of(compose(book, scaffold), "chapter-window")
    spans = prose_spans(rows)
    assert len(spans) > 3
    assert all(book.text[end - 1] == "." for _, end in spans[:-1])
    assert {stage.role for row in rows[1:] for stage in row.stages} >= {"previous_text"}


def test_a_sentence_over_the_window_is_divided_between_words():
    book, scaffold = make_book([[["word " * 3_000 + "end."]]])
    rows = rows_of(compose(book, scaffold), "chapter-window")
    assert "".join(book.text[start:end] for start, end in prose_spans(rows)).count("word") == 3_000


def test_a_word_over_the_window_is_refused():
    composed = compose(*make_book([[["." * 3_000]], [write_paragraphs(30)]]))
    assert refusals(composed)["chapter-window"][0] == "no-border"
    assert rows_of(composed, "full-book")


def test_a_window_without_room_is_refused_and_the_other_rungs_stand():
    composed = compose(*make_book(TWO_CHAPTERS), ComposeSettings(windows=(100, 2_048)))
    assert refusals(composed)["chapter-window"][0] == "window-too-small"
    assert {row.window for row in rows_of(composed, "chapter-window")} == {2_048}
    assert not [note for note in composed.notes if note.layout == "chapter-window-100"]


def test_a_long_prompt_and_a_long_premise_are_shortened_to_their_budget():
    book, scaffold = write_book()
    prompts = (UserPrompt(style="normal", text="Write at length.\n" * 200),)
    preview = Preview(highlight="Word " * 3_000, title="A title " * 200, tags=PREVIEW.tags, archetype=PREVIEW.archetype)
    rows = rows_of(
        compose(book, scaffold.model_copy(update={"prompts": prompts, "preview": preview})), "chapter-window"
    )
    assert rows[0].stages[0].text.startswith("Write at length.\nWrite at length.")
    assert all(stage.num_tokens <= 64 for row in rows for stage in row.stages[:2])


def test_an_empty_prompt_gives_way_to_the_measured_length():
    book, scaffold = make_book(TWO_CHAPTERS)
    composed = compose(book, scaffold.model_copy(update={"prompts": (UserPrompt(style="terse", text=" \n"),)}))
    assert {row.layout for row in composed.rows} == {"chapter-window"}
    assert all(row.stages[0].text.startswith("Write a novel of about ") for row in composed.rows)
