"""Rows of `outline-to-text` + their book -> what is wrong: words that are no target, or twice; references that leak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from schemas.outlines import OUTLINE_TO_TEXT, Outlines
from schemas.plans import OutlinePrompt
from schemas.value import Span
from tasks.checking.overlap import RunIndex, share_runs
from tasks.grammar.parser import parse_stage
from tasks.grammar.parts import GrammarError

AnyRow = Mapping[str, Any]


def check_pairs(book: AnyRow, rows: Sequence[AnyRow], nodes: set[str]) -> Iterator[str]:
    """Yield what is wrong with the pairs of a book.

    Args:
        book: its row in `books`; `outlines` is not null.
        rows: its trajectories of this layout.
        nodes: names of its nodes among what was refused.
    """
    text, outlines = book["text"], Outlines.model_validate_json(book["outlines"])
    spans = [Span(passage.start, passage.end) for passage in outlines.passages]
    narrative = list_narrative(book["divisions"])
    if _lies_apart(spans, narrative, text):
        yield "its passages are not the text of its narrative chapters"
    wanted = [Span(passage.start, passage.end) for passage in outlines.told]
    stages = [stage for row in rows for stage in row["stages"] if stage["start"] is not None]
    found = sorted(Span(stage["start"], stage["end"]) for stage in stages)
    if [_trim(text, span) for span in found] != [_trim(text, span) for span in wanted]:
        yield f"{len(found)} passages are targets, {len(wanted)} have an outline; each has to be a target once"
    untold = {f"passage {passage.number}" for passage in outlines.passages if not passage.bullets} - nodes
    yield from (f"{node} has no outline, and is not in rejected" for node in sorted(untold))
    index = RunIndex()
    for row in rows:
        yield from (f"{row['trajectory_id']}: {problem}" for problem in _check_reference(row, text, index))


def list_narrative(divisions: Sequence[AnyRow]) -> list[Span]:
    """Return the bodies of the narrative divisions that hold no other; the rows are in the order of the tree."""
    followers = [*divisions[1:], {"depth": 0}]
    return [
        Span(division["body_start"], division["end"])
        for division, after in zip(divisions, followers, strict=True)
        if division["kind"] == "narrative" and after["depth"] <= division["depth"]
    ]


def _lies_apart(spans: Sequence[Span], narrative: Sequence[Span], text: str) -> bool:
    """Say whether passages overlap, or hold other words than the narrative does."""
    if any(later.start < earlier.end for earlier, later in pairwise(spans)):
        return True
    told, whole = ("".join("".join(text[start:end].split()) for start, end in part) for part in (spans, narrative))
    return told != whole


def _check_reference(row: AnyRow, text: str, index: RunIndex) -> Iterator[str]:
    prompt, target = row["stages"][0], row["stages"][-1]
    try:
        plan = parse_stage(OUTLINE_TO_TEXT, "prompt", prompt["text"])
    except GrammarError:
        return  # said already, with the row's grammar
    if not isinstance(plan, OutlinePrompt) or not plan.reference:
        return
    if plan.reference not in text:
        yield "its style reference is not in the book's text"
    shared = share_runs(index.read(plan.reference), index.read(text[target["start"] : target["end"]]))
    if shared:
        yield f"its style reference shares {shared} runs of 8 words with the target, 0 allowed"


def _trim(text: str, span: Span) -> Span:
    """Return a range without the white space at its ends."""
    piece = text[span.start : span.end]
    return Span(span.start + len(piece) - len(piece.lstrip()), span.start + len(piece.rstrip()))
