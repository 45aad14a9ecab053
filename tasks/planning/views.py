"""A book's chapters and people -> the text that shows them to a model, shortened until it fits a budget of tokens.

Each rung of the ladder shows less of everything, evenly over the book, so that no part of a long book goes unseen. The
last one still shows two whole statements a chapter: a book that does not fit so is merged by groups of chapters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from schemas.questions import BookInputs, ChapterDigest, Facts, PartInputs, PersonDigest, StoryInputs
from tasks.extraction.measure import describe_perspective
from tasks.planning.wording import spread
from tasks.protocols import Tokenizer


class Rung(NamedTuple):
    """How much is shown: statements of a list, people, statements about each, words of a passage."""

    bullets: int
    people: int
    roles: int
    passage_words: int


LADDER = (
    Rung(20, 60, 4, 150),
    Rung(8, 40, 3, 150),
    Rung(6, 40, 2, 120),
    Rung(5, 30, 2, 120),
    Rung(4, 24, 1, 100),
    Rung(3, 20, 1, 80),
    Rung(2, 16, 1, 60),
    Rung(2, 12, 1, 40),  # a plan is to name most of the ten people who are named most
)


class View(NamedTuple):
    """A text, and whether it is within the most that may be shown."""

    text: str
    fits: bool


class Budget(NamedTuple):
    """Tokens: a view is the fullest one within `wanted`; the barest one may take up to `most`."""

    wanted: int
    most: int


class Group(NamedTuple):
    """Consecutive chapters that are told together, and what is told of them."""

    first_chapter: int
    last_chapter: int
    bullets: tuple[str, ...]

    @property
    def name(self) -> str:
        """The group as requests call it."""
        return name_chapters(self.first_chapter, self.last_chapter)


class Groups(NamedTuple):
    """What a book too long for its budget is told by; none where it is told by its chapters."""

    items: tuple[Group, ...] = ()
    named: bool = True  # whether the chapters' names still have room


def name_chapters(first: int, last: int) -> str:
    """Return 'chapters 3 to 9', or 'chapter 3'."""
    return f"chapter {first}" if first == last else f"chapters {first} to {last}"


def show_book(inputs: BookInputs, groups: Groups, budget: Budget, reader: Tokenizer) -> View:
    """Show facts, people, chapters and passages; of a book told by groups, their statements and the chapters' names."""
    head = describe_head(inputs.facts)

    def show(rung: Rung) -> str:
        passages = [f"Passage: {_cut(passage, rung.passage_words)}" for passage in inputs.passages]
        people = (_show_person(person, rung) for person in inputs.people[: rung.people])
        return "\n\n".join(
            [
                head,
                _block("People, as they were met", people),
                _show_chapters(inputs.chapters, groups, rung),
                *passages,
            ]
        )

    return fit(show, budget, reader)


def show_part(inputs: PartInputs, facts: Facts, groups: Groups, budget: Budget, reader: Tokenizer) -> View:
    """Show the chapters of one part, or the groups that it was told by before."""
    head = f"{describe_head(facts)}\n{inputs.label}"
    return fit(lambda rung: f"{head}\n\n{_show_chapters(inputs.chapters, groups, rung)}", budget, reader)


def show_story(inputs: StoryInputs, budget: Budget, reader: Tokenizer) -> str:
    """Show facts and what the calls about the book have answered."""
    head = describe_head(inputs.facts)

    def show(rung: Rung) -> str:
        people = [
            *(f"{person.name}: {' '.join(spread(person.bullets, rung.bullets))}" for person in inputs.main_characters),
            *(f"{person.name}: {' '.join(person.bullets[: rung.roles])}" for person in inputs.side_characters),
        ]
        arcs = [
            f"{arc.name} ({name_chapters(arc.first_chapter, arc.last_chapter)}): "
            f"{' '.join(spread(arc.medium, rung.bullets))}"
            for arc in inputs.arcs
        ]
        return "\n\n".join(
            [
                head,
                _block("People", people),
                _block("Arcs", arcs),
                _block("World", spread(inputs.world_rules, 2 * rung.bullets)),
                _block("Style", spread(inputs.writing_style, 2 * rung.bullets)),
            ]
        )

    return fit(show, budget, reader).text


def describe_head(facts: Facts) -> str:
    """Return title and author, and the measured facts in a sentence."""
    return (
        f"Book: {facts.title}{f', by {facts.author}' if facts.author else ''}\n"
        f"Measured: {facts.num_words} words in {facts.num_chapters} chapters; {describe_perspective(facts).lower()}; "
        f"{round(100 * facts.dialogue_share)} % of the words are speech; "
        f"sentences of {facts.sentence_words:g} words on average."
    )


def fit(show: Callable[[Rung], str], budget: Budget, reader: Tokenizer) -> View:
    """Return the fullest view within the budget that is wanted, else the barest, which may be too long."""
    text, num_tokens = "", 0
    for rung in LADDER:
        text = show(rung)
        num_tokens = reader.count(text)
        if num_tokens <= min(budget):
            break
    return View(text, num_tokens <= budget.most)


def _show_chapters(chapters: Sequence[ChapterDigest], groups: Groups, rung: Rung) -> str:
    """Show chapters by their statements, or by their names under the statements of the groups that hold them."""
    if not groups.items:
        return _block("Chapters", (_show_chapter(chapter, rung) for chapter in chapters))
    blocks = []
    for group in groups.items:
        inside = [one for one in chapters if group.first_chapter <= one.number <= group.last_chapter]
        names = f" ({'; '.join(f'{one.number} {one.name}' for one in inside)})" if groups.named else ""
        blocks.append(_block(f"{group.name.capitalize()}{names}", spread(group.bullets, 3 * rung.bullets)))
    return "\n\n".join(blocks)


def _show_chapter(chapter: ChapterDigest, rung: Rung) -> str:
    told = " ".join(spread(chapter.bullets, rung.bullets))
    return f"{chapter.number}. {chapter.name} ({chapter.num_words} words): {told}"


def _show_person(person: PersonDigest, rung: Rung) -> str:
    known = f" (also {', '.join(person.aliases)})" if person.aliases else ""
    chapters = f"in {person.num_chapters} chapters from chapter {person.first_chapter}"
    return f"{person.name}{known}, {chapters}: {' '.join(spread(person.roles, rung.roles))}"


def _cut(text: str, num_words: int) -> str:
    return " ".join(text.split()[:num_words])


def _block(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"{title}:", *lines])
