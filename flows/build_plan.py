"""Settings + what is stored -> what is done of a build and what is to do, before Prefect fans out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.books import CatalogueEntry
from schemas.outcomes import Outcome, Prepared, Verdicts
from tasks.buckets import Withdrawal, is_passing
from tasks.judge import Judgement, KnownWork, judge_texts, judge_works, read_known
from tasks.line import find_outcome, settle_book
from tasks.opening import Opened
from tasks.prepare import find_prepared
from tasks.shard import Changes, read_head
from tasks.takedown import refuse_taken


@dataclass
class Build:
    """A build on its way: what is prepared, what was judged, what is done.

    Books on the takedown list are never fetched. `away` holds the outcomes of books that could not be had now; they
    are stored nowhere, so that the next run tries them again.
    """

    opened: Opened
    known: Sequence[KnownWork]
    contaminated: Mapping[str, Withdrawal] = field(default_factory=dict)  # works of the data set
    prepared: dict[str, Prepared] = field(default_factory=dict)
    away: dict[str, Outcome] = field(default_factory=dict)
    done: dict[str, Outcome] = field(default_factory=dict)
    judgement: Judgement = field(default_factory=Judgement)
    failed: frozenset[str] | None = None  # None: not judged yet

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of every book so far."""
        return [*self.done.values(), *self.away.values()]


def open_build(opened: Opened) -> Build:
    """Return a build with all that is prepared already."""
    bench, head = opened.bench, read_head(opened.out)
    contaminated = judge_texts(head, opened.out, bench.work, bench.texts, bench.settings.decontaminate)
    known = [one for one in read_known(head, opened.out, bench.work) if one.work_id not in contaminated]
    build = Build(opened, known, contaminated)
    for book_id in opened.book_ids:
        prepared = _refuse_unread(book_id, opened.taken) or find_prepared(book_id, opened.bench)
        if prepared is not None:
            build.prepared[book_id] = prepared
    return build


def unprepared(build: Build) -> tuple[str, ...]:
    """Return the books that are still to be fetched, cleaned and divided."""
    return tuple(one for one in build.opened.book_ids if one not in build.prepared and one not in build.away)


def plan_books(build: Build) -> tuple[str, ...]:
    """Judge the prepared books, look up what is done, and return the books that a model is still to see.

    A duplicate is made after all where the work that was to be kept instead was rejected by a later stage.
    """
    while True:
        failed = _failed_winners(build)
        if failed == build.failed:
            break
        build.failed = failed
        opened = build.opened
        build.judgement = judge_works(
            list(build.prepared.values()),
            build.known,
            opened.taken,
            failed,
            opened.bench.work,
            opened.bench.settings,
        )
        build.done = {}
        for book_id, prepared in build.prepared.items():
            if (outcome := _look_up(prepared, build)) is not None:
                build.done[book_id] = outcome
    return tuple(one for one in build.prepared if one not in build.done and one not in build.away)


def verdicts_of(build: Build, book_id: str) -> Verdicts:
    """Return what was judged about one book and its works."""
    names = {book_id, *(work.work_id for work in build.prepared[book_id].works)}
    return {name: verdict for name, verdict in build.judgement.verdicts.items() if name in names}


def add_outcome(build: Build, outcome: Outcome) -> None:
    """Note what became of a book."""
    (build.away if is_passing(outcome) else build.done)[outcome.book_id] = outcome


def changes_of(build: Build) -> Changes:
    """Return what the next snapshot changes; a work leaves for a better edition only where that one is there."""
    out = {work.work_id for outcome in build.done.values() for work in outcome.works if work.rejection is None}
    held = {work.work_id for work in build.known if work.book_id not in build.prepared}
    withdrawn = {name: one for name, one in build.contaminated.items() if one.book_id not in build.prepared}
    for name, withdrawal in build.judgement.withdrawn.items():
        winner = build.judgement.winners.get(name)
        if winner is None or winner in out or winner in held:
            withdrawn[name] = withdrawal
    return Changes(build.outcomes, withdrawn)


def _look_up(prepared: Prepared, build: Build) -> Outcome | None:
    bench, verdicts = build.opened.bench, build.judgement.verdicts
    return find_outcome(prepared, verdicts, bench) or settle_book(prepared, verdicts, bench)


def _failed_winners(build: Build) -> frozenset[str]:
    """Return the works that another one was to give way to, but that were rejected themselves."""
    winners = set(build.judgement.winners.values())
    rejected = {work.work_id for outcome in build.done.values() for work in outcome.works if work.rejection is not None}
    return (build.failed or frozenset()) | (winners & rejected)


def _refuse_unread(book_id: str, taken: frozenset[str]) -> Prepared | None:
    if book_id not in taken:
        return None
    return Prepared(book_id=book_id, entry=CatalogueEntry(book_id=book_id), rejection=refuse_taken(book_id, book_id))
