"""Scaffold + text -> what the checks look at: statements by node, the prose as numbers, the people it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.books import SegmentedBook
from schemas.scaffold import ChapterScaffold, Scaffold
from tasks.extraction.lexicons import STOP_WORDS, TITLES
from tasks.extraction.names import count_lower, find_people

Ints = NDArray[np.int64]

BOOK = "book"
WINDOW_WORDS = 120  # of the prose that a statement is held against; windows overlap by half
_TOKEN = re.compile(r"[^\W_]+")
_MAX_PEOPLE = 40


class Node(NamedTuple):
    """The statements of one place of the scaffold, list by list; `chapter` counts from 0, -1 for the book."""

    name: str
    lists: tuple[tuple[str, ...], ...]
    chapter: int

    @property
    def statements(self) -> list[str]:
        """All statements."""
        return [statement for statements in self.lists for statement in statements]


@dataclass(frozen=True)
class Evidence:
    """A scaffold beside its book; words are numbers in `vocabulary`, lower case, split at apostrophes."""

    book: SegmentedBook
    scaffold: Scaffold
    nodes: tuple[Node, ...]  # the book first, then its chapters
    vocabulary: dict[str, int]  # of the whole text, headings and front matter too
    prose: tuple[Ints, ...]  # a chapter's words

    def number(self, text: str) -> Ints:
        """Return a text's words; one that the book does not have is -1."""
        return np.array([self.vocabulary.get(token, -1) for token in tokenize(text)], dtype=np.int64)

    @cached_property
    def people(self) -> tuple[frozenset[int], ...]:
        """The words of the names of each person, most mentioned first, titles left out."""
        text = "\n\n".join(self.book.text[chapter.start : chapter.end] for chapter in self.scaffold.chapters)
        found = find_people(text, count_lower(text))[:_MAX_PEOPLE]
        names = [{token for form in (person.name, *person.aliases) for token in form.split()} for person in found]
        return tuple(
            frozenset(
                self.vocabulary[part]
                for token in tokens - TITLES
                for part in tokenize(token)
                if part in self.vocabulary
            )
            for tokens in names
        )

    @cached_property
    def stop_words(self) -> Ints:
        """The numbers of words that say nothing of their own."""
        return np.array(
            [self.vocabulary[word] for word in sorted(STOP_WORDS) if word in self.vocabulary], dtype=np.int64
        )


def gather_evidence(book: SegmentedBook, scaffold: Scaffold) -> Evidence:
    """Number the words of a book and list the statements of its scaffold."""
    vocabulary: dict[str, int] = {}
    borders = [0, *(border for chapter in scaffold.chapters for border in (chapter.start, chapter.end)), len(book.text)]
    pieces = [tokenize(book.text[start:end]) for start, end in pairwise(borders)]
    numbered = [
        np.array([vocabulary.setdefault(token, len(vocabulary)) for token in piece], dtype=np.int64) for piece in pieces
    ]
    nodes = (Node(BOOK, tuple(_book_lists(scaffold)), -1), *map(_chapter_node, scaffold.chapters))
    return Evidence(book, scaffold, nodes, vocabulary, tuple(numbered[1::2]))


def tokenize(text: str) -> list[str]:
    """Return the words of a text in lower case, split at apostrophes and hyphens."""
    return _TOKEN.findall(text.lower())


def align_statements(statements: Sequence[str], prose: Ints, evidence: Evidence) -> tuple[Ints, int]:
    """Return the window of the prose that each statement fits best, by rare shared words, and the number of windows.

    A statement that shares no word with the prose is left out.
    """
    step = WINDOW_WORDS // 2
    num_windows = max(1, len(prose) // step - 1)
    numbered = [np.setdiff1d(evidence.number(statement), evidence.stop_words) for statement in statements]
    terms = np.unique(np.concatenate([*numbered, np.array([-1])]))[1:]  # without -1, the unknown words
    positions = np.flatnonzero(np.isin(prose, terms))
    columns = np.searchsorted(terms, prose[positions])
    present = np.zeros((num_windows, len(terms)))
    for shift in (0, 1):  # a word lies in two windows
        rows = np.clip(positions // step - shift, 0, num_windows - 1)
        present[rows, columns] = 1.0
    rarity = np.log1p(num_windows / np.maximum(present.sum(axis=0), 1.0))
    wanted = np.stack([np.isin(terms, of_statement) for of_statement in numbered]).astype(np.float64)
    scores = wanted @ (present * rarity).T
    kept = scores.max(axis=1) > 0
    return scores[kept].argmax(axis=1), num_windows


def _chapter_node(chapter: ChapterScaffold) -> Node:
    scenes = (tuple(bullet.text for bullet in scene.bullets) for scene in chapter.scenes)
    lists = (tuple(bullet.text for bullet in chapter.bullets), *scenes)
    return Node(f"chapter {chapter.number}", lists, chapter.number - 1)


def _book_lists(scaffold: Scaffold) -> Iterator[tuple[str, ...]]:
    yield scaffold.world_rules
    yield scaffold.writing_style
    for arc in scaffold.arcs:
        yield from (arc.short, arc.medium, arc.long)
    yield from (archetype.bullets for archetype in scaffold.archetypes)
    yield from (person.bullets for person in (*scaffold.main_characters, *scaffold.side_characters))
    for part in scaffold.parts:
        yield part.bullets
    yield (scaffold.preview.highlight, scaffold.preview.archetype)
    yield tuple(prompt.text for prompt in scaffold.prompts)
