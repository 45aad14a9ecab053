"""A book too long to be shown at once -> groups of its chapters, each told by a `parts` call, level by level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import ceil
from typing import cast

from schemas.answers import PartAnswer
from schemas.questions import BookInputs, ChapterDigest, PartInputs
from schemas.scaffold import Quarantine
from tasks.checking.answers import BookChecks
from tasks.planning.ask import Node, make_request, quarantine
from tasks.planning.tree import Part
from tasks.planning.views import Budget, Group, Groups, View, name_chapters, show_book, show_part
from tasks.planning.wording import clean_line, spread
from tasks.protocols import LLM, Answer, Request, Tokenizer

TOKENS_PER_WORD = 0.06  # of the book, at most shown to a call: all calls together cost a quarter of the book beside it
LEAST_TOKENS = 1_000  # wanted in any case
GROUP_STATEMENTS = 8  # of a group for which no answer was accepted: statements of its chapters stand in
FULLNESS = 0.7  # of the budget, by chapters as barely shown as may be: the rest is for the head, and for estimates


@dataclass(frozen=True)
class Teller:
    """Who answers what is asked about a book, and how much a call may be told, in the reader's tokens."""

    llm: LLM
    reader: Tokenizer
    context_tokens: int
    checks: BookChecks | None = None

    def budget(self, num_words: int, share: float = TOKENS_PER_WORD) -> Budget:
        """Return what a call about so many words of a book is told."""
        return Budget(min(self.context_tokens, max(LEAST_TOKENS, int(num_words * share))), self.context_tokens)


@dataclass
class Merged:
    """How a book is shown, and what was told to get there; `told` are parts of the author's, by first and last."""

    groups: Groups = field(default_factory=Groups)
    told: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    quarantined: list[Quarantine] = field(default_factory=list)


def merge_chapters(book_id: str, inputs: BookInputs, parts: Sequence[Part], teller: Teller) -> Merged:
    """Return how a book is shown: by its chapters where they fit, else by groups of them, or by groups of groups."""
    merged, budget = Merged(), teller.budget(inputs.facts.num_words)
    view = show_book(inputs, merged.groups, budget, teller.reader)
    runs = _cut_at_parts(inputs.chapters, parts)
    while not view.fits and len(merged.groups.items) != 1:
        spans = _cut_runs(runs, merged.groups, view, teller)
        groups = tuple(_tell_groups(book_id, inputs, spans, merged, teller))
        runs = [[(group.first_chapter, group.last_chapter) for group in groups]]
        for named in (True, False):  # rather without the chapters' names than told by fewer groups
            merged.groups = Groups(groups, named)
            view = show_book(inputs, merged.groups, budget, teller.reader)
            if view.fits:
                break
    return merged


def _cut_at_parts(chapters: Sequence[ChapterDigest], parts: Sequence[Part]) -> list[list[tuple[int, int]]]:
    """Return the chapters as runs between the borders of the author's parts."""
    borders = {part.first_chapter for part in parts} | {part.last_chapter + 1 for part in parts}
    runs: list[list[tuple[int, int]]] = []
    for chapter in chapters:
        if not runs or chapter.number in borders:
            runs.append([])
        runs[-1].append((chapter.number, chapter.number))
    return runs


def _cut_runs(
    runs: Sequence[Sequence[tuple[int, int]]], groups: Groups, view: View, teller: Teller
) -> list[tuple[int, int]]:
    """Cut runs of chapters or groups evenly, so that each piece can be shown; fewer pieces than there were."""
    num_units = sum(len(run) for run in runs)
    share = teller.reader.count(view.text) / (teller.context_tokens * FULLNESS) / num_units  # of a budget, by each
    spans = []
    for run in runs:
        num_pieces = min(ceil(len(run) * share), max(1, len(run) // 2))
        borders = [len(run) * piece // num_pieces for piece in range(num_pieces + 1)]
        spans += [(run[low][0], run[high - 1][1]) for low, high in pairwise(borders)]
    return spans


def _tell_groups(
    book_id: str, inputs: BookInputs, spans: Sequence[tuple[int, int]], merged: Merged, teller: Teller
) -> Iterator[Group]:
    """Ask about groups in one batch; the statements of their chapters stand in where no answer was accepted."""
    asked = [_ask_group(book_id, inputs, span, merged, teller) for span in spans]
    for span, request, reply in zip(spans, asked, teller.llm.answer(asked), strict=True):
        if isinstance(reply, Answer):
            lines = (clean_line(line, 300) for line in cast(PartAnswer, reply.samples[0]).bullets)
            merged.told[span] = tuple(filter(None, lines))
        else:
            merged.quarantined.append(quarantine(request, reply, None))
            merged.told[span] = ()
        told = merged.told[span] or tuple(spread(_list_statements(inputs.chapters, span), GROUP_STATEMENTS))
        yield Group(*span, told)


def _ask_group(book_id: str, inputs: BookInputs, span: tuple[int, int], merged: Merged, teller: Teller) -> Request:
    name = name_chapters(*span)
    chapters = tuple(chapter for chapter in inputs.chapters if span[0] <= chapter.number <= span[1])
    inside = tuple(group for group in merged.groups.items if span[0] <= group.first_chapter <= span[1])
    about = PartInputs(label=name.capitalize(), chapters=chapters)
    budget = teller.budget(sum(chapter.num_words for chapter in chapters))
    context = show_part(about, inputs.facts, Groups(inside, named=False), budget, teller.reader).text
    children = _list_statements(inputs.chapters, span)
    request = make_request("parts", Node(book_id, name), context, about, f"The part: {name}.")
    return replace(request, check=teller.checks.for_book("parts", children)) if teller.checks else request


def _list_statements(chapters: Sequence[ChapterDigest], span: tuple[int, int]) -> list[str]:
    return [bullet for chapter in chapters if span[0] <= chapter.number <= span[1] for bullet in chapter.bullets]
