"""Settings -> RefreshSummary: what is new or changed in the corpus, and a build of just that."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.build_trajectories import build_trajectories
from flows.summaries import RefreshSummary
from schemas.corpus import CorpusDiff, CorpusState
from schemas.errors import ConfigError
from schemas.settings import STORY_RECIPES, Settings
from tasks.backends.stores import open_store
from tasks.opening import NO_BOOKS, Corpus, open_corpus, work_location
from tasks.refresh import Seen, advance_state, note_changes, read_state, see_corpus, write_state
from tasks.shard import read_head
from tasks.takedown import read_takedown

logger = logging.getLogger(__name__)

MAX_TABLE_ROWS = 500


@flow(name="refresh-corpus", flow_run_name="refresh-{settings.out}", persist_result=False)
def refresh_corpus(settings: Settings = Settings()) -> RefreshSummary:  # noqa: B008  # frozen: the UI's form shows it
    """Build the books that are new or changed since the last refresh, honour new takedowns, else do nothing."""
    if settings.recipe in STORY_RECIPES:
        raise ConfigError(f"a refresh looks for books; of {settings.recipe}, build again: what is done is kept")
    started = time.monotonic()
    work = open_store(work_location(settings))
    corpus = open_corpus(settings, work, renew=True)
    # a data set that is gone takes what was remembered of it with it
    head = read_head(open_store(settings.out))
    state = read_state(work, settings.out) if head else CorpusState()
    seen = see_corpus(corpus, state, settings.refresh, datetime.now(UTC).date())
    noted = note_changes(state, seen)
    _publish(seen.diff, corpus, settings)
    build = None
    has_takedown = head is not None and not read_takedown(settings.source.takedown) <= set(head.takedown)
    if seen.diff.pending or has_takedown:
        write_state(work, settings.out, noted)
        build = build_trajectories(_settings_of(seen, corpus, settings))
    after = advance_state(noted, seen, build.unavailable if build else ())
    if after != state:
        write_state(work, settings.out, after)
    return RefreshSummary(out=settings.out, diff=seen.diff, build=build, seconds=round(time.monotonic() - started, 1))


def _settings_of(seen: Seen, corpus: Corpus, settings: Settings) -> Settings:
    """Return the settings of a build of just these books; where all are to be built, no list of ids is needed."""
    if seen.diff.pending and len(seen.diff.pending) == len(corpus.book_ids):
        return settings
    source = settings.source.model_copy(update={"books": ",".join(seen.diff.pending) or NO_BOOKS})
    return settings.model_copy(update={"source": source})


def _publish(diff: CorpusDiff, corpus: Corpus, settings: Settings) -> None:
    """Show in Prefect's UI what has changed."""
    lines = [
        f"| {name} | {number} |"
        for name, number in (
            ("new", len(diff.new)),
            ("changed", len(diff.changed)),
            ("unchanged", diff.unchanged),
            ("gone from the source or no longer selected (kept in the data set)", len(diff.gone)),
            ("postponed to the next runs", diff.postponed),
        )
    ]
    table = "\n".join(["| books | number |", "| --- | --- |", *lines])
    create_markdown_artifact(table, key="refresh", description=settings.out)
    rows = [
        {"book": book_id, "what": what, "title": entry.title if (entry := corpus.catalogue.get(book_id)) else None}
        for what, ids in (("new", diff.new), ("changed", diff.changed), ("gone", diff.gone))
        for book_id in ids
    ]
    if rows:
        create_table_artifact(rows[:MAX_TABLE_ROWS], key="refreshed", description=f"{settings.out}: {len(rows)} books")


if __name__ == "__main__":
    refresh_corpus()
