"""Question about a book with a reference scaffold -> its answer, taken from there."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.stand_in.question import Question

SHARED = Path(__file__).resolve().parents[3] / "shared"
_TAG = re.compile(r"<\|(\w+):([^|]*)\|>\s*")
BEGUN_SHARE = 0.7  # of a scene that began in the window before


@cache
def load_golds(folder: Path = SHARED / "gold") -> dict[str, dict[str, Any]]:
    """Return the reference scaffolds by flattened title; none where the folder is missing."""
    golds = (json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json")))
    return {flatten(gold["title"]): gold for gold in golds}


def answer_from_gold(question: Question) -> dict[str, Any] | None:
    """Return the answer of a reference scaffold; None where no one has the book, or not this chapter."""
    head = flatten((question.head or question.user)[:400])
    named = (gold for title, gold in load_golds().items() if title in head or f"book {gold['book_id']} " in f"{head} ")
    gold = next(named, None)
    if gold is None:
        return None
    if question.schema in ("ReadAnswer", "RateAnswer"):
        located = [(start, *found) for start, found in locate_scenes(question, gold)]
        if not located:
            return None
        return _read(question, located, gold) if question.schema == "ReadAnswer" else _rate(question, located)
    write = {
        "PeopleAnswer": _people,
        "ArcsAnswer": lambda gold: {"arcs": gold["arcs"]},
        "WorldAnswer": lambda gold: {"rules": gold["world_rules"]},
        "StyleAnswer": lambda gold: {"rules": gold["writing_style"]},
        "PreviewAnswer": _preview,
        "PromptsAnswer": _prompts,
    }.get(question.schema)
    return write(gold) if write else None


def locate_scenes(question: Question, gold: dict[str, Any]) -> list[tuple[int, tuple[dict[str, Any], dict[str, Any]]]]:
    """Return the scenes whose openings stand in the window, in order: (paragraph, (chapter, scene))."""
    flat = [(number, flatten(text)) for number, text in question.paragraphs]
    found: list[tuple[int, tuple[dict[str, Any], dict[str, Any]]]] = []
    at = 0
    for chapter in gold["chapters"]:
        for scene in chapter["scenes"]:
            opening = flatten(scene["opening"])
            place = _find(opening, flat, at)
            if place is not None:
                found.append((flat[place][0], (chapter, scene)))
                at = place + 1
    return found


def flatten(text: str) -> str:
    """Return a text's letters and digits, in lower case."""
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"[\u2019'_]", "", text.lower())).strip()


def _find(opening: str, flat: Sequence[tuple[int, str]], at: int) -> int | None:
    places = range(at, len(flat))
    starting = next((place for place in places if flat[place][1].startswith(opening)), None)
    if starting is not None:
        return starting
    return next((place for place in places if opening in flat[place][1][: 2 * len(opening)]), None)


def _read(
    question: Question, located: list[tuple[int, dict[str, Any], dict[str, Any]]], gold: dict[str, Any]
) -> dict[str, Any]:
    chapter = located[0][1]
    numbers = [number for number, _ in question.paragraphs]
    begun = _find_begun(located) if located[0][0] != numbers[0] else None
    plans = [(start, scene["summary"], scene) for start, _, scene in located]
    if begun is not None:  # its end, which the window that it begins in has told, too: a line is kept once
        plans.insert(0, (numbers[0], begun["summary"][-1:], begun))
    starts = [numbers[0], *(start for start, _, _ in plans[1:])]
    texts = dict(question.paragraphs)
    scenes = [
        {
            "first_paragraph": start,
            "opening": " ".join(texts[start].split()[:10])[:160],
            "title": scene["title"],
            "focuses": scene["focuses"],
            "perspective": scene["perspective"],
            "bullets": _rest(told, [number for number in numbers if start <= number < stop]),
        }
        for start, stop, (_, told, scene) in zip(starts, [*starts[1:], numbers[-1] + 1], plans, strict=True)
    ]
    share = [scene for scene in chapter["scenes"] if any(scene is found for _, _, found in located)]
    first, a_scene = chapter["scenes"].index(share[0]), len(chapter["summary"]) / len(chapter["scenes"])
    low = first - BEGUN_SHARE if begun else first  # told by both windows then, and kept once
    bullets = chapter["summary"][round(low * a_scene) : round((first + len(share)) * a_scene)]
    return {
        "continues": begun is not None,
        "scenes": scenes,
        "bullets": _rest(bullets or chapter["summary"][:1], numbers),
        "focuses": chapter["focuses"],
        "chapter_title": chapter["name"],
        "people": _meet(question, gold),
    }


def _find_begun(located: list[tuple[int, dict[str, Any], dict[str, Any]]]) -> dict[str, Any] | None:
    """Return the scene before the first that was located, if its chapter has one."""
    _, chapter, scene = located[0]
    place = chapter["scenes"].index(scene)
    return chapter["scenes"][place - 1] if place else None


def _meet(question: Question, gold: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the people of the book who are called by one of their names here."""
    text = flatten(" ".join(text for _, text in question.paragraphs))
    present = [
        person
        for side in ("main", "side")
        for person in gold["characters"][side]
        if any(f" {flatten(name)} " in f" {text} " for name in (person["name"], *person["aliases"]))
    ]
    return [
        {"name": person["name"], "aliases": person["aliases"][:6], "role": person["bullets"][0][:200]}
        for person in present[:12]
    ]


def _rest(statements: Sequence[str], numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Let statements rest on paragraphs in their order."""
    places = [index * len(numbers) // len(statements) for index in range(len(statements))]
    return [{"text": text, "paragraphs": [numbers[place]]} for text, place in zip(statements, places, strict=True)]


def _rate(question: Question, located: list[tuple[int, dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    ratings = []
    for number, first, _ in question.listed_scenes:
        begun = _find_begun(located) or located[0][2]
        scene = [begun, *(scene for start, _, scene in located if start <= first)][-1]
        ratings.append({"scene": number, **scene["vector"]})
    return {"ratings": ratings}


def _people(gold: dict[str, Any]) -> dict[str, Any]:
    main, side = (
        [{**person, "aliases": person["aliases"][:6]} for person in gold["characters"][name]]
        for name in ("main", "side")
    )
    return {"main": main[:7], "side": side[:14], "archetypes": gold["archetypes"][:8]}


def _preview(gold: dict[str, Any]) -> dict[str, Any]:
    return {name: gold["preview"][name] for name in ("highlight", "tags", "archetype")}


def _prompts(gold: dict[str, Any]) -> dict[str, Any]:
    texts = {prompt["style"]: prompt["text"] for prompt in gold["prompts"]}
    tags = dict(_TAG.findall(texts["tagged"]))
    told = {name: tags.get(name, "not said")[:65] for name in ("genre", "tone", "setting", "pov", "theme")}
    return {**texts, "tagged": _TAG.sub("", texts["tagged"]), **told}
