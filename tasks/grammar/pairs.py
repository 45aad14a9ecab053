"""Prompt of a pair -> what it says: tags and a prompt, or an example and a title; for `tasks.grammar.parser`."""

from __future__ import annotations

import re

from schemas.plans import Tag, TaggedPrompt, TitlePrompt
from tasks.grammar.parts import GrammarError, StageReader

TAG_KEYS = ("genre", "tone", "pov", "length", "dialogue", "character")  # in this order; only characters may be several
REPEATED = "character"
MAX_TAG_CHARS = 160  # a name of 80, a comma, and who it is in 65

# what looks like a control token of any model: neither prompts nor stories hold one, so a header is told from a prompt
CONTROL_LIKE = re.compile(r"<\|[^|\n]*\|>")
_HEADER = re.compile(r"(?:<\|[a-z]+:[^|\n]+\|>)+")
_TAG = re.compile(r"<\|([a-z]+):([^|\n]+)\|>")
_VALUE = re.compile(r"[^\s|<>](?:[^|<>\n\t]*[^\s|<>])?")
_TITLES = re.compile(r"(?s)Title: ([^\n]+)\n\nStory: (.+)\n\nTitle: ([^\n]+)\n\nStory:")


def is_tag_value(value: str) -> bool:
    """Tell whether a tag may have this value: one line, no bars or angles, no white space at its ends."""
    return len(value) <= MAX_TAG_CHARS and _VALUE.fullmatch(value) is not None


def parse_tagged_prompt(reader: StageReader) -> TaggedPrompt:
    """Read tags and prompt back."""
    tags: tuple[Tag, ...] = ()
    if reader.sees(_HEADER):
        tags = tuple(Tag(*found) for found in _TAG.findall(reader.match(_HEADER, "a line of tags")[0]))
    places = [TAG_KEYS.index(tag.key) if tag.key in TAG_KEYS else -1 for tag in tags]
    if -1 in places:
        raise GrammarError(f"line 1: no tag is called {tags[places.index(-1)].key!r}")
    if places != sorted(places):
        raise GrammarError("line 1: the tags are out of order")
    if len({tag.key for tag in tags if tag.key != REPEATED}) != sum(tag.key != REPEATED for tag in tags):
        raise GrammarError("line 1: a tag stands twice")
    for tag in tags:
        if not is_tag_value(tag.value):
            raise GrammarError(f"line 1: {tag.value[:40]!r} is no value of a tag")
    prompt = "\n".join(reader.lines[reader.at :])
    if not prompt or CONTROL_LIKE.search(prompt):
        raise reader.fail("a prompt without control tokens")
    reader.at = len(reader.lines)
    return TaggedPrompt(tags, prompt)


def parse_title_prompt(reader: StageReader) -> TitlePrompt:
    """Read example and title back; the last title is the one to write for."""
    found = _TITLES.fullmatch("\n".join(reader.lines))
    if found is None:
        raise reader.fail("Title, Story, Title, Story")
    reader.at = len(reader.lines)
    return TitlePrompt(*found.groups())
