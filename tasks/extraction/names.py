"""Text -> its people, without a model: capitalised runs that behave like persons, and their shorter forms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tasks.extraction.lexicons import NO_NAMES, QUALIFIERS, TITLES
from tasks.extraction.persons import Listed, parse_form, unite_people

_CAP = r"[A-ZÀ-Ý][a-zà-ÿ]+(?:[A-Z][a-z]+)?(?:-[A-Z][a-zà-ÿ]+)?"
_RUN = re.compile(rf"\b(?:(?:Mr|Mrs|Ms|Dr|Rev|St|[A-Z])\.?[ \n]|{_CAP}[ \n](?:(?:de|van|von|la|du)[ \n])?)*{_CAP}\b")
_SPEECH = (
    "(?:said|says|cried|asked|replied|answered|exclaimed|whispered|muttered|returned|continued|added|murmured|remarked"
    "|observed|shouted)"
)
_ACTS = "had|was|is|looked|smiled|laughed|nodded|sat|stood|thought|felt|knew|who|turned|rose"
_AFTER = re.compile(rf"(?:['’]s)?,?\s+(?:{_SPEECH}|{_ACTS})\b")
_BEFORE = re.compile(rf"\b(?:{_SPEECH}|called|named|dear|poor)[,\s]+$")
_PLACE = re.compile(r"\b(?:[Ii]n|[Aa]t|[Nn]ear|[Ff]rom|[Tt]hrough|[Tt]o|[Tt]he|[Oo]f the|[Tt]owards?)\s+$")
_OPENS = frozenset(".!?:;\"“‘'(—-*_")


class Person(NamedTuple):
    """A person with the other forms of the name, and how often any of them stands in the text."""

    name: str
    aliases: tuple[str, ...]
    num_mentions: int


class _Run(NamedTuple):
    tokens: tuple[str, ...]
    opens: bool  # stands where any word would be capitalised
    person: bool
    place: bool


def find_people(text: str, num_lower: Mapping[str, int], min_mentions: int = 3) -> list[Person]:
    """Return the people of a text, most mentioned first.

    `num_lower` counts the text's words in lower case (`count_lower`): a word that stands so as often as with a
    capital is no name, nor is one with fewer than `min_mentions` capitals within sentences.
    """
    runs = list(_find_runs(text))
    inner = Counter(token for run in runs for token in run.tokens[run.opens :])
    known = {
        token
        for token, count in inner.items()
        if token not in NO_NAMES and count >= min_mentions and count > num_lower.get(token.lower(), 0)
    }
    counts: Counter[str] = Counter()
    persons: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for run in runs:
        name = _trim_run(run.tokens, known)
        if name:
            counts[name] += 1
            persons[name] += run.person or name.split()[0] in TITLES
            places[name] += run.place
    return [person for person in merge_names(counts) if _behaves_like_person(person, persons, places)]


def count_lower(text: str) -> Counter[str]:
    """Count the words that stand in lower case."""
    return Counter(re.findall(r"\b[a-zà-ÿ]+\b", text))


def merge_names(counts: Mapping[str, int]) -> list[Person]:
    """Join the forms of one name: 'Utterson' and 'Mr. Utterson' go to 'Gabriel Utterson'; Mr. and Mrs. stay two."""
    names = sorted(counts, key=lambda name: (-len(parse_form(name).core), -counts[name], name))
    groups: dict[int, list[str]] = {}
    for name, owner in zip(names, unite_people([Listed(name) for name in names]), strict=True):
        groups.setdefault(owner, []).append(name)
    people = [
        Person(first, tuple(others), sum(counts[form] for form in (first, *others)))
        for first, *others in groups.values()
    ]
    return sorted(people, key=lambda person: (-person.num_mentions, person.name))


def _behaves_like_person(person: Person, persons: Counter[str], places: Counter[str]) -> bool:
    """Say whether any form of the name speaks or acts, and not most of them stand after in, at or from."""
    forms = (person.name, *person.aliases)
    return any(persons[form] for form in forms) and 2 * sum(places[form] for form in forms) <= person.num_mentions


def _find_runs(text: str) -> Iterable[_Run]:
    for match in _RUN.finditer(text):
        start, end = match.span()
        before = text[max(0, start - 16) : start]
        stripped = before.rstrip()
        tokens = tuple(match.group().replace(".", " ").split())
        opens = not stripped or stripped[-1] in _OPENS or "\n\n" in before
        person = bool(_AFTER.match(text, end)) or bool(_BEFORE.search(before))
        yield _Run(tokens, opens, person, bool(_PLACE.search(before)))


def _trim_run(tokens: Sequence[str], known: set[str]) -> str:
    """Return the known tokens of a run, with a title before them; empty where there are none."""
    kept = [token for token in tokens if token in known or token in TITLES or token in {"de", "van", "von", "la", "du"}]
    while kept and kept[0] in QUALIFIERS:
        kept = kept[1:]
    while kept and (kept[-1] in TITLES or kept[-1].islower()):
        kept = kept[:-1]
    return " ".join(f"{token}." if token in {"Mr", "Mrs", "Dr"} else token for token in kept[-4:])
