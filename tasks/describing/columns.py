"""Arrow schemas -> a card's list of columns, and Hugging Face's `features`: what is said follows what is there."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa

from schemas.runs import ShardKind
from tasks.tables import SCHEMAS

MEANINGS: dict[ShardKind, dict[str, str]] = {
    "trajectories": {
        "trajectory_id": "name of the row: work, layout, window, place",
        "book_id": "the work, as in `books`; a story of a collection has an id such as `1661.03`",
        "layout": "what stands in which order: see the table of rungs",
        "window": "context in tokens of the trainee's tokenizer that the row fits into",
        "targets": "numbers of the chapters whose prose is to be learnt from this row, from 1; empty in pairs",
        "split": "`train`, `validation` or `test`: all works of one author are on one side",
        "trainable": "false where the plans quote the prose they precede",
        "stages": "the sequence, stage by stage",
        "stages.role": "what the stage is: a prompt, a plan of some level, prose, or context",
        "stages.text": "its text",
        "stages.loss": "weight of its tokens in training; 0 is context",
        "stages.num_tokens": "tokens of `text` alone",
        "stages.start": "of prose: where it begins in `text` of `books`, in characters",
        "stages.end": "of prose: where it ends there, exclusive",
        "messages": "the same as chat turns: what is to be learnt is `assistant`, all else `user`",
        "messages.role": "`user` or `assistant`",
        "messages.content": "the turn's text",
        "num_tokens": "tokens of the whole rendered sequence",
        "plan_tokens": "tokens of plans with a weight above 0",
        "prose_tokens": "tokens of prose with a weight above 0",
        "source_sha256": "hash of the source text",
        "provenance": "JSON object: hashes of source, text and plans, models, tokenizer, version of the layout",
    },
    "books": {
        "book_id": "the work",
        "parent_id": "of a story: its collection",
        "title": "as catalogued",
        "authors": "as catalogued: `Surname, Name, years [Role]`",
        "languages": "ISO 639-1 codes",
        "subjects": "as catalogued",
        "issued": "when the source released its text, not when the work was first printed",
        "rights": "what the source says of its copyright",
        "split": "the side of all its rows",
        "num_words": "words of its chapters, as white space separates them",
        "num_chapters": "chapters, letters, staves or whatever it is divided into",
        "text": "the clean text; offsets elsewhere are into this",
        "divisions": "the tree of its divisions, in reading order",
        "divisions.depth": "0 at the top",
        "divisions.level": "`volume`, `part`, `book` or `chapter`",
        "divisions.kind": "`front`, `narrative` or `back`",
        "divisions.label": "as printed, such as `CHAPTER IV.`",
        "divisions.title": "the rest of the heading",
        "divisions.start": "where the heading begins, in characters of `text`",
        "divisions.body_start": "where what is under the heading begins",
        "divisions.end": "where the division ends, exclusive",
        "scaffold": "JSON object: every plan of the work, with offsets of scenes and paragraphs that bullets rest on",
        "findings": "JSON object: what each check of the plans measured, its limit, and whether it passed",
        "signature": "JSON object: MinHash of the text, and what decides between editions",
        "source_sha256": "hash of the source text",
        "provenance": "JSON object: hashes of file, source, divisions and plans, and who wrote the plans",
        "kind": "`book` or `story`",
        "public_domain": "where copyright has ended as far as the catalogue tells: `US`, `life+50`, `life+70`",
        "death_year": "when the last of those who wrote it died; null unless it is known of all",
        "repetition": "JSON object: shares of lines, paragraphs and phrases that occur more than once",
        "outlines": "JSON: outlines of its passages, where the data set is of outlines and passages",
        "tags": "JSON object: genre, tone, point of view and the like of a story",
    },
    "rejected": {
        "book_id": "the work, or the book that holds it",
        "parent_id": "of a story: its collection",
        "level": "`book`, `work` (a story), `layout`, `note` or `node` (a part of a plan)",
        "stage": "where it ended",
        "layout": "of a layout or a note: which",
        "reason": "name of the rule",
        "detail": "the limit and the value found",
        "readings": "JSON: of a book whose divisions need a human, the ways to divide it",
        "title": "as catalogued",
        "node": "of a part of a plan: which",
        "evidence": "JSON object: of a part of a plan, what is needed to look at it again",
    },
}

_NAMES = {"float": "float32", "double": "float64"}  # Arrow's -> Hugging Face's, where they differ


class Column(NamedTuple):
    """One column or one field of it, as the card tells it."""

    name: str  # 'stages.role': a field within
    type: str
    meaning: str


def list_columns(kind: ShardKind) -> list[Column]:
    """Return the columns of a table, and the fields within them, in order.

    Raises:
        KeyError: a column has no meaning in MEANINGS.
    """
    columns = []
    for field in SCHEMAS[kind]:
        columns.append(Column(field.name, _say_type(field.type), MEANINGS[kind][field.name]))
        for name, inner in _fields_within(field.type):
            path = f"{field.name}.{name}"
            columns.append(Column(path, _say_type(inner), MEANINGS[kind][path]))
    return columns


def list_features(kind: ShardKind) -> list[dict[str, Any]]:
    """Return a table's columns as Hugging Face writes `features` in a card's YAML."""
    return [{"name": field.name, **_feature(field.type)} for field in SCHEMAS[kind]]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if not pa.types.is_list(kind):
        return {"dtype": _NAMES.get(str(kind), str(kind))}
    within = _fields_within(kind)
    if within:
        return {"list": [{"name": name, **_feature(inner)} for name, inner in within]}
    return {"list": str(kind.value_type)}


def _fields_within(kind: pa.DataType) -> list[tuple[str, pa.DataType]]:
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        return [(field.name, field.type) for field in kind.value_type]
    return []


def _say_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return "list of structs" if pa.types.is_struct(kind.value_type) else f"list of {kind.value_type}"
    return str(kind)
