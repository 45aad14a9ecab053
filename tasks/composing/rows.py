"""Draft -> Trajectory: a row is rendered, counted, and read back before it counts."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.books import SegmentedBook
from schemas.errors import BookError
from schemas.trajectories import Stage, Trajectory
from tasks.composing.job import Draft, RowDraft, TokenCounter
from tasks.grammar.render import render_stage
from tasks.grammar.sequence import check_trajectory, sum_tokens


@dataclass(frozen=True)
class Origin:
    """What all rows of one work share."""

    segmented: SegmentedBook
    tokens: TokenCounter
    split: str
    trainable: bool
    provenance: str  # JSON object


def build_row(origin: Origin, layout: str, draft: RowDraft) -> Trajectory:
    """Return the row of a draft.

    Raises:
        BookError: read back, the row says something else than the draft.
    """
    segmented = origin.segmented
    stages = tuple(_build_stage(origin.tokens, stage) for stage in draft.stages)
    row = Trajectory(
        trajectory_id=f"{segmented.book_id}:{draft.name}",
        book_id=segmented.book_id,
        layout=layout,
        window=draft.window,
        targets=draft.targets,
        split=origin.split,
        trainable=origin.trainable,
        stages=stages,
        num_tokens=sum(origin.tokens.stage(stage.role, stage.plan) for stage in draft.stages),
        plan_tokens=sum_tokens(stages, prose=False),
        prose_tokens=sum_tokens(stages, prose=True),
        source_sha256=segmented.source_sha256,
        provenance=origin.provenance,
    )
    problems = check_trajectory(row, segmented.text, plans=[stage.plan for stage in draft.stages])
    if problems:
        raise BookError(segmented.book_id, "row-outside-grammar", f"{row.trajectory_id}: {'; '.join(problems[:3])}")
    return row


def _build_stage(tokens: TokenCounter, draft: Draft) -> Stage:
    text = render_stage(draft.plan)
    start, end = draft.span if draft.span else (None, None)
    return Stage(role=draft.role, text=text, loss=draft.loss, num_tokens=tokens.count(text), start=start, end=end)
