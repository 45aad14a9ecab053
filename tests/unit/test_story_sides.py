"""Stories -> sides, duplicates, and what is too like a story on another side."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.recipe_settings import StorySettings
from schemas.stories import BlockSigns, Story
from tasks.judge_stories import Rules, judge_stories
from tasks.stories.likeness import sign_story
from tasks.stories.sides import side_prompts, side_titles

VOCABULARY = [f"{a}{b}{c}" for a in ("ka", "lo", "mir", "ten") for b in ("a", "o", "u") for c in ("n", "s", "l", "r")]
TITLES = [f"title {number}" for number in range(751)]


def words(seed, number=60):
    return " ".join(random.Random(seed).choices(VOCABULARY, k=number))


def sign(story_id, prompt, text, side=None):
    return sign_story(Story(story_id=story_id, side=side, prompt=prompt, text=text, source_sha256=f"sha-{story_id}"))


def judge(*signs, recipe="tagged-story", known=(), taken=(), **settings):
    rules = Rules(recipe, StorySettings(**settings), 0.1, frozenset(taken))
    blocks = {f"b-{number:04d}": BlockSigns(signs=(one,)) for number, one in enumerate(signs)}
    verdicts = judge_stories(sorted(blocks), blocks.__getitem__, known, rules)
    sides = {name: side for one in verdicts for name, side in one.sides.items()}
    return sides, {name: why for one in verdicts for name, why in one.rejected.items()}


def test_the_sides_have_the_numbers_of_the_settings_where_their_sum_is_that_of_the_titles():
    sides = side_titles(dict.fromkeys(TITLES, 1), (450, 151, 150), seed=0)
    assert Counter(sides.values()) == {"train": 450, "validation": 151, "test": 150}


@given(st.integers(1, 60), st.integers(0, 3))
def test_numbers_are_proportions_where_there_are_fewer_titles(number, seed):
    found = Counter(side_titles(dict.fromkeys(TITLES[:number], 1), (450, 151, 150), seed).values())
    for side, share in zip(("train", "validation", "test"), (450, 151, 150), strict=True):
        assert abs(found[side] - share / 751 * number) <= 1


def test_by_shares_growth_moves_no_title():
    few = side_titles(dict.fromkeys(TITLES[:300], 1), (0.6, 0.2, 0.2), seed=0)
    many = side_titles(dict.fromkeys(TITLES, 1), (0.6, 0.2, 0.2), seed=0)
    assert {title: many[title] for title in few} == few
    assert abs(Counter(many.values())["train"] / 751 - 0.6) < 0.05


def test_another_seed_makes_other_sides():
    one, other = (side_titles(dict.fromkeys(TITLES, 1), (450, 151, 150), seed) for seed in (0, 1))
    assert one != other


@pytest.mark.parametrize("split", [(0, 1, 1), (1, -1, 0)])
def test_a_split_without_training_or_below_nothing_is_refused(split):
    with pytest.raises(ValidationError, match="train needs more than 0"):
        StorySettings(split=split)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([None, "train", "validation", "test"]))))
def test_a_prompt_of_several_files_goes_to_the_side_furthest_from_training(told):
    sides = side_prompts(told, 0.1, 0)
    order = (None, "train", "validation", "test")
    for prompt, side in sides.items():
        named = max((order.index(one) for name, one in told if name == prompt), default=0)
        assert side == order[named] if named else side in order


def test_equal_prompts_are_on_one_side_whatever_file_they_came_from():
    signs = (sign("s-1", "The gate opens!", words(1), "train"), sign("s-2", "the gate opens", words(2), "validation"))
    assert judge(*signs) == ({"s-1": "validation", "s-2": "validation"}, {})


def test_a_story_that_is_there_already_is_refused_and_the_held_out_one_stays():
    text = words(1)
    sides, refused = judge(
        sign("s-1", "A", text, "train"), sign("s-2", "B", text.upper() + "!", "test"), sign("s-3", "A", text, "train")
    )
    assert sides == {"s-2": "test"}
    assert {name: (why.reason, why.detail) for name, why in refused.items()} == dict.fromkeys(
        ("s-1", "s-3"), ("duplicate", "the same story as s-2, which stays")
    )


def test_a_near_duplicate_of_a_held_out_story_is_refused_with_both_ids():
    text = words(1, 300)
    near = text.replace(text.split()[150], "gate", 1)
    sides, refused = judge(sign("s-1", "A", near, "train"), sign("s-2", "B", text, "test"), sign("s-3", "C", words(9)))
    assert set(sides) == {"s-2", "s-3"}
    assert refused["s-1"].reason == "near-duplicate-across-sides"
    assert "of s-2 on the side test; less than 70% allowed (stories.max_likeness)" in refused["s-1"].detail


def test_a_near_duplicate_of_a_held_out_prompt_is_refused():
    prompt = words(3, 40)
    sides, refused = judge(
        sign("s-1", f"{prompt} again", words(1), "train"), sign("s-2", prompt, words(2), "validation")
    )
    assert (sides, list(refused)) == ({"s-2": "validation"}, ["s-1"])
    assert "its prompt is" in refused["s-1"].detail


def test_near_duplicates_on_one_side_stay():
    text = words(1, 300)
    sides, refused = judge(sign("s-1", "A", text, "train"), sign("s-2", "B", f"{text} gate", "train"))
    assert (sides, refused) == ({"s-1": "train", "s-2": "train"}, {})


def test_stories_that_the_data_set_holds_stay_and_decide():
    text = words(1, 300)
    known = [sign("old-1", "A", text, "train"), sign("old-2", "Gate", words(2), "test")]
    sides, refused = judge(
        sign("s-1", "B", text, "test"), sign("s-2", "C", f"{text} gate", "test"), sign("s-3", "gate", words(4), "train"),
        known=known,
    )  # fmt: skip
    assert sides == {"s-3": "test"}
    assert {name: why.reason for name, why in refused.items()} == {
        "s-1": "duplicate", "s-2": "near-duplicate-across-sides",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["s-1", "b-0000", "sha-s-1"])
def test_a_takedown_names_a_story_by_id_block_or_hash(name):
    sides, refused = judge(sign("s-1", "A", words(1), "train"), sign("s-2", "B", words(2), "train"), taken=[name])
    assert (sides, refused["s-1"].reason) == ({"s-2": "train"}, "takedown")
