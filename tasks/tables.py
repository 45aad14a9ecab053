"""Outcome + its values -> rows of the three tables, and their Arrow schemas."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from schemas.books import Division, SegmentedBook
from schemas.runs import Outcome, ShardKind
from schemas.scaffold import Findings, Scaffold
from schemas.trajectories import Trajectories, Trajectory
from tasks.grammar.sequence import messages
from tasks.work import Work

Row = dict[str, Any]

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
            ("source_sha256", pa.string()),
            ("provenance", pa.large_string()),
        ]
    ),
    "rejected": pa.schema(
        [
            ("book_id", pa.string()),
            ("level", pa.string()),  # book, layout, note
            ("stage", pa.string()),
            ("layout", pa.string()),
            ("reason", pa.string()),
            ("detail", pa.large_string()),
            ("title", pa.string()),
        ]
    ),
}

SORT_KEYS: dict[ShardKind, tuple[str, ...]] = {
    "trajectories": ("book_id", "trajectory_id"),
    "books": ("book_id",),
    "rejected": ("book_id", "level", "layout", "reason", "detail"),
}


def rows_of_book(outcome: Outcome, work: Work) -> dict[ShardKind, list[Row]]:
    """Return a book's rows by table.

    Raises:
        FileNotFoundError: a value of the outcome is gone from the work store.
    """
    if outcome.rejection is not None:
        return {"trajectories": [], "books": [], "rejected": [_rejected_row(outcome)]}
    segmented = _load(SegmentedBook, outcome, "segment", work)
    scaffold = _load(Scaffold, outcome, "summarize", work)
    findings = _load(Findings, outcome, "verify", work)
    composed = _load(Trajectories, outcome, "compose", work)
    return {
        "trajectories": [trajectory_row(row) for row in composed.rows],
        "books": [_book_row(segmented, scaffold, findings, composed.split)],
        "rejected": _refusal_rows(outcome, composed),
    }


def trajectory_row(trajectory: Trajectory) -> Row:
    """Return a trajectory as a row: its fields, and its stages as chat messages."""
    return {**trajectory.model_dump(), "messages": messages(trajectory.stages)}


def count_rows(kind: ShardKind, rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return what rows add to the manifest's totals."""
    if kind == "books":
        return {}
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        if kind == "trajectories":
            counts.setdefault("layouts", Counter())[row["layout"]] += 1
            tokens = counts.setdefault("tokens", Counter())
            for name in ("num_tokens", "plan_tokens", "prose_tokens"):
                tokens[name] += row[name]
        else:
            group = row["level"] if row["level"] != "layout" else f"layout:{row['layout']}"
            counts.setdefault(group, Counter())[row["reason"]] += 1
    return {group: dict(sorted(counter.items())) for group, counter in sorted(counts.items())}


def _load(kind: type[Any], outcome: Outcome, stage: str, work: Work) -> Any:
    value = work.load(kind, outcome.values[stage])
    if value is None:
        raise FileNotFoundError(outcome.values[stage])
    return value


def _book_row(segmented: SegmentedBook, scaffold: Scaffold, findings: Findings, split: str) -> Row:
    entry = segmented.entry
    provenance = {
        "source_sha256": segmented.source_sha256,
        "segmented_sha256": segmented.digest(),
        "scaffold_sha256": scaffold.digest(),
        "summarizer": scaffold.summarizer,
    }
    return {
        "book_id": entry.book_id,
        "title": entry.title,
        "authors": list(entry.authors),
        "languages": list(entry.languages),
        "subjects": list(entry.subjects),
        "issued": entry.issued,
        "rights": entry.rights,
        "split": split,
        "num_words": scaffold.num_words,
        "num_chapters": len(scaffold.chapters),
        "text": segmented.text,
        "divisions": [row for division in segmented.divisions for row in _division_rows(division, 0)],
        "scaffold": scaffold.model_dump_json(),
        "findings": findings.model_dump_json(),
        "source_sha256": segmented.source_sha256,
        "provenance": json.dumps(provenance, sort_keys=True),
    }


def _division_rows(division: Division, depth: int) -> list[Row]:
    fields = ("level", "kind", "label", "title", "start", "body_start", "end")
    row = {"depth": depth, **{name: getattr(division, name) for name in fields}}
    return [row, *(row for child in division.children for row in _division_rows(child, depth + 1))]


def _rejected_row(outcome: Outcome) -> Row:
    assert outcome.rejection is not None
    rejection = outcome.rejection
    return {
        "book_id": outcome.book_id,
        "level": "book",
        "stage": rejection.stage,
        "layout": None,
        "reason": rejection.reason,
        "detail": rejection.detail,
        "title": outcome.entry.title,
    }


def _refusal_rows(outcome: Outcome, composed: Trajectories) -> list[Row]:
    levels = [("layout", refusal) for refusal in composed.refused] + [("note", note) for note in composed.notes]
    return [
        {
            "book_id": outcome.book_id,
            "level": level,
            "stage": "compose",
            "layout": refusal.layout,
            "reason": refusal.reason,
            "detail": refusal.detail,
            "title": outcome.entry.title,
        }
        for level, refusal in levels
    ]
