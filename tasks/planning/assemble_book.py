"""Answers about the book -> the parts of its scaffold: arcs that partition the chapters, people, preview, prompts."""

from __future__ import annotations

from itertools import pairwise
from math import ceil

from schemas.answers import ArcAnswer, ArcsAnswer, PeopleAnswer, PreviewAnswer, PromptsAnswer
from schemas.questions import StoryInputs
from schemas.scaffold import Arc, Archetype, Preview, UserPrompt
from tasks.planning.assemble import NOTHING
from tasks.planning.wording import clean_line, clean_lines, cut_sentences

MAX_ARC_CHAPTERS = 99  # trajectory grammar


def partition_arcs(answer: ArcsAnswer, num_chapters: int) -> tuple[Arc, ...]:
    """Make arcs that partition the chapters: each begins where the model says, or right after the one before.

    Arcs for which no chapter is left are dropped; one of more than 99 chapters is divided evenly.
    """
    ordered = sorted(answer.arcs, key=lambda arc: arc.first_chapter)
    starts, kept = [1], [ordered[0]]
    for arc in ordered[1:]:
        if starts[-1] < num_chapters:
            starts.append(min(max(arc.first_chapter, starts[-1] + 1), num_chapters))
            kept.append(arc)
    return tuple(
        part
        for arc, (first, following) in zip(kept, pairwise([*starts, num_chapters + 1]), strict=True)
        for part in _divide_arc(arc, first, following)
    )


def bare_arcs(num_chapters: int) -> tuple[Arc, ...]:
    """Return the arc of a book of which no arcs were told: all chapters, and nothing said."""
    nothing = (NOTHING,)
    arc = ArcAnswer(
        name=NOTHING, first_chapter=1, last_chapter=num_chapters, short=nothing, medium=nothing, long=nothing
    )
    return partition_arcs(ArcsAnswer(arcs=(arc,)), num_chapters)


def build_archetypes(answer: PeopleAnswer) -> tuple[Archetype, ...]:
    """Return the roles, at least one."""
    return tuple(
        Archetype(name=clean_line(role.name, 120) or NOTHING, bullets=clean_lines(role.bullets, 300, 10, NOTHING))
        for role in answer.archetypes
    )


def build_preview(answer: PreviewAnswer | None, title: str) -> Preview:
    """Return the preview; its title is the book's own, and all that is known where no answer was accepted."""
    if answer is None:
        return Preview(highlight=NOTHING, title=title, tags=(), archetype=NOTHING)
    return Preview(
        highlight=clean_line(answer.highlight, 1_000) or NOTHING,
        title=title,
        tags=tuple(clean_line(tag, 65) or NOTHING for tag in answer.tags),
        archetype=clean_line(answer.archetype, 1_500) or NOTHING,
    )


def build_prompts(answer: PromptsAnswer, story: StoryInputs, max_words: int) -> tuple[UserPrompt, ...]:
    """Return the prompts that say something; length and people of the tagged one are the book's own."""
    texts = {"terse": answer.terse, "normal": answer.normal, "detailed": answer.detailed}
    texts["tagged"] = f"{_write_tags(answer, story)} {answer.tagged}"
    cut = {style: cut_sentences(clean_line(text, 4_000), max_words) for style, text in texts.items()}
    return tuple(UserPrompt.model_validate({"style": style, "text": text}) for style, text in cut.items() if text)


def _write_tags(answer: PromptsAnswer, story: StoryInputs) -> str:
    """Return typed preference tags: what the model says of genre and mood, and what is measured."""
    facts = story.facts
    chapters = "1 chapter" if facts.num_chapters == 1 else f"{facts.num_chapters} chapters"
    tags = [("genre", answer.genre), ("tone", answer.tone), ("pov", answer.pov), ("setting", answer.setting)]
    tags += [("theme", answer.theme), ("length", f"{facts.num_words} words in {chapters}")]
    tags += [("character", person.name) for person in story.main_characters[:3]]
    cleaned = ((key, clean_line("".join(char for char in value if char not in "<|>"), 80)) for key, value in tags)
    return "".join(f"<|{key}:{value}|>" for key, value in cleaned if value)


def _divide_arc(arc: ArcAnswer, first: int, following: int) -> list[Arc]:
    num_parts = ceil((following - first) / MAX_ARC_CHAPTERS)
    borders = [first + (following - first) * part // num_parts for part in range(num_parts + 1)]
    name = clean_line(arc.name, 100) or NOTHING
    return [
        Arc(
            name=f"{name} ({part})" if num_parts > 1 else name,
            first_chapter=low,
            last_chapter=high - 1,
            short=clean_lines(arc.short, 300, 20, NOTHING),
            medium=clean_lines(arc.medium, 300, 40, NOTHING),
            long=clean_lines(arc.long, 300, 80, NOTHING),
        )
        for part, (low, high) in enumerate(pairwise(borders), 1)
    ]
