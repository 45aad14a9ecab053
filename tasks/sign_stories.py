"""StoryBlock -> BlockSigns: what stands for each story when all are compared."""

from __future__ import annotations

from schemas.stories import BlockSigns, StoryBlock
from tasks.stories.likeness import sign_story


def sign_block(block: StoryBlock) -> BlockSigns:
    """Return the signs of a block's stories."""
    return BlockSigns(signs=tuple(sign_story(story) for story in block.stories))
