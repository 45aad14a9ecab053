"""Text of a model -> whether it had begun to go round in circles."""

from __future__ import annotations

MIN_BLANKS = 50  # white space at the end of a text
MAX_PERIOD = 200  # characters of the longest phrase that is looked for
MIN_REPEATS, MIN_REPEATED = 4, 100  # of a phrase, and characters that they fill together


def runs_away(text: str) -> bool:
    """Whether a text ends in white space without end, or in one phrase said again and again."""
    if len(text) - len(text.rstrip()) >= MIN_BLANKS:
        return True
    return any(
        text.endswith(text[-period:] * max(MIN_REPEATS, -(-MIN_REPEATED // period)))
        for period in range(1, min(MAX_PERIOD, len(text) // MIN_REPEATS) + 1)
    )
