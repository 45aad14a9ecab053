"""Windows of a long chapter are joined without a seam."""

from __future__ import annotations

from schemas.answers import BulletAnswer
from tests.fakes import FakeLLM, build_book
from tests.scripted import ANSWERS, PARAGRAPHS, scene, script, summarize

LONG = [f"{sentence} {'The mill went round and round. ' * 10}" for sentence in PARAGRAPHS]


def read(window, continues=True, num_bullets=1):
    """An answer on a window of one scene whose statements name the window."""
    told = tuple(BulletAnswer(text=f"Step {window}.{step}.", paragraphs=(window,)) for step in range(num_bullets))
    one = scene(window, LONG[window % 4][:40], f"Scene of {window}").model_copy(
        update={"bullets": told[:8], "focuses": (f"Focus {window}",)}
    )
    update = {"continues": continues, "scenes": (one,), "bullets": told}
    return ANSWERS["read"].model_copy(update=update)


def plan(book, **options):
    def answer(request):
        if request.call != "read":
            return script(request)
        return read(request.inputs.paragraphs[0].number, **options)

    return summarize(book, FakeLLM(answer), window_tokens=200)


def test_a_scene_that_crosses_borders_is_one_with_the_statements_of_all_windows_in_order():
    book = build_book([LONG])
    chapter = plan(book).chapters[0]
    (whole,) = chapter.scenes
    starts = [bullet.paragraphs[0] for bullet in whole.bullets]
    assert len(starts) > 1
    assert starts == sorted(starts)
    assert book.text[whole.start : whole.end] == book.text[chapter.start : chapter.end]
    assert whole.title == "Scene of 0"
    assert whole.focuses[:2] == ("Focus 0", f"Focus {starts[1]}")


def test_where_the_next_window_begins_a_scene_there_are_two():
    chapter = plan(build_book([LONG]), continues=False).chapters[0]
    assert len(chapter.scenes) > 1
    assert [part.title for part in chapter.scenes] == [f"Scene of {part.first_paragraph}" for part in chapter.scenes]


def test_a_scene_that_the_author_marked_begins_whatever_the_model_says():
    chapter = plan(build_book([LONG[:2], LONG[2:]])).chapters[0]
    assert 2 in [part.first_paragraph for part in chapter.scenes]


def test_a_paragraph_that_was_cut_never_begins_a_second_scene():
    overlong = [" ".join(LONG)]
    chapter = plan(build_book([overlong]), continues=False).chapters[0]
    assert len(chapter.scenes) == 1


def test_too_many_statements_are_thinned_evenly_and_keep_their_order():
    book = build_book([LONG * 4])
    chapter = plan(book, num_bullets=16).chapters[0]
    windows = [int(bullet.text.split()[1].split(".")[0]) for bullet in chapter.bullets]
    assert len(chapter.bullets) == 80
    assert windows == sorted(windows)
    assert windows[-1] > 12
    (whole,) = chapter.scenes
    assert len(whole.bullets) == 20
    assert whole.bullets[-1].text == f"Step {windows[-1]}.7."


def test_people_of_several_windows_are_listed_once():
    llm = FakeLLM(script)
    summarize(build_book([LONG]), llm, window_tokens=200)
    (people,) = llm.asked("people")
    assert [digest.name for digest in people.inputs.people] == ["Anna Reed"]
    assert people.context.count("Anna Reed (also Anna)") == 1
