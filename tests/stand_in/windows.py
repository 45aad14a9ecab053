"""Question about a chapter window -> its answer by rule: read, rate, claims."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from tests.stand_in.question import Question, draw
from tests.stand_in.statements import Passage, Statement, join_statements, make_statements

SCENE_WORDS = 900  # between two scene starts where the author marked none
MAX_SCENES = 12
WORDS_A_STATEMENT = 80
ROLES = (
    "Somebody whom {} concern",
    "Has to do with {}",
    "Stands between {}, and keeps quiet",
    "Is known for {} here",
    "Comes and goes by way of {}",
)
_VECTOR = ("action", "dialog", "world_building", "exposition", "romantic", "erotic", "pacing")
_LONGEST_SHARE = {"erotic": 5, "romantic": 30}


def answer_read(question: Question) -> dict[str, Any]:
    """Plan a window: scenes with statements, fewer statements for the whole, people."""
    passage = Passage(question.paragraphs)
    starts = find_starts(question)
    bounds = [*starts, question.paragraphs[-1][0] + 1]
    scenes: list[dict[str, Any]] = []
    told: list[Statement] = []
    for first, stop in pairwise(bounds):
        inside = [(number, text) for number, text in question.paragraphs if first <= number < stop]
        num_words = sum(len(text.split()) for _, text in inside)
        least = 5 if num_words > 2 * WORDS_A_STATEMENT else 3 if num_words > WORDS_A_STATEMENT else 1
        statements = make_statements(passage, inside, min(max(num_words // WORDS_A_STATEMENT, least), 8), told)
        told += statements
        scenes.append(_write_scene(inside, statements, passage))
    most = max(len(told) * 2 // 3, min(4, len(told) - 1), 1)
    whole = join_statements(told, min(most, 14), passage)
    return {
        "continues": False,
        "scenes": scenes,
        "bullets": [{"text": told.text, "paragraphs": told.paragraphs} for told in whole],
        "focuses": _focuses(whole),
        "chapter_title": _title(whole[len(whole) // 2]),
        "people": _list_people(passage),
    }


def answer_outline(question: Question) -> dict[str, Any]:
    """Tell a passage by a few statements."""
    num_words = sum(len(text.split()) for _, text in question.paragraphs)
    number = min(max(num_words // (2 * WORDS_A_STATEMENT), 4 if num_words > WORDS_A_STATEMENT else 3), 8)
    told = make_statements(Passage(question.paragraphs), question.paragraphs, number, [])
    return {"bullets": [{"text": one.text, "paragraphs": one.paragraphs} for one in told]}


def find_starts(question: Question) -> list[int]:
    """Return the paragraphs at which scenes begin: those that are marked, else one every so many words."""
    first = question.paragraphs[0][0]
    if question.scene_starts:
        return [first, *(start for start in question.scene_starts if start > first)][:MAX_SCENES]
    starts, num_words = [first], 0
    for number, text in question.paragraphs:
        if num_words >= SCENE_WORDS and number > starts[-1] and len(starts) < MAX_SCENES:
            starts.append(number)
            num_words = 0
        num_words += len(text.split())
    return starts


def answer_rate(question: Question) -> dict[str, Any]:
    """Rate each listed scene by its text; every sample says the same."""
    return {"ratings": [_rate(question, *scene) for scene in question.listed_scenes]}


def answer_claims(question: Question) -> dict[str, Any]:
    """Find every statement supported, by words of the paragraph that shares most rare words with it."""
    vocabularies = [(number, text, set(re.findall(r"[a-z]{5,}", text.lower()))) for number, text in question.paragraphs]
    claims = []
    for number, statement in question.statements:
        words = set(re.findall(r"[a-z]{5,}", statement.lower()))
        paragraph, text, _ = max(vocabularies, key=lambda entry: (len(words & entry[2]), -entry[0]))
        evidence = " ".join(text.split()[:12])[:200]
        claims.append({"statement": number, "paragraph": paragraph, "evidence": evidence, "verdict": "supported"})
    return {"claims": claims[:60]}


def _write_scene(paragraphs: list[tuple[int, str]], statements: list[Statement], passage: Passage) -> dict[str, Any]:
    text = " ".join(part for _, part in paragraphs)
    first_person = len(re.findall(r"\b(?:I|me|my)\b", text)) > len(text.split()) / 60
    return {
        "first_paragraph": paragraphs[0][0],
        "opening": " ".join(paragraphs[0][1].split()[:10])[:160],
        "title": _title(statements[0]),
        "focuses": _focuses(statements),
        "perspective": f"{'First' if first_person else 'Third'} person, past tense, close to one of those present",
        "bullets": [{"text": told.text, "paragraphs": told.paragraphs} for told in statements],
    }


def _focuses(statements: list[Statement]) -> list[str]:
    pairs = [" and ".join(told.words[:2]) for told in statements if len(told.words) > 1]
    return list(dict.fromkeys(pairs))[:4] or ["what is left open"]


def _title(told: Statement) -> str:
    return f"A matter of {' and '.join(told.words[2:4])}" if len(told.words) > 3 else "A short matter"


def _list_people(passage: Passage) -> list[dict[str, Any]]:
    """Return those who behave like people, and whoever else is named often; each with words of its own."""
    found = passage.people[:MAX_SCENES]
    tokens = {token for person in found for form in (person.name, *person.aliases) for token in form.split()}
    names = [(person.name, list(person.aliases[:6])) for person in found]
    names += [(name, []) for name in passage.chosen if name not in tokens]
    people: list[dict[str, Any]] = []
    used: set[str] = set()
    for index, (name, aliases) in enumerate(names[:MAX_SCENES]):
        around = " ".join(text for _, text in passage.paragraphs if name in text)
        words = [word for word in passage.rare_words(around) if word not in used][:5]
        used.update(words)
        manner = ROLES[index % len(ROLES)] if len(words) > 3 else f"{name}, beside {{}}"
        role = manner.format(" and ".join(words)) if words else name
        people.append({"name": name, "aliases": aliases, "role": role})
    return people


def _rate(question: Question, scene: int, first: int, last: int) -> dict[str, int]:
    text = " ".join(part for number, part in question.paragraphs if first <= number <= last)
    ratings = {name: int(draw(name, text) * _LONGEST_SHARE.get(name, 90)) for name in _VECTOR}
    return {"scene": scene, **ratings}
