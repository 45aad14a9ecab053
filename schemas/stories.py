"""RawBlock -> StoryBlock -> BlockSigns -> BlockVerdict -> BlockTags -> PairedBlock: stories in their blocks.

A block is up to a thousand stories, put together by hashes of their prompts. In the accounts it is what a book is,
and its stories are the works in it; a work store with a file a story would have hundreds of thousands of files.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from schemas.books import Rejection
from schemas.plans import Tag
from schemas.trajectories import Refusal, Trajectory
from schemas.value import Value

Side = Literal["train", "validation", "test"]
Form = Literal["tokenised", "plain"]  # Penn Treebank tokens with <newline>, or text as people write it


class RawStory(NamedTuple):
    """A pair as its file has it; `side` is the one that the file's name tells, if it does."""

    story_id: str
    side: Side | None
    prompt: str
    text: str


class RawBlock(Value):
    """Pairs of one block, in the order of their files."""

    block_id: str
    source: str = Field(description="name of the folder or file that they come from")
    form: Form
    stories: tuple[RawStory, ...]


class Gathered(Value):
    """Where the blocks of a source lie in the work store."""

    blocks: dict[str, str] = Field(description="block -> key of its RawBlock")


class Story(Value):
    """A story that can be read: NFC, no white space at the ends of lines, no control tokens."""

    story_id: str
    side: Side | None
    label: str = Field(default="", description="kind of prompt as its forum marks it: 'WP', or 'CW PI' of several")
    prompt: str = Field(description="or title")
    text: str
    source_sha256: str = Field(description="of the two lines as they lie in their files")


class RefusedStory(Value):
    """A story that did not make it."""

    rejection: Rejection
    title: str


class StoryBlock(Value):
    """The stories of a block that can be read, and the others."""

    block_id: str
    source: str
    stories: tuple[Story, ...]
    refused: tuple[RefusedStory, ...] = ()


class Sign(Value):
    """What stands for a story when all are compared."""

    story_id: str
    side: Side | None = Field(description="of its file, or, in a data set, the one that it is on")
    prompt_key: str = Field(description="hash of the normalised prompt: equal prompts are on one side")
    text_key: str = Field(description="hash of the normalised story")
    source_sha256: str
    prompt_minhash: bytes = Field(description="little-endian uint32, one a permutation; empty of a short text")
    text_minhash: bytes


class BlockSigns(Value):
    """The signs of a block's stories."""

    signs: tuple[Sign, ...]


class BlockVerdict(Value):
    """What was found out about the stories of a block beside all others: sides, duplicates, takedowns."""

    block_id: str
    sides: dict[str, Side] = Field(description="story -> side, of those that are kept")
    rejected: dict[str, Rejection] = Field(default_factory=dict)


class Judged(Value):
    """Where the verdicts of a build's blocks lie, and the pool of examples, if the recipe has one."""

    verdicts: dict[str, str] = Field(description="block -> key of its BlockVerdict")
    pools: tuple[str, ...] = ()


class BlockTags(Value):
    """What a reader could have asked for, of every story that is kept."""

    block_id: str
    tags: dict[str, tuple[Tag, ...]]
    tagger: str | None = Field(description="the model that told genre and tone; null: nobody was asked")
    unanswered: dict[str, str] = Field(default_factory=dict, description="story -> why no answer about it was accepted")


class Example(NamedTuple):
    """A story of the train side that may stand in a prompt."""

    story_id: str
    prompt_key: str
    title: str
    text: str


class ExamplePool(Value):
    """Stories that examples are drawn from, in the order of their seeded hashes."""

    examples: tuple[Example, ...]


class PairedStory(Value):
    """A story that is out, with its row."""

    story: Story
    tags: tuple[Tag, ...] = ()
    row: Trajectory
    notes: tuple[Refusal, ...] = Field(default=(), description="a story that was cut, an answer that is missing")


class PairedBlock(Value):
    """What came of a block."""

    block_id: str
    stories: tuple[PairedStory, ...]
    refused: tuple[RefusedStory, ...] = ()
