"""Prose -> numbers: voice of a book, and seven ratings of a scene by its words, without a model."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple, Protocol

from schemas.scaffold import Vector
from tasks.extraction.extract import list_words, strip_quotes
from tasks.extraction.lexicons import ACTION, EROTIC, FIRST_PERSON, PAST, PRESENT, ROMANTIC, WORLD


class Voice(NamedTuple):
    """How a book is told; shares from 0 to 1."""

    dialogue_share: float
    first_person_share: float
    present_share: float
    sentence_words: float


def measure_voice(text: str) -> Voice:
    """Measure dialogue on all words, person and tense on what stands outside of quotation marks."""
    narrated = strip_paragraph_quotes(text)
    counts = Counter(list_words(narrated))
    num_words, num_narrated = max(1, len(text.split())), len(narrated.split())
    num_present, num_past = _count(counts, PRESENT), _count(counts, PAST)
    num_sentences = max(1, len(re.findall(r"[.!?]+[\"'”’)]*(?:\s|$)", text)))
    return Voice(
        dialogue_share=round(1 - num_narrated / num_words, 3),
        first_person_share=round(_count(counts, FIRST_PERSON) / max(1, counts.total()), 4),
        present_share=round(num_present / max(1, num_present + num_past), 3),
        sentence_words=round(num_words / num_sentences, 1),
    )


class Told(Protocol):
    """What has a voice: `Voice`, or a book's facts."""

    @property
    def first_person_share(self) -> float:
        """Share of narrated words that are I, me, my and the like."""

    @property
    def present_share(self) -> float:
        """Present-tense verbs among the common verbs of the narration."""


def describe_perspective(voice: Told) -> str:
    """Return person and tense; 1.5 % of I, me, my outside of speech marks a first-person telling."""
    person = "First person" if voice.first_person_share > 0.015 else "Third person"
    return f"{person}, {'present' if voice.present_share > 0.5 else 'past'} tense"


def strip_paragraph_quotes(text: str) -> str:
    """Return a text without quoted speech; a quotation ends with its paragraph at the latest."""
    return "\n\n".join(strip_quotes(paragraph) for paragraph in text.split("\n\n"))


def rate_prose(text: str) -> Vector:
    """Rate a scene by shares of words; the factors spread common novels over 0 to 99."""
    narrated, words = strip_paragraph_quotes(text), Counter(list_words(text))
    counts, num_words = Counter(list_words(narrated)), max(1, len(text.split()))
    dialogue = 1 - len(narrated.split()) / num_words
    num_sentences = max(1, len(re.findall(r"[.!?]", text)))
    action = 6_000 * _count(counts, ACTION) / num_words
    return Vector(
        action=_clamp(action),
        dialog=_clamp(99 * dialogue),
        world_building=_clamp(2_500 * _count(counts, WORLD) / num_words),
        exposition=_clamp(85 * (1 - dialogue) - action / 3),
        romantic=_clamp(5_000 * _count(words, ROMANTIC) / num_words),
        erotic=_clamp(3_000 * _count(counts, EROTIC) / num_words),
        pacing=_clamp(70 - 1.5 * num_words / num_sentences + 20 * dialogue + action / 4),
    )


def _count(counts: Counter[str], lexicon: frozenset[str]) -> int:
    return sum(counts[word] for word in lexicon)


def _clamp(value: float) -> int:
    return max(0, min(99, round(value)))
