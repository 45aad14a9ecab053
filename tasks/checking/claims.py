"""ClaimsAnswer + statements + paragraphs -> Doubts."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.answers import ClaimsAnswer
from schemas.questions import Numbered
from schemas.scaffold import Doubt


def judge_claims(answer: ClaimsAnswer, statements: Sequence[str], paragraphs: Sequence[Numbered]) -> tuple[Doubt, ...]:
    """Return the statements that the paragraphs do not bear out, with what was quoted against them."""
    return tuple(
        Doubt(
            statement=statements[claim.statement],
            verdict=claim.verdict,
            evidence=claim.evidence,
            located=any(claim.evidence in text for _, text in paragraphs),
        )
        for claim in answer.claims
        if claim.verdict != "supported" and claim.statement < len(statements)
    )


def count_judged(answer: ClaimsAnswer, statements: Sequence[str]) -> int:
    """Return how many of the statements have a verdict."""
    return len({claim.statement for claim in answer.claims}.intersection(range(len(statements))))
