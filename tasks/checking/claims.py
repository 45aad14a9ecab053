"""ClaimsAnswer + the paragraphs shown -> the statements in doubt, and whether the words against each stand there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from schemas.answers import ClaimAnswer, ClaimsAnswer
from schemas.questions import Numbered
from schemas.scaffold import Doubt

MIN_RATIO = 0.8  # of difflib between a quotation and the words that stand there, as for openings
MIN_WORDS = 3  # fewer stand in any text
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "—": " ", "–": " ", "-": " ", "_": None})


def judge_claims(answer: ClaimsAnswer, statements: Sequence[str], paragraphs: Sequence[Numbered]) -> tuple[Doubt, ...]:
    """Return the statements that were not found supported, in their order; they are numbered from 0 in the question.

    Of two verdicts on one statement the first counts; a statement without one is neither doubted nor judged
    (`count_judged`). Evidence is looked for in the paragraph that is named, then in all others.
    """
    return tuple(
        Doubt(
            statement=statements[claim.statement],
            verdict=claim.verdict,
            evidence=claim.evidence,
            located=is_located(claim.evidence, claim.paragraph, paragraphs),
        )
        for claim in _list_verdicts(answer, len(statements))
        if claim.verdict != "supported"
    )


def count_judged(answer: ClaimsAnswer, statements: Sequence[str]) -> int:
    """Return how many of the statements have a verdict."""
    return len(list(_list_verdicts(answer, len(statements))))


def is_located(evidence: str, claimed: int, paragraphs: Sequence[Numbered]) -> bool:
    """Say whether the quoted words stand in one of the paragraphs, but for marks, case and a slip of the pen."""
    wanted = _words(evidence)
    if len(wanted) < MIN_WORDS:
        return False
    ordered = sorted(paragraphs, key=lambda paragraph: paragraph.number != claimed)
    return any(_stands_in(wanted, _words(paragraph.text)) for paragraph in ordered)


def _list_verdicts(answer: ClaimsAnswer, num_statements: int) -> Iterator[ClaimAnswer]:
    first = {claim.statement: claim for claim in reversed(answer.claims)}
    yield from (first[number] for number in range(num_statements) if number in first)


def _stands_in(wanted: Sequence[str], words: Sequence[str]) -> bool:
    """Say whether a run of words is near enough to the wanted ones; it shares a word of theirs at its own place."""
    quote, size = " ".join(wanted), len(wanted)
    if f" {quote} " in f" {' '.join(words)} ":
        return True
    places = {word: offset for offset, word in reversed(list(enumerate(wanted)))}
    starts = {at - places[word] for at, word in enumerate(words) if len(word) > 3 and word in places}
    for start in sorted(start for start in starts if 0 <= start < len(words)):
        matcher = SequenceMatcher(None, quote, " ".join(words[start : start + size]), autojunk=False)
        near = matcher.real_quick_ratio() >= MIN_RATIO and matcher.quick_ratio() >= MIN_RATIO
        if near and matcher.ratio() >= MIN_RATIO:
            return True
    return False


def _words(text: str) -> list[str]:
    stripped = (word.strip(".,;:!?\"'()[]") for word in text.translate(_QUOTES).lower().split())
    return [word for word in stripped if word]
