"""Signs of all stories -> BlockVerdicts: sides, and who is a duplicate or too like a story on another side.

A duplicate is refused wherever it stands: the first by side (test, validation, train) and id stays. Of two stories that
are alike on two sides, the one nearer to training is refused, so that no side of evaluation shrinks for growth.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.books import Rejection
from schemas.recipe_settings import StorySettings
from schemas.stories import BlockSigns, BlockVerdict, Side, Sign
from tasks.stories.likeness import Index
from tasks.stories.sides import SIDES, side_prompts, side_titles
from tasks.takedown import find_taken, refuse_taken

STAGE = "duplicates"


class Rules(NamedTuple):
    """What decides about stories beside themselves."""

    recipe: str
    settings: StorySettings
    held_out_share: float
    taken: frozenset[str]


class _Told(NamedTuple):
    """What is kept in memory of each story."""

    story_id: str
    block_id: str
    side: Side | None
    prompt_key: str
    text_key: str


def judge_stories(
    blocks: Sequence[str], load: Callable[[str], BlockSigns], known: Sequence[Sign], rules: Rules
) -> list[BlockVerdict]:
    """Return what is found out about the stories of every block.

    Args:
        blocks: ids of this run's blocks.
        load: returns the signs of one; it is called several times, so that one block is in memory at a time.
        known: stories that the data set holds of other sources, with their sides: these stay as they are.
        rules: settings, and what may not be held.
    """
    rejected: dict[str, Rejection] = {}
    kept: list[_Told] = []
    for block_id in blocks:
        for sign in load(block_id).signs:
            name = find_taken((sign.story_id, block_id, sign.source_sha256), rules.taken)
            if name is not None:
                rejected[sign.story_id] = refuse_taken(sign.story_id, name)
            else:
                kept.append(_Told(sign.story_id, block_id, sign.side, sign.prompt_key, sign.text_key))
    rejected |= _refuse_copies(kept, known)
    kept = [told for told in kept if told.story_id not in rejected]
    sides = _divide(kept, known, rules)
    rejected |= _refuse_twins(blocks, load, known, rules, {told.story_id: sides[told.prompt_key] for told in kept})
    return _by_block(blocks, load, kept, sides, rejected)


def _refuse_copies(stories: Sequence[_Told], known: Sequence[Sign]) -> Iterator[tuple[str, Rejection]]:
    """Yield every story whose text is there already."""
    first = {sign.text_key: sign.story_id for sign in known}

    def rank(told: _Told) -> tuple[int, str]:
        return -SIDES.index(told.side or "train"), told.story_id

    for told in sorted(stories, key=rank):
        original = first.setdefault(told.text_key, told.story_id)
        if original != told.story_id:
            detail = f"the same story as {original}, which stays"
            yield told.story_id, Rejection(book_id=told.story_id, stage=STAGE, reason="duplicate", detail=detail)


def _divide(kept: Sequence[_Told], known: Sequence[Sign], rules: Rules) -> dict[str, Side]:
    """Return the side of every prompt; one that the data set holds stays where it is."""
    settings = rules.settings
    if rules.recipe == "title-to-story":
        sides = side_titles(Counter(told.prompt_key for told in kept), settings.split, settings.seed)
    else:
        sides = side_prompts([(told.prompt_key, told.side) for told in kept], rules.held_out_share, settings.seed)
    return sides | {sign.prompt_key: sign.side for sign in known if sign.side is not None}


def _refuse_twins(
    blocks: Sequence[str],
    load: Callable[[str], BlockSigns],
    known: Sequence[Sign],
    rules: Rules,
    sides: Mapping[str, Side],
) -> Iterator[tuple[str, Rejection]]:
    """Yield every story that is like one on another side: those of the data set stay, then test, then validation."""
    index = Index(rules.settings.max_likeness)
    for sign in known:
        if sign.side is not None:
            index.add(sign, sign.side)
    for side in reversed(SIDES):
        for block_id in blocks:
            for sign in load(block_id).signs:
                if sides.get(sign.story_id) != side:
                    continue
                twin = index.find_twin(sign, side)
                if twin is not None:
                    detail = (
                        f"on the side {side}, but its {twin.what} is "
                        f"{twin.likeness:.0%} that of {twin.story_id} on the side {twin.side}; less than "
                        f"{rules.settings.max_likeness:.0%} allowed (stories.max_likeness)"
                    )
                    reason = "near-duplicate-across-sides"
                    yield sign.story_id, Rejection(book_id=sign.story_id, stage=STAGE, reason=reason, detail=detail)
                elif side != "train":
                    index.add(sign, side)


def _by_block(
    blocks: Sequence[str],
    load: Callable[[str], BlockSigns],
    kept: Sequence[_Told],
    sides: Mapping[str, Side],
    rejected: Mapping[str, Rejection],
) -> list[BlockVerdict]:
    given: dict[str, dict[str, Side]] = defaultdict(dict)
    for told in kept:
        if told.story_id not in rejected:
            given[told.block_id][told.story_id] = sides[told.prompt_key]
    return [
        BlockVerdict(
            block_id=block_id,
            sides=given[block_id],
            rejected={
                sign.story_id: rejected[sign.story_id] for sign in load(block_id).signs if sign.story_id in rejected
            },
        )
        for block_id in blocks
    ]
