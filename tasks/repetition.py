"""SegmentedBook -> Repetition: how much of its narrative comes again, and whether that is too much."""

from __future__ import annotations

from schemas.books import Rejection, SegmentedBook
from schemas.corpus_settings import ScreenSettings
from schemas.repetition import Repetition
from tasks.screening.repetition import measure_text

REASON = "too-repetitive"


def measure_repetition(work: SegmentedBook) -> Repetition:
    """Return the repetition of a work's narrative; prefaces, notes and tables do not count."""
    return measure_text(join_narrative([work.text[leaf.body_start : leaf.end] for leaf in work.chapters()]))


def join_narrative(bodies: list[str]) -> str:
    """Return the bodies of the narrative leaves as one text."""
    return "\n\n".join(bodies)


def refuse_repetitive(work_id: str, found: Repetition, settings: ScreenSettings) -> Rejection | None:
    """Return the rejection of a work that loops, or None; a model that reads loops writes them.

    Short tales repeat themselves by right, so a share counts only beyond a number of words.
    """
    detail = too_repetitive(found, settings)
    return Rejection(book_id=work_id, stage="screen", reason=REASON, detail=detail) if detail else None


def too_repetitive(found: Repetition, settings: ScreenSettings) -> str | None:
    """Return what a work repeats too much, with the limit and the value found, or None."""
    if found.longest_repeat > settings.max_repeated_run:
        limit = f"at most {settings.max_repeated_run} allowed (screen.max_repeated_run)"
        return f"{found.longest_repeat} words in a row stand there twice, {limit}"
    shares = (
        ("runs of 10 words that stood before", found.repeated_ngrams[-1], "max_repeated_share", "free_words"),
        ("8 words that come 4 times within 1,000", found.looped_words, "max_looped_share", "free_words"),
        ("paragraphs that stood before", found.duplicate_paragraph_chars, "max_duplicate_share", "free_words"),
        ("one run of 4 words", found.top_ngrams[-1], "max_top_share", "free_top_words"),
    )
    for what, share, limit, free in shares:
        most: float = getattr(settings, limit)
        words: int = getattr(settings, free)
        if share > max(most, words / max(1, found.num_words)):
            return (
                f"{share:.1%} of {found.num_words} words are in {what}, at most {most:.1%} (screen.{limit}) "
                f"or {words} words (screen.{free}) allowed"
            )
    return None
