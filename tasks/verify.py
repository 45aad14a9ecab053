"""Scaffold + text -> Findings: leakage, grounding, coverage, repetition, order, structure; its list is CHECKS.

Findings report and trigger nothing. The limits are gates that clean summaries passed and damaged ones did not; they
are starting points. No check sees swapped roles ("who stabs whom").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from schemas.books import Division, SegmentedBook
from schemas.scaffold import ChapterScaffold, Finding, Findings, Scaffold
from schemas.settings import VerifySettings
from tasks.checking.evidence import BOOK, Evidence, Node, align_statements, gather_evidence, tokenize
from tasks.checking.spans import find_copies

MAX_INVENTED = 0.02  # share of a book-level plan's names that the book does not have; 0 for chapters
MIN_CHAPTER_NAMES, MIN_BOOK_NAMES = 0.6, 0.8  # of the 5 most named people of a chapter, the 10 of the book
MIN_MENTIONS = 3  # who is named less often may be left out
MAX_JACCARD = 0.6  # between two statements of one list
MIN_TAU, MIN_QUARTERS = 0.2, 0.75
MIN_STATEMENTS, MIN_WINDOWS = 4, 8  # fewer have no order and cover no four quarters
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-zà-ÿ]+")


def verify_scaffold(segmented: SegmentedBook, scaffold: Scaffold, settings: VerifySettings) -> Findings:
    """Return what every check found on the book and on each of its chapters, passed or not."""
    evidence = gather_evidence(segmented, scaffold)
    findings = (finding for check in CHECKS for finding in check(evidence, settings))
    return Findings(book_id=scaffold.book_id, findings=tuple(findings))


def check_copies(evidence: Evidence, settings: VerifySettings) -> Iterator[Finding]:
    """Longest run of words shared with the prose, and the share of 8-grams that stand in it."""
    plans = [[evidence.number(statement) for statement in node.statements] for node in evidence.nodes]
    for node, copies in zip(evidence.nodes, find_copies(plans, evidence.prose), strict=True):
        words = tokenize(node.statements[copies.statement])[copies.start : copies.start + copies.longest]
        yield _at_most("copied-run", node, copies.longest, settings.max_copied_words, " ".join(words[:12]))
        yield _at_most("copied-8-grams", node, round(copies.share, 4), 0.0)


def check_invented_names(evidence: Evidence, settings: VerifySettings) -> Iterator[Finding]:
    """Share of the capitalised words within sentences that the book does not have, one edit forgiven."""
    neighbours: set[str] | None = None
    for node in evidence.nodes:
        names = [name.lower() for statement in node.statements for name in _NAME.findall(statement)]
        absent = [name for name in names if name not in evidence.vocabulary]
        if absent and neighbours is None:
            neighbours = {near for word in evidence.vocabulary for near in _delete_one(word)}
        invented = [name for name in absent if neighbours is not None and neighbours.isdisjoint(_delete_one(name))]
        limit = MAX_INVENTED if node.name == BOOK else 0.0
        share = round(len(invented) / max(1, len(names)), 4)
        yield _at_most("invented-names", node, share, limit, ", ".join(dict.fromkeys(invented))[:200])


def check_coverage(evidence: Evidence, settings: VerifySettings) -> Iterator[Finding]:
    """Share of the most named people of a chapter, and of the book, whom its plan names."""
    whole = np.concatenate(evidence.prose)
    for node in evidence.nodes:
        prose, most = (whole, 10) if node.name == BOOK else (evidence.prose[node.chapter], 5)
        counts = np.bincount(prose, minlength=len(evidence.vocabulary))
        mentions = [max((int(counts[word]) for word in person), default=0) for person in evidence.people]
        ranked = sorted(range(len(mentions)), key=lambda index: -mentions[index])[:most]
        expected = [evidence.people[index] for index in ranked if mentions[index] >= MIN_MENTIONS]
        if expected:
            planned = set(evidence.number(" ".join(node.statements)).tolist())
            share = sum(bool(person & planned) for person in expected) / len(expected)
            limit = MIN_BOOK_NAMES if node.name == BOOK else MIN_CHAPTER_NAMES
            yield _at_least("people-covered", node, round(share, 3), limit)


def check_duplicates(evidence: Evidence, settings: VerifySettings) -> Iterator[Finding]:
    """Greatest Jaccard similarity of two statements of one list."""
    for node in evidence.nodes:
        pairs = (
            (_jaccard(one, other))
            for statements in node.lists
            for one, other in combinations([frozenset(tokenize(statement)) for statement in statements], 2)
        )
        yield _at_most("duplicates", node, round(max(pairs, default=0.0), 3), MAX_JACCARD)


def check_order(evidence: Evidence, settings: VerifySettings) -> Iterator[Finding]:
    """Whether a chapter's statements follow its prose (Kendall's tau) and touch all its quarters."""
    for node in evidence.nodes[1:]:
        if len(node.lists[0]) < MIN_STATEMENTS:
            continue
        places, num_windows = align_statements(node.lists[0], evidence.prose[node.chapter], evidence)
        if num_windows < MIN_WINDOWS or len(places) < MIN_STATEMENTS:
            continue
        later, earlier = np.triu_indices(len(places), k=1)[::-1]
        tau = float(np.sign(places[later] - places[earlier]).mean())
        quarters = len(set((places * 4 // num_windows).tolist())) / 4
        yield _at_least("order", node, round(tau, 3), MIN_TAU)
        yield _at_least("quarters-covered", node, quarters, MIN_QUARTERS)


def check_arcs(evidence: Evidence, settings: VerifySettings) -> Iterator[Finding]:
    """Number of chapters that lie in no arc, or in two."""
    listed = [number for arc in evidence.scaffold.arcs for number in range(arc.first_chapter, arc.last_chapter + 1)]
    numbers = [chapter.number for chapter in evidence.scaffold.chapters]
    wrong = len(set(numbers).symmetric_difference(listed)) + len(listed) - len(set(listed))
    yield _at_most("arcs-partition", evidence.nodes[0], wrong or int(listed != numbers), 0)


def check_scenes(evidence: Evidence, settings: VerifySettings) -> Iterator[Finding]:
    """Number of borders at which a chapter's scenes leave text out, overlap, or do not begin with a paragraph."""
    leaves = {leaf.end: leaf for leaf in evidence.book.chapters()}
    ends = sorted(leaves)
    for node, chapter in zip(evidence.nodes[1:], evidence.scaffold.chapters, strict=True):
        index = int(np.searchsorted(ends, chapter.end))
        wrong = 1 if index == len(ends) else _count_breaks(chapter, leaves[ends[index]], evidence.book.text)
        yield _at_most("scenes-partition", node, wrong, 0)


Check = Callable[[Evidence, VerifySettings], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    check_copies,
    check_invented_names,
    check_coverage,
    check_duplicates,
    check_order,
    check_arcs,
    check_scenes,
)


def _count_breaks(chapter: ChapterScaffold, leaf: Division, text: str) -> int:
    starts = [paragraph.start for scene in leaf.scenes for paragraph in scene.paragraphs]
    wrong = sum(
        scene.first_paragraph >= len(starts) or text[starts[scene.first_paragraph] : scene.start].strip() != ""
        for scene in chapter.scenes
    )
    at = leaf.body_start
    for start, end in [*((scene.start, scene.end) for scene in chapter.scenes), (leaf.end, leaf.end)]:
        wrong += start < at or text[at:start].strip() != ""
        at = end
    return wrong


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _delete_one(word: str) -> set[str]:
    """Return the word and what is left of it without any one letter: near words share one of these."""
    return {word, *(word[:index] + word[index + 1 :] for index in range(len(word)))}


def _at_most(check: str, node: Node, value: float, limit: float, detail: str = "") -> Finding:
    passed = value <= limit
    return Finding(
        check=check, node=node.name, value=value, limit=limit, passed=passed, detail="" if passed else detail
    )


def _at_least(check: str, node: Node, value: float, limit: float) -> Finding:
    return Finding(check=check, node=node.name, value=value, limit=limit, passed=value >= limit)
