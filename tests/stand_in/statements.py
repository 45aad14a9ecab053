"""Paragraphs -> statements of a plan by rule: who is there and a few rare words, in an order of their own.

They copy no run of words, name nobody who is not in the text, follow its order, and no two of them are alike.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tasks.extraction.lexicons import NO_NAMES, STOP_WORDS, TITLES
from tasks.extraction.names import Person, count_lower, find_people
from tests.stand_in.question import draw

NUM_WORDS = 6  # rare words of one statement
NUM_NAMES = 3
_WORD = re.compile(r"\b[a-z]{5,13}\b")
_NAME = re.compile(
    r"(?<=[a-z,;] )[A-Z][a-z]+\b|(?<=\bMr\. )[A-Z][a-z]+\b|(?<=\bMrs\. )[A-Z][a-z]+\b|(?<=\bDr\. )[A-Z][a-z]+\b"
)
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
_SHORT_MANNERS = (
    "{who} dwell on {0} and {1}",
    "For a moment {0} occupies all, and so does {1}",
    "Somebody notices {0} besides {1}, which nobody had expected",
    "There is still {0}, then {1} ends it",
    "About {0} they say little, over {1} even less",
    "First comes {0}; afterwards it is {1} that counts",
)
_BARE_MANNER = "{who} are there, and little is said"


@dataclass(frozen=True)
class Statement:
    """One statement, what it is made of, and the numbers of the paragraphs that it rests on."""

    text: str
    names: tuple[str, ...]
    words: tuple[str, ...]
    paragraphs: tuple[int, ...]
    size: int  # words of the text that it tells


class Passage:
    """Numbered paragraphs and what is measured on them."""

    def __init__(self, paragraphs: Sequence[tuple[int, str]]) -> None:
        self.paragraphs = paragraphs
        self.text = "\n\n".join(text for _, text in paragraphs)
        self.num_words = len(self.text.split())
        self.counts = Counter(_WORD.findall(self.text))

    @cached_property
    def names(self) -> Counter[str]:
        """Words that stand with a capital within sentences or after a title, and oftener so than without."""
        lower = Counter(re.findall(r"\b[a-z]+\b", self.text))
        capital = Counter(re.findall(r"\b[A-Z][a-z]+\b", self.text))
        known = {name for name in _NAME.findall(self.text) if name not in NO_NAMES and name not in TITLES}
        return Counter({name: capital[name] for name in known if lower[name.lower()] < capital[name]})

    @cached_property
    def people(self) -> list[Person]:
        """Those who behave like people, most mentioned first."""
        return find_people(self.text, count_lower(self.text), 2)

    @cached_property
    def of_people(self) -> set[str]:
        """The words of people's names."""
        return {token for person in self.people for form in (person.name, *person.aliases) for token in form.split()}

    @cached_property
    def chosen(self) -> list[str]:
        """The names that a plan of it must have: of people, then of places, most frequent first."""
        return sorted(self.names, key=lambda name: (name not in self.of_people, -self.names[name], name))[:12]

    def names_in(self, text: str) -> list[str]:
        """Return the chosen names that a part of the passage has."""
        return [name for name in self.chosen if re.search(rf"\b{name}\b", text)]

    def pick_names(self, names: Sequence[str], told: Sequence[Statement], most: int) -> list[str]:
        """Return so many people and two places of some names, those first that were named least."""
        counts = Counter(name for statement in told for name in statement.names)
        ordered = sorted(names, key=lambda name: counts[name])
        people = [name for name in ordered if name in self.of_people]
        return [*people[:most], *[name for name in ordered if name not in self.of_people][:2]]

    def rare_words(self, text: str) -> list[str]:
        """Return a part's words, those first that the passage has least often."""
        words = {word for word in _WORD.findall(text) if word not in STOP_WORDS and word.title() not in self.names}
        return sorted(words, key=lambda word: (self.counts[word], draw(word)))


def make_statements(
    passage: Passage, paragraphs: Sequence[tuple[int, str]], number: int, told: Sequence[Statement]
) -> list[Statement]:
    """Tell paragraphs of a passage in so many statements, each of a run of them with about as many words.

    `told` are the statements before these: their words are left out, and who was named least comes first.
    """
    found: list[Statement] = []
    for run in divide_evenly(paragraphs, number):
        text = "\n\n".join(part for _, part in run)
        before = [*told, *found]
        used = {word for statement in before for word in statement.words}
        words = [word for word in passage.rare_words(text) if word not in used][:NUM_WORDS]
        names = passage.pick_names(passage.names_in(text), before, NUM_NAMES)
        if words or not found:
            rests_on = tuple(dict.fromkeys(number for number, _ in run))
            found.append(write_statement(passage, len(found), names, words, rests_on, len(text.split())))
    return found


def join_statements(statements: Sequence[Statement], number: int, passage: Passage) -> list[Statement]:
    """Tell in at most so many statements what more of them tell: each by the words of the one in the middle of its
    share of the text, and by those of its people who were named least till then.
    """
    total, at = sum(statement.size for statement in statements), 0
    shares: list[list[tuple[float, Statement]]] = [[] for _ in range(number)]
    for statement in statements:
        place = (at + statement.size / 2) * number / max(1, total)
        shares[min(int(place), number - 1)].append((abs(place % 1 - 0.5), statement))
        at += statement.size
    found: list[Statement] = []
    for share in filter(None, shares):
        _, middle = min(share, key=lambda entry: entry[0])
        names = [name for name in passage.chosen if any(name in told.names for _, told in share)]
        rests_on = sorted({number for _, told in share for number in told.paragraphs})
        size = sum(told.size for _, told in share)
        picked = passage.pick_names(names, found, 2 * NUM_NAMES)
        found.append(write_statement(passage, len(found) + 1, picked, middle.words, rests_on, size))
    return found


def write_statement(
    passage: Passage, index: int, names: Sequence[str], words: Sequence[str], paragraphs: Sequence[int], size: int
) -> Statement:
    """Put one statement together, in a manner that follows from its place in a list and an order of its own."""
    people = [name for name in names if name in passage.of_people]
    who = " and ".join(filter(None, (", ".join(people[:-1]), *people[-1:]))) or "those present"
    manners = _MANNERS if len(words) >= NUM_WORDS else _SHORT_MANNERS if len(words) > 1 else (_BARE_MANNER,)
    text = manners[index % len(manners)].format(*sorted(words, key=lambda word: draw("order", word)), who=who)
    places = " and ".join(name for name in names if name not in people)
    where = f", at {places}" if places else ""
    return Statement(f"{text[0].upper()}{text[1:]}{where}.", tuple(names), tuple(words), spread(paragraphs, 8), size)


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


def spread(numbers: Sequence[int], most: int) -> tuple[int, ...]:
    """Return at most so many of some numbers, evenly."""
    if len(numbers) <= most:
        return tuple(numbers)
    return tuple(numbers[index * (len(numbers) - 1) // (most - 1)] for index in range(most))
