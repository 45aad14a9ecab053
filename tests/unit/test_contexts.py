"""What calls are shown never passes the window of the model that a server has."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from schemas.errors import ConfigError
from schemas.settings import ChunkSettings, SummarizeSettings
from tasks.opening import fit_chunk, fit_context, measure_room
from tests.fakes import FakeLLM, WordTokenizer, build_book
from tests.scripted import ANSWERS, PARAGRAPHS, scene, script, summarize

READER = WordTokenizer()


def test_without_a_window_the_settings_hold():
    engine = SimpleNamespace(max_model_len=None)
    assert fit_context(SummarizeSettings(), engine, READER) == SummarizeSettings()
    assert fit_chunk(ChunkSettings(), engine, READER) == ChunkSettings()


def test_a_small_window_leaves_room_for_the_longest_question_beside_text_and_context():
    engine = SimpleNamespace(max_model_len=8_192)
    beside, room = measure_room(8_192, READER)
    assert fit_context(SummarizeSettings(), engine, READER).context_tokens == min(8_000, room) < 8_000
    assert fit_chunk(ChunkSettings(), engine, READER).window_tokens == min(6_000, room)
    assert beside + room <= 8_192


def test_a_large_window_leaves_the_settings_as_they_are():
    engine = SimpleNamespace(max_model_len=131_072)
    assert fit_context(SummarizeSettings(), engine, READER).context_tokens == 8_000


def test_a_window_without_room_for_any_text_is_an_error():
    with pytest.raises(ConfigError, match="too small"):
        fit_chunk(ChunkSettings(), SimpleNamespace(max_model_len=2_048), READER)


def test_a_window_of_more_scenes_than_an_answer_holds_is_rated_all_the_same():
    book = build_book(*[[[sentence] for sentence in PARAGRAPHS * 12]])
    read = ANSWERS["read"].model_copy(update={"scenes": (scene(0, PARAGRAPHS[0]),)})
    llm = FakeLLM(lambda request: read if request.call == "read" else script(request))
    chapter = summarize(book, llm, window_tokens=4_000).chapters[0]
    (rating,) = llm.asked("rate")
    assert len(rating.inputs.scenes) == 40
    assert len(chapter.scenes) == 48
    assert chapter.scenes[-1].vector.action == 40
