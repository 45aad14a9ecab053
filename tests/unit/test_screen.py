"""CleanBook -> CleanBook or Rejection: each rule rejects what it is for, and a novel passes them all."""

from __future__ import annotations

import hashlib

import pytest

from schemas.books import CatalogueEntry, RawBook, Rejection
from schemas.settings import CleanSettings, ScreenSettings
from tasks.clean import clean_book
from tasks.screen import RULES, screen_book

STORY = "“Row on,” said Tom to the boy. The ferry went over the water, and he saw the mill where she had lived."
TOLD = (
    "He had seen the ferry go over the water in the grey light, and he thought of her and of what she had said to him."
)
STATED = (
    "The state of a river is of the first importance to those towns which must live by the trade of their ferries,"
    " and such laws as are made by them should be of few words or of none."
)
GERMAN = "Die Fähre fuhr im grauen Licht über das Wasser und kam zurück, und niemand war an Bord als der Junge."
VERSE = "Low in the reeds the heron stands alone,\nGrey as the morning is and grey as stone;\nNobody knows of all that he has known,\n"
VERSE += "Nobody asks him whither he has flown."
SPEECHES = "TOM. Row on, the water is high.\n\nANNE [_rising_]. It is late, and I am cold.\n\n_Miller._ Nobody comes."
TABLE = "Flour     12 sacks\nBarley     3 sacks\nOats       1 sack\nWheat      9 sacks"


def book(paragraph, count=60):
    data = ("\n\n".join([paragraph] * count)).encode()
    digest = hashlib.sha256(data).hexdigest()
    raw = RawBook(entry=CatalogueEntry(book_id="7"), file="7.txt", source_sha256=digest, data=data)
    return clean_book(raw, CleanSettings())


def screen(paragraph, count=60, **settings):
    return screen_book(book(paragraph, count), ScreenSettings(**{"min_words": 100, **settings}))


@pytest.mark.parametrize("paragraph", [STORY, TOLD])
def test_a_story_passes_unchanged(paragraph):
    story = book(paragraph)
    assert screen_book(story, ScreenSettings(min_words=100)) is story


@pytest.mark.parametrize(
    ("paragraph", "reason", "limit"),
    [
        (GERMAN, "wrong-language", "kept are en"),
        (SPEECHES, "drama", "at most 0.3"),
        (f"{STORY}\n\n{TABLE}", "reference", "at most 0.15"),
        (VERSE, "verse", "at most 0.5"),
        (STATED, "non-fiction", "at least 0.7"),
    ],
)
def test_what_is_no_novel_is_rejected_with_limit_and_value(paragraph, reason, limit):
    rejection = screen(paragraph)
    assert isinstance(rejection, Rejection)
    assert (rejection.book_id, rejection.stage, rejection.reason) == ("7", "screen", reason)
    assert limit in rejection.detail
    assert any(letter.isdigit() for letter in rejection.detail)


def test_a_short_text_is_rejected_as_such():
    rejection = screen(STORY, count=3, min_words=3_000)
    assert (rejection.reason, rejection.detail) == ("too-short", "66 words, at least 3000 needed")


def test_another_language_can_be_kept():
    assert not isinstance(screen(GERMAN, languages=("de",), min_narrative_score=0), Rejection)


def test_essays_with_speech_pass():
    assert not isinstance(screen(f"{STATED}\n\n“Row on.”"), Rejection)


def test_every_rule_is_named_like_a_reason():
    reasons = [rule.__name__.replace("_", "-") for rule in RULES]
    assert reasons == ["wrong-language", "drama", "reference", "verse", "too-short", "non-fiction"]
