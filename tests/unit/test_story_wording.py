"""Lines of a file -> prompt, label and story, or a reason that names what was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BookError
from schemas.stories import RawBlock, RawStory
from tasks.read_stories import read_block
from tasks.stories.wording import read_pair, read_prompt, read_text


def raw(prompt="[ WP ] A lamp .", text="It burned .", story_id="s-000001"):
    return RawStory(story_id, None, prompt, text)


@pytest.mark.parametrize(
    ("line", "label", "prompt"),
    [
        ("[ WP ] You 're late .", "WP", "You're late."),
        ("[wp]You 're late .", "WP", "You're late."),
        ("[ Punch ] Go .", "PUNCH", "Go."),
        ("-LSB- EU -RSB- : A wand .", "EU", "A wand."),
        ("[ CW ] [ TT ] Salt .", "CW TT", "Salt."),
        ("A wand . [ IP ]", "IP", "A wand."),
        ("No tag here , [ sic ] .", "", "No tag here, [sic]."),
    ],
)
def test_the_tag_of_a_prompt_is_taken_off_and_kept(line, label, prompt):
    assert read_prompt(line, "tokenised") == (label, prompt)


def test_a_title_keeps_its_brackets_and_stands_on_one_line():
    assert read_prompt(" [WP]  A\n title ", "plain") == ("", "[WP] A title")


@pytest.mark.parametrize(
    ("pair", "reason", "detail"),
    [
        (raw(text=""), "empty-story", "the story has no word"),
        (raw(text=". . . <newline> "), "empty-story", "the story has no word: '...'"),
        (raw(prompt="[ WP ]"), "empty-prompt", "the prompt has no word: ''"),
        (raw(text="[ deleted ]"), "deleted", r"all of the story is '\[deleted\]'"),
        (raw(text="[removed]"), "deleted", r"all of the story is '\[removed\]'"),
        (raw(prompt="[ deleted by user ]"), "deleted", "all of the prompt is"),
        (raw(text="Go <|eot_id|> now"), "control-token", r"holds '<\|eot_id\|>'"),
        (raw(prompt="<|genre:x|> Go"), "control-token", "the prompt holds"),
        (raw(text="Caf\ufffd ."), "damaged-text", "1 places of the story are no UTF-8"),
    ],
)
def test_a_pair_that_cannot_be_used_is_told_with_what_was_found(pair, reason, detail):
    with pytest.raises(BookError, match=detail) as caught:
        read_pair(pair, "tokenised")
    assert (caught.value.book_id, caught.value.reason) == ("s-000001", reason)


def test_a_block_keeps_the_readable_and_counts_the_others():
    block = RawBlock(
        block_id="s-0001", source="s", form="tokenised", stories=(raw(), raw(text="", story_id="s-000002"))
    )
    read = read_block(block)
    assert [(story.story_id, story.label, story.text) for story in read.stories] == [("s-000001", "WP", "It burned.")]
    assert [(one.rejection.book_id, one.rejection.reason) for one in read.refused] == [("s-000002", "empty-story")]


@given(st.text(), st.sampled_from(["plain", "tokenised"]))
def test_a_text_that_was_read_has_no_white_space_at_the_end_of_any_line(text, form):
    read = read_text(text, form)
    assert all(line == line.rstrip() for line in read.split("\n"))
    assert "\n\n\n" not in read
    assert read == read.strip()
    assert read_text(read, "plain") == read
