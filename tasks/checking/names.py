"""A statement -> its names, and which of them the book does not have."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from tasks.checking.source import Source, delete_one
from tasks.extraction.lexicons import NO_NAMES, STOP_WORDS, TITLES

MIN_FORGIVEN = 5  # letters: a misspelling of a shorter name is another name
MIN_STEM = 4  # letters
_WORD = re.compile(r"[^\W_]+")
_CAPITAL = re.compile(r"(?<![^\W_])[A-ZÀ-ÖØ-ÞĀ-Ž][^\W_]+")
_SHORT = re.compile(r"(?:Mr|Mrs|Ms|Dr|St|Rev|Capt|Col|Lt|Prof|[A-Z])\.")  # no sentence ends with these
_BACK = 24  # characters before a word that are looked at
_OPENS = frozenset('.!?:"“‘(>|')  # after these any word may have a capital
_ORDINARY = re.compile(r"(?:ing|ed|ly|less|ful|ness|ity|ion|ment|[ae]nce|ism|ous|able|ible)s?$")
_DETERMINERS = frozenset(("the", "a", "an", "this", "that", "these", "those", "every", "each", "no")) | frozenset(
    ("his", "her", "its", "their", "my", "our", "your")
)
_SUFFIX = re.compile(r"(?:s|es|er|ers|an|ans|ian|ians|ean|eans|ese|ish|ite|ites)")  # London, Londoners
_CRITICISM = re.compile(r"(?:ian|ean|ic|ish|ese|esque)$")  # Victorian, Gothic, Arabesque: periods, peoples, schools
_ACTS = re.compile(r"(?:['’]s)?\s+(?:(?:and|or)\s+[A-Z]|who\b|[a-z]{2,}[^s\W]s\b)|['’]s\s")
_NO_NAME = frozenset(word.lower() for word in NO_NAMES | TITLES) | STOP_WORDS | ENGLISH_STOP_WORDS
_INTRODUCED = re.compile(  # after a name: an apposition, a relative clause
    r"(?:['’]s)?(?:,? (?:who|whose|whom)\b|, (?:an?|the|his|her|their|its|once|now|aged?)\b| \()"
)
_NOUN_BEFORE = re.compile(  # before it: 'the lawyer', 'her old friend', 'a man named'
    r"\b(?:an?|the|his|her|their|its|my|another|one|of|[a-z]+['’]s?)(?: [a-zà-ÿ-]+,?){1,4} $", re.IGNORECASE
)


class Name(NamedTuple):
    """Capitalised words in a row, as they stand in a statement."""

    words: tuple[str, ...]
    start: int
    end: int
    opens: bool  # begins a sentence, where any word has a capital
    noun: bool  # after an article or the like: 'the Ministry' may be no name


def find_names(statement: str) -> list[Name]:
    """Return the names of a statement; months, peoples, titles and words of grammar are left out."""
    names: list[Name] = []
    for word, start, opens, before in _capitalised(statement):
        last = names[-1] if names else None
        if last and last.end + 1 == start and statement[last.end] in " -" and not opens:
            names[-1] = last._replace(words=(*last.words, word), end=start + len(word))
        else:
            names.append(Name((word,), start, start + len(word), opens, before in _DETERMINERS))
    return names


def find_invented(statements: Sequence[str], source: Source, ordinary: Collection[str] | None) -> tuple[list[str], int]:
    """Return the words of names that the book does not have, and the number of all words of names.

    One edit is forgiven in a longer word, and the name of a people after a place of the book. A word that begins a
    sentence is a name if it is used as one; `ordinary` words, those that stand in lower case elsewhere, are none, and
    with None no such word is looked at.
    """
    invented: list[str] = []
    total = 0
    for statement in statements:
        for name in find_names(statement):
            words = name.words[name.opens and not _acts(name, statement, source, ordinary) :]
            total += len(words)
            invented += [word for word in words if not _known(word, name, source)]
    return invented, total


def find_unknown(name: str, source: Source) -> list[str]:
    """Return the capitalised words of a name, given as such, that the book does not have.

    What a plan calls a person without a name ("The Narrator", "Unnamed Wife") is no name.
    """
    if name.split(" ", 1)[0].lower() in _DETERMINERS | {"unnamed"}:
        return []
    found = Name((), 0, len(name), opens=True, noun=False)
    return [word for word, _, _, _ in _capitalised(name) if not _known(word, found, source)]


def is_criticism(word: str) -> bool:
    """Say whether a word is built like those for periods, peoples and schools, which a book need not have."""
    return _CRITICISM.search(word) is not None


def ordinary_words(statements: Sequence[str]) -> frozenset[str]:
    """Return the words that stand in lower case in a plan."""
    return frozenset(word for line in statements for word in _WORD.findall(line) if word.islower())


def is_introduced(name: Name, statement: str) -> bool:
    """Say whether a statement tells who a name is: a title, an apposition, or a noun before it."""
    before, after = statement[: name.start], statement[name.end :]
    titled = before.rstrip(". ").rsplit(" ", 1)[-1].strip("(") in TITLES or name.words[0].capitalize() in TITLES
    return titled or bool(_INTRODUCED.match(after)) or bool(_NOUN_BEFORE.search(before))


def _capitalised(statement: str) -> Iterator[tuple[str, int, bool, str]]:
    """Yield (word in lower case, offset, whether any word would be capitalised here, the word before)."""
    for match in _CAPITAL.finditer(statement):
        word, start = match.group().lower(), match.start()
        if word not in _NO_NAME:
            before = statement[max(0, start - _BACK) : start].rstrip()
            last = before.rsplit(" ", 1)[-1]
            opens = not before or before[-1] in _OPENS
            yield word, start, opens and not _SHORT.fullmatch(last), last.lower()


def _acts(name: Name, statement: str, source: Source, ordinary: Collection[str] | None) -> bool:
    """Say whether a word that begins a sentence is used as a name: it owns, acts, or stands before another.

    An unknown word with an ordinary ending, or with the stem of one of the book's words, may be any word.
    """
    word = name.words[0]
    used = len(name.words) > 1 or _ACTS.match(statement, name.end) is not None
    if not used or ordinary is None or word in ordinary or _ORDINARY.search(word):
        return False
    return word in source.vocabulary or not source.has_stem(word[: max(MIN_STEM, len(word) - 3)])


def _known(word: str, name: Name, source: Source) -> bool:
    if word in source.capitals or word.isdigit():
        return True
    if word in source.vocabulary and (name.noun or name.opens):
        return True
    if any(word[:size] in source.capitals and _SUFFIX.fullmatch(word[size:]) for size in range(4, len(word))):
        return True
    return len(word) >= MIN_FORGIVEN and not source.near_names.isdisjoint(delete_one(word))
