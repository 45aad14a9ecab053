"""Inputs of a book's calls -> their answers without a model: chosen sentences, and sentences made of measured facts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, sqrt

import numpy as np

from schemas.answers import (
    ArcAnswer,
    ArchetypeAnswer,
    ArcsAnswer,
    CharacterAnswer,
    PartAnswer,
    PeopleAnswer,
    PreviewAnswer,
    PromptsAnswer,
    StyleAnswer,
    WorldAnswer,
)
from schemas.questions import BookInputs, ChapterDigest, Facts, PartInputs, PersonDigest, StoryInputs
from schemas.scaffold import Character, Vector
from tasks.extraction.measure import describe_perspective

_ROLES = (
    "The Central Figure",
    "The Counterpart",
    "The Companion",
    "The Opponent",
    "The Witness",
    "The Outsider",
    "The Kin",
)
_QUALITIES = {
    "action": "Action and events",
    "dialog": "Much dialogue",
    "world_building": "Vivid places",
    "exposition": "Reflective narration",
    "romantic": "Love and courtship",
    "erotic": "Sensual undertones",
    "pacing": "Brisk pacing",
}
MAX_ARC_CHAPTERS = 99  # trajectory grammar


def answer_people(inputs: BookInputs) -> PeopleAnswer:
    """Take those who are named most; main is who is named a third as often as the first, five at most."""
    named = [person for person in inputs.people if person.num_mentions >= 2][:16]
    people = [_describe_person(person, inputs.facts) for person in named]
    if not people:
        return PeopleAnswer(main=(_unnamed_person(inputs.facts),), side=(), archetypes=(_describe_role(0, 1),))
    num_leading = sum(person.num_mentions * 3 >= named[0].num_mentions for person in named)
    num_main = min(5, num_leading, max(1, len(people) - 1))
    return PeopleAnswer(
        main=tuple(people[:num_main]),
        side=tuple(people[num_main : num_main + 11]),
        archetypes=tuple(_describe_role(rank, num_main) for rank in range(num_main)),
    )


def answer_parts(inputs: PartInputs) -> PartAnswer:
    """Tell a part by one bullet of each of up to eight chapters."""
    return PartAnswer(bullets=tuple(_spread(inputs.chapters, 8)))


def answer_arcs(inputs: BookInputs) -> ArcsAnswer:
    """Divide the chapters into arcs of about equal length; the more chapters, the more arcs."""
    chapters = inputs.chapters
    num_arcs = max(min(6, round(sqrt(len(chapters)) / 1.5)), ceil(len(chapters) / MAX_ARC_CHAPTERS), 1)
    borders = [round(len(chapters) * k / num_arcs) for k in range(num_arcs + 1)]
    arcs = []
    for low, high in pairwise(borders):
        group = chapters[low:high]
        name = group[0].name if len(group) == 1 else f"{group[0].name[:36]} to {group[-1].name[:36]}"
        arcs.append(
            ArcAnswer(
                name=name[:80],
                first_chapter=group[0].number,
                last_chapter=group[-1].number,
                short=tuple(_spread(group, 3)),
                medium=tuple(_spread(group, 6)),
                long=tuple(_spread(group, 12)),
            )
        )
    return ArcsAnswer(arcs=tuple(arcs))


def answer_world(inputs: BookInputs) -> WorldAnswer:
    """Take a sentence of each of the chapters that describe the most."""
    described = sorted(inputs.chapters, key=lambda chapter: (-chapter.vector.world_building, chapter.number))[:8]
    rules = dict.fromkeys(chapter.bullets[0] for chapter in sorted(described, key=lambda chapter: chapter.number))
    return WorldAnswer(rules=tuple(rules))


def answer_style(inputs: BookInputs) -> StyleAnswer:
    """Say what is measured: person, tense, sentences, dialogue, chapters."""
    facts, lengths = inputs.facts, sorted(chapter.num_words for chapter in inputs.chapters)
    return StyleAnswer(
        rules=(
            f"{describe_perspective(facts)}.",
            f"Sentences have {facts.sentence_words:g} words on average.",
            f"About {round(100 * facts.dialogue_share)} of 100 words stand in quotation marks.",
            f"Chapters run from {lengths[0]} to {lengths[-1]} words, with a median of {lengths[len(lengths) // 2]}.",
        )
    )


def answer_preview(inputs: StoryInputs) -> PreviewAnswer:
    """Build the paragraphs from measured facts."""
    facts, qualities = inputs.facts, _strongest(inputs.vector)
    names, others = _names(inputs.main_characters), _names(inputs.side_characters[:3])
    voice, found = describe_perspective(facts).lower(), _join([quality.lower() for quality in qualities[:2]])
    movements = _count(len(inputs.arcs), "movement")
    highlight = [
        f"This is the story of {_join(names)}, told in {_size(facts)}.",
        f"Around them stand {_join(others)}, and what they do carries the book onward." if others else "",
        f"It is told in the {voice}, with about {_percent(facts.dialogue_share)} of every hundred words spoken aloud",
        f"and sentences of {round(facts.sentence_words)} words on average.",
        f"Above all the reader will find {found},",
        f"and a course of events in {movements} that has to be followed to the last page.",
    ]
    archetype = [
        f"A central figure, followed through {_count(facts.num_chapters, 'chapter')}, is placed among",
        f"{_count(len(names) + len(others), 'person', 'people')} whose aims help or hinder what this figure wants.",
        f"The story moves in {movements}: a first state of things is shown, it is disturbed, it grows from",
        "chapter to chapter, and the last chapters settle what the first ones opened.",
        f"The telling keeps to the {voice} and leans on {found}.",
    ]
    return PreviewAnswer(
        highlight=" ".join(filter(None, highlight))[:800],
        tags=_make_tags(facts, qualities),
        archetype=" ".join(archetype)[:1100],
    )


def answer_prompts(inputs: StoryInputs) -> PromptsAnswer:
    """Ask for a book of the measured length, voice and people."""
    facts, names, others = inputs.facts, _join(_names(inputs.main_characters)), _names(inputs.side_characters)
    voice, qualities = describe_perspective(facts).lower(), [quality.lower() for quality in _strongest(inputs.vector)]
    movements = _count(len(inputs.arcs), "movement")
    detailed = [
        f"I would like a novel in {_size(facts)}. Tell it in the {voice}, in sentences of about",
        f"{round(facts.sentence_words)} words, with about {_percent(facts.dialogue_share)} of a hundred words spoken.",
        f"At its centre stand {names}; {f'{_join(others)} are around them' if others else 'others have no names'}.",
        f"Let it move in {movements}, with {_join(qualities[:3])}.",
    ]
    return PromptsAnswer(
        terse=f"Write a novel about {names}"[:195] + ".",
        normal=f"Please write a novel in {_size(facts)} about {names}. Tell it in the {voice}, with {qualities[0]}."[
            :700
        ],
        detailed=" ".join(detailed)[:1600],
        tagged=f"Write the story of {names} in {movements}."[:500],
        genre="classic fiction",
        tone=qualities[0],
        setting="as the people and places of the story suggest",
        pov=voice,
        theme=qualities[1],
    )


def _describe_person(person: PersonDigest, facts: Facts) -> CharacterAnswer:
    """Say when a person is met and how often named, and give sentences of the text."""
    counted = (
        f"First met in chapter {person.first_chapter} of {facts.num_chapters}, "
        f"and named at least {person.num_mentions} times."
    )
    roles = [role for role in person.roles if not role.startswith("Named ")]
    return CharacterAnswer(name=person.name, aliases=person.aliases[:6], bullets=(counted, *_every(roles, 4)))


def _unnamed_person(facts: Facts) -> CharacterAnswer:
    name = "The narrator" if describe_perspective(facts).startswith("First") else "The protagonist"
    bullet = f"A person whom the book names rarely or never in {_count(facts.num_chapters, 'chapter')}."
    return CharacterAnswer(name=name, aliases=(), bullets=(bullet,))


def _describe_role(rank: int, num_main: int) -> ArchetypeAnswer:
    place = "more often than anybody else" if not rank else f"less often than {rank} of the {num_main} main characters"
    return ArchetypeAnswer(name=_ROLES[rank], bullets=(f"A main character who is named {place}.",))


def _spread(chapters: Sequence[ChapterDigest], num_bullets: int) -> list[str]:
    """Take bullets at equal distances from all bullets of some chapters, in order, none twice."""
    bullets = [bullet for chapter in chapters for bullet in chapter.bullets]
    return list(dict.fromkeys(_every(bullets, num_bullets)))


def _every(items: Sequence[str], num_items: int) -> list[str]:
    if len(items) <= num_items:
        return list(items)
    return [items[int(index)] for index in np.linspace(0, len(items) - 1, num_items).round()]


def _strongest(vector: Vector) -> list[str]:
    ratings = dict(vector)
    return [_QUALITIES[name] for name in sorted(ratings, key=lambda name: (-ratings[name], name))]


def _make_tags(facts: Facts, qualities: Sequence[str]) -> tuple[str, ...]:
    person, tense = describe_perspective(facts).split(", ")
    size = "Long novel" if facts.num_words > 120_000 else "Novel" if facts.num_words > 40_000 else "Short novel"
    return ("Classic fiction", size, f"{person} narration", f"{tense.capitalize()} narration", *qualities[:3])


def _names(people: Sequence[Character]) -> list[str]:
    return [person.name for person in people]


def _size(facts: Facts) -> str:
    return f"{_count(facts.num_chapters, 'chapter')} and about {facts.num_words} words"


def _percent(share: float) -> int:
    return round(100 * share)


def _count(number: int, noun: str, plural: str | None = None) -> str:
    return f"one {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def _join(items: Sequence[str]) -> str:
    if not items:
        return "people without names"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
