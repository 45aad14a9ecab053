"""StoryFiles -> Outcomes: the stages of stories, block by block, each value made only if it is not there yet."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from schemas.books import CatalogueEntry, Rejection
from schemas.errors import ConfigError
from schemas.outcomes import Outcome, WorkOutcome
from schemas.stories import (
    BlockSigns,
    BlockTags,
    BlockVerdict,
    Example,
    ExamplePool,
    Gathered,
    Judged,
    PairedBlock,
    RawBlock,
    Sign,
    StoryBlock,
)
from schemas.value import Value
from tasks import gather, judge_stories
from tasks.bench import Bench
from tasks.gather import iter_blocks
from tasks.keys import code_digest, hash_json
from tasks.pair_stories import pair_block
from tasks.read_stories import read_block
from tasks.sign_stories import sign_block
from tasks.stories.examples import choose_pool, place_in
from tasks.stories.source import StorySource
from tasks.stories.tags import cut_story
from tasks.story_rows import PAIRED, SIGNED
from tasks.tag_stories import tag_block
from tasks.turns import COMPUTING
from tasks.work import Work

logger = logging.getLogger(__name__)

V = TypeVar("V", bound=Value)


class BlockKeys(NamedTuple):
    """Where a block lies once it is read."""

    stories: str
    signs: str


class Job(NamedTuple):
    """A block that is judged, on its way to its rows."""

    block_id: str
    keys: BlockKeys
    verdict: str
    pool: str | None


def gathered_key(source: StorySource) -> str:
    """Return where the list of a source's blocks lies."""
    shaped_by = {"files": source.fingerprint, "code": code_digest(gather.__name__)}
    return f"gathered/{source.name}/{hash_json(shaped_by)}.json.zst"


def find_gathered(bench: Bench) -> dict[str, str] | None:
    """Return the blocks of the source, block -> key, if all of them are there."""
    found = bench.work.load(Gathered, gathered_key(source_of(bench)))
    if found is None or any(bench.work.digest(key) is None for key in found.blocks.values()):
        return None
    return found.blocks


def gather_blocks(bench: Bench) -> dict[str, str]:
    """Divide the source into blocks and store them; a block that has not changed keeps its key.

    Raises:
        ConfigError: the source holds no story.
    """
    done = find_gathered(bench)
    if done is not None:
        return done
    source, blocks, num_stories = source_of(bench), dict[str, str](), 0
    for block in iter_blocks(source):
        key = f"blocks/{block.block_id}/{block.digest()}.json.zst"
        if bench.work.digest(key) is None:
            bench.work.save(key, block)
        blocks[block.block_id] = key
        num_stories += len(block.stories)
    if not blocks:
        raise ConfigError(f"{bench.settings.source.location}: its files hold no story")
    bench.work.save(gathered_key(source), Gathered(blocks=blocks))
    logger.info("source %s: %d stories in %d blocks", source.name, num_stories, len(blocks))
    return blocks


def find_block(block_id: str, raw: str, bench: Bench) -> BlockKeys | None:
    """Return where a block lies if it is read and signed."""
    stories = bench.work.key(block_id, read_block, None, (_digest(raw, bench.work),))
    digest = bench.work.digest(stories)
    if digest is None:
        return None
    signs = bench.work.key(block_id, sign_block, None, (digest,))
    return BlockKeys(stories, signs) if bench.work.digest(signs) is not None else None


def prepare_block(block_id: str, raw: str, bench: Bench) -> BlockKeys:
    """Read and sign a block."""
    done = find_block(block_id, raw, bench)
    if done is not None:
        return done
    with COMPUTING:
        stories, block = bench.work.make(StoryBlock, block_id, read_block, None, _load(RawBlock, raw, bench.work))
        signs, _ = bench.work.make(BlockSigns, block_id, sign_block, None, block)
    return BlockKeys(stories, signs)


def judge_blocks(
    blocks: Mapping[str, BlockKeys], known: Sequence[Sign], taken: frozenset[str], bench: Bench
) -> dict[str, Job]:
    """Hold all stories beside each other, and return what is to be done with every block."""
    settings, work = bench.settings, bench.work
    rules = judge_stories.Rules(settings.recipe, settings.stories, settings.compose.held_out_share, taken)
    shaped_by = {
        "signs": {block_id: _digest(keys.signs, work) for block_id, keys in blocks.items()},
        "known": [sign.digest() for sign in known],
        "taken": sorted(taken),
        "code": [code_digest(judge_stories.__name__), code_digest(choose_pool.__module__)],
        "settings": [rules.recipe, rules.settings.digest(), rules.held_out_share],
    }
    key = f"judged/{source_of(bench).name}/{hash_json(shaped_by)}.json.zst"
    judged = work.load(Judged, key)
    if judged is None or any(work.digest(one) is None for one in (*judged.verdicts.values(), *judged.pools)):
        load = {block_id: partial(_load, BlockSigns, keys.signs, work) for block_id, keys in blocks.items()}
        verdicts = judge_stories.judge_stories(sorted(blocks), lambda block_id: load[block_id](), known, rules)
        judged = Judged(verdicts={one.block_id: _keep("verdicts", one.block_id, one, work) for one in verdicts})
        if rules.recipe == "title-to-story":
            pool = _choose_examples(verdicts, blocks, bench)
            judged = judged.model_copy(update={"pools": (_keep("examples", source_of(bench).name, pool, work),)})
        work.save(key, judged)
    pool_key = judged.pools[0] if judged.pools else None
    found = judged.verdicts
    return {block_id: Job(block_id, keys, found[block_id], pool_key) for block_id, keys in sorted(blocks.items())}


def find_outcome(job: Job, bench: Bench) -> Outcome | None:
    """Return the outcome of a block that is done and whose value is there, or None."""
    outcome = bench.work.load(Outcome, _outcome_key(job, bench))
    if outcome is None or any(bench.work.digest(key) is None for key in outcome.values.values()):
        return None
    return outcome


def run_block(job: Job, bench: Bench) -> Outcome:
    """Tag or exemplify, and pair, the stories of a block; store its outcome."""
    done = find_outcome(job, bench)
    if done is not None:
        return done
    started, work, settings = time.monotonic(), bench.work, bench.settings
    block = _load(StoryBlock, job.keys.stories, work)
    verdict = _load(BlockVerdict, job.verdict, work)
    wishes: BlockTags | ExamplePool
    if job.pool is None:
        _, wishes = work.make(BlockTags, job.block_id, tag_block, settings.stories, block, verdict, llm=bench.llm)
    else:
        wishes = _load(ExamplePool, job.pool, work)
    with COMPUTING:
        inputs, compose = (block, verdict, wishes), settings.compose
        key, paired = work.make(
            PairedBlock, job.block_id, pair_block, settings.stories, *inputs, compose=compose, trainee=bench.trainee
        )
    outcome = _conclude(job, key, paired)
    work.save(_outcome_key(job, bench), outcome)
    told = f"{len(paired.stories)} stories, {len(paired.refused)} refused"
    logger.info("block %s: %s, %.1f s", job.block_id, told, time.monotonic() - started)
    return outcome


def source_of(bench: Bench) -> StorySource:
    """Return the source of stories; ConfigError of a recipe that has none."""
    if bench.stories is None:
        raise ConfigError(f"the recipe {bench.settings.recipe} is made of books, not of stories")
    return bench.stories


def _conclude(job: Job, key: str, paired: PairedBlock) -> Outcome:
    block_id, rejection = job.block_id, None if paired.stories else _reject_all(job.block_id, paired)
    return Outcome(
        book_id=block_id,
        status="out" if rejection is None else "rejected",
        entry=CatalogueEntry(book_id=block_id),
        rejection=rejection,
        values={SIGNED: job.keys.signs, PAIRED: key},
        works=(WorkOutcome(work_id=block_id, rejection=rejection, num_rows=len(paired.stories)),),
    )


def _reject_all(block_id: str, paired: PairedBlock) -> Rejection:
    """Return the rejection of a block none of whose stories is out: the commonest reason."""
    rejections = [one.rejection for one in paired.refused]
    counts = Counter(rejection.reason for rejection in rejections).most_common()
    first = next(one for one in rejections if one.reason == counts[0][0])
    listed = ", ".join(f"{number} {name}" for name, number in counts)
    detail = f"all {len(rejections)} stories of it were rejected: {listed}"
    return Rejection(book_id=block_id, stage=first.stage, reason=first.reason, detail=detail)


def _outcome_key(job: Job, bench: Bench) -> str:
    """Return where a block's outcome lies: by all that shapes a value of it."""
    settings = bench.settings
    keys = (job.keys.stories, job.keys.signs, job.verdict, *([job.pool] if job.pool else []))
    shaped_by = {
        "inputs": [_digest(key, bench.work) for key in keys],
        "code": code_digest(__name__),
        "settings": [settings.recipe, settings.stories.digest(), settings.compose.digest()],
        "seams": [bench.llm.identity if job.pool is None else None, bench.trainee.identity],
    }
    return f"outcome/{job.block_id}/{hash_json(shaped_by)}.json.zst"


def _choose_examples(verdicts: Sequence[BlockVerdict], blocks: Mapping[str, BlockKeys], bench: Bench) -> ExamplePool:
    """Draw the pool from the train side and load what it holds."""
    settings = bench.settings.stories
    on_train = {story_id: one.block_id for one in verdicts for story_id, side in one.sides.items() if side == "train"}
    chosen = choose_pool(list(on_train), settings.seed)
    found: dict[str, Example] = {}
    for block_id in sorted({on_train[story_id] for story_id in chosen}):
        block = _load(StoryBlock, blocks[block_id].stories, bench.work)
        signs = _load(BlockSigns, blocks[block_id].signs, bench.work).signs
        for story, sign in zip(block.stories, signs, strict=True):
            text = story.text[: cut_story(story.text, settings.max_words)]
            found[story.story_id] = Example(story.story_id, sign.prompt_key, story.prompt, text)
    ordered = sorted(chosen, key=lambda story_id: (place_in(story_id, settings.seed), story_id))
    return ExamplePool(examples=tuple(found[story_id] for story_id in ordered))


def _keep(stage: str, name: str, value: Value, work: Work) -> str:
    """Store a value under its own hash."""
    key = f"{stage}/{name}/{value.digest()}.json.zst"
    if work.digest(key) is None:
        work.save(key, value)
    return key


def _load(kind: type[V], key: str, work: Work) -> V:
    value = work.load(kind, key)
    if value is None:
        raise FileNotFoundError(key)
    return value


def _digest(key: str, work: Work) -> str:
    digest = work.digest(key)
    if digest is None:
        raise FileNotFoundError(key)
    return digest
