"""Scaffold + text -> Findings: leakage, grounding, coverage, repetition, order, levels, structure, claims; see CHECKS.

Findings report; in `enforce` mode the same formulas refuse the answers that a scaffold is made of, before it is
(`tasks.checking.answers`). Alarms (support, end-emphasis, introduced, claims-not-found) pass on either side of their
limit: good plans were found there, too. A check is left out where its formula has no meaning: see each. Swapped roles
("who stabs whom") are seen by the claim check alone, which asks a model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from schemas.books import Division, SegmentedBook
from schemas.scaffold import ChapterScaffold, Finding, Findings, Scaffold
from schemas.settings import VerifySettings
from tasks.checking import levels, measures, structure
from tasks.checking.levels import list_scene_texts, list_texts
from tasks.checking.measures import Measured, Plan, at_least, at_most
from tasks.checking.source import Source, read_source
from tasks.checking.spans import Ints

BOOK = "book"


@dataclass(frozen=True)
class Case:
    """A scaffold beside its book."""

    book: SegmentedBook
    scaffold: Scaffold
    source: Source

    @cached_property
    def chapters(self) -> tuple[ChapterScaffold, ...]:
        """The chapters that have a plan: quarantined ones are left out of every check."""
        return tuple(chapter for chapter in self.scaffold.chapters if not chapter.quarantined)

    @cached_property
    def summaries(self) -> tuple[Plan, ...]:
        """The chapters' own statements, without those of their scenes."""
        return tuple(
            Plan(f"chapter {one.number}", list_texts(one.bullets), self.source.within(one.start, one.end))
            for one in self.chapters
        )

    @cached_property
    def lists(self) -> tuple[tuple[Plan, tuple[Plan, ...]], ...]:
        """Each place and its lists of statements: the book's, then of each chapter its own and its scenes'."""
        book = tuple(Plan(name, lines, self.prose) for name, lines in list_book(self.scaffold) if lines)
        found = [(Plan(BOOK, tuple(line for plan in book for line in plan.statements), self.prose), book)]
        for chapter, own in zip(self.chapters, self.summaries, strict=True):
            scenes = tuple(
                Plan(f"{own.node}, scene {number}", list_texts(one.bullets), self.source.within(one.start, one.end))
                for number, one in enumerate(chapter.scenes, 1)
            )
            found.append((own._replace(statements=(*own.statements, *list_scene_texts(chapter))), (own, *scenes)))
        return tuple(found)

    @cached_property
    def prose(self) -> Ints:
        """The words of all chapters."""
        words = [self.source.within(chapter.start, chapter.end) for chapter in self.scaffold.chapters]
        return np.concatenate(words)

    @cached_property
    def leaves(self) -> dict[int, Division]:
        """The book's chapters by their ends."""
        return {leaf.end: leaf for leaf in self.book.chapters()}

    def leaf(self, chapter: ChapterScaffold) -> Division | None:
        """Return the division that a chapter's plan is of: the first that ends with or after it."""
        ends = sorted(self.leaves)
        index = bisect_left(ends, chapter.end)
        return self.leaves[ends[index]] if index < len(ends) else None


def verify_scaffold(segmented: SegmentedBook, scaffold: Scaffold, settings: VerifySettings) -> Findings:
    """Return what every check found on the book, its chapters and scenes, passed or not.

    Of the lists of a place each that failed has a finding of its own; where none did, one with the worst value stands
    for the place.
    """
    case = Case(segmented, scaffold, read_source(segmented))
    findings = (Finding(node=node, **found._asdict()) for check in CHECKS for node, found in check(case, settings))
    return Findings(book_id=scaffold.book_id, findings=tuple(findings))


Found = Iterator[tuple[str, Measured]]


def check_quarantined(case: Case, settings: VerifySettings) -> Found:
    """Nodes for which no answer was accepted."""
    for chapter in case.scaffold.chapters:
        if chapter.quarantined:
            yield f"chapter {chapter.number}", at_most("quarantined", 1, 0)
    about_book = [one for one in case.scaffold.quarantined if one.chapter is None]
    if about_book:
        detail = ", ".join(f"{one.node}: {one.call}" for one in about_book)
        yield BOOK, at_most("quarantined", len(about_book), 0, detail)


def check_copies(case: Case, settings: VerifySettings) -> Found:
    """Longest run of words shared with the prose, share of copied 8-grams, and density of the shared fragments."""
    for place, plans in case.lists:
        copies = [
            (plan.node, found) for plan in plans for found in measures.measure_copies(plan, case.source, settings)
        ]
        yield from _worst(place.node, copies[::2])
        yield from _worst(place.node, copies[1::2])
        if place.node != BOOK:
            yield from _worst(
                place.node, [(plan.node, measures.measure_fragments(plan, case.source)) for plan in plans]
            )


def check_invented_names(case: Case, settings: VerifySettings) -> Found:
    """Share of the words of names that the book does not have."""
    for place, plans in case.lists:
        if place.node == BOOK:
            yield BOOK, measures.measure_names(place, case.source, measures.MAX_INVENTED, free=True)
        else:
            yield from _worst(place.node, [(plan.node, measures.measure_names(plan, case.source)) for plan in plans])


def check_coverage(case: Case, settings: VerifySettings) -> Found:
    """Share of the most named people whom the plan names: of the book, of a chapter, and of its summary alone."""
    for place, plans in case.lists:
        most, limit = (10, measures.MIN_BOOK_NAMES) if place.node == BOOK else (5, measures.MIN_CHAPTER_NAMES)
        found = measures.measure_coverage(place, case.source, most, limit)
        if found is not None:
            yield place.node, found
        if found is not None and place.node != BOOK:
            alone = measures.measure_coverage(plans[0], case.source, most, measures.MIN_SUMMARY_NAMES)
            if alone is not None:
                yield place.node, alone._replace(check="people-in-summary")


def check_duplicates(case: Case, settings: VerifySettings) -> Found:
    """Greatest likeness of two statements of one list, and of two chapters' summaries; none of one chapter."""
    for place, plans in case.lists:
        yield from _worst(place.node, [(plan.node, measures.measure_duplicates(plan)) for plan in plans])
    if len(case.summaries) > 1:
        siblings = levels.measure_siblings([" ".join(plan.statements) for plan in case.summaries])
        for plan, (cosine, other) in zip(case.summaries, siblings, strict=True):
            yield plan.node, at_most("like-a-sibling", cosine, levels.MAX_SIBLINGS, case.summaries[other].node)


def check_order(case: Case, settings: VerifySettings) -> Found:
    """Whether a chapter's statements follow its prose, touch all its quarters, and are not too few for it."""
    for plan in case.summaries:
        for found in measures.measure_order(plan, case.source):
            yield plan.node, found
        short = levels.measure_compression(plan.statements, plan.prose)
        if short is not None:
            yield plan.node, short


def check_ranks(case: Case, settings: VerifySettings) -> Found:
    """Likeness of each summary to its chapter, the chapter's rank by it, and the share that come first.

    Of one chapter nothing is measured: no word tells it from another.
    """
    if len(case.summaries) < levels.MIN_RANKED:
        return
    numbered = [case.source.number(" ".join(plan.statements)) for plan in case.summaries]
    proses = [plan.prose for plan in case.summaries]
    ranks, likeness = levels.measure_ranks(numbered, proses, case.source)
    for plan, rank, cosine in zip(case.summaries, ranks, likeness, strict=True):
        yield plan.node, at_most("own-rank", rank, levels.MAX_RANK)
        yield plan.node, at_least("like-its-prose", cosine, levels.MIN_LIKENESS)
    others = ", ".join(plan.node for plan, rank in zip(case.summaries, ranks, strict=True) if rank > 1)
    yield BOOK, at_least("own-rank-first", ranks.count(1) / len(ranks), levels.MIN_OWN, others)


def check_levels(case: Case, settings: VerifySettings) -> Found:
    """Whether every level rests on the one below: names, support, lengths, and weight of the end."""
    parents = levels.list_parents(case.scaffold)
    for parent in parents:
        yield parent.node, levels.measure_names_below(parent, case.source)
    yield from levels.measure_support(parents)
    yield BOOK, levels.measure_lengths(case.scaffold)
    end = levels.measure_end(case.scaffold, case.source, case.prose)
    if end is not None:
        yield BOOK, end
    for plan in case.summaries:
        introduced = levels.measure_introduced(plan.statements, case.source)
        if introduced is not None:
            yield plan.node, introduced


def check_structure(case: Case, settings: VerifySettings) -> Found:
    """Arcs that partition the chapters, scenes that partition their paragraphs, openings, and the grammar's counts."""
    arcs = [(arc.first_chapter, arc.last_chapter) for arc in case.scaffold.arcs]
    numbers = [chapter.number for chapter in case.scaffold.chapters]
    yield BOOK, at_most("arcs-partition", structure.count_outside_arcs(arcs, numbers), 0)
    miscounts = structure.list_miscounts(case.scaffold)
    yield BOOK, at_most("grammar", len(miscounts), 0, "; ".join(miscounts))
    for chapter in case.chapters:
        node, leaf = f"chapter {chapter.number}", case.leaf(chapter)
        breaks = structure.list_breaks(chapter, leaf, case.book.text) if leaf else [1]
        yield node, at_most("scenes-partition", len(breaks), 0, _name_scenes(breaks))
        wrong = structure.list_misquoted(chapter, case.book.text)
        yield node, at_most("openings-located", chapter.num_unlocated + len(wrong), 0, _name_scenes(wrong))


def check_claims(case: Case, settings: VerifySettings) -> Found:
    """Share of a chapter's statements that the claim check found contradicted by words that stand in the text.

    A doubt without such words is counted with those that the text does not tell, and is an alarm.
    """
    for chapter in case.chapters:
        if not chapter.num_claims:
            continue
        node, doubts = f"chapter {chapter.number}", chapter.doubts
        against = [one.statement for one in doubts if one.verdict == "contradicted" and one.located]
        yield node, at_most("claims-contradicted", len(against) / chapter.num_claims, 0.0, " | ".join(against))
        others = [one.statement for one in doubts if one.statement not in against]
        share = len(others) / chapter.num_claims
        yield node, levels.sound_alarm("claims-not-found", share, 0.0, not others, " | ".join(others))


Check = Callable[[Case, VerifySettings], Found]
CHECKS: tuple[Check, ...] = (
    check_quarantined,
    check_copies,
    check_invented_names,
    check_coverage,
    check_duplicates,
    check_order,
    check_ranks,
    check_levels,
    check_structure,
    check_claims,
)


def list_book(scaffold: Scaffold) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the lists of statements about the whole book, each with the name of its place."""
    yield "world", scaffold.world_rules
    yield "style", scaffold.writing_style
    for number, arc in enumerate(scaffold.arcs, 1):
        for name, lines in (("short", arc.short), ("medium", arc.medium), ("long", arc.long)):
            yield f"arc {number}, {name}", lines
    for archetype in scaffold.archetypes:
        yield f"archetype {archetype.name}", archetype.bullets
    for person in (*scaffold.main_characters, *scaffold.side_characters):
        yield f"person {person.name}", person.bullets
    for number, part in enumerate(scaffold.parts, 1):
        yield f"part {number}", part.bullets
    yield "preview", (scaffold.preview.highlight, scaffold.preview.archetype)
    yield "prompts", tuple(prompt.text for prompt in scaffold.prompts)


def _worst(node: str, measured: list[tuple[str, Measured]]) -> Found:
    """Yield the measures that failed under their own names, or the worst of the others under the place's."""
    failed = [(name, found) for name, found in measured if not found.passed]
    yield from failed or [(node, max((found for _, found in measured), key=lambda found: found.value))]


def _name_scenes(numbers: list[int]) -> str:
    return "scenes " + ", ".join(map(str, numbers))
