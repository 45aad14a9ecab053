"""An answer -> what is wrong with it, in words that a model can act on; formulas and limits are those of `verify`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import TypeVar

from schemas.answers import (
    ArcsAnswer,
    OutlineAnswer,
    PartAnswer,
    PeopleAnswer,
    PreviewAnswer,
    PromptsAnswer,
    RateAnswer,
    ReadAnswer,
    StyleAnswer,
    WorldAnswer,
)
from schemas.books import SegmentedBook
from schemas.settings import VerifySettings
from schemas.value import Value
from tasks.checking import levels, measures
from tasks.checking.measures import Measured, Plan
from tasks.checking.names import find_unknown
from tasks.checking.openings import check_evidence, check_openings
from tasks.checking.source import Source, read_source, tokenize
from tasks.checking.spans import Ints
from tasks.checking.structure import count_outside_arcs, count_preview
from tasks.chunk import Window

Check = Callable[[Value], list[str]]
V = TypeVar("V", bound=Value)

OUTLINED_WORDS, OUTLINE_STATEMENTS = 100, 3  # a passage of so many words has so many statements at least
FREE_CALLS = frozenset(("world", "style", "preview", "prompts"))  # may call a book Victorian
ADVICE = {
    "copied-run": 'copies {value:.0f} words in a row from the text ("{detail}"); say it in your own words',
    "copied-8-grams": 'copies 8 words in a row from the text ("{detail}"); say it in your own words',
    "density": "takes too many of its phrases from the text; say it in your own words",
    "invented-names": "names {detail}, whom the text does not have; use its own names, and no capitals for other words",
    "people-covered": "leaves out {detail}, who are named most in the text; say what each of them does",
    "people-in-summary": "leaves out {detail}, who are named most in the text; say what each of them does",
    "duplicates": 'says nearly the same twice ("{detail}"); say it once, and something else instead',
    "order": "is not in the order of the text; tell first what comes first",
    "quarters-covered": "says nothing of {detail} of the text; cover its beginning, middle and end alike",
    "compression": "is too short for so long a text; tell more of what happens",
}


class BookChecks:
    """The checks on all answers about one book; the book is read once, when the first check is asked for.

    `quoting` is for a model that answers in sentences of the text: then nothing counts as copied, and its choice of
    sentences is taken as it is, for it would not make another.
    """

    def __init__(self, book: SegmentedBook, settings: VerifySettings, *, quoting: bool) -> None:
        self._book, self._settings, self._quoting = book, settings, quoting

    def for_read(self, window: Window) -> Check:
        """Return the check of a read answer: scenes in order and quoted truly, statements grounded and complete."""
        return partial(self._check_read, self._source, window, self._source.within(*window.span))

    def for_rate(self, numbers: Sequence[int]) -> Check:
        """Return the check of a rate answer: each scene once."""
        return partial(_check_rate, Counter(numbers))

    def for_outline(self, window: Window) -> Check:
        """Return the check of an outline answer: statements grounded, in order, in words of their own."""
        return partial(self._check_outline, self._source, window, self._source.within(*window.span))

    def for_arcs(self, num_chapters: int) -> Check:
        """Return the check of an arcs answer: a partition of the chapters, levels that grow, names of the book."""
        return partial(self._check_arcs, self._source, num_chapters)

    def for_book(self, call: str, children: Sequence[str] = ()) -> Check:
        """Return the check of an answer about the whole book or a part of it.

        `children` are the statements that it was made from: it may name no person whom they do not name.
        """
        return partial(self._check_book, self._source, call, frozenset(tokenize(" ".join(children))))

    @cached_property
    def _source(self) -> Source:
        return read_source(self._book).prepare()

    def _check_read(self, source: Source, window: Window, prose: Ints, value: Value) -> list[str]:
        answer = _expect(value, ReadAnswer)
        problems = [*check_openings(answer, window, self._book.text), *check_evidence(answer, window)]
        summary = Plan("bullets", tuple(bullet.text for bullet in answer.bullets), prose)
        scenes = [
            Plan(f"scene {number}", tuple(bullet.text for bullet in scene.bullets), prose)
            for number, scene in enumerate(answer.scenes, 1)
        ]
        for plan in (summary, *scenes):
            problems += self._check_plan(plan, source)
        names = [name for person in answer.people for name in (person.name, *person.aliases)]
        problems += _check_people(names, source)
        for person in answer.people:
            problems += self._check_plan(Plan(f"the role of {person.name}", (person.role,), prose), source)
        if not self._quoting:
            everything = tuple(line for plan in (summary, *scenes) for line in plan.statements)
            problems += _describe(_measure_summary(summary, everything, source))
        return problems

    def _check_outline(self, source: Source, window: Window, prose: Ints, value: Value) -> list[str]:
        answer = _expect(value, OutlineAnswer)
        plan = Plan("bullets", tuple(bullet.text for bullet in answer.bullets), prose)
        problems = [*check_evidence(answer, window), *self._check_plan(plan, source)]
        if self._quoting:
            return problems
        if len(prose) >= OUTLINED_WORDS and len(plan.statements) < OUTLINE_STATEMENTS:
            problems.append(f"bullets: {len(plan.statements)} given, at least {OUTLINE_STATEMENTS} needed; tell more")
        return problems + _describe((plan.node, found) for found in measures.measure_order(plan, source))

    def _check_arcs(self, source: Source, num_chapters: int, value: Value) -> list[str]:
        answer = _expect(value, ArcsAnswer)
        problems = []
        arcs = [(arc.first_chapter, arc.last_chapter) for arc in answer.arcs]
        if count_outside_arcs(arcs, range(1, num_chapters + 1)):
            listed = ", ".join(f"{first} to {last}" for first, last in arcs)
            problems.append(
                f"the arcs are chapters {listed}; they must take every chapter from 1 to {num_chapters} once, in order"
            )
        for number, arc in enumerate(answer.arcs, 1):
            sizes = [sum(map(len, lines)) for lines in (arc.short, arc.medium, arc.long)]
            if not sizes[0] < sizes[1] < sizes[2]:
                problems.append(f"arc {number}: short, medium and long must each tell more than the one before")
            for name, lines in (("short", arc.short), ("medium", arc.medium), ("long", arc.long)):
                problems += self._check_plan(Plan(f"arc {number}, {name}", lines, source.narrative), source)
        return problems

    def _check_book(self, source: Source, call: str, below: frozenset[str], value: Value) -> list[str]:
        problems: list[str] = []
        everything: list[str] = []
        for name, lines in list_answer(value):
            plan = Plan(name, lines, source.narrative)
            problems += self._check_plan(plan, source, free=call in FREE_CALLS)
            everything += lines
        if isinstance(value, PeopleAnswer):
            people = [*value.main, *value.side]
            problems += _check_people([name for one in people for name in (one.name, *one.aliases)], source)
        tags = Plan("tags", list_tags(value), source.narrative)
        problems += _describe([(tags.node, measures.measure_names(tags, source, free=True))])
        if isinstance(value, PreviewAnswer):
            problems += count_preview(value.highlight, value.archetype, value.tags)
        told = below and not self._quoting
        absent = levels.find_names_absent(everything, below, source, people_only=True) if told else []
        return problems + [f"{name} is named, but not in what you were told; leave it out" for name in absent]

    def _check_plan(self, plan: Plan, source: Source, *, free: bool = False) -> list[str]:
        """Return what is wrong with one list: names, repetition, copied runs."""
        if not plan.statements:
            return []
        measured = [measures.measure_names(plan, source, free=free)]
        if not self._quoting:
            run, grams = measures.measure_copies(plan, source, self._settings)
            measured += [measures.measure_duplicates(plan), grams if run.passed else run]
        return _describe((plan.node, found) for found in measured)


def list_answer(answer: Value) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the lists of statements of an answer about the book, each with the name of its field."""
    if isinstance(answer, PeopleAnswer):
        yield from ((person.name, person.bullets) for person in (*answer.main, *answer.side))
        yield from ((role.name, role.bullets) for role in answer.archetypes)
    elif isinstance(answer, PartAnswer):
        yield "bullets", answer.bullets
    elif isinstance(answer, WorldAnswer | StyleAnswer):
        yield "rules", answer.rules
    elif isinstance(answer, PreviewAnswer):
        yield "preview", (answer.highlight, answer.archetype)
    elif isinstance(answer, PromptsAnswer):
        yield "prompts", (answer.terse, answer.normal, answer.detailed, answer.tagged)
    else:
        raise TypeError(f"{type(answer).__name__} is no answer about the book")


def list_tags(answer: Value) -> tuple[str, ...]:
    """Return the words and phrases of an answer that are no statements."""
    if isinstance(answer, PreviewAnswer):
        return answer.tags
    if isinstance(answer, PromptsAnswer):
        return (answer.genre, answer.tone, answer.setting, answer.pov, answer.theme)
    return ()


def _describe(measured: Iterable[tuple[str, Measured]]) -> list[str]:
    """Return what failed, as advice."""
    return [
        f"{node}: {ADVICE[found.check].format(value=found.value, detail=found.detail)}"
        for node, found in measured
        if not found.passed
    ]


def _measure_summary(summary: Plan, everything: tuple[str, ...], source: Source) -> Iterator[tuple[str, Measured]]:
    """Measure what the statements about a whole window leave out, and their order."""
    told = measures.measure_coverage(summary._replace(statements=everything), source, 5, measures.MIN_CHAPTER_NAMES)
    if told is not None:
        yield "the plan", told
    alone = measures.measure_coverage(summary, source, 5, measures.MIN_SUMMARY_NAMES)
    if alone is not None:
        yield summary.node, alone._replace(check="people-in-summary")
    short = levels.measure_compression(summary.statements, summary.prose)
    yield from ((summary.node, found) for found in measures.measure_order(summary, source))
    yield from ((summary.node, found) for found in (measures.measure_fragments(summary, source), short) if found)


def _check_people(names: Sequence[str], source: Source) -> list[str]:
    unknown = dict.fromkeys(word for name in names for word in find_unknown(name, source))
    return [f"people: the text has no {word}; give the names as it does" for word in unknown]


def _check_rate(expected: Counter[int], value: Value) -> list[str]:
    found = Counter(rating.scene for rating in _expect(value, RateAnswer).ratings)
    missing, extra = sorted((expected - found).elements()), sorted((found - expected).elements())
    problems = [f"no rating of scene {', '.join(map(str, missing))}"] if missing else []
    return problems + ([f"scene {', '.join(map(str, extra))} is rated twice or not in the list"] if extra else [])


def _expect(value: Value, schema: type[V]) -> V:
    if not isinstance(value, schema):
        raise TypeError(f"{type(value).__name__}, {schema.__name__} expected")
    return value
