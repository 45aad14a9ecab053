"""Text -> its own most telling sentences: centroid, names and ends against dialogue, chosen by MMR.

No model and no network. Source: spec of the extractive default (centroid TF-IDF with bonuses has the best
coverage of names among seven cheap methods); one sentence a quartile keeps the middle of a chapter in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.extraction.lexicons import STOP_WORDS

Floats = NDArray[np.float64]

MIN_WORDS, MAX_WORDS = 6, 40  # of a sentence that may stand in a plan
MIN_TYPE_TOKEN_RATIO = 0.5  # keeps "Ting-a-ling! Ting-a-ling!" out
MAX_TERMS = 400  # content words that span the space of a window
NAME_BONUS, END_BONUS, DIALOGUE_MALUS = 0.25, 0.1, 0.3  # beside a cosine, which is about 0.1 to 0.5
DIVERSITY = 0.6  # weight of similarity to what is chosen already (MMR)

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_END = re.compile(r"[.!?]+[\"'”’)\]]*\s+(?=[\"'“‘(\[_]*[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s\"'“‘(])"
    r"(?:Mr|Mrs|Ms|Dr|St|Messrs|Mme|Mlle|M|Prof|Rev|Hon|Capt|Col|Gen|Lieut|Lt|Sergt|No|Esq|Jr|Sr|vol|chap|pp?|[A-Z])$"
)
_QUOTED = re.compile(r"“[^”]*(?:”|\Z)|\"[^\"]*(?:\"|\Z)")


class Sentence(NamedTuple):
    """A sentence and the number of its paragraph."""

    paragraph: int
    text: str


@dataclass(frozen=True)
class Extract:
    """The sentences of a passage with what choosing needs."""

    sentences: tuple[Sentence, ...]
    terms: tuple[str, ...]  # most frequent first
    vectors: Floats  # [sentences, terms]: unit rows of TF-IDF, or zeros
    scores: Floats  # [sentences]: minus infinity where a sentence may not be chosen


def split_sentences(text: str) -> list[str]:
    """Split a paragraph into sentences; abbreviations and initials end none."""
    sentences, start = [], 0
    for match in _END.finditer(text):
        if text[match.start()] == "." and _ABBREVIATION.search(text, max(0, match.start() - 8), match.start()):
            continue
        sentences.append(text[start : match.end()].strip())
        start = match.end()
    last = text[start:].strip()
    return [*sentences, last] if last else sentences


def list_words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return WORD.findall(text.lower())


def strip_quotes(text: str) -> str:
    """Return a text without what stands in double quotation marks."""
    return _QUOTED.sub(" ", text)


def extract_passage(paragraphs: Iterable[tuple[int, str]], names: Collection[str] = ()) -> Extract:
    """Score every sentence of numbered paragraphs; `names` are words in lower case that earn a bonus."""
    sentences = tuple(
        Sentence(number, sentence)
        for number, text in paragraphs
        for sentence in split_sentences(" ".join(text.replace("_", "").split()))
    )
    words = [list_words(sentence.text) for sentence in sentences]
    counts = Counter(word for sentence in words for word in sentence if word not in STOP_WORDS and len(word) > 2)
    terms = tuple(sorted(counts, key=lambda term: (-counts[term], term))[:MAX_TERMS])
    vectors = _weigh_terms(words, terms)
    return Extract(sentences, terms, vectors, _score_sentences(sentences, words, vectors, frozenset(names)))


def pick_sentences(extract: Extract, num_picked: int, within: range | None = None) -> list[Sentence]:
    """Choose sentences by MMR in the order of the text, at least one a quartile where `num_picked` allows it.

    Where no sentence may be chosen, the beginning of the longest one stands in, cut at a word.
    """
    within = within if within is not None else range(len(extract.sentences))
    allowed = [index for index in within if extract.scores[index] > -np.inf]
    if not allowed:
        return [_shorten_longest(extract.sentences[within.start : within.stop])] if len(within) else []
    chosen: list[int] = []
    redundancy = np.zeros(len(extract.sentences))
    quarters = [quarter for quarter in _quarters(allowed, within) if quarter]
    for pool in [*quarters, *[allowed] * max(0, num_picked - len(quarters))][: min(num_picked, len(allowed))]:
        rest = [index for index in pool if index not in chosen]
        if rest:
            values = extract.scores[rest] - DIVERSITY * redundancy[rest]
            chosen.append(rest[int(np.argmax(values))])
            redundancy = np.maximum(redundancy, extract.vectors @ extract.vectors[chosen[-1]])
    return [extract.sentences[index] for index in sorted(chosen)]


def _weigh_terms(words: Sequence[Sequence[str]], terms: Sequence[str]) -> Floats:
    """Return [sentences, terms] log-scaled TF-IDF with unit rows; the sentences are the documents."""
    column = {term: index for index, term in enumerate(terms)}
    width = max(1, len(terms))
    cells = [row * width + column[word] for row, sentence in enumerate(words) for word in sentence if word in column]
    flat = np.bincount(np.array(cells, dtype=np.int64), minlength=len(words) * width)
    counts: Floats = flat.reshape(len(words), width).astype(np.float64)
    document_share = (counts > 0).sum(axis=0) / max(1, len(words))
    weighted = np.log1p(counts) * np.log1p(1.0 / np.maximum(document_share, 1e-9))
    lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
    unit: Floats = weighted / np.where(lengths > 0, lengths, 1.0)
    return unit


def _score_sentences(
    sentences: Sequence[Sentence], words: Sequence[Sequence[str]], vectors: Floats, names: frozenset[str]
) -> Floats:
    centroid = vectors.mean(axis=0) if len(sentences) else np.zeros(vectors.shape[1])
    scores: Floats = vectors @ (centroid / max(float(np.linalg.norm(centroid)), 1e-9))
    edge = max(1, len(sentences) // 10)
    for index, (sentence, its_words) in enumerate(zip(sentences, words, strict=True)):
        if not may_be_chosen(sentence.text, its_words):
            scores[index] = -np.inf
            continue
        scores[index] += NAME_BONUS * min(2, len(names.intersection(its_words))) / 2
        scores[index] += END_BONUS * (index < edge or index >= len(sentences) - edge)
        scores[index] -= DIALOGUE_MALUS * (any(mark in sentence.text for mark in '“”"') or sentence.text[0] in "‘'")
    return scores


def may_be_chosen(sentence: str, words: Sequence[str]) -> bool:
    """Say whether a sentence could stand in a plan: 6 to 40 words on a short line, not one word over and over."""
    return (
        MIN_WORDS <= len(words) <= MAX_WORDS
        and len(sentence) <= 280  # longest line of an answer
        and len(set(words)) / len(words) >= MIN_TYPE_TOKEN_RATIO
    )


def _quarters(allowed: Sequence[int], within: range) -> list[list[int]]:
    quarters: list[list[int]] = [[], [], [], []]
    for index in allowed:
        quarters[(index - within.start) * 4 // len(within)].append(index)
    return quarters


def _shorten_longest(sentences: Sequence[Sentence]) -> Sentence:
    longest = max(sentences, key=lambda sentence: len(sentence.text))
    return Sentence(longest.paragraph, " ".join(longest.text.split()[:MAX_WORDS])[:280].strip())
