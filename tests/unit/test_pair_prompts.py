"""Prompts of the pairs: what is written is read back to the same values, and what is no prompt is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import Tag, TaggedPrompt, TitlePrompt
from tasks.grammar.pairs import CONTROL_LIKE, TAG_KEYS, is_tag_value
from tasks.grammar.parser import parse_stage
from tasks.grammar.parts import GrammarError
from tasks.grammar.render import render_stage
from tasks.stories.tags import order_tags
from tasks.stories.wording import read_text

values = st.text(min_size=1, max_size=60).map(lambda text: " ".join(text.split())).filter(is_tag_value)
single = st.builds(Tag, st.sampled_from(TAG_KEYS[:-1]), values)
tags = st.tuples(
    st.lists(single, unique_by=lambda tag: tag.key), st.lists(st.builds(Tag, st.just("character"), values), max_size=3)
).map(lambda both: order_tags([*both[0], *both[1]]))
prose = (
    st.text(min_size=1)
    .map(lambda text: read_text(text, "plain"))
    .filter(lambda text: text and not CONTROL_LIKE.search(text))
)
titles = prose.map(lambda text: " ".join(text.split())).filter(bool)


@given(tags, prose)
def test_tags_and_prompt_come_back(shown, prompt):
    plan = TaggedPrompt(shown, prompt)
    assert parse_stage("tagged-story", "prompt", render_stage(plan)) == plan


@given(titles, prose, titles)
def test_example_and_title_come_back(example_title, example, title):
    plan = TitlePrompt(example_title, example, title)
    assert parse_stage("title-to-story", "prompt", render_stage(plan)) == plan


def test_an_example_that_looks_like_the_template_still_comes_back():
    plan = TitlePrompt("Title: A", "One.\n\nTitle: B\n\nStory: two.\n\nTitle: C\n\nStory:", "Title: D")
    assert parse_stage("title-to-story", "prompt", render_stage(plan)) == plan


def test_the_tags_stand_on_one_line_above_the_prompt():
    plan = TaggedPrompt((Tag("genre", "mystery"), Tag("character", "Ada, a retired pilot")), "A gate opens.")
    assert render_stage(plan) == "<|genre:mystery|><|character:Ada, a retired pilot|>\nA gate opens."
    assert render_stage(TaggedPrompt((), "A gate opens.")) == "A gate opens."


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<|mood:wry|>\nGo.", "no tag is called 'mood'"),
        ("<|tone:wry|><|genre:farce|>\nGo.", "the tags are out of order"),
        ("<|tone:wry|><|tone:dry|>\nGo.", "a tag stands twice"),
        ("<|tone: wry|>\nGo.", "' wry' is no value of a tag"),
        ("<|tone:wry|>", "a prompt without control tokens expected, the end found"),
        ("Go.\n<|tone:wry|>", "a prompt without control tokens expected"),
    ],
)
def test_a_header_that_is_none_is_refused(text, problem):
    with pytest.raises(GrammarError, match=problem):
        parse_stage("tagged-story", "prompt", text)


@pytest.mark.parametrize("text", ["Title: A\n\nStory: B", "Title: A\n\nStory: B\n\nTitle: C\n\nStory: D", "Story: B"])
def test_a_title_prompt_ends_where_the_story_is_to_begin(text):
    with pytest.raises(GrammarError, match="Title, Story, Title, Story expected"):
        parse_stage("title-to-story", "prompt", text)
