"""CleanBook -> CleanBook or Rejection: one function a rule, listed in RULES."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import py3langid

from schemas.books import CleanBook, Rejection
from schemas.settings import ScreenSettings

Rule = Callable[[CleanBook, ScreenSettings], str | None]

NUM_SAMPLES, SAMPLE_CHARS = 7, 1_500  # spread over the text: a foreign motto decides nothing
SPEAKER = re.compile(
    r"_?([A-Z][\w'’-]*(?: [A-Z][\w'’-]*){0,2})_?(?: ?[\[(_][^\])]{0,120}[\])_])?[.:](?=\s|$)"  # HELMER (_rising_).
)
MIN_SPEECHES = 5  # of one name, before it counts as a speaker's
COLUMNS = re.compile(r"\S {3,}\S")
LIST_WORDS = 3.5  # words in a line: lists have fewer, verse more
WORD = re.compile(r"[a-z’']+")
PAST = [
    "was", "were", "had", "did", "said", "went", "came", "looked", "took", "asked", "saw", "thought", "knew", "stood",
    "turned", "told", "cried", "felt", "began", "heard", "made", "replied", "seemed", "found", "gave", "got",
]  # fmt: skip
PERSONS = ["he", "she", "him", "her", "his", "hers", "himself", "herself"]
TELLER = ["i", "me", "my"]
EXPOSITION = [
    "is", "are", "has", "have", "be", "may", "must", "can", "should", "ought", "does", "will", "shall",
    "of", "or", "by", "which", "their", "these", "those", "such",
]  # fmt: skip


def wrong_language(book: CleanBook, settings: ScreenSettings) -> str | None:
    """Reject a text whose samples are mostly in another language; the text decides, not the catalogue."""
    size = max(1, len(book.text) - SAMPLE_CHARS)
    places = [size * (2 * one + 1) // (2 * NUM_SAMPLES) for one in range(NUM_SAMPLES)]
    votes = Counter(str(py3langid.classify(book.text[at : at + SAMPLE_CHARS])[0]) for at in places)
    language, num = votes.most_common(1)[0]
    if language in settings.languages:
        return None
    return f"{num} of {NUM_SAMPLES} samples are in {language!r}, kept are {', '.join(settings.languages)}"


def drama(book: CleanBook, settings: ScreenSettings) -> str | None:
    """Reject a text of speeches under the names of those who speak."""
    names = [found[1] for text in iter_texts(book) if (found := SPEAKER.match(text))]
    num_speeches = sum(num for num in Counter(names).values() if num >= MIN_SPEECHES)
    return over("paragraphs headed by a speaker", num_speeches / len(book.blocks), settings.max_speaker_share)


def reference(book: CleanBook, settings: ScreenSettings) -> str | None:
    """Reject a text of tables and lists."""
    num_words = sum(len(text.split()) for text in iter_texts(book) if "\n" in text and is_list(text))
    return over("words in tables and lists", num_words / book.num_words, settings.max_list_share)


def verse(book: CleanBook, settings: ScreenSettings) -> str | None:
    """Reject a text that stands mostly in lines kept as lines."""
    num_words = sum(len(text.split()) for text in iter_texts(book) if "\n" in text)
    return over("words in verse", num_words / book.num_words, settings.max_verse_share)


def too_short(book: CleanBook, settings: ScreenSettings) -> str | None:
    """Reject a text with too few words."""
    if book.num_words >= settings.min_words:
        return None
    return f"{book.num_words} words, at least {settings.min_words} needed"


def non_fiction(book: CleanBook, settings: ScreenSettings) -> str | None:
    """Reject a text without speech that states more than it tells.

    Source: measured on 66 narrative works and 3 treatises; of the narrative ones with little speech the lowest score
    was 0.93, of the treatises the highest 0.63.
    """
    num_quoted = sum(text[0] in "\"“‘'" for text in iter_texts(book))
    if num_quoted >= settings.min_quoted_share * len(book.blocks):
        return None
    score = narrative_score(book.text)
    if score >= settings.min_narrative_score:
        return None
    return f"narrative score {score:.2f}, at least {settings.min_narrative_score} needed where speech is rare"


RULES: tuple[Rule, ...] = (wrong_language, drama, reference, verse, too_short, non_fiction)


def screen_book(book: CleanBook, settings: ScreenSettings) -> CleanBook | Rejection:
    """Return the book, or a Rejection named after the first rule that holds."""
    for rule in RULES:
        detail = rule(book, settings)
        if detail is not None:
            reason = rule.__name__.replace("_", "-")
            return Rejection(book_id=book.book_id, stage="screen", reason=reason, detail=detail)
    return book


def iter_texts(book: CleanBook) -> list[str]:
    """Return the texts of the blocks."""
    return [book.text[block.start : block.end] for block in book.blocks]


def over(what: str, share: float, limit: float) -> str | None:
    """Return the detail of a share above its limit, or None."""
    return f"{share:.2f} of {what}, at most {limit} allowed" if share > limit else None


def is_list(text: str) -> bool:
    """Return whether lines are a table or a list: columns, or a few words each."""
    return COLUMNS.search(text) is not None or len(text.split()) < LIST_WORDS * (text.count("\n") + 1)


def narrative_score(text: str) -> float:
    """Return the words of the past and of persons per word of the present, of duty and of definition."""
    counts = Counter(WORD.findall(text.lower()))
    told = sum(counts[word] for word in PAST + PERSONS) + sum(counts[word] for word in TELLER) / 2
    return told / max(1, sum(counts[word] for word in EXPOSITION))
