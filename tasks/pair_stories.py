"""StoryBlock + verdict + tags or examples -> PairedBlock: a prompt and its story a row, read back before it counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import NamedTuple

from schemas.books import Rejection
from schemas.errors import BookError
from schemas.plans import Passage, Tag, TaggedPrompt, TitlePrompt
from schemas.recipe_settings import StorySettings
from schemas.settings import ComposeSettings
from schemas.stories import (
    BlockTags,
    BlockVerdict,
    Example,
    ExamplePool,
    PairedBlock,
    PairedStory,
    RefusedStory,
    Side,
    Story,
    StoryBlock,
)
from schemas.trajectories import Refusal, Stage, Trajectory
from tasks.grammar.render import render_stage
from tasks.grammar.sequence import check_trajectory, count_stage, parse_trajectory, sum_tokens
from tasks.protocols import Tokenizer
from tasks.stories.examples import COPY_WORDS, Examples
from tasks.stories.likeness import key_text
from tasks.stories.tags import cut_story, drop_tags, order_tags

LAYOUT_VERSION = 1  # raised when a reader of the rows would have to change
STAGE = "compose"


class _Wish(NamedTuple):
    """What a story's prompt says, where it comes from, and all tags that the story has."""

    layout: str
    plan: TaggedPrompt | TitlePrompt
    told: dict[str, str | None]
    tags: tuple[Tag, ...] = ()


Wisher = Callable[[Story, Side, str], _Wish]  # of a story, its side, and the text that is the target


class _Desk(NamedTuple):
    """What the rows of a block are made with."""

    source: str
    settings: StorySettings
    compose: ComposeSettings
    trainee: Tokenizer


def pair_block(
    block: StoryBlock,
    verdict: BlockVerdict,
    wishes: BlockTags | ExamplePool,
    settings: StorySettings,
    *,
    compose: ComposeSettings,
    trainee: Tokenizer,
) -> PairedBlock:
    """Return the rows of a block's stories, and why others have none.

    Args:
        block: the stories.
        verdict: sides, and who is refused.
        wishes: tags, for rows of `tagged-story`; or stories to draw examples from, for `title-to-story`.
        settings: of the recipe.
        compose: weights and windows.
        trainee: whose tokens are counted.
    """
    desk = _Desk(block.source, settings, compose, trainee)
    wish = _wish_by_tags(wishes, settings) if isinstance(wishes, BlockTags) else _wish_by_title(wishes, settings)
    unanswered = wishes.unanswered if isinstance(wishes, BlockTags) else {}
    paired: list[PairedStory] = []
    refused = list(block.refused)
    for story in block.stories:
        rejection = verdict.rejected.get(story.story_id)
        if rejection is None:
            try:
                paired.append(_pair(story, verdict.sides[story.story_id], wish, desk, unanswered.get(story.story_id)))
                continue
            except BookError as error:
                rejection = Rejection(book_id=story.story_id, stage=STAGE, reason=error.reason, detail=error.detail)
        refused.append(RefusedStory(rejection=rejection, title=story.prompt))
    return PairedBlock(block_id=block.block_id, stories=tuple(paired), refused=tuple(refused))


def _wish_by_tags(found: BlockTags, settings: StorySettings) -> Wisher:
    def wish(story: Story, side: Side, target: str) -> _Wish:
        tags = order_tags(found.tags[story.story_id])
        shown = drop_tags(tags, story.story_id, settings.tag_dropout, settings.seed) if side == "train" else tags
        plan = TaggedPrompt(shown, story.prompt)
        return _Wish("tagged-story", plan, {"label": story.label or None, "tagger": found.tagger}, tags)

    return wish


def _wish_by_title(pool: ExamplePool, settings: StorySettings) -> Wisher:
    examples = Examples(pool, settings.seed)

    def wish(story: Story, side: Side, target: str) -> _Wish:
        example: Example | None = examples.draw(story.story_id, key_text(story.prompt), target)
        if example is None:
            found = f"{len(pool.examples)} stories of the train side"
            detail = f"none of {found} has another title and no run of {COPY_WORDS} words of this one"
            raise BookError(story.story_id, "no-example", detail)
        return _Wish(
            "title-to-story", TitlePrompt(example.title, example.text, story.prompt), {"example": example.story_id}
        )

    return wish


def _pair(story: Story, side: Side, wish: Wisher, desk: _Desk, untold: str | None) -> PairedStory:
    """Return a story with its row.

    Raises:
        BookError: `no-example`, `over-window`; or the row says something else when it is read back.
    """
    end = cut_story(story.text, desk.settings.max_words)
    target = story.text[:end]
    wished = wish(story, side, target)
    row = _build_row(story, side, target, wished, desk)
    problems = check_trajectory(row, story.text)
    if not problems and parse_trajectory(row).plans != (wished.plan, Passage(target)):
        problems = ["read back, it is not what was written"]
    if problems:
        raise BookError(story.story_id, "row-outside-grammar", f"{row.trajectory_id}: {'; '.join(problems[:3])}")
    notes = [Refusal(layout=row.layout, reason="no-answer", detail=untold)] if untold else []
    if end < len(story.text):
        notes.append(_note_cut(story, end, row.layout, desk))
    return PairedStory(story=story, tags=wished.tags, row=row, notes=tuple(notes))


def _note_cut(story: Story, end: int, layout: str, desk: _Desk) -> Refusal:
    """Return that a story is longer than its target."""
    num_words, num_kept = len(story.text.split()), len(story.text[:end].split())
    detail = f"{num_words} words, the first {num_kept} are the target (stories.max_words: {desk.settings.max_words})"
    return Refusal(layout=layout, reason="cut-story", detail=detail)


def _build_row(story: Story, side: Side, target: str, wished: _Wish, desk: _Desk) -> Trajectory:
    prompt, count = render_stage(wished.plan), desk.trainee.count
    stages = (
        Stage(role="prompt", text=prompt, loss=0.0, num_tokens=count(prompt)),
        Stage(
            role="story",
            text=target,
            loss=desk.compose.prose_loss,
            num_tokens=count(target),
            start=0,
            end=len(target),
        ),
    )
    num_tokens = sum(count_stage(stage.role, stage.text, desk.trainee) for stage in stages)
    return Trajectory(
        trajectory_id=f"{story.story_id}:{wished.layout}",
        book_id=story.story_id,
        layout=wished.layout,
        window=_find_window(story.story_id, num_tokens, desk.compose),
        targets=(1,),
        split=side,
        trainable=True,  # people wrote the story, and no plan quotes it
        stages=stages,
        num_tokens=num_tokens,
        plan_tokens=sum_tokens(stages, prose=False),
        prose_tokens=sum_tokens(stages, prose=True),
        source_sha256=story.source_sha256,
        provenance=_describe(story, wished, desk),
    )


def _find_window(story_id: str, num_tokens: int, compose: ComposeSettings) -> int:
    """Return the smallest rung that holds a row."""
    fitting = [window for window in compose.windows if window >= num_tokens]
    if not fitting:
        detail = f"{num_tokens} tokens, at most {max(compose.windows)} allowed (compose.windows)"
        raise BookError(story_id, "over-window", detail)
    return min(fitting)


def _describe(story: Story, wished: _Wish, desk: _Desk) -> str:
    """Return where a row comes from, as a JSON object."""
    facts = {
        "source": desk.source,
        "source_sha256": story.source_sha256,
        "text_sha256": hashlib.sha256(story.text.encode()).hexdigest(),
        "trainee_tokenizer": desk.trainee.identity,
        "layout_version": LAYOUT_VERSION,
        "seed": desk.settings.seed,
        **wished.told,
    }
    return json.dumps(facts, sort_keys=True, ensure_ascii=False)
