"""Blocks -> rows: one pair a story, its example never itself, every row as the grammar wants it."""

from __future__ import annotations

import json
from itertools import product

from schemas.plans import Tag
from schemas.recipe_settings import StorySettings
from schemas.settings import ComposeSettings
from schemas.stories import BlockTags, BlockVerdict, Example, ExamplePool, Story, StoryBlock
from tasks.grammar.sequence import messages, parse_trajectory, stages_from_messages
from tasks.pair_stories import pair_block
from tasks.stories.examples import COPY_WORDS, Examples, choose_pool, place_in
from tasks.stories.likeness import key_text
from tests.fakes import WordTokenizer
from tests.unit.test_story_sides import words

SETTINGS = StorySettings(tag_dropout=0.5)
TAGS = (Tag("pov", "first"), Tag("length", "tiny"), Tag("dialogue", "none"), Tag("character", "Mara"))
TEXT = "The gate was open. Nobody came.\n\nThen it shut."


def story(story_id, prompt="A gate", text=TEXT):
    return Story(story_id=story_id, side=None, label="WP", prompt=prompt, text=text, source_sha256="0" * 64)


def pair(wishes, *stories, sides=("train",), settings=SETTINGS, compose=ComposeSettings()):  # noqa: B008
    block = StoryBlock(block_id="s-0001", source="s", stories=stories)
    given = dict(zip((one.story_id for one in stories), sides, strict=False))
    verdict = BlockVerdict(block_id="s-0001", sides=given)
    return pair_block(block, verdict, wishes, settings, compose=compose, trainee=WordTokenizer())


def tagged(*stories, **given):
    found = BlockTags(block_id="s-0001", tags={one.story_id: TAGS for one in stories}, tagger=None)
    return pair(found, *stories, **given)


def pool_of(*stories, seed=0):
    chosen = sorted(choose_pool([one.story_id for one in stories], seed), key=lambda name: place_in(name, seed))
    known = {one.story_id: one for one in stories}
    examples = (Example(name, key_text(known[name].prompt), known[name].prompt, known[name].text) for name in chosen)
    return ExamplePool(examples=tuple(examples))


def test_a_row_holds_the_prompt_as_context_and_the_story_as_target():
    found = tagged(story("s-1"), sides=("test",)).stories[0]
    row = found.row
    assert (row.trajectory_id, row.layout, row.split, row.trainable) == (
        "s-1:tagged-story",
        "tagged-story",
        "test",
        True,
    )
    header = "<|pov:first|><|length:tiny|><|dialogue:none|><|character:Mara|>"
    assert [(stage.role, stage.text, stage.loss) for stage in row.stages] == [
        ("prompt", f"{header}\nA gate", 0.0), ("story", TEXT, 1.0),
    ]  # fmt: skip
    assert (row.window, row.plan_tokens, row.prose_tokens) == (8_192, 0, WordTokenizer().count(TEXT))
    assert json.loads(row.provenance)["label"] == "WP"


def test_the_messages_of_a_pair_are_its_stages():
    row = tagged(story("s-1")).stories[0].row
    turns = messages(row.stages)
    assert [turn["role"] for turn in turns] == ["user", "assistant"]
    assert stages_from_messages(row.layout, turns) == [(stage.role, stage.text) for stage in row.stages]


def test_tags_are_dropped_in_training_alone_and_all_stay_in_the_table():
    stories = [story(f"s-{number}") for number in range(40)]
    shown = {side: tagged(*stories, sides=[side] * 40).stories for side in ("train", "test")}
    counts = {side: sum(one.row.stages[0].text.count("<|") for one in found) for side, found in shown.items()}
    assert counts["test"] == 160
    assert 50 < counts["train"] < 110
    assert all(one.tags == TAGS for one in shown["train"])


def test_the_loss_weight_is_that_of_prose():
    assert tagged(story("s-1"), compose=ComposeSettings(prose_loss=0.5)).stories[0].row.stages[1].loss == 0.5


def test_a_long_story_is_cut_at_a_sentence_and_noted():
    long = story("s-1", text=f"{words(1, 19)}. {words(2, 19).capitalize()}.")
    found = tagged(long, settings=StorySettings(max_words=30)).stories[0]
    assert found.row.stages[1].text == f"{words(1, 19)}."
    assert [(note.reason, note.detail) for note in found.notes] == [
        ("cut-story", "38 words, the first 19 are the target (stories.max_words: 30)")
    ]


def test_a_story_over_every_window_is_refused_with_its_tokens():
    found = tagged(story("s-1", text=words(1, 600)), compose=ComposeSettings(windows=(256,)))
    assert [(one.rejection.book_id, one.rejection.reason) for one in found.refused] == [("s-1", "over-window")]
    assert "at most 256 allowed (compose.windows)" in found.refused[0].rejection.detail


def test_an_example_is_another_story_of_another_title_without_a_phrase_of_the_target():
    texts = [words(number // 2, 40) for number in range(12)]  # every text twice
    stories = [story(f"s-{number}", f"Title {number % 5}", text) for number, text in enumerate(texts)]
    found = pair(pool_of(*stories), *stories, sides=["train"] * 12)
    for one in found.stories:
        plan = parse_trajectory(one.row).plans[0]
        assert plan.title == one.story.prompt != plan.example_title
        assert plan.example != one.story.text
        assert json.loads(one.row.provenance)["example"] != one.story.story_id
    assert len(found.stories) == 12


def test_no_run_of_eight_words_of_a_target_is_in_its_example():
    target = words(1, 40)
    shared = " ".join(target.split()[10 : 10 + COPY_WORDS])
    copying = [story(f"s-{number}", f"Title {number}", f"{words(number + 5)} {shared}") for number in range(5)]
    clean = story("s-9", "Clean", words(99))
    examples = Examples(pool_of(*copying, clean), 0)
    assert examples.draw("s-x", key_text("X"), target).story_id == "s-9"
    assert Examples(pool_of(*copying), 0).draw("s-x", key_text("X"), target) is None


def test_a_story_without_an_example_is_refused():
    alone = story("s-1")
    found = pair(pool_of(alone), alone)
    assert (found.stories, found.refused[0].rejection.reason) == ((), "no-example")
    assert "none of 1 stories of the train side" in found.refused[0].rejection.detail


def test_examples_depend_on_the_seed_and_growth_changes_few():
    stories = [story(f"s-{number}", f"Title {number}", words(number)) for number in range(60)]
    pools = {(number, seed): pool_of(*stories[:number], seed=seed) for number, seed in product((59, 60), (0, 1))}
    drawn = {
        key: [
            Examples(pool, key[1]).draw(one.story_id, key_text(one.prompt), one.text).story_id for one in stories[:59]
        ]
        for key, pool in pools.items()
    }
    assert drawn[59, 0] != drawn[59, 1]
    assert sum(one != other for one, other in zip(drawn[59, 0], drawn[60, 0], strict=True)) < 10
    assert len(set(drawn[59, 0])) > 15
