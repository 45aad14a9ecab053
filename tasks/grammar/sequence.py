"""Trajectory <-> text: the whole sequence, its chat turns, and what is wrong with it.

`tasks.grammar.render` writes a stage, `tasks.grammar.parser` reads it back; the format is docs/trajectory-format.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from schemas.plans import (
    BookPlan,
    ChapterPlan,
    ChaptersPlan,
    FirstChapterPlan,
    OutlinePrompt,
    Passage,
    Plan,
    Prose,
    SceneBreakdown,
)
from schemas.scaffold import NOT_STATED
from schemas.trajectories import Stage, Trajectory
from tasks.grammar.limits import check_limits
from tasks.grammar.outlines import check_pair
from tasks.grammar.parser import parse_stage
from tasks.grammar.parts import GrammarError
from tasks.protocols import Tokenizer

ROLES = {
    "full-book": (
        "prompt book_preview book_plan first_chapter_plan first_chapter_text full_book_chapters_plan "
        "book_characters_list( scene_breakdown chapter_text)+"
    ),
    "first-chapter": "prompt book_plan first_chapter_plan first_chapter_scene_breakdown first_chapter_text",
    "chapter-window": "prompt premise( story_so_far)?( previous_text)?( scene_breakdown chapter_text)+",
    "outline-to-text": "prompt passage",
    "tagged-story": "prompt story",
    "title-to-story": "prompt story",
}
PAIR_ROLES = ("passage", "story")  # the one target of a layout of pairs: its prompt is the whole user turn
PROSE_ROLES = ("first_chapter_text", "chapter_text", "previous_text", *PAIR_ROLES)
NUM_CONTROL_TOKENS = 3  # a stage's <|start_header_id|>, <|stop_header_id|>, <|eot_id|>: one token each
_MAX_WORD_COUNT = 99_500  # five digits, in the last bin's steps
_ROUNDING = (
    (100, 10),
    (1_000, 50),
    (10_000, 100),
    (10**9, 500),
)  # true counts under the first go to multiples of the second
_PLACEHOLDER = re.compile(  # the whole of a line, bullet, name, focus or value
    rf"(?m)^(?:- |#+ |#+ (?:Scene|Arc) \d+: |\*\*[^*\n]+:\*\* (?:.*; )?)?{re.escape(NOT_STATED)}(?:;|$)"
)
_TAG = re.compile(r"(?m)^(\\*</?[a-z_]+>)$")
_ESCAPED_TAG = re.compile(r"(?m)^\\(\\*</?[a-z_]+>)$")
_BLOCK = re.compile(r"(?ms)^<([a-z_]+)>\n(.*?)\n</\1>$")
_INSTRUCTION = "Write: "


class ParsedTrajectory(NamedTuple):
    """What every stage of a trajectory says, in order."""

    layout: str
    roles: tuple[str, ...]
    plans: tuple[Plan, ...]


def round_words(num_words: int) -> int:
    """Return a count as plans give it: rounded half to even in steps of its range, of two to five digits."""
    step = next(step for below, step in _ROUNDING if num_words < below)
    return min(max(10, round(num_words / step) * step), _MAX_WORD_COUNT)


def render_sequence(stages: Sequence[Stage]) -> str:
    """Return the whole training sequence as text, control tokens included."""
    return "".join(f"<|start_header_id|>{stage.role}<|stop_header_id|>\n\n{stage.text}<|eot_id|>" for stage in stages)


def count_stage(role: str, text: str, trainee: Tokenizer) -> int:
    """Return the tokens of a rendered stage: its control tokens, and the texts between them."""
    return NUM_CONTROL_TOKENS + trainee.count(role) + trainee.count(f"\n\n{text}")


def parse_trajectory(row: Trajectory) -> ParsedTrajectory:
    """Return what every stage of a row says.

    Raises:
        GrammarError: roles out of order, a stage outside the grammar, or stages that contradict each other.
    """
    roles = tuple(stage.role for stage in row.stages)
    order = ROLES.get(row.layout)
    if order is None:
        raise GrammarError(f"unknown layout {row.layout!r}")
    if not re.fullmatch(order, " ".join(roles)):
        raise GrammarError(f"{row.layout}: stages out of order: {' '.join(roles[:12])}")
    plans = tuple(parse_stage(row.layout, stage.role, stage.text) for stage in row.stages)
    _check_chapter_names(plans)
    if row.layout == "full-book":
        _check_book(plans)
    if isinstance(plans[0], OutlinePrompt) and isinstance(plans[-1], Passage):
        check_pair(plans[0], plans[-1])
    return ParsedTrajectory(row.layout, roles, plans)


def check_trajectory(
    row: Trajectory, text: str, trainee: Tokenizer | None = None, plans: Sequence[Plan] | None = None
) -> list[str]:
    """Return what is wrong with a row, given its book's clean text.

    Args:
        row: as it is stored.
        text: of its book.
        trainee: counts the tokens anew.
        plans: what the stages were written from, and must say.
    """
    try:
        parsed = parse_trajectory(row)
    except GrammarError as error:
        return [str(error)]
    problems = _check_prose(row, parsed, text) + _check_plans(row) + _check_totals(row)
    if trainee is not None:
        problems += _check_counts(row, trainee)
    if plans is not None and parsed.plans != tuple(plans):
        problems.append("read back, it is not what was written")
    return problems


def _check_chapter_names(plans: Sequence[Plan]) -> None:
    """A text bears the name of the plan before it, and so does a breakdown after a chapter's own plan."""
    planned: str | None = None
    for before, plan in pairwise((None, *plans)):
        if isinstance(plan, SceneBreakdown) and isinstance(before, ChapterPlan) and plan.name != before.name:
            raise GrammarError(f"breakdown of {plan.name!r} after the plan of {before.name!r}")
        if isinstance(plan, FirstChapterPlan):
            planned = plan.chapter.name
        elif isinstance(plan, ChapterPlan | SceneBreakdown):
            planned = plan.name
        elif isinstance(plan, Prose) and planned is not None and plan.name != planned:
            raise GrammarError(f"text of {plan.name!r} after the plan of {planned!r}")


def _check_book(plans: Sequence[Plan]) -> None:
    """The chapters of book_plan, of the chapters' plans and of the texts are the same, in the same order."""
    book = next(plan for plan in plans if isinstance(plan, BookPlan))
    listed = [chapter for arc in book.arcs for chapter in arc.chapters]
    first = next(plan.chapter for plan in plans if isinstance(plan, FirstChapterPlan))
    later = next(plan.chapters for plan in plans if isinstance(plan, ChaptersPlan))
    if [(chapter.name, chapter.vector, chapter.word_count) for chapter in (first, *later)] != listed:
        raise GrammarError("the chapters' plans differ from book_plan in names, vectors or word counts")
    names = [chapter.name for chapter in listed]
    if len(set(names)) < len(names):
        raise GrammarError("two chapters share a name")
    if [plan.name for plan in plans if isinstance(plan, Prose)] != names:
        raise GrammarError("the texts are not the chapters of book_plan in their order")


def _check_prose(row: Trajectory, parsed: ParsedTrajectory, text: str) -> list[str]:
    problems: list[str] = []
    counts = {plan.name: plan.word_count for plan in _chapter_plans(parsed.plans)}
    at = 0
    for stage, plan in zip(row.stages, parsed.plans, strict=True):
        if stage.role not in PROSE_ROLES or not isinstance(plan, Prose | Passage):
            continue
        name = stage.role if isinstance(plan, Passage) else f"{stage.role} {plan.name!r}"
        if stage.start is None or stage.end is None or text[stage.start : stage.end] != plan.text:
            problems.append(f"{name} is not the book's text at {stage.start}:{stage.end}")
            continue
        if stage.start < at:
            problems.append(f"{name} begins at {stage.start}, the text before it ends at {at}")
        at = stage.end
        if isinstance(plan, Prose) and plan.name in counts:
            num_words = len(plan.text.split())
            if counts[plan.name] != round_words(num_words):
                problems.append(f"{plan.name!r} has {num_words} words, {counts[plan.name]} planned")
    return problems


def _check_plans(row: Trajectory) -> list[str]:
    """No plan and no prompt holds a line for which there was no answer."""
    stages = [stage for stage in row.stages if stage.role not in PROSE_ROLES and _PLACEHOLDER.search(stage.text)]
    return [f"{stage.role} holds a line {NOT_STATED!r}" for stage in stages]


def _chapter_plans(plans: Sequence[Plan]) -> list[ChapterPlan]:
    found: list[ChapterPlan] = []
    for plan in plans:
        if isinstance(plan, ChapterPlan):
            found.append(plan)
        elif isinstance(plan, FirstChapterPlan):
            found.append(plan.chapter)
        elif isinstance(plan, ChaptersPlan):
            found.extend(plan.chapters)
    return found


def _check_totals(row: Trajectory) -> list[str]:
    """Hold the row's sums and limits against what its stages state."""
    limits = [("row", row.num_tokens, row.window)]
    limits += [
        ("previous_text", stage.num_tokens, row.window // 10) for stage in row.stages if stage.role == "previous_text"
    ]
    problems = [f"{what} has {found} tokens, {most} allowed" for what, found, most in limits if found > most]
    problems += check_limits(row.layout, row.stages)
    for name, stated, prose in (("plan_tokens", row.plan_tokens, False), ("prose_tokens", row.prose_tokens, True)):
        total = sum_tokens(row.stages, prose=prose)
        if total != stated:
            problems.append(f"{name} is {total}, {stated} stated")
    return problems


def _check_counts(row: Trajectory, trainee: Tokenizer) -> list[str]:
    counts = [(stage.role, trainee.count(stage.text), stage.num_tokens) for stage in row.stages]
    counts.append(("row", sum(count_stage(stage.role, stage.text, trainee) for stage in row.stages), row.num_tokens))
    return [f"{what} has {found} tokens, {stated} stated" for what, found, stated in counts if found != stated]


def sum_tokens(stages: Sequence[Stage], *, prose: bool) -> int:
    """Return the tokens of the texts that are trained on: of the prose, or of the plans."""
    return sum(stage.num_tokens for stage in stages if stage.loss > 0 and (stage.role in PROSE_ROLES) == prose)


def messages(stages: Sequence[Stage]) -> list[dict[str, str]]:
    """Return the stages as chat messages with the keys `role` and `content`, for tools that train on chats.

    A stage that is trained on is an assistant turn. What is context stands in the user turn before it, which ends in
    `Write: ROLE`: the prompt as it is, every other stage between tags that bear its role. A line of a context stage
    that looks like a tag gets a backslash in front, so that any text comes back equal. In a layout of pairs the user
    turn is the prompt and nothing else.
    """
    if stages and stages[-1].role in PAIR_ROLES:
        return [{"role": "assistant" if stage.loss > 0 else "user", "content": stage.text} for stage in stages]
    turns: list[dict[str, str]] = []
    context: list[str] = []
    for stage in stages:
        if stage.loss > 0:
            turns.append({"role": "user", "content": "\n\n".join([*context, _INSTRUCTION + stage.role])})
            turns.append({"role": "assistant", "content": stage.text})
            context = []
        else:
            context.append(_write_context(stage))
    if context:
        turns.append({"role": "user", "content": "\n\n".join(context)})
    return turns


def stages_from_messages(layout: str, turns: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """Return role and text of every stage that the messages of a row hold: the inverse of `messages`."""
    if ROLES[layout].split()[-1] in PAIR_ROLES:
        return list(zip(ROLES[layout].split(), (turn["content"] for turn in turns), strict=True))
    stages: list[tuple[str, str]] = []
    role = ""
    for place, turn in enumerate(turns):
        if turn["role"] == "assistant":
            stages.append((role, turn["content"]))
            continue
        context = turn["content"]
        if place + 1 < len(turns):
            context, _, role = context.rpartition(_INSTRUCTION)
            context = context.removesuffix("\n\n")
        stages += _read_context(context)
    return stages


def _write_context(stage: Stage) -> str:
    text = _TAG.sub(r"\\\1", stage.text)
    return text if stage.role == "prompt" else f"<{stage.role}>\n{text}\n</{stage.role}>"


def _read_context(context: str) -> list[tuple[str, str]]:
    blocks = list(_BLOCK.finditer(context))
    prompt = context[: blocks[0].start()].removesuffix("\n\n") if blocks else context
    stages = [("prompt", prompt)] if prompt else []
    stages += [(block[1], block[2]) for block in blocks]
    return [(role, _ESCAPED_TAG.sub(r"\1", text)) for role, text in stages]
