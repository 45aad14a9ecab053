"""Prepared books and a data set -> Judgement: duplicates and takedowns, judged against all that the data set holds."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from schemas.books import Rejection
from schemas.corpus_settings import DuplicateSettings
from schemas.duplicates import Duplicate, Signature
from schemas.outcomes import Prepared, Verdicts
from schemas.runs import Manifest, ShardInfo
from schemas.value import Value
from tasks.buckets import Withdrawal, iter_rows
from tasks.duplicates import find_duplicates
from tasks.protocols import Store
from tasks.takedown import find_taken, names_of, refuse_taken
from tasks.work import Work

logger = logging.getLogger(__name__)


class KnownWork(Value):
    """A work that a data set holds, as far as other works are judged beside it."""

    work_id: str
    parent_id: str | None
    source_sha256: str
    file_sha256: str | None
    signature: Signature

    @property
    def book_id(self) -> str:
        """The book it is in: itself, or its collection."""
        return self.parent_id or self.work_id


class KnownWorks(Value):
    """The works of one shard."""

    works: tuple[KnownWork, ...]


@dataclass(frozen=True)
class Judgement:
    """What was found about the works of this run, and which works the data set has to give up.

    `winners` maps a duplicate, of this run or of the data set, to the work that is kept instead.
    """

    verdicts: Verdicts = field(default_factory=dict)
    withdrawn: dict[str, Withdrawal] = field(default_factory=dict)
    winners: dict[str, str] = field(default_factory=dict)


def judge_works(
    prepared: Sequence[Prepared],
    known: Sequence[KnownWork],
    taken: frozenset[str],
    failed: frozenset[str],
    work: Work,
    settings: DuplicateSettings,
) -> Judgement:
    """Return which works are not to be made, or not to be kept, and why.

    Args:
        prepared: the books of this run.
        known: the works of the data set; those of this run's books do not count.
        taken: the takedown list.
        failed: works that were rejected later: a duplicate of one of them is needed after all.
        work: where the signatures lie.
        settings: what makes two texts one work.
    """
    ids = {book.book_id for book in prepared}
    others = [one for one in known if one.book_id not in ids]
    verdicts = judge_takedown(prepared, taken)
    names = ((one, find_taken((one.work_id, one.book_id, one.source_sha256, one.file_sha256), taken)) for one in others)
    withdrawn = {one.work_id: Withdrawal(one.book_id, refuse_taken(one.work_id, name)) for one, name in names if name}
    own = [one for book in prepared for one in iter_signatures(book, verdicts, work) if one.book_id not in failed]
    others = [one for one in others if one.work_id not in withdrawn]
    found = find_duplicates([*own, *(one.signature for one in others)], settings)
    mine = {one.book_id for one in own}
    verdicts |= {name: refuse_duplicate(name, duplicate) for name, duplicate in found.items() if name in mine}
    withdrawn |= {
        one.work_id: Withdrawal(one.book_id, refuse_duplicate(one.work_id, found[one.work_id]))
        for one in others
        if one.work_id in found
    }
    return Judgement(verdicts, withdrawn, {name: duplicate.duplicate_of for name, duplicate in found.items()})


def judge_takedown(prepared: Iterable[Prepared], taken: frozenset[str]) -> Verdicts:
    """Return the rejections of what the takedown list names: books by id or hash, stories by id."""
    verdicts: Verdicts = {}
    for book in prepared:
        name = find_taken(names_of(book), taken)
        if name is not None:
            verdicts[book.book_id] = refuse_taken(book.book_id, name)
        for one in book.works:
            if one.work_id in taken:
                verdicts[one.work_id] = refuse_taken(one.work_id, one.work_id)
    return verdicts


def iter_signatures(book: Prepared, verdicts: Verdicts, work: Work) -> Iterator[Signature]:
    """Yield the signatures of a book's works that may still be made."""
    for one in book.works:
        if one.rejection is not None or book.book_id in verdicts or one.work_id in verdicts:
            continue
        signature = work.load(Signature, one.signature)
        if signature is None:
            raise FileNotFoundError(one.signature)
        yield signature


def refuse_duplicate(work_id: str, duplicate: Duplicate) -> Rejection:
    """Return the rejection of a work that another one makes superfluous."""
    return Rejection(book_id=work_id, stage="duplicates", reason="duplicate", detail=duplicate.detail)


def read_known(parent: Manifest | None, held: Store, work: Work) -> list[KnownWork]:
    """Return the works of a snapshot.

    What was read of a shard once is kept in the work store, for shards never change.
    """
    shards = [shard for shard in (parent.shards if parent else ()) if shard.kind == "books"]
    return [one for shard in shards for one in _read_shard(shard, held, work).works]


def _read_shard(shard: ShardInfo, held: Store, work: Work) -> KnownWorks:
    key = f"known/{shard.sha256}.json.zst"
    known = work.load(KnownWorks, key)
    if known is None:
        columns = ["book_id", "parent_id", "source_sha256", "provenance", "signature"]
        rows = (row for row in iter_rows(shard, held, columns) if row["signature"])  # older snapshots have none
        known = KnownWorks(
            works=tuple(
                KnownWork(
                    work_id=row["book_id"],
                    parent_id=row["parent_id"],
                    source_sha256=row["source_sha256"],
                    file_sha256=json.loads(row["provenance"]).get("file_sha256"),
                    signature=Signature.model_validate_json(row["signature"]),
                )
                for row in rows
            )
        )
        work.save(key, known)
    return known
