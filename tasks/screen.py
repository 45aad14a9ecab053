"""CleanBook -> CleanBook or Rejection: one function a rule, listed in RULES."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from schemas.books import CleanBook, Rejection
from schemas.corpus_settings import ScreenSettings
from tasks.screening.traits import Traits

TOLD_WEIGHT = 1.0  # of the log of the lack of telling; on the works of tasks/screening/style.py 2 loses more fiction
LEAST_TOLD = 0.01

Rule = Callable[[Traits, ScreenSettings], str | None]


def wrong_language(book: Traits, settings: ScreenSettings) -> str | None:
    """Reject a text whose passages are mostly in other languages; the text decides, not the catalogue."""
    kept = sum(language in settings.languages for language in book.languages)
    if 2 * kept >= len(book.languages):
        return None
    language, num = Counter(one for one in book.languages if one not in settings.languages).most_common(1)[0]
    return f"{num} of {len(book.languages)} samples are in {language!r}, kept are {', '.join(settings.languages)}"


def drama(book: Traits, settings: ScreenSettings) -> str | None:
    """Reject a text of speeches under the names of those who speak."""
    return over("the text in speeches under a name", book.speech_share, settings.max_speech_share)


def verse(book: Traits, settings: ScreenSettings) -> str | None:
    """Reject a text that stands mostly in lines of verse, or was verse before its lines were joined."""
    found = over("the text in verse", book.verse_share, settings.max_verse_share)
    if found or book.verse_joints <= settings.max_verse_joints:
        return found
    limit = settings.max_verse_joints
    return f"{book.verse_joints:.1f} lines of verse begin in mid-sentence per 1000 words, at most {limit} allowed"


def reference(book: Traits, settings: ScreenSettings) -> str | None:
    """Reject tables, lists, and entries in the order of the alphabet."""
    listed = over("the text in tables and lists", book.list_share, settings.max_list_share)
    return listed or over("the text in alphabetical order", book.alphabetical_share, settings.max_alphabetical_share)


def too_short(book: Traits, settings: ScreenSettings) -> str | None:
    """Reject a text with too few words."""
    num_words = book.count_words(settings.min_words)
    if num_words >= settings.min_words:
        return None
    return f"{num_words} words, at least {settings.min_words} needed"


def odd_characters(book: Traits, settings: ScreenSettings) -> str | None:
    """Reject a text full of characters that prose has no use for: a bad scan, a wrong encoding."""
    return over("its characters odd", book.odd_share, settings.max_odd_share)


def dialogue(book: Traits, settings: ScreenSettings) -> str | None:
    """Reject a text with less speech than wanted; by default any share will do, for good tales have none."""
    if book.dialogue_share >= settings.min_dialogue_share:
        return None
    return f"{book.dialogue_share:.2f} of paragraphs begin with speech, at least {settings.min_dialogue_share} needed"


def non_fiction(book: Traits, settings: ScreenSettings) -> str | None:
    """Reject a text that neither tells like a story nor sounds like one.

    Two readings must agree, for a tale may pose as a report: it states more than it tells, and its style scores below
    a limit that rises the less it tells; or the style alone is far below. What the catalogue knows moves the limits.
    """
    told, score = book.style
    shift = {True: -settings.catalogue_weight, False: settings.catalogue_weight, None: 0.0}[book.catalogued_as_fiction]
    limit = settings.min_style_score + shift
    if told < settings.min_told:
        poverty = math.log(settings.min_told / max(told, LEAST_TOLD))
        limit = max(limit, settings.min_story_score + shift + TOLD_WEIGHT * poverty)
    if score >= limit:
        return None
    return f"a score of {score:.1f} with {told:.2f} words of story per word of exposition, at least {limit:.1f} needed"


def incomplete(book: Traits, settings: ScreenSettings) -> str | None:
    """Reject a text that breaks off: no single sign of it is trusted."""
    if len(book.breaks) < settings.min_breaks:
        return None
    return f"{len(book.breaks)} signs that it breaks off, below {settings.min_breaks} allowed: {'; '.join(book.breaks)}"


RULES: tuple[Rule, ...] = (
    wrong_language,
    reference,
    drama,
    verse,
    too_short,
    odd_characters,
    non_fiction,
    dialogue,
    incomplete,
)


def screen_book(book: CleanBook, settings: ScreenSettings) -> CleanBook | Rejection:
    """Return the book, or a Rejection named after the first rule that holds, with the limit and the value found."""
    traits = Traits(book)
    for rule in RULES:
        detail = rule(traits, settings)
        if detail is not None:
            reason = rule.__name__.replace("_", "-")
            return Rejection(book_id=book.book_id, stage="screen", reason=reason, detail=detail)
    return book


def over(what: str, share: float, limit: float) -> str | None:
    """Return the detail of a share above its limit, or None."""
    return f"{share:.2f} of {what}, at most {limit} allowed" if share > limit else None
