"""The crowd of benchmarks/memory.py: its answers validate, its invented books are books."""

import time

import pytest

from benchmarks.waiting.books import gather_books
from benchmarks.waiting.sampling import Sampler
from benchmarks.waiting.server import write_answer
from schemas.answers import LEVELS

PARAGRAPHS = "\n\n".join(
    f"[{number}] The tide turned at noon and nobody came up the path {number}." for number in range(40)
)


@pytest.mark.parametrize("call", LEVELS)
def test_answers_follow_the_schema_and_the_question_alone(call):
    schema = LEVELS[call].model_json_schema()
    answer = write_answer(schema, PARAGRAPHS)
    assert LEVELS[call].model_validate(answer)
    assert write_answer(schema, PARAGRAPHS) == answer


def test_scenes_begin_with_paragraphs_of_the_question_and_every_listed_scene_is_rated():
    read = write_answer(LEVELS["read"].model_json_schema(), PARAGRAPHS)
    assert [scene["first_paragraph"] for scene in read["scenes"]] == [0, 8, 16, 24, 32]
    assert read["scenes"][1]["opening"] == "The tide turned at noon and nobody came up the"
    rate = write_answer(
        LEVELS["rate"].model_json_schema(), "- scene 3: paragraphs 1 to 4\n- scene 4: paragraphs 5 to 6"
    )
    assert [rating["scene"] for rating in rate["ratings"]] == [3, 4]


def test_without_the_reference_folder_every_book_is_invented(tmp_path):
    assert gather_books(tmp_path, tmp_path / "none", 2) == 0
    one, other = (path.read_text() for path in sorted(tmp_path.iterdir()))
    assert one != other
    assert 90_000 < len(one.split()) < 130_000


def test_a_sampler_sees_the_memory_of_its_process():
    with Sampler() as sampler:
        while not sampler.peaks:
            time.sleep(0.01)
    assert sampler.peaks["start"] > 10_000_000
    assert sampler.most_books == 0
