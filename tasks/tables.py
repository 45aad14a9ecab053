"""Outcome + its values -> rows of the three tables, and their Arrow schemas."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import pyarrow as pa

from schemas.books import CatalogueEntry, Division, Rejection, SegmentedBook
from schemas.duplicates import Signature
from schemas.outcomes import Outcome, WorkOutcome
from schemas.outlines import Outlines
from schemas.repetition import Repetition
from schemas.runs import ShardKind
from schemas.scaffold import QUARANTINED, Findings, Scaffold
from schemas.trajectories import Trajectories, Trajectory
from schemas.value import Value
from tasks.grammar.sequence import messages
from tasks.rights import find_rights
from tasks.work import Work

Row = dict[str, Any]
V = TypeVar("V", bound=Value)

_STAGE = pa.struct(
    [
        ("role", pa.string()),
        ("text", pa.large_string()),  # 32-bit offsets overflow on book text
        ("loss", pa.float32()),
        ("num_tokens", pa.int32()),
        ("start", pa.int64()),
        ("end", pa.int64()),
    ]
)
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.large_string())])
_DIVISION = pa.struct(
    [
        ("depth", pa.int32()),
        ("level", pa.string()),
        ("kind", pa.string()),
        ("label", pa.string()),
        ("title", pa.string()),
        ("start", pa.int64()),
        ("body_start", pa.int64()),
        ("end", pa.int64()),
    ]
)

SCHEMAS: dict[ShardKind, pa.Schema] = {
    "trajectories": pa.schema(
        [
            ("trajectory_id", pa.string()),
            ("book_id", pa.string()),
            ("layout", pa.string()),
            ("window", pa.int32()),
            ("targets", pa.list_(pa.int32())),
            ("split", pa.string()),
            ("trainable", pa.bool_()),
            ("stages", pa.list_(_STAGE)),
            ("messages", pa.list_(_MESSAGE)),
            ("num_tokens", pa.int32()),
            ("plan_tokens", pa.int32()),
            ("prose_tokens", pa.int32()),
            ("source_sha256", pa.string()),
            ("provenance", pa.large_string()),
        ]
    ),
    "books": pa.schema(
        [
            ("book_id", pa.string()),
            ("parent_id", pa.string()),  # of a story: its collection
            ("title", pa.string()),
            ("authors", pa.list_(pa.string())),
            ("languages", pa.list_(pa.string())),
            ("subjects", pa.list_(pa.string())),
            ("issued", pa.string()),
            ("rights", pa.string()),
            ("split", pa.string()),
            ("num_words", pa.int64()),
            ("num_chapters", pa.int32()),
            ("text", pa.large_string()),
            ("divisions", pa.list_(_DIVISION)),
            ("scaffold", pa.large_string()),
            ("findings", pa.large_string()),
            ("signature", pa.large_string()),  # MinHash of the text and what decides between editions, as JSON
            ("source_sha256", pa.string()),
            ("provenance", pa.large_string()),
            ("kind", pa.string()),  # book, or story
            ("public_domain", pa.list_(pa.string())),  # where its author's rights have ended: 'US', 'life+70'
            ("death_year", pa.int32()),  # of the last to die of those who wrote it, where it is known of all
            ("repetition", pa.large_string()),  # shares of repeated lines, paragraphs and phrases, as JSON
            ("outlines", pa.large_string()),  # of outline-to-text, as JSON; the scaffold is null then
            ("tags", pa.large_string()),  # of a tagged story, as JSON
        ]
    ),
    "rejected": pa.schema(
        [
            ("book_id", pa.string()),
            ("parent_id", pa.string()),
            ("level", pa.string()),  # book, work, layout, note, node
            ("stage", pa.string()),
            ("layout", pa.string()),
            ("reason", pa.string()),
            ("detail", pa.large_string()),
            ("readings", pa.large_string()),  # of a book that needs review: the ways to divide it, as JSON
            ("title", pa.string()),
            ("node", pa.string()),  # of a plan: 'chapter 3, window 1', 'passage 12'
            ("evidence", pa.large_string()),  # of a node: what is needed to look at it again, as JSON
        ]
    ),
}

_NOTHING_TOLD = dict.fromkeys(SCHEMAS["books"].names)
_NOTHING_REJECTED = dict.fromkeys(SCHEMAS["rejected"].names)

SORT_KEYS: dict[ShardKind, tuple[str, ...]] = {
    "trajectories": ("book_id", "trajectory_id"),
    "books": ("book_id",),
    "rejected": ("book_id", "level", "layout", "reason", "detail", "node", "evidence"),
}


def rows_of_book(outcome: Outcome, work: Work) -> dict[ShardKind, list[Row]]:
    """Return the rows of a book and of the works in it, by table.

    Raises:
        FileNotFoundError: a value of the outcome is gone from the work store.
    """
    rows: dict[ShardKind, list[Row]] = {"trajectories": [], "books": [], "rejected": []}
    if outcome.rejection is not None:
        rows["rejected"].append(rejected_row("book", outcome.rejection, outcome.entry.title))
    for one in outcome.works:
        if one.rejection is None:
            _add_work(one, outcome.file_sha256, work, rows)
        else:
            rows["rejected"] += _rejection_rows(one, outcome.book_id, work)
    return rows


def trajectory_row(trajectory: Trajectory) -> Row:
    """Return a trajectory as a row: its fields, and its stages as chat messages."""
    return {**trajectory.model_dump(), "messages": messages(trajectory.stages)}


def _add_work(one: WorkOutcome, file_sha256: str | None, work: Work, rows: dict[ShardKind, list[Row]]) -> None:
    """Add the rows of a work that is out."""
    segmented, told = _load(SegmentedBook, one, "segment", work), _load_told(one, work)
    composed = _load(Trajectories, one, "compose", work)
    facts = {
        "split": composed.split,
        "findings": _load(Findings, one, "verify", work).model_dump_json() if "verify" in one.values else None,
        "signature": _load(Signature, one, "sign", work).model_dump_json(),
        "repetition": _load(Repetition, one, "repetition", work).model_dump_json(),
    }
    rows["trajectories"] += [trajectory_row(row) for row in composed.rows]
    rows["books"].append({**_book_row(segmented, told, file_sha256), **facts})
    rows["rejected"] += _refusal_rows(segmented.entry, composed) + _node_rows(segmented.entry, told)


def _rejection_rows(one: WorkOutcome, book_id: str, work: Work) -> list[Row]:
    """Return the row of a rejected story, and the nodes of a work that was rejected for them."""
    rejection, rows = one.rejection, list[Row]()
    if rejection is None:
        return rows
    entry = _load(SegmentedBook, one, "segment", work).entry
    if one.work_id != book_id:
        rows.append(rejected_row("work", rejection, entry.title, book_id))
    if rejection.reason == QUARANTINED:
        rows += _node_rows(entry, _load_told(one, work))
    return rows


def _load_told(one: WorkOutcome, work: Work) -> Scaffold | Outlines:
    """Return what a model told of a work, by its recipe."""
    return _load(Outlines, one, "outline", work) if "outline" in one.values else _load(Scaffold, one, "summarize", work)


def _load(kind: type[V], outcome: WorkOutcome, stage: str, work: Work) -> V:
    value = work.load(kind, outcome.values[stage])
    if value is None:
        raise FileNotFoundError(outcome.values[stage])
    return value


def _book_row(segmented: SegmentedBook, told: Scaffold | Outlines, file_sha256: str | None) -> Row:
    entry, rights = segmented.entry, find_rights(segmented.entry)
    column = "outlines" if isinstance(told, Outlines) else "scaffold"
    provenance = {
        "file_sha256": file_sha256,
        "source_sha256": segmented.source_sha256,
        "segmented_sha256": segmented.digest(),
        f"{column}_sha256": told.digest(),
        "summarizer": told.summarizer,
    }
    return {
        **_NOTHING_TOLD,
        "kind": "book",
        "book_id": entry.book_id,
        "parent_id": entry.parent_id,
        "title": entry.title,
        "authors": list(entry.authors),
        "languages": list(entry.languages),
        "subjects": list(entry.subjects),
        "issued": entry.issued,
        "rights": entry.rights,
        **rights._asdict(),
        "num_words": told.num_words,
        "num_chapters": told.num_chapters,
        "text": segmented.text,
        "divisions": [row for division in segmented.divisions for row in _division_rows(division, 0)],
        column: told.model_dump_json(),
        "source_sha256": segmented.source_sha256,
        "provenance": json.dumps(provenance, sort_keys=True),
    }


def _division_rows(division: Division, depth: int) -> list[Row]:
    fields = ("level", "kind", "label", "title", "start", "body_start", "end")
    row = {"depth": depth, **{name: getattr(division, name) for name in fields}}
    return [row, *(row for child in division.children for row in _division_rows(child, depth + 1))]


def rejected_row(level: str, rejection: Rejection, title: str | None, parent_id: str | None = None) -> Row:
    """Return the row of a book or of a story that did not make it."""
    readings = [reading.model_dump() for reading in rejection.readings]
    return {
        **_NOTHING_REJECTED,
        "book_id": rejection.book_id,
        "parent_id": parent_id,
        "level": level,
        "stage": rejection.stage,
        "reason": rejection.reason,
        "detail": rejection.detail,
        "readings": json.dumps(readings, ensure_ascii=False) if readings else None,
        "title": title,
    }


def _refusal_rows(entry: CatalogueEntry, composed: Trajectories) -> list[Row]:
    levels = [("layout", refusal) for refusal in composed.refused] + [("note", note) for note in composed.notes]
    whose = {"book_id": entry.book_id, "parent_id": entry.parent_id, "title": entry.title, "stage": "compose"}
    return [{**_NOTHING_REJECTED, **whose, "level": level, **refusal.model_dump()} for level, refusal in levels]


def _node_rows(entry: CatalogueEntry, told: Scaffold | Outlines) -> list[Row]:
    """Return the quarantined nodes of a work, with what is needed to look at them again."""
    stage = "outline" if isinstance(told, Outlines) else "summarize"
    whose = {"book_id": entry.book_id, "parent_id": entry.parent_id, "title": entry.title, "stage": stage}
    return [
        {
            **_NOTHING_REJECTED,
            **whose,
            "level": "node",
            "reason": node.reason,
            "detail": node.detail,
            "node": node.node,
            "evidence": node.model_dump_json(include={"chapter", "call", "answers", "text"}),
        }
        for node in told.quarantined
    ]
