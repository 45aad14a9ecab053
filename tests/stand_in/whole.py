"""Question about a book or a part -> its answer by rule, from the chapters and people that the context lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tasks.extraction.lexicons import STOP_WORDS
from tests.stand_in.question import Question, draw, hash_json

_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+\b")
_PART = re.compile(r"\bpart\b[^\n]*\bchapters? (\d+)(?: to (\d+))?", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_WORLD = (
    "What concerns {0} is settled among neighbours, and {1} has to wait for it",
    "Nobody owns {0} alone; {1} and {2} belong to whoever looks after them",
    "{0} is dear, {1} is cheap, and everybody reckons accordingly",
    "By custom {0} comes before {1}, whatever the weather",
    "Talk of {0} travels faster than {1} ever does",
    "A person who neglects {0} loses all claim to {1} and {2}",
    "There is no law about {0}; habit keeps {1} in its place",
    "Strangers are judged by {0}, kin by {1}",
    "Where {0} ends, {1} begins, so {2} is kept apart",
    "Old people remember {0}; young ones know only {1}",
)
_STYLE = (
    "Short declarative sentences alternate with a long one that carries {0}",
    "Chapters open on a plain object such as {0} and close on something unsaid",
    "Speech is brief, seldom tagged, and turns on {0} more than on feeling",
    "Images come from {0} and {1}, never from books",
    "Time moves straight on; a look back at {0} takes one paragraph at most",
    "Feeling shows in what is done with {0}, not in adjectives",
    "Humour is dry and arises where {0} meets {1}",
    "Paragraphs are of middling length and end on a concrete noun like {0}",
    "The telling keeps close to one person and knows {0} only as that person does",
)
_ROLES = (
    ("The one who stays", "Wants to keep what was handed down", "Pays for it by standing alone"),
    ("The late arrival", "Comes with a purpose that changes on the way", "Learns the cost from those already there"),
    ("The keeper of accounts", "Knows what everyone owes", "Must choose between the sum and the person"),
    ("The silent witness", "Saw how it began", "Speaks when it can no longer help"),
)


def answer_people(question: Question) -> dict[str, Any]:
    """Make everybody whom the context lists a person of the book."""
    listed = question.people
    known = {token for name, also, _ in listed for form in (name, *also) for token in form.split()}
    met = Counter(_NAME.findall(" ".join(told for _, _, told in question.chapters)))
    others = [name for name, _ in met.most_common() if name not in known]
    listed = [*listed, *((name, [], "") for name in others)][:20] or [("The narrator", [], "")]
    people = [
        {"name": name[:80], "aliases": also[:6], "bullets": _tell_person(question, name, roles, others[index::20])}
        for index, (name, also, roles) in enumerate(listed)
    ]
    roles = [{"name": name, "bullets": [f"{line}." for line in lines]} for name, *lines in _ROLES]
    return {"main": people[:6], "side": people[6:], "archetypes": roles[: max(1, min(4, len(people)))]}


def answer_arcs(question: Question) -> dict[str, Any]:
    """Divide the chapters evenly, and tell each arc by its chapters' statements, short, medium and long."""
    last = question.num_chapters
    number = min(max(1, last // 4), 8)
    borders = [1 + last * index // number for index in range(number + 1)]
    return {"arcs": [_write_arc(question, low, high - 1) for low, high in pairwise(borders)]}


def answer_part(question: Question) -> dict[str, Any]:
    """Tell a part by some of its chapters' statements."""
    stretch = _PART.findall(question.user)
    first, last = (int(stretch[-1][0]), int(stretch[-1][1] or stretch[-1][0])) if stretch else (1, 9999)
    return {"bullets": _spread(list_sentences(question, first, last), 6) or ["Nothing is told of it."]}


def answer_world(question: Question) -> dict[str, Any]:
    """Write rules about things of the book."""
    return {"rules": _fill(_WORLD, _things(question), question)}


def answer_style(question: Question) -> dict[str, Any]:
    """Describe the style by things of the book."""
    return {"rules": _fill(_STYLE, _things(question)[20:] or _things(question), question)}


def answer_preview(question: Question) -> dict[str, Any]:
    """Write a highlight of about 80 words and an archetype of about 100, without a name."""
    a, b, c, d, e, f, g, h = (
        *_things(question),
        *("house", "road", "letter", "debt", "storm", "child", "door", "bread"),
    )[:8]
    highlight = (
        f"A small place lives by {a} and {b} until somebody counts them again. What was owed turns out to be larger "
        f"than anybody said, and those who kept quiet about {c} must now decide whom they will stand beside. There is "
        f"little time, for {d} waits on no one, and every answer opens another question. Between duty and {e} the "
        "ones at the centre find that the smallest kindness has its price, and that a promise made lightly long ago "
        "still has to be kept by somebody."
    )
    archetype = (
        "A settled community learns that the ground it stands on was never its own. Someone who measures arrives "
        f"among people who remember, and the measure, of {f} at first, becomes a measure of loyalty. The one who "
        f"stays tries to save {g}; the one who came tries to be just; neither can have both. Old silence is broken "
        "late, by the person least expected to speak. Something is given up in daylight so that something else may "
        f"last, and the loss is shared out fairly, as {h} used to be. At the end the place is smaller, the account is "
        "closed, and those who remain know exactly what they have kept, what it cost them and who paid."
    )
    tags = ["Community novel", "Country life", "Debt and duty", "Slow burn", "Quiet humour", "A late reckoning"]
    return {"highlight": highlight, "tags": [*tags, f"Story of {a}"], "archetype": archetype}


def answer_prompts(question: Question) -> dict[str, Any]:
    """Ask for the book in four ways."""
    a, b, c, d, *_ = (*_things(question), "bread", "weather", "letters", "stone")
    place = f"I would like it to be full of {a}, {b} and the like, the sort of thing that a reader can touch. "
    return {
        "terse": f"Write a quiet novel about a small community in which {a} and {b} decide more than love does.",
        "normal": (
            "Could you tell me a story about people who have lived side by side for so long that they no longer say "
            f"what they know? Let something plain, such as {c}, bring it all up again. I am fond of dry humour, of "
            "work described by somebody who has done it, and of endings in which nobody wins outright. Please keep "
            "the mood calm even when matters grow serious."
        ),
        "detailed": (
            f"{place}Begin on an ordinary day with an errand, and let the trouble come in by way of {d} rather than by "
            "violence. The people should be of all ages, none of them wicked, each with a reason that holds. Follow one "
            "of them closely in the past tense and never tell me what the others think; I want to guess it from what "
            "they do with their hands. Chapters of moderate length, please, each with two or three scenes and a last "
            "line that leaves a door ajar. There must be one long conversation outdoors, one meal at which too much is "
            "said, and one journey that turns out to be unnecessary. Leave out coincidences, villains, dreams and any "
            "explanation of local customs that the people themselves would find odd. The ending may be sad, provided it "
            "is earned and somebody laughs in it."
        ),
        "tagged": (
            "Tell it at walking pace, with patience for trades and tools. Let the quarrel be about something that can "
            f"be weighed, perhaps {b}, and let the reconciliation cost more than the quarrel did. Nobody should "
            "explain the moral."
        ),
        "genre": "literary fiction",
        "tone": "calm, dry",
        "setting": "a small place some time ago",
        "pov": "close to one person, past tense",
        "theme": "what is owed",
    }


def list_sentences(question: Question, first: int = 1, last: int = 9999) -> list[str]:
    """Return the statements of some chapters of the context, in order."""
    return [
        sentence
        for number, _, told in question.chapters
        if first <= number <= last
        for sentence in _SENTENCE.split(told)
        if 1 <= len(sentence) <= 280
    ]


def _write_arc(question: Question, first: int, last: int) -> dict[str, Any]:
    told = list_sentences(question, first, last) or [f"Chapters {first} to {last} go by.", "Little is said of them."]
    num_long = max(3, min(18, len(told) * 3 // 5))
    num_medium = max(2, num_long // 2)
    return {
        "name": f"The matter of chapters {first} to {last}",
        "first_chapter": first,
        "last_chapter": last,
        "short": _spread(told, max(1, min(4, num_medium // 2))),
        "medium": _spread(told, min(num_medium, 9)),
        "long": _spread(told, num_long),
    }


def _tell_person(question: Question, name: str, roles: str, others: Sequence[str]) -> list[str]:
    words = [*_pick(roles, 5), *sorted(_things(question), key=lambda word: draw(name, word))][:8]
    first, second = " and ".join(words[:4]), ", ".join(words[4:])
    before = " and ".join(others) or "anybody"
    return [f"Lives close to {first} and knows their price.", f"Wants {second} settled before hearing of {before}."]


def _things(question: Question) -> list[str]:
    """Return rare words of the statements in the context, each once."""
    return _pick(" ".join(told for _, _, told in question.chapters) or question.user[:4_000], 60)


def _pick(text: str, most: int) -> list[str]:
    words = {word for word in re.findall(r"(?<![\w-])[a-z]{5,12}(?![\w-])", text) if word not in STOP_WORDS}
    return sorted(words, key=lambda word: draw("thing", word))[:most]


def _fill(manners: Sequence[str], things: Sequence[str], question: Question) -> list[str]:
    lines = []
    for index, manner in enumerate(manners):
        three = (*things[3 * index : 3 * index + 3], "bread", "weather", "letters")
        line = manner.format(*three)
        lines.append(f"{line[0].upper()}{line[1:]}.")
    return lines


def _spread(items: Sequence[str], most: int) -> list[str]:
    if len(items) <= most:
        return list(items)
    return [items[index * (len(items) - 1) // max(1, most - 1)] for index in range(most)]


def answer_tags(question: Question) -> dict[str, Any]:
    """Tell a story's genre and tone by a hash of it, and whoever is named in its midst."""
    story = question.user.partition("\n\nStory:\n\n")[2].rpartition("\n\nSay what a reader")[0]
    number = int(hash_json([story])[:8], 16)
    names = list(dict.fromkeys(re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", story)))[:2]
    return {
        "genre": ("ghost story", "fable", "farce", "mystery")[number % 4],
        "tone": ("wry", "gentle", "bleak")[number % 3],
        "characters": [{"name": name, "role": "one of those it is about"} for name in names],
    }
