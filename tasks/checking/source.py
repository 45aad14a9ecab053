"""SegmentedBook -> its words as numbers, and the names and people in it: what every check looks a plan up in."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from schemas.books import SegmentedBook
from tasks.checking.spans import COPIED_WORDS, SHORT_WORDS, Hashes, Ints, sort_runs
from tasks.extraction.lexicons import STOP_WORDS, TITLES
from tasks.extraction.names import count_lower, find_people

_TOKEN = re.compile(r"[^\W_]+")
_MAX_PEOPLE = 40
_MIN_TITLE = 4  # words; a shorter title makes no run, and may be a phrase of the prose ("the machine")


@dataclass(frozen=True)
class Source:
    """A book's words, lower case, split at apostrophes and hyphens, as numbers in `vocabulary`."""

    book: SegmentedBook
    vocabulary: dict[str, int]  # of the text and of the catalogue's title and authors
    capitals: frozenset[str]  # words that stand with a capital somewhere, in lower case
    words: Ints
    places: Ints  # offset of each word in the text

    def number(self, text: str) -> Ints:
        """Return a text's words; one that the book does not have is -1."""
        return np.array([self.vocabulary.get(token, -1) for token in tokenize(text)], dtype=np.int64)

    def within(self, start: int, end: int) -> Ints:
        """Return the words of the text from one offset to another."""
        first, stop = np.searchsorted(self.places, (start, end))
        return self.words[first:stop]

    @cached_property
    def chapters(self) -> tuple[Ints, ...]:
        """The words of each narrative chapter, headings left out."""
        return tuple(self.within(chapter.body_start, chapter.end) for chapter in self.book.chapters())

    @cached_property
    def narrative(self) -> Ints:
        """The words of all narrative chapters."""
        return np.concatenate([*self.chapters, np.zeros(0, dtype=np.int64)])

    @cached_property
    def runs(self) -> tuple[Hashes, Hashes]:
        """Sorted hashes of all runs of 8 and of 4 words of the narrative chapters."""
        return sort_runs(self.chapters, COPIED_WORDS), sort_runs(self.chapters, SHORT_WORDS)

    @cached_property
    def titles(self) -> dict[str, list[list[str]]]:
        """The words of the titles that a plan may quote, the book's and its chapters', by their first word."""
        chapters = self.book.chapters()
        printed = (self.book.entry.title or "", *(line for one in chapters for line in (one.title, one.label)))
        titles: dict[str, list[list[str]]] = {}
        for words in map(tokenize, dict.fromkeys(printed)):
            if len(words) >= _MIN_TITLE:
                titles.setdefault(words[0], []).append(words)
        return titles

    @cached_property
    def people(self) -> tuple[tuple[str, frozenset[int]], ...]:
        """Each person's name and the words of all its forms, titles left out; most mentioned first."""
        text = "\n\n".join(self.book.text[chapter.body_start : chapter.end] for chapter in self.book.chapters())
        found = find_people(text, count_lower(text))[:_MAX_PEOPLE]
        tokens = [
            {part for form in (one.name, *one.aliases) for part in _TOKEN.findall(form)} - TITLES for one in found
        ]
        words = [
            frozenset(self.vocabulary.get(token.lower(), -1) for token in of_person) - {-1} for of_person in tokens
        ]
        return tuple((one.name, numbers) for one, numbers in zip(found, words, strict=True) if numbers)

    @cached_property
    def _owners(self) -> dict[str, int]:
        """The most mentioned person of whose name a word is part."""
        names = {number: index for index, (_, words) in reversed(list(enumerate(self.people))) for number in words}
        return {word: names[number] for word, number in self.vocabulary.items() if number in names}

    def find_person(self, words: Sequence[str]) -> int | None:
        """Return which of the people has one of these words in a name."""
        return next((self._owners[word] for word in words if word in self._owners), None)

    @cached_property
    def order(self) -> list[str]:
        """The words under their numbers."""
        return list(self.vocabulary)

    def has_form(self, words: Sequence[str], text: Collection[str]) -> bool:
        """Say whether any form of the name of this person is among the words of a text."""
        index = self.find_person(words)
        return index is not None and any(self.order[number] in text for number in self.people[index][1])

    @cached_property
    def stop_words(self) -> Ints:
        """The numbers of words that say nothing of their own."""
        return np.array(
            [self.vocabulary[word] for word in sorted(STOP_WORDS) if word in self.vocabulary], dtype=np.int64
        )

    @cached_property
    def near_names(self) -> frozenset[str]:
        """The words with a capital, and what is left of each without one letter: near words share one of these."""
        return frozenset(near for word in self.capitals for near in delete_one(word))

    def has_stem(self, stem: str) -> bool:
        """Say whether a word of the book begins so."""
        place = bisect_left(self._in_order, stem)
        return place < len(self._in_order) and self._in_order[place].startswith(stem)

    @cached_property
    def _in_order(self) -> list[str]:
        return sorted(self.vocabulary)

    def prepare(self) -> Source:
        """Compute what is computed once, so that a check on an answer does not wait for it."""
        _ = self.runs, self.people, self.stop_words, self.titles, self.near_names, self._in_order, self._owners
        return self


def read_source(book: SegmentedBook) -> Source:
    """Number the words of a book."""
    found = list(_TOKEN.finditer(book.text))
    tokens = [match.group() for match in found]
    vocabulary: dict[str, int] = {}
    words = np.array([vocabulary.setdefault(token.lower(), len(vocabulary)) for token in tokens], dtype=np.int64)
    about = tokenize(" ".join((book.entry.title or "", *book.entry.authors)))
    for token in about:
        vocabulary.setdefault(token, len(vocabulary))
    capitals = frozenset(token.lower() for token in set(tokens) if token[0].isupper()).union(about)
    return Source(book, vocabulary, capitals, words, np.array([match.start() for match in found], dtype=np.int64))


def tokenize(text: str) -> list[str]:
    """Return the words of a text in lower case, split at apostrophes and hyphens."""
    return [token.lower() for token in _TOKEN.findall(text)]


def delete_one(word: str) -> set[str]:
    """Return the word and what is left of it without any one letter."""
    return {word, *(word[:index] + word[index + 1 :] for index in range(len(word)))}
