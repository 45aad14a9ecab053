"""Prepared books and a data set -> Judgement: duplicates, takedowns and sides, judged against all that it holds."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.books import CatalogueEntry, Rejection
from schemas.corpus_settings import DecontaminateSettings, DuplicateSettings
from schemas.duplicates import Duplicate, NearDuplicate, Signature
from schemas.outcomes import Prepared, Verdicts
from schemas.overlaps import Overlaps
from schemas.runs import Manifest, ShardInfo
from schemas.settings import Settings
from schemas.value import Value
from tasks.buckets import Withdrawal, iter_rows
from tasks.composing.splits import name_sides, place_side
from tasks.decontaminate import measure_overlap, refuse_contaminated
from tasks.duplicates import find_duplicates
from tasks.keys import code_digest, hash_json
from tasks.likeness.evaluation import EvaluationTexts
from tasks.likeness.sides import find_across_sides
from tasks.protocols import Store
from tasks.tables import Row
from tasks.takedown import find_taken, names_of, refuse_taken
from tasks.work import Work

logger = logging.getLogger(__name__)

SIDES, AUTHORS_DIVIDED, NEAR_DUPLICATE = "sides", "authors-on-two-sides", "near-duplicate-across-sides"


class KnownWork(Value):
    """A work that a data set holds, as far as other works are judged beside it."""

    work_id: str
    parent_id: str | None
    source_sha256: str
    file_sha256: str | None
    side_names: tuple[str, ...]
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

    `winners` maps a duplicate or near-duplicate, of this run or of the data set, to the work that is kept instead.
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
    settings: Settings,
) -> Judgement:
    """Return which works are not to be made, or not to be kept, and why.

    Args:
        prepared: the books of this run.
        known: the works of the data set; those of this run's books do not count.
        taken: the takedown list.
        failed: works that were rejected later: a duplicate of one of them is needed after all.
        work: where the signatures lie.
        settings: what makes two texts one work, and how authors are divided.
    """
    ids = {book.book_id for book in prepared}
    others = {one.work_id: one for one in known if one.book_id not in ids}
    side_names = {one.work_id: one.side_names for book in prepared for one in book.works}
    side_names |= {work_id: one.side_names for work_id, one in others.items()}
    splits, divided = divide_works(side_names, settings.compose.held_out_share)
    verdicts = {name: one for name, one in divided.items() if name not in others} | judge_takedown(prepared, taken)
    refused = {name: one for name, one in divided.items() if name in others} | _judge_known(others.values(), taken)
    own = [one for book in prepared for one in iter_signatures(book, verdicts, work) if one.book_id not in failed]
    held = [one.signature for work_id, one in others.items() if work_id not in refused]
    found, winners = judge_likeness([*own, *held], splits, settings.duplicates)
    mine = {one.book_id for one in own}
    verdicts |= {name: rejection for name, rejection in found.items() if name in mine}
    refused |= {name: rejection for name, rejection in found.items() if name not in mine}
    withdrawn = {name: Withdrawal(others[name].book_id, rejection) for name, rejection in refused.items()}
    return Judgement(verdicts, withdrawn, winners)


def divide_works(
    side_names: Mapping[str, tuple[str, ...]], held_out_share: float
) -> tuple[dict[str, str], dict[str, Rejection]]:
    """Return the split of each work, and the rejections of those whose authors belong to several."""
    splits: dict[str, str] = {}
    divided: dict[str, Rejection] = {}
    for work_id, names in side_names.items():
        sides = {name: place_side(name, held_out_share) for name in names}
        splits[work_id] = sides[names[0]]
        if len(set(sides.values())) > 1:
            told = ", ".join(f"{name!r} in {side}" for name, side in sides.items())
            detail = f"its authors belong to several splits: {told}"
            divided[work_id] = Rejection(book_id=work_id, stage=SIDES, reason=AUTHORS_DIVIDED, detail=detail)
    return splits, divided


def judge_likeness(
    signatures: Sequence[Signature], splits: Mapping[str, str], settings: DuplicateSettings
) -> tuple[dict[str, Rejection], dict[str, str]]:
    """Return the rejections of duplicates and of near-duplicates across splits, and the work that each gives way to.

    Of one text the best edition stays, whatever its split; then what is still alike in two splits is judged. An edition
    of a work that is refused for its split is refused with it: it shares the same text.
    """
    duplicates = find_duplicates(signatures, settings)
    stay = [one for one in signatures if one.book_id not in duplicates]
    near = find_across_sides(stay, splits, settings.min_across_sides)
    rejections = {name: refuse_duplicate(name, one) for name, one in duplicates.items()}
    rejections |= {name: refuse_near(one) for name, one in near.items()}
    winners = {name: one.near for name, one in near.items()}
    winners |= {name: winners.get(one.duplicate_of, one.duplicate_of) for name, one in duplicates.items()}
    return rejections, winners


def judge_texts(
    parent: Manifest | None, held: Store, work: Work, texts: EvaluationTexts | None, settings: DecontaminateSettings
) -> dict[str, Withdrawal]:
    """Return the works of a snapshot that hold too much of an evaluation text.

    What was found in a shard is kept in the work store: shards never change, and nor do the texts of one identity.
    """
    withdrawn: dict[str, Withdrawal] = {}
    for shard in parent.shards if parent and texts else ():
        if shard.kind != "books" or texts is None:
            continue
        for overlap in _read_overlaps(shard, held, work, texts).works:
            rejection = refuse_contaminated(overlap, settings)
            if rejection is not None:
                withdrawn[overlap.work_id] = Withdrawal(overlap.parent_id or overlap.work_id, rejection)
    return withdrawn


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


def _judge_known(known: Iterable[KnownWork], taken: frozenset[str]) -> Verdicts:
    """Return the rejections of what the data set holds of the takedown list."""
    names = ((one, find_taken((one.work_id, one.book_id, one.source_sha256, one.file_sha256), taken)) for one in known)
    return {one.work_id: refuse_taken(one.work_id, name) for one, name in names if name}


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


def refuse_near(near: NearDuplicate) -> Rejection:
    """Return the rejection of a work that would carry text of one split into another."""
    return Rejection(book_id=near.book_id, stage=SIDES, reason=NEAR_DUPLICATE, detail=near.detail)


def read_known(parent: Manifest | None, held: Store, work: Work) -> list[KnownWork]:
    """Return the works of a snapshot.

    What was read of a shard once is kept in the work store, for shards never change.
    """
    shards = [shard for shard in (parent.shards if parent else ()) if shard.kind == "books"]
    return [one for shard in shards for one in _read_shard(shard, held, work).works]


def _read_shard(shard: ShardInfo, held: Store, work: Work) -> KnownWorks:
    key = f"known/{hash_json([shard.sha256, code_digest(__name__)])}.json.zst"
    known = work.load(KnownWorks, key)
    if known is None:
        columns = ["book_id", "parent_id", "title", "authors", "split", "source_sha256", "provenance", "signature"]
        rows = (row for row in iter_rows(shard, held, columns) if row["signature"])  # older snapshots have none
        known = KnownWorks(
            works=tuple(
                KnownWork(
                    work_id=row["book_id"],
                    parent_id=row["parent_id"],
                    source_sha256=row["source_sha256"],
                    file_sha256=json.loads(row["provenance"]).get("file_sha256"),
                    side_names=name_sides(_entry_of(row)),
                    signature=Signature.model_validate_json(row["signature"]),
                )
                for row in rows
            )
        )
        work.save(key, known)
    return known


def _read_overlaps(shard: ShardInfo, held: Store, work: Work, texts: EvaluationTexts) -> Overlaps:
    key = f"overlaps/{hash_json([shard.sha256, texts.identity, code_digest(__name__)])}.json.zst"
    overlaps = work.load(Overlaps, key)
    if overlaps is None:
        rows = iter_rows(shard, held, ["book_id", "parent_id", "text"])
        measured = (measure_overlap(row["book_id"], row["text"], texts, row.get("parent_id")) for row in rows)
        overlaps = Overlaps(works=tuple(one for one in measured if one.shared))
        work.save(key, overlaps)
    return overlaps


def _entry_of(row: Row) -> CatalogueEntry:
    return CatalogueEntry(book_id=row["book_id"], title=row["title"], authors=tuple(row["authors"] or ()))
