"""Plan -> text of a stage: one function a kind of plan, chosen by its class.

The form is the one that the public PageStorm runner drives and accepts (docs/trajectory-format.md); `premise` and
`story_so_far` are ours. Nothing is checked here: `tasks.grammar.parser` reads the text back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch

from schemas.plans import (
    ArcPlan,
    BookPlan,
    ChapterPlan,
    ChaptersPlan,
    CharactersList,
    FirstChapterPlan,
    Named,
    OpeningPlan,
    OutlinePrompt,
    Passage,
    Premise,
    Prose,
    SceneBreakdown,
    ScenePlan,
    StorySoFar,
    TaggedPrompt,
    TitlePrompt,
)
from schemas.scaffold import Preview, Vector
from tasks.grammar.outline_words import (
    CLEAN_OUTLINE,
    CLEAN_REFERENCE,
    CLEAN_REFERENCE_TASK,
    CLEAN_TASK,
    PAPER_AFTER,
    PAPER_BEFORE,
)

FENCE = "```"


@singledispatch
def render_stage(plan: object) -> str:
    """Return the text of a stage; TypeError for what is no plan."""
    raise TypeError(f"{type(plan).__name__} is no stage of a trajectory")


@render_stage.register
def _(plan: str) -> str:
    return plan


@render_stage.register
def _(plan: TaggedPrompt) -> str:
    header = "".join(f"<|{key}:{value}|>" for key, value in plan.tags)
    return f"{header}\n{plan.prompt}" if header else plan.prompt


@render_stage.register
def _(plan: TitlePrompt) -> str:
    example = f"Title: {plan.example_title}\n\nStory: {plan.example}"
    return f"{example}\n\nTitle: {plan.title}\n\nStory:"


@render_stage.register
def _(plan: Preview) -> str:
    return _sections(
        ("Book Highlight", plan.highlight),
        ("Book Title", plan.title),
        ("Book Tags", _bullets(plan.tags)),
        ("Book Archetype", plan.archetype),
    )


@render_stage.register
def _(plan: BookPlan) -> str:
    arcs = plan.arcs
    return _sections(
        ("World Rules", _bullets(plan.world_rules)),
        ("Short Story Arcs", _arcs(arcs, [_bullets(arc.short) for arc in arcs])),
        ("Character Archetypes", _named("###", plan.archetypes)),
        ("Writing Style", _bullets(plan.writing_style)),
        ("Medium Story Arcs", _arcs(arcs, [_bullets(arc.medium) for arc in arcs])),
        ("Long Story Arcs", _arcs(arcs, [_bullets(arc.long) for arc in arcs])),
        ("Number of Chapters", _arcs(arcs, [f"* {len(arc.chapters)}" for arc in arcs])),
        ("Chapter Names", _arcs(arcs, [_bullets(chapter.name for chapter in arc.chapters) for arc in arcs])),
        ("Chapters Embedding Space", _arcs(arcs, [_vectors(arc) for arc in arcs])),
        ("Chapters Word Count", _arcs(arcs, [_word_counts(arc) for arc in arcs])),
    )


@render_stage.register
def _(plan: OpeningPlan) -> str:
    sections = _sections(
        ("World Rules", _bullets(plan.world_rules)),
        ("Story Arcs", _arcs(plan.arcs, [_bullets(arc.bullets) for arc in plan.arcs])),
        ("Character Archetypes", _named("###", plan.archetypes)),
        ("Writing Style", _bullets(plan.writing_style)),
    )
    return f"{render_stage(plan.preview)}\n\n{sections}"


@render_stage.register
def _(plan: ChapterPlan) -> str:
    return (
        f"### {plan.name}\n"
        f"**Word Count:** {plan.word_count}\n"
        f"**Embedding Space:** {render_vector(plan.vector)}\n"
        f"**Narrative Focuses:** {'; '.join(plan.focuses)}\n"
        f"**Chapter Summary:**\n{_bullets(plan.bullets)}"
    )


@render_stage.register
def _(plan: FirstChapterPlan) -> str:
    return f"{render_stage(plan.chapter)}\n\n### Scene Breakdown\n{_scenes(plan.scenes)}"


@render_stage.register
def _(plan: ChaptersPlan) -> str:
    return "\n\n".join(render_stage(chapter) for chapter in plan.chapters)


@render_stage.register
def _(plan: CharactersList) -> str:
    return f"### Main Characters\n{_named('####', plan.main)}\n### Side Characters\n{_named('####', plan.side)}"


@render_stage.register
def _(plan: SceneBreakdown) -> str:
    return f"### {plan.name}\n{_scenes(plan.scenes)}"


@render_stage.register
def _(plan: Prose) -> str:
    return f"### {plan.name}\n{FENCE}\n{plan.text}\n{FENCE}"


@render_stage.register
def _(plan: Passage) -> str:
    return f"{plan.lead}{plan.text}"


@render_stage.register
def _(plan: OutlinePrompt) -> str:
    if plan.template == "paper":
        return PAPER_BEFORE + "\n".join(plan.outline) + PAPER_AFTER
    lines = [CLEAN_TASK, "", CLEAN_OUTLINE, _bullets(plan.outline)]
    if plan.reference:
        lines += ["", CLEAN_REFERENCE, CLEAN_REFERENCE_TASK, "", plan.reference]
    return "\n".join(lines)


@render_stage.register
def _(plan: Premise) -> str:
    sections = [("Book Title", plan.title)]
    if plan.highlight:
        sections.append(("Book Highlight", plan.highlight))
    if plan.characters:
        sections.append(("Main Characters", _named("###", plan.characters)))
    return _sections(*sections)


@render_stage.register
def _(plan: StorySoFar) -> str:
    return f"## Story So Far\n{_named('###', plan.entries)}"


def render_vector(vector: Vector) -> str:
    """Return 'action: 3, dialog: 40, ...', the seven ratings in their order."""
    return ", ".join(f"{name}: {value}" for name, value in vector)


def _sections(*sections: tuple[str, str]) -> str:
    return "\n\n".join(f"## {header}\n{body}" for header, body in sections)


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _named(mark: str, items: Iterable[Named]) -> str:
    return "\n".join(f"{mark} {item.name}\n{_bullets(item.bullets)}" for item in items)


def _arcs(arcs: Sequence[ArcPlan | Named], bodies: Sequence[str]) -> str:
    pairs = zip(arcs, bodies, strict=True)
    return "\n\n".join(f"### Arc {number}: {arc.name}\n{body}" for number, (arc, body) in enumerate(pairs, 1))


def _vectors(arc: ArcPlan) -> str:
    return "\n".join(f"#### {chapter.name}\n{render_vector(chapter.vector)}" for chapter in arc.chapters)


def _word_counts(arc: ArcPlan) -> str:
    return "\n".join(f"#### {chapter.name}\n{chapter.word_count}" for chapter in arc.chapters)


def _scenes(scenes: Iterable[ScenePlan]) -> str:
    return "\n".join(
        f"#### Scene {number}: {scene.title}\n"
        f"**Word Count:** {scene.word_count}\n"
        f"**Embedding Space:** {render_vector(scene.vector)}\n"
        f"**Narrative Focus:** {'; '.join(scene.focuses)}\n"
        f"**Narrative Perspective:** {scene.perspective}\n"
        f"**Scene Summary:**\n{_bullets(scene.bullets)}"
        for number, scene in enumerate(scenes, 1)
    )
