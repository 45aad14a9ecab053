"""What a reader could have wished of a story: measured, told by a model, left out by a seeded hash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import Tag
from schemas.settings import StorySettings
from schemas.stories import BlockVerdict, Story, StoryBlock
from schemas.story_answers import CastAnswer, TagsAnswer
from tasks.protocols import Answer, Failure
from tasks.stories.tags import add_told, cut_story, drop_tags, measure_tags
from tasks.stories.wording import read_text
from tasks.tag_stories import tag_block

FIRST = 'I went down to the mill. "You are late," Mara said. I knew it. My boots were wet, and Mara was angry.'
TAGS = tuple(Tag("character", f"Person {number}") for number in range(400))


def values(tags):
    return {tag.key: tag.value for tag in tags}


def test_pov_length_dialogue_and_names_are_measured_on_the_text():
    assert measure_tags(FIRST) == (
        Tag("pov", "first"), Tag("length", "tiny"), Tag("dialogue", "some"), Tag("character", "Mara"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "pov"),
    [
        ('Tomas shut the gate. "I saw you," he said, "and I told my mother."', "third"),
        ("You shut the gate. Your hands are cold, and you hear the dog before you see it.", "second"),
        ("We shut the gate and my brother hid the key.", "first"),
    ],
)
def test_speech_does_not_decide_who_tells_a_story(text, pov):
    assert values(measure_tags(text))["pov"] == pov


@pytest.mark.parametrize(("num_words", "length"), [(149, "tiny"), (150, "short"), (400, "medium"), (800, "long")])
def test_lengths_are_bands_of_words(num_words, length):
    assert values(measure_tags("word " * num_words))["length"] == length


def test_a_swapped_attribute_moves_its_tag_and_no_other():
    third = FIRST.replace("I ", "He ").replace("My ", "His ")
    before, after = measure_tags(FIRST), measure_tags(third)
    assert [one.key for one, other in zip(before, after, strict=True) if one != other] == ["pov"]


def test_told_characters_count_where_the_story_names_them():
    told = TagsAnswer(
        genre="Mystery.",
        tone="wry | dry",
        characters=(CastAnswer(name="Mara", role="a miller"), CastAnswer(name="Zeno", role="nobody here")),
    )
    tags = add_told(measure_tags(FIRST), told, FIRST)
    assert tags[:2] == (Tag("genre", "mystery"), Tag("tone", "wry dry"))
    assert [tag.value for tag in tags if tag.key == "character"] == ["Mara, a miller"]


@given(st.floats(0.0, 1.0), st.integers(0, 5))
def test_dropout_leaves_out_the_share_that_was_asked_for_and_always_the_same_tags(share, seed):
    shown = drop_tags(TAGS, "s-000001", share, seed)
    assert abs(len(shown) / len(TAGS) - (1 - share)) < 0.12
    assert shown == drop_tags(TAGS, "s-000001", share, seed)
    assert set(drop_tags(TAGS, "s-000001", min(1.0, share + 0.1), seed)) <= set(shown)


def test_another_seed_drops_other_tags():
    assert drop_tags(TAGS, "s-000001", 0.5, 0) != drop_tags(TAGS, "s-000001", 0.5, 1)


@given(st.lists(st.sampled_from(["One two.", "Three four five!", "six", '"Seven," he said.', "\n\n"]), max_size=40))
def test_a_cut_story_ends_with_a_sentence_or_paragraph_within_its_words(parts):
    text = read_text(" ".join(parts), "plain")
    end = cut_story(text, 20)
    assert text.startswith(text[:end])
    assert len(text[:end].split()) <= 20
    if len(text.split()) <= 20:
        assert end == len(text)
    elif any(mark in " ".join(text.split()[:19]) for mark in (". ", "! ")):
        assert text[:end][-1] in '.!"' or text[end : end + 1] == "\n"


class _Model:
    """A model that tells every story's genre, but refuses those it is told to."""

    identity, trainable = "oracle@1 t=0", True

    def __init__(self, refused=()):
        self.refused, self.asked = refused, []

    def answer(self, requests):
        self.asked += requests
        told = TagsAnswer(genre="farce", tone="dry", characters=())
        return [
            Failure("no-json", "it said nothing") if request.node in self.refused else Answer((told,))
            for request in requests
        ]


class _Extractor(_Model):
    trainable = False


def block_of(*ids):
    stories = tuple(Story(story_id=one, side=None, prompt="A gate", text=FIRST, source_sha256="0") for one in ids)
    return StoryBlock(block_id="s-0001", source="s", stories=stories)


def test_one_call_a_story_that_is_kept_asks_for_genre_and_tone():
    model = _Model(refused=("s-2",))
    verdict = BlockVerdict(block_id="s-0001", sides={"s-1": "train", "s-2": "test"})
    found = tag_block(block_of("s-1", "s-2", "s-3"), verdict, StorySettings(), llm=model)
    assert [request.node for request in model.asked] == ["s-1", "s-2"]
    assert FIRST in model.asked[0].messages[1]["content"]
    assert values(found.tags["s-1"])["genre"] == "farce"
    assert "genre" not in values(found.tags["s-2"])
    assert (found.tagger, found.unanswered) == ("oracle@1", {"s-2": "no-json: it said nothing"})


def test_a_model_that_extracts_is_not_asked_and_nothing_is_invented():
    model = _Extractor()
    verdict = BlockVerdict(block_id="s-0001", sides={"s-1": "train"})
    found = tag_block(block_of("s-1"), verdict, StorySettings(), llm=model)
    assert (model.asked, found.tagger) == ([], None)
    assert {"genre", "tone"}.isdisjoint(values(found.tags["s-1"]))
