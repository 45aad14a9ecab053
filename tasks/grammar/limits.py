"""Stages -> those that the PageStorm runner would not let a model write: the tokens of every role."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.trajectories import Stage

# Tokens that the runner lets a model write in each stage (its profiles; trajectory grammar, "What the runner allows").
STAGE_LIMITS = {
    "book_preview": 4_000,
    "book_plan": 50_000,
    "first_chapter_plan": 9_000,
    "first_chapter_text": 12_000,
    "full_book_chapters_plan": 60_000,
    "book_characters_list": 6_000,
    "scene_breakdown": 3_000,
    "first_chapter_scene_breakdown": 3_000,
    "chapter_text": 16_000,
}
OPENING_PLAN_LIMIT = 2_500  # of first_chapter_plan in the layout first-chapter
RUN_LAYOUTS = ("full-book", "first-chapter")  # those that the runner drives; a window's text may be longer


def limit_stage(layout: str, role: str) -> int | None:
    """Return the most tokens that a stage's text may have, or None where there is no limit."""
    if (layout, role) == ("first-chapter", "first_chapter_plan"):
        return OPENING_PLAN_LIMIT
    return STAGE_LIMITS.get(role) if layout in RUN_LAYOUTS or role == "scene_breakdown" else None


def check_limits(layout: str, stages: Sequence[Stage]) -> list[str]:
    """Return the stages that have more tokens than the runner allows."""
    held = [(stage, limit_stage(layout, stage.role)) for stage in stages]
    return [
        f"{stage.role} has {stage.num_tokens} tokens, {most} allowed"
        for stage, most in held
        if most is not None and stage.num_tokens > most
    ]
