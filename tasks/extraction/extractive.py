"""Inputs of a call -> its answer without a model: sentences of the text, and what can be measured.

Such a plan quotes the prose, so nothing should be trained on it; it is the default that needs no server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise

import numpy as np

from schemas.answer_parts import LevelAnswer
from schemas.answers import (
    BulletAnswer,
    ClaimAnswer,
    ClaimsAnswer,
    OutlineAnswer,
    PersonAnswer,
    RateAnswer,
    RatingAnswer,
    ReadAnswer,
    SceneAnswer,
)
from schemas.questions import ClaimInputs, Numbered, RateInputs, ReadInputs
from schemas.value import Value
from tasks.extraction.extract import Extract, Sentence, extract_passage, list_words, pick_sentences, split_sentences
from tasks.extraction.extractive_book import (
    answer_arcs,
    answer_parts,
    answer_people,
    answer_preview,
    answer_prompts,
    answer_style,
    answer_world,
)
from tasks.extraction.lexicons import OPENING_WORDS, TIME_WORDS
from tasks.extraction.measure import describe_perspective, measure_voice, rate_prose
from tasks.extraction.names import Person, count_lower, find_people

SCENE_WORDS = 1_200  # of a scene where the author marked none


def answer_extractively(call: str, inputs: Value) -> LevelAnswer:
    """Answer one call; KeyError for a call that is not in `LEVELS`."""
    return _ANSWERERS[call](inputs)


def answer_read(inputs: ReadInputs) -> ReadAnswer:
    """Plan a window by its own sentences."""
    text = "\n\n".join(paragraph.text for paragraph in inputs.paragraphs)
    people = find_people(text, count_lower(text), min_mentions=2)[:12]
    shown = {word.lower(): word for person in people for word in person.name.rstrip(".").split() if word[-1] != "."}
    extract = extract_passage(inputs.paragraphs, shown)
    starts = inputs.scene_starts or propose_scenes(inputs.paragraphs)
    scenes = [
        _plan_scene(group, extract, shown)
        for group in split_paragraphs(inputs.paragraphs, {*starts, inputs.paragraphs[0].number})
    ]
    num_bullets = _clamp(len(text) // 2_500, 4, 8)
    return ReadAnswer(
        continues=False,
        scenes=tuple(scenes[:12]),
        bullets=_make_bullets(pick_sentences(extract, num_bullets)),
        focuses=tuple(_top_terms(extract, range(len(extract.sentences)), shown, 3)),
        chapter_title=_make_title(_top_terms(extract, range(len(extract.sentences)), shown, 2)),
        people=tuple(_describe_person(person, extract) for person in people),
    )


def answer_outline(inputs: ReadInputs) -> OutlineAnswer:
    """Tell a passage by a few of its own sentences."""
    text = "\n\n".join(paragraph.text for paragraph in inputs.paragraphs)
    people = find_people(text, count_lower(text), min_mentions=2)[:12]
    names = {word.lower() for person in people for word in person.name.rstrip(".").split() if word[-1] != "."}
    extract = extract_passage(inputs.paragraphs, names)
    return OutlineAnswer(bullets=_make_bullets(pick_sentences(extract, _clamp(len(text) // 800, 3, 8))))


def answer_rate(inputs: RateInputs) -> RateAnswer:
    """Rate scenes by their words."""
    ratings = (RatingAnswer(scene=number, **dict(rate_prose(text))) for number, text in inputs.scenes[:40])
    return RateAnswer(ratings=tuple(ratings))


def answer_claims(inputs: ClaimInputs) -> ClaimsAnswer:
    """Find each statement among the paragraphs; one that is no sentence of theirs is told by the nearest words."""
    sentences = [
        Sentence(number, sentence)
        for number, text in inputs.paragraphs
        for sentence in split_sentences(" ".join(text.replace("_", "").split()))
    ]
    judged = (_judge_statement(number, text, sentences) for number, text in inputs.statements)
    return ClaimsAnswer(claims=tuple(judged)[:60])


def split_paragraphs(paragraphs: Sequence[Numbered], starts: set[int]) -> list[tuple[Numbered, ...]]:
    """Group paragraphs into scenes that begin at `starts`."""
    borders = [index for index, paragraph in enumerate(paragraphs) if paragraph.number in starts]
    borders = [
        index for at, index in enumerate(borders) if not at or paragraphs[index].number != paragraphs[index - 1].number
    ]
    return [tuple(paragraphs[low:high]) for low, high in pairwise([*borders, len(paragraphs)])]


def propose_scenes(paragraphs: Sequence[Numbered]) -> tuple[int, ...]:
    """Cut unmarked prose near equal lengths, where a paragraph opens like a scene: narration, a word of time."""
    ends = list(accumulate(len(paragraph.text.split()) for paragraph in paragraphs))
    num_scenes = _clamp(round(ends[-1] / SCENE_WORDS), 1, 12)
    length = ends[-1] / num_scenes
    starts = [paragraphs[0].number]
    for k in range(1, num_scenes):
        away = {index: abs(ends[index - 1] / length - k) for index in range(1, len(paragraphs))}
        near = [index for index in away if away[index] < 0.4 and paragraphs[index].number > starts[-1]]
        if near:
            worth = {index: _opening_cue(paragraphs[index].text) - 2 * away[index] for index in near}
            starts.append(paragraphs[max(near, key=worth.__getitem__)].number)
    return tuple(starts)


def _judge_statement(number: int, statement: str, sentences: Sequence[Sentence]) -> ClaimAnswer:
    words = set(list_words(statement))
    found = next((sentence for sentence in sentences if sentence.text.startswith(statement)), None)
    best = found or max(sentences, key=lambda sentence: len(words.intersection(list_words(sentence.text))))
    return ClaimAnswer(
        statement=number,
        paragraph=best.paragraph,
        evidence=_fit(" ".join((statement if found else best.text).split()[:25]), 200),
        verdict="supported" if found else "not-in-text",
    )


def _opening_cue(text: str) -> float:
    words = list_words(text[:200])[:12]
    if not words or text.lstrip()[:1] in "\"“‘'":
        return 0.0
    return (
        0.5 + 0.5 * bool(TIME_WORDS.intersection(words)) + 0.2 * (words[0] in OPENING_WORDS) + 0.2 * (len(text) > 400)
    )


def _plan_scene(group: Sequence[Numbered], extract: Extract, shown: dict[str, str]) -> SceneAnswer:
    numbers = [sentence.paragraph for sentence in extract.sentences]
    low = int(np.searchsorted(numbers, group[0].number, "left"))
    within = range(low, int(np.searchsorted(numbers, group[-1].number, "right")))
    text = "\n\n".join(paragraph.text for paragraph in group)
    sentences = pick_sentences(extract, _clamp(len(text) // 2_000, 2, 5), within)  # a sentence a page
    terms = _top_terms(extract, within, shown, 3)
    return SceneAnswer(
        first_paragraph=group[0].number,
        opening=_fit(" ".join(group[0].text.split()[:10]), 160) or "-",
        title=_make_title(terms[:2]),
        focuses=tuple(terms),
        perspective=describe_perspective(measure_voice(text)),
        bullets=_make_bullets(sentences or [Sentence(group[0].number, "A pause.")]),
    )


def _make_bullets(sentences: Sequence[Sentence]) -> tuple[BulletAnswer, ...]:
    made = (BulletAnswer(text=_fit(text, 280) or "A pause.", paragraphs=(number,)) for number, text in sentences)
    return tuple(made) or (BulletAnswer(text="A pause.", paragraphs=(0,)),)


def _top_terms(extract: Extract, within: range, shown: dict[str, str], num_terms: int) -> list[str]:
    """Return the heaviest terms of some sentences, names as they are written, at least one."""
    if not len(within) or not extract.terms:
        return ["A pause"]
    weights = extract.vectors[within.start : within.stop].sum(axis=0)
    best = sorted(range(len(extract.terms)), key=lambda index: (-weights[index], extract.terms[index]))[:num_terms]
    terms = [extract.terms[index] for index in best]
    return [_fit(shown.get(term, term.capitalize()), 65) for term in terms]


def _make_title(terms: Sequence[str]) -> str:
    return _fit(" and ".join(terms), 80)


def _describe_person(person: Person, extract: Extract) -> PersonAnswer:
    """Give a person's best sentence as the role, or how often the name stands."""
    last = person.name.split()[-1]
    indexes = [index for index, sentence in enumerate(extract.sentences) if last in sentence.text]
    best = max(indexes, key=lambda index: float(extract.scores[index]), default=None)
    role = extract.sentences[best].text if best is not None else ""
    if not role or len(role) > 200:
        role = f"Named {person.num_mentions} times in this part of the story."
    return PersonAnswer(
        name=_fit(person.name, 80), aliases=tuple(_fit(alias, 80) for alias in person.aliases[:6]), role=role
    )


def _fit(text: str, max_chars: int) -> str:
    """Bring a text to one line of at most `max_chars`, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= max_chars else (line[:max_chars].rsplit(" ", 1)[0] or line[:max_chars])


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


_ANSWERERS: Mapping[str, Callable[..., LevelAnswer]] = {
    "read": answer_read,
    "rate": answer_rate,
    "claims": answer_claims,
    "people": answer_people,
    "parts": answer_parts,
    "arcs": answer_arcs,
    "world": answer_world,
    "style": answer_style,
    "preview": answer_preview,
    "prompts": answer_prompts,
    "outline": answer_outline,
}
