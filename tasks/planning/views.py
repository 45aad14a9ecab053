"""A book's chapters and people -> the text that shows them to a model, shortened until it fits a budget of tokens.

Each rung of the ladder shows less of everything, evenly over the book, so that no part of a long book goes unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from schemas.questions import BookInputs, ChapterDigest, Facts, PartInputs, PersonDigest, StoryInputs
from tasks.extraction.measure import describe_perspective
from tasks.protocols import Tokenizer

T = TypeVar("T")


class Rung(NamedTuple):
    """How much is shown: bullets of a list, words of a bullet, every n-th chapter, people, words of a passage."""

    bullets: int
    words: int
    stride: int
    people: int
    passage_words: int


LADDER = (
    Rung(20, 60, 1, 60, 150),
    Rung(8, 60, 1, 40, 150),
    Rung(5, 60, 1, 40, 120),
    Rung(3, 60, 1, 30, 120),
    Rung(2, 24, 1, 30, 80),
    Rung(1, 24, 1, 20, 60),
    Rung(1, 12, 1, 16, 40),
    Rung(1, 12, 2, 12, 20),
    Rung(1, 10, 4, 8, 0),
    Rung(1, 8, 12, 5, 0),
)


def show_book(inputs: BookInputs, head: str, budget: int, reader: Tokenizer) -> str:
    """Show facts, people, chapters and passages."""

    def show(rung: Rung) -> str:
        passages = [f"Passage: {passage}" for passage in cut_all(inputs.passages, rung.passage_words) if passage]
        return "\n\n".join(
            [
                f"{head}\n{describe_facts(inputs.facts)}",
                _block(
                    "People, as they were met", (_show_person(person, rung) for person in inputs.people[: rung.people])
                ),
                _show_chapters(inputs.chapters, rung),
                *passages,
            ]
        )

    return _fit(show, budget, reader)


def show_part(inputs: PartInputs, head: str, budget: int, reader: Tokenizer) -> str:
    """Show the chapters of one part."""
    return _fit(lambda rung: f"{head}\n{inputs.label}\n\n{_show_chapters(inputs.chapters, rung)}", budget, reader)


def show_story(inputs: StoryInputs, head: str, budget: int, reader: Tokenizer) -> str:
    """Show facts and what the calls about the book have answered."""

    def show(rung: Rung) -> str:
        people = [
            f"{person.name}: {' '.join(_pick(person.bullets, rung))}"
            for person in (*inputs.people.main, *inputs.people.side)
        ]
        arcs = [
            f"{arc.name} (chapters {arc.first_chapter} to {arc.last_chapter}): {' '.join(_pick(arc.medium, rung))}"
            for arc in inputs.arcs
        ]
        return "\n\n".join(
            [
                f"{head}\n{describe_facts(inputs.facts)}",
                _block("People", people),
                _block("Arcs", arcs),
                _block("World", _pick(inputs.world_rules, rung)),
                _block("Style", _pick(inputs.writing_style, rung)),
            ]
        )

    return _fit(show, budget, reader)


def describe_facts(facts: Facts) -> str:
    """Return the measured facts in a sentence."""
    return (
        f"Measured: {facts.num_words} words in {facts.num_chapters} chapters; {describe_perspective(facts).lower()}; "
        f"{round(100 * facts.dialogue_share)} % of the words are speech; "
        f"sentences of {facts.sentence_words:g} words on average."
    )


def spread(items: Sequence[T], num_items: int) -> list[T]:
    """Return `num_items` items at even distances, the first and the last among them where there are two or more."""
    if len(items) <= num_items:
        return list(items)
    if num_items < 2:
        return list(items[:num_items])
    return [items[round(index * (len(items) - 1) / (num_items - 1))] for index in range(num_items)]


def cut_all(texts: Iterable[str], num_words: int) -> list[str]:
    """Cut each text to its first words."""
    return [" ".join(text.split()[:num_words]) for text in texts]


def _fit(show: Callable[[Rung], str], budget: int, reader: Tokenizer) -> str:
    """Return the fullest view within the budget, else the barest."""
    views = (show(rung) for rung in LADDER)
    return next((view for view in views if reader.count(view) <= budget), show(LADDER[-1]))


def _show_chapters(chapters: Sequence[ChapterDigest], rung: Rung) -> str:
    lines = (
        f"{chapter.number}. {chapter.name} ({chapter.num_words} words): {' '.join(_pick(chapter.bullets, rung))}"
        for chapter in chapters[:: rung.stride]
    )
    return _block("Chapters", lines)


def _show_person(person: PersonDigest, rung: Rung) -> str:
    known = f" (also {', '.join(person.aliases)})" if person.aliases else ""
    chapters = f"in {person.num_chapters} chapters from chapter {person.first_chapter}"
    return f"{person.name}{known}, {chapters}: {' '.join(_pick(person.roles, rung)[:4])}"


def _pick(bullets: Sequence[str], rung: Rung) -> list[str]:
    return cut_all(spread(bullets, rung.bullets), rung.words)


def _block(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"{title}:", *lines])
