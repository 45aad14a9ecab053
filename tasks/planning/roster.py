"""What was read in every window -> the book's people, joined by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.answers import ReadAnswer
from schemas.questions import PersonDigest
from tasks.planning.wording import clean_line

MAX_PEOPLE = 80  # a register longer than that holds passers-by


@dataclass
class _Entry:
    name: str
    aliases: dict[str, None] = field(default_factory=dict)
    roles: dict[str, None] = field(default_factory=dict)
    chapters: list[int] = field(default_factory=list)


def merge_people(answers: Sequence[Sequence[ReadAnswer]], text: str) -> tuple[PersonDigest, ...]:
    """Join the windows' people by name, whatever its case, chapter by chapter; most mentioned first."""
    entries: dict[str, _Entry] = {}
    for number, of_chapter in enumerate(answers, 1):
        for person in (person for answer in of_chapter for person in answer.people):
            name = clean_line(person.name, 80)
            if not name:
                continue
            entry = entries.setdefault(name.casefold(), _Entry(name))
            entry.aliases.update(
                (alias, None) for alias in (clean_line(alias, 80) for alias in person.aliases) if alias
            )
            entry.roles.update((role, None) for role in [clean_line(person.role, 200)] if role)
            entry.chapters.append(number)
    words = Counter(re.findall(r"\w+", text))
    digests = [_digest(entry, words, text) for entry in entries.values()]
    digests.sort(key=lambda digest: (-digest.num_mentions, digest.first_chapter, digest.name))
    return tuple(digests[:MAX_PEOPLE])


def _digest(entry: _Entry, words: Counter[str], text: str) -> PersonDigest:
    return PersonDigest(
        name=entry.name,
        aliases=tuple(alias for alias in entry.aliases if alias != entry.name)[:8],
        roles=tuple(entry.roles),
        num_mentions=words[entry.name] if entry.name.isalnum() else text.count(entry.name),
        first_chapter=entry.chapters[0],
        num_chapters=len(set(entry.chapters)),
    )
