"""Paragraphs -> statements of a plan by rule: who is there and a few rare words, in an order of their own.

They copy no run of words, name nobody who is not in the text, follow its order, and no two of them are alike.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from tasks.extraction.lexicons import NO_NAMES, STOP_WORDS, TITLES
from tests.stand_in.question import draw

NUM_WORDS = 6  # rare words of one statement
NUM_NAMES = 3
_WORD = re.compile(r"\b[a-z]{5,13}\b")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+(?![\w'\u2019-]*[A-Z])")
_MANNERS = (
    "{who} come upon {0} and {1}, then settle {2} beside {3}, {4} and {5}",
    "With {0} in hand, {who} weigh {1} against {2}; {3}, {4} and {5} remain open",
    "It turns on {0}: {who} give way over {1}, keep {2}, lose {3} and leave {4} to {5}",
    "{who} pass from {0} towards {1}, where {2} meets {3} and {4} hides {5}",
    "Because of {0} and {1}, {who} put off {2}; what follows is {3}, {4}, lastly {5}",
    "No sooner is {0} known than {who} answer {1} by {2}, {3} by {4}, and think of {5}",
    "{who} learn how {0} bears upon {1}, yet hold back {2}, {3}, {4} plus {5}",
    "Here {0} stands for {1}; {who} trade {2} for {3}, doubting {4} as much as {5}",
)


@dataclass(frozen=True)
class Statement:
    """One statement, what it is made of, and the numbers of the paragraphs that it rests on."""

    text: str
    names: tuple[str, ...]
    words: tuple[str, ...]
    paragraphs: tuple[int, ...]


class Passage:
    """Numbered paragraphs and what is measured on them."""

    def __init__(self, paragraphs: Sequence[tuple[int, str]]) -> None:
        self.paragraphs = paragraphs
        self.text = "\n\n".join(text for _, text in paragraphs)
        self.num_words = len(self.text.split())
        self.counts = Counter(_WORD.findall(self.text))

    @cached_property
    def names(self) -> Counter[str]:
        """Words that stand with a capital within sentences, and oftener so than without."""
        lower = Counter(re.findall(r"\b[a-z]+\b", self.text))
        capital = Counter(re.findall(r"\b[A-Z][a-z]+\b", self.text))
        inner = Counter(_NAME.findall(self.text))
        return Counter(
            {
                name: capital[name]
                for name in inner
                if name not in NO_NAMES and name not in TITLES and lower[name.lower()] < inner[name]
            }
        )

    @cached_property
    def chosen(self) -> list[str]:
        """The names that a plan of it must have, most frequent first."""
        return sorted(self.names, key=lambda name: (-self.names[name], name))[:8]

    def names_in(self, text: str) -> list[str]:
        """Return the chosen names that a part of the passage has."""
        return [name for name in self.chosen if re.search(rf"\b{name}\b", text)]

    def rare_words(self, text: str) -> list[str]:
        """Return a part's words, those first that the passage has least often."""
        words = {word for word in _WORD.findall(text) if word not in STOP_WORDS and word.title() not in self.names}
        return sorted(words, key=lambda word: (self.counts[word], draw(word)))


def make_statements(passage: Passage, paragraphs: Sequence[tuple[int, str]], number: int) -> list[Statement]:
    """Tell paragraphs of a passage in so many statements, each of a run of them with about as many words."""
    found = []
    for run in divide_evenly(paragraphs, number):
        text = "\n\n".join(part for _, part in run)
        words, names = passage.rare_words(text)[:NUM_WORDS], passage.names_in(text)[:NUM_NAMES]
        if words:
            found.append(write_statement(names, words, tuple(dict.fromkeys(number for number, _ in run))))
    return found


def join_statements(statements: Sequence[Statement], number: int, chosen: Sequence[str]) -> list[Statement]:
    """Tell in so many statements what more of them tell, with some of their words and the foremost of their names."""
    found = []
    for run in split_runs(statements, number):
        names = [name for name in chosen if any(name in statement.names for statement in run)]
        share = max(1, NUM_WORDS // len(run))
        words = [word for statement in run for word in statement.words[:share]]
        words += [word for statement in run for word in statement.words[share:]]
        rests_on = sorted({number for statement in run for number in statement.paragraphs})
        found.append(write_statement(names[:4], words[:NUM_WORDS], tuple(rests_on)))
    return found


def write_statement(names: Sequence[str], words: Sequence[str], paragraphs: Sequence[int]) -> Statement:
    """Put one statement together, in a manner and an order that follow from its words."""
    ordered = sorted(words, key=lambda word: draw("order", word))
    filled = [*ordered, *("something", "else", "again", "nothing", "much", "more")][:NUM_WORDS]
    who = " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names) or "those present"
    manner = _MANNERS[int(draw("manner", *words) * len(_MANNERS))]
    text = manner.format(*filled, who=who)
    return Statement(f"{text[0].upper()}{text[1:]}.", tuple(names), tuple(words), spread(paragraphs, 8))


def divide_evenly(paragraphs: Sequence[tuple[int, str]], number: int) -> list[list[tuple[int, str]]]:
    """Divide paragraphs into runs with about as many words each; one longer than its share is divided itself."""
    total = sum(len(text.split()) for _, text in paragraphs)
    share = max(1, -(-total // number))
    runs: list[list[tuple[int, str]]] = [[] for _ in range(number)]
    at = 0
    for place, text in paragraphs:
        words = text.split()
        while words:
            room = share - at % share
            runs[min(at // share, number - 1)].append((place, " ".join(words[:room])))
            at, words = at + len(words[:room]), words[room:]
    return [run for run in runs if run]


def split_runs(items: Sequence[Statement], number: int) -> list[Sequence[Statement]]:
    """Divide a list into so many runs of about one length."""
    borders = [len(items) * index // number for index in range(number + 1)]
    return [items[low:high] for low, high in pairwise(borders) if high > low]


def spread(numbers: Sequence[int], most: int) -> tuple[int, ...]:
    """Return at most so many of some numbers, evenly."""
    if len(numbers) <= most:
        return tuple(numbers)
    return tuple(numbers[index * (len(numbers) - 1) // (most - 1)] for index in range(most))
