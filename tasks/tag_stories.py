"""StoryBlock -> BlockTags: what a reader could have asked for; genre and tone only where a model tells them."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.plans import Tag
from schemas.questions import TagInputs
from schemas.recipe_settings import StorySettings
from schemas.stories import BlockTags, BlockVerdict, Story, StoryBlock
from schemas.story_answers import TagsAnswer
from tasks.planning.ask import Node, make_request
from tasks.protocols import LLM, Failure, Request
from tasks.stories.tags import add_told, cut_story, measure_tags

CALL = "tags"


def tag_block(block: StoryBlock, verdict: BlockVerdict, settings: StorySettings, *, llm: LLM) -> BlockTags:
    """Measure the tags of the stories that are kept, and ask for the others in one batch.

    A model that only extracts is not asked: genre and tone would be guesses. A story without an accepted answer keeps
    what was measured, and is told.
    """
    stories = [story for story in block.stories if story.story_id in verdict.sides]
    targets = {story.story_id: story.text[: cut_story(story.text, settings.max_words)] for story in stories}
    tags = {story_id: measure_tags(text) for story_id, text in targets.items()}
    if not llm.trainable:
        return BlockTags(block_id=block.block_id, tags=tags, tagger=None)
    unanswered: dict[str, str] = {}
    requests = [_ask(block.block_id, story, targets[story.story_id]) for story in stories]
    for story, answer in zip(stories, llm.answer(requests), strict=True):
        if isinstance(answer, Failure):
            unanswered[story.story_id] = f"{answer.reason}: {answer.detail}"
            continue
        tags[story.story_id] = _join(tags[story.story_id], answer.samples, targets[story.story_id])
    tagger = llm.identity.split(" ")[0]
    return BlockTags(block_id=block.block_id, tags=tags, tagger=tagger, unanswered=unanswered)


def _ask(block_id: str, story: Story, text: str) -> Request:
    context = f"Wish:\n\n{story.prompt}\n\nStory:\n\n{text}"
    return make_request(CALL, Node(block_id, story.story_id), context, TagInputs(prompt=story.prompt, text=text))


def _join(measured: tuple[Tag, ...], samples: Sequence[object], text: str) -> tuple[Tag, ...]:
    told = samples[0]
    return add_told(measured, told, text) if isinstance(told, TagsAnswer) else measured
