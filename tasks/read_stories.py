"""RawBlock -> StoryBlock: each pair as text that the grammar can hold, or why it cannot be used."""

from __future__ import annotations

import hashlib

from schemas.books import Rejection
from schemas.errors import BookError
from schemas.stories import RawBlock, RefusedStory, Story, StoryBlock
from tasks.stories.wording import read_pair

MAX_TITLE = 200  # characters of an unreadable story's prompt that the table of rejected ones shows


def read_block(block: RawBlock) -> StoryBlock:
    """Return the stories of a block as text; those that cannot be read are told with their reasons."""
    stories: list[Story] = []
    refused: list[RefusedStory] = []
    for raw in block.stories:
        try:
            label, prompt, text = read_pair(raw, block.form)
        except BookError as error:
            rejection = Rejection(book_id=raw.story_id, stage="read", reason=error.reason, detail=error.detail)
            refused.append(RefusedStory(rejection=rejection, title=raw.prompt[:MAX_TITLE].strip()))
            continue
        sha256 = hashlib.sha256(f"{raw.prompt}\n{raw.text}".encode()).hexdigest()
        stories.append(
            Story(story_id=raw.story_id, side=raw.side, label=label, prompt=prompt, text=text, source_sha256=sha256)
        )
    return StoryBlock(block_id=block.block_id, source=block.source, stories=tuple(stories), refused=tuple(refused))
