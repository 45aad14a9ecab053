"""Settings of a recipe of stories -> what the next snapshot changes: blocks gathered, read, judged and paired."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, NamedTuple

from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.display import show_progress
from schemas.books import CatalogueEntry, Rejection
from schemas.errors import TransientError
from schemas.outcomes import Outcome
from schemas.settings import Settings
from schemas.stories import Sign
from tasks.buckets import Withdrawal, read_rows
from tasks.gather import is_block_of
from tasks.opening import Opened, open_bench, record_build
from tasks.shard import Changes, read_head
from tasks.steps import gather_stories, prepare_blocks, process_blocks, unavailable
from tasks.story_line import BlockKeys, Job, find_block, find_gathered, find_outcome, judge_blocks, source_of
from tasks.takedown import find_taken, refuse_taken

GONE = "not-in-source"
BATCH = 8  # blocks a task: 32 tasks read a source, 32 pair it

Runner = ThreadPoolTaskRunner[Any]
Future = PrefectFuture[Any]


def make_stories(settings: Settings) -> Changes:
    """Run every stage of a source's stories, and return what the next snapshot changes.

    Raises:
        ConfigError: the source holds no story.
    """
    opened = open_bench(settings)
    raw = find_gathered(opened.bench) or gather_stories(settings)
    record_build(settings, sorted(raw))
    keys = _prepare(raw, opened)
    held = _read_held(opened, keys)
    jobs = judge_blocks(keys, held.foreign, opened.taken, opened.bench)
    outcomes = [outcome for job in jobs.values() if (outcome := find_outcome(job, opened.bench)) is not None]
    outcomes += _process(jobs, {outcome.book_id for outcome in outcomes}, opened)
    return Changes([*outcomes, *held.gone], held.withdrawn)


def find_stories(opened: Opened) -> Changes | None:
    """Return what stories that are all done change, or None where a block is not."""
    bench = opened.bench
    raw = find_gathered(bench)
    if raw is None:
        return None
    found = {block_id: find_block(block_id, key, bench) for block_id, key in raw.items()}
    keys = {block_id: one for block_id, one in found.items() if one is not None}
    if len(keys) < len(raw):
        return None
    held = _read_held(opened, keys)
    jobs = judge_blocks(keys, held.foreign, opened.taken, bench).values()
    outcomes = [outcome for job in jobs if (outcome := find_outcome(job, bench)) is not None]
    return Changes([*outcomes, *held.gone], held.withdrawn) if len(outcomes) == len(jobs) else None


def _prepare(raw: dict[str, str], opened: Opened) -> dict[str, BlockKeys]:
    """Read and sign the blocks that are not read yet."""
    found = {block_id: find_block(block_id, key, opened.bench) for block_id, key in raw.items()}
    keys = {block_id: one for block_id, one in found.items() if one is not None}
    pending = sorted(raw.keys() - keys.keys())
    if not pending:
        return keys
    settings = opened.bench.settings
    with show_progress("blocks read", len(raw), len(keys)) as displays, _open_runner(settings) as runner:
        futures = [
            runner.submit(prepare_blocks, {"raw": {one: raw[one] for one in batch}, "settings": settings})
            for batch in _batches(pending)
        ]
        for future in as_completed(list[Future](futures)):
            made: dict[str, BlockKeys] = _result(future)
            keys |= made
            for display in displays:
                for block_id in made:
                    display.advance(f"last {block_id}")
    return keys


def _process(jobs: dict[str, Job], done: set[str], opened: Opened) -> list[Outcome]:
    """Pair the stories of the blocks that are not done."""
    settings, outcomes = opened.bench.settings, list[Outcome]()
    pending = [block_id for block_id in sorted(jobs) if block_id not in done]
    if not pending:
        return outcomes
    with show_progress("blocks", len(jobs), len(done)) as displays, _open_runner(settings) as runner:
        futures: dict[Future, Sequence[str]] = {
            runner.submit(process_blocks, {"jobs": tuple(jobs[one] for one in batch), "settings": settings}): batch
            for batch in _batches(pending)
        }
        for future in as_completed(list(futures)):
            result = future.result(raise_on_failure=False)
            if isinstance(result, TransientError):
                result = [unavailable(block_id, result) for block_id in futures[future]]
            elif isinstance(result, BaseException):
                raise result
            outcomes += result
            for display in displays:
                for outcome in result:
                    display.advance(f"last {outcome.book_id}")
    return outcomes


class _Held(NamedTuple):
    """What a data set holds beside this run's blocks.

    `foreign` are stories of other sources; `gone` rejects the blocks of this source that have no story any more;
    `withdrawn` are foreign stories that the takedown list names.
    """

    foreign: list[Sign]
    gone: list[Outcome]
    withdrawn: dict[str, Withdrawal]


def _read_held(opened: Opened, blocks: dict[str, BlockKeys]) -> _Held:
    """Read what this run has to know of a data set; texts are not read."""
    name = source_of(opened.bench).name
    foreign: list[Sign] = []
    gone: set[str] = set()
    withdrawn: dict[str, Withdrawal] = {}
    manifest = read_head(opened.out)
    for shard in manifest.shards if manifest else ():
        if shard.kind == "rejected":
            rows = read_rows(shard, opened.out, ["book_id", "reason"])
            gone |= {row["book_id"] for row in rows if row["reason"] == GONE}
        if shard.kind != "books":
            continue
        owners = {row["parent_id"] for row in read_rows(shard, opened.out, ["parent_id"])} - blocks.keys()
        gone |= {block_id for block_id in owners if is_block_of(name, block_id)}
        if not any(not is_block_of(name, block_id) for block_id in owners):
            continue  # nothing of other sources in it
        for row in read_rows(shard, opened.out, ["parent_id", "signature"]):
            if row["parent_id"] in blocks or is_block_of(name, row["parent_id"]):
                continue
            sign = Sign.model_validate_json(row["signature"])
            taken = find_taken((sign.story_id, row["parent_id"], sign.source_sha256), opened.taken)
            if taken is None:
                foreign.append(sign)
            else:
                withdrawn[sign.story_id] = Withdrawal(row["parent_id"], refuse_taken(sign.story_id, taken))
    lost = sorted(block_id for block_id in gone - blocks.keys() if is_block_of(name, block_id))
    return _Held(sorted(foreign, key=lambda sign: sign.story_id), [_reject_gone(one) for one in lost], withdrawn)


def _reject_gone(block_id: str) -> Outcome:
    detail = "its source holds no story of it any more"
    rejection = Rejection(book_id=block_id, stage="gather", reason=GONE, detail=detail)
    return Outcome(book_id=block_id, status="rejected", entry=CatalogueEntry(book_id=block_id), rejection=rejection)


def _batches(block_ids: Sequence[str]) -> list[Sequence[str]]:
    size = min(BATCH, ceil(len(block_ids) / BATCH))
    return [block_ids[at : at + size] for at in range(0, len(block_ids), size)]


def _open_runner(settings: Settings) -> Runner:
    return ThreadPoolTaskRunner(max_workers=settings.max_workers)


def _result(future: Future) -> Any:
    result = future.result(raise_on_failure=False)
    if isinstance(result, BaseException):
        raise result
    return result
