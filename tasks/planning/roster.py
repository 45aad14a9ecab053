"""What was read in every window -> the book's people; and the register that a model makes of them, cleaned."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from schemas.answers import CharacterAnswer, PeopleAnswer, PersonAnswer
from schemas.questions import PersonDigest
from schemas.scaffold import Character
from tasks.extraction.persons import Listed, fits, parse_form, unite_people
from tasks.planning.wording import clean_line, clean_lines

MAX_PEOPLE = 80  # a register longer than that holds passers-by
MAX_ALIASES = 8
MAX_STATEMENTS = 12  # of one person of the register
_SURNAME = re.compile(r"\b(?:Mr|Mrs|Dr|Doctor|Monsieur|Captain|Colonel|Professor)\.?\s(\w+)")


@dataclass
class _Entry:
    name: str
    names: set[str] = field(default_factory=set)  # under which some window lists the person
    aliases: Counter[str] = field(default_factory=Counter)
    roles: dict[str, None] = field(default_factory=dict)
    chapters: list[int] = field(default_factory=list)

    def add(self, other: _Entry) -> None:
        self.names.add(other.name)
        self.aliases += other.aliases
        self.aliases[other.name] += len(other.chapters)
        self.roles |= other.roles
        self.chapters += other.chapters


class _Text:
    """A book's words, asked for names."""

    def __init__(self, text: str) -> None:
        self._words = _list_words(text)
        self._folded = self._words.casefold()
        self.surnames = frozenset(_SURNAME.findall(text))

    def has(self, name: str) -> bool:
        return _list_words(name).casefold() in self._folded

    def count(self, name: str) -> int:
        return self._words.count(_list_words(name)) if parse_form(name).core else 0


def _list_words(text: str) -> str:
    """Return the words of a text between single spaces, so that a name is found as whole words."""
    words = re.findall(r"[^\W_]+", text)
    return f" {' '.join(words)} "


def merge_people(answers: Sequence[Sequence[Sequence[PersonAnswer]]], text: str) -> tuple[PersonDigest, ...]:
    """Join the windows' people across the book; most mentioned first.

    Args:
        answers: by chapter and window.
        text: of the book: counts its names, and tells which aliases it has.
    """
    entries: dict[str, _Entry] = {}
    apart: set[frozenset[str]] = set()
    for number, of_chapter in enumerate(answers, 1):
        for people in of_chapter:
            names = _collect(people, number, entries)
            apart.update(frozenset(pair) for pair in combinations(names, 2))
    listed = [Listed(entry.name, tuple(entry.aliases), tuple(entry.roles)) for entry in entries.values()]
    book = _Text(text)
    owners = unite_people(
        listed,
        lambda one, other: frozenset((one.casefold(), other.casefold())) in apart,
        book.surnames,
    )
    joined: dict[int, list[_Entry]] = {}
    for entry, owner in zip(entries.values(), owners, strict=True):
        joined.setdefault(owner, []).append(entry)
    merged = [_merge(group, book) for group in joined.values()]
    claims = _count_claims(merged)
    digests = [_digest(entry, claims, book) for entry in merged]
    digests.sort(key=lambda digest: (-digest.num_mentions, digest.first_chapter, digest.name))
    return tuple(digests[:MAX_PEOPLE])


def clean_register(answer: PeopleAnswer, text: str) -> tuple[tuple[Character, ...], tuple[Character, ...]]:
    """Return main and side characters: nobody twice, no alias that the text does not have or that names another."""
    people = [(person, clean_line(person.name, 120)) for person in (*answer.main, *answer.side)]
    named = {name.casefold(): (person, name) for person, name in reversed(people) if name}
    order = [key for key in dict.fromkeys(name.casefold() for _, name in people) if key in named]
    owners = unite_people([Listed(named[key][1], named[key][0].aliases, named[key][0].bullets) for key in order])
    groups: dict[int, list[CharacterAnswer]] = {}
    for key, owner in zip(order, owners, strict=True):
        groups.setdefault(owner, []).append(named[key][0])
    book, taken = _Text(text), dict(zip(order, owners, strict=True))
    main = {name.casefold() for _, name in people[: len(answer.main)] if name}
    characters = {owner: _build_character(group, owner, taken, book) for owner, group in groups.items()}
    leading = {owner for key, owner in taken.items() if key in main}
    return (
        tuple(character for owner, character in characters.items() if owner in leading),
        tuple(character for owner, character in characters.items() if owner not in leading),
    )


def _collect(people: Sequence[PersonAnswer], number: int, entries: dict[str, _Entry]) -> list[str]:
    """Add a window's people to the entries; return their keys."""
    names = []
    for person in people:
        name = clean_line(person.name, 80)
        if not name:
            continue
        entry = entries.setdefault(name.casefold(), _Entry(name))
        entry.aliases.update(alias for alias in (clean_line(alias, 80) for alias in person.aliases) if alias)
        entry.roles.update((role, None) for role in [clean_line(person.role, 200)] if role)
        entry.chapters.append(number)
        names.append(name.casefold())
    return list(dict.fromkeys(names))


def _merge(group: Sequence[_Entry], book: _Text) -> _Entry:
    """Join the entries of one person under the fullest form that the text has."""
    fullest = max(
        group, key=lambda entry: (book.has(entry.name), len(parse_form(entry.name).core), book.count(entry.name))
    )
    merged = _Entry(fullest.name)
    for entry in group:
        merged.add(entry)
    return merged


def _count_claims(people: Sequence[_Entry]) -> dict[str, str]:
    """Return by alias whose it is: who is listed by it, else whose name it fits and who claims it most, if one does."""
    strongest: dict[str, tuple[bool, int]] = {}
    owners: dict[str, str] = {}
    for entry in people:
        for alias, count in entry.aliases.items():
            key, claim = alias.casefold(), (fits(parse_form(alias), parse_form(entry.name)), count)
            if claim > strongest.get(key, (False, 0)):
                strongest[key], owners[key] = claim, entry.name
            elif claim == strongest[key] and owners[key] != entry.name:
                owners[key] = ""
    return owners | {name.casefold(): entry.name for entry in people for name in entry.names}


def _digest(entry: _Entry, claims: dict[str, str], book: _Text) -> PersonDigest:
    own = [alias for alias in entry.aliases if claims[alias.casefold()] == entry.name and book.has(alias)]
    counts = {alias: book.count(alias) for alias in own if alias.casefold() != entry.name.casefold()}
    aliases = sorted(counts, key=lambda alias: (-counts[alias], alias))
    return PersonDigest(
        name=entry.name,
        aliases=tuple(aliases[:MAX_ALIASES]),
        roles=tuple(entry.roles),
        num_mentions=max([book.count(entry.name), *counts.values()]),
        first_chapter=min(entry.chapters),
        num_chapters=len(set(entry.chapters)),
    )


def _build_character(group: Sequence[CharacterAnswer], owner: int, taken: dict[str, int], book: _Text) -> Character:
    first, *others = group
    name = clean_line(first.name, 120)
    forms = [clean_line(form, 120) for person in group for form in (person.name, *person.aliases)]
    kept = (form for form in forms if form and taken.get(form.casefold(), owner) == owner and book.has(form))
    aliases = {form.casefold(): form for form in kept if form.casefold() != name.casefold()}
    bullets = [bullet for person in (first, *others) for bullet in person.bullets]
    return Character(
        name=name,
        aliases=tuple(aliases.values())[:MAX_ALIASES],
        bullets=clean_lines(bullets, 300, MAX_STATEMENTS, "(not stated)"),
    )
