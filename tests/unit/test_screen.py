"""CleanBook -> CleanBook or Rejection: each rule rejects what it is for, and a novel passes them all."""

from __future__ import annotations

import hashlib

import pytest

from schemas.books import CatalogueEntry, RawBook, Rejection
from schemas.corpus_settings import CleanSettings, ScreenSettings
from tasks.clean import clean_book
from tasks.screen import RULES, screen_book
from tasks.screening.endings import read_number
from tasks.screening.layout import alphabetical_share, speech_share
from tasks.screening.traits import Traits, take_samples

STORY = "“Row on,” said Tom to the boy. The ferry went over the water, and he saw the mill where she had lived."
TOLD = (
    "He had seen the ferry go over the water in the grey light, and he thought of her and of what she had said to him."
)
STATED = (
    "The state of a river is of the first importance to those towns which must live by the trade of their ferries,"
    " and such laws as are made by them should be of few words or of none."
)
DATED = (
    "In 1612 the abbot had the mill and the ford from the duke; in 1644 they were sold, and he had them again in 1660."
)
GERMAN = "Die Fähre fuhr im grauen Licht über das Wasser und kam zurück, und niemand war an Bord als der Junge."
VERSE = "Low in the reeds the heron stands alone,\nGrey as the morning is and grey as stone;\nNobody knows of all that he has known,\n"
VERSE += "Nobody asks him whither he has flown."
JOINED = "Low in the reeds the heron waits alone, And grey the morning is, and grey the stone, For no one knows the weir that he has known, Nor asks of him the way that he has flown."
SPEECHES = "TOM. Row on, the water is high.\n\nANNE [_rising_]. It is late, and I am cold.\n\n_Miller._ Nobody comes."
ALONE = "TOM\n\nRow on, the water is high.\n\nTHE MILLER\n\nIt is late, and I am cold, and nobody comes to us."
IN_LINES = (
    "Tom.\nRow on, my boy, the water is so high\nAnd all the mill is dark against the sky.\n\n"
    "Anne.\nIt is too late, and I am cold, and you\nAre slow to see what all the others do."
)
DASHED = "_Tom_.—Row on, the water is high.\n\n_Anne_.—It is late, and I am cold."
COLONS = "TOM: Row on, the water is high.\n\nFIRST BOY: It is late, and I am cold."
TABLE = "Flour     12 sacks\nBarley     3 sacks\nOats       1 sack\nWheat      9 sacks"
RECIPE = (
    "INGREDIENTS. Two sacks of oats, a sack of wheat, and some water from the weir.\n\nMODE. Mix them well and bake."
)
WORDS = [f"{head}{tail}{last}" for head in "abcdefgh" for tail in "aeiou" for last in "lmnr"]


def book(paragraph, count=60, **entry):
    data = ("\n\n".join([paragraph] * count)).encode()
    digest = hashlib.sha256(data).hexdigest()
    raw = RawBook(entry=CatalogueEntry(book_id="7", **entry), file="7.txt", source_sha256=digest, data=data)
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
        (ALONE, "drama", "at most 0.3"),
        (IN_LINES, "drama", "at most 0.3"),
        (DASHED, "drama", "at most 0.3"),
        (COLONS, "drama", "at most 0.3"),
        (f"{STORY}\n\n{TABLE}", "reference", "at most 0.1"),
        (VERSE, "verse", "at most 0.5"),
        (JOINED, "verse", "at most 18.0"),
        (STATED, "non-fiction", "at least"),
        (DATED, "non-fiction", "at least -7.5"),
        (f"{STORY} ¤¤¤¤", "odd-characters", "at most 0.02"),
        (f"{STORY} The cafÃ© and the mÃ¼ller were shut.", "odd-characters", "at most 0.02"),
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
    assert not isinstance(screen(GERMAN, languages=("de",), min_story_score=-99, min_style_score=-99), Rejection)


def test_a_few_foreign_passages_decide_nothing():
    assert not isinstance(screen("\n\n".join([TOLD] * 8 + [GERMAN] * 3)), Rejection)


def test_speech_can_be_asked_for():
    rejection = screen(TOLD, min_dialogue_share=0.1)
    assert (rejection.reason, rejection.detail) == (
        "dialogue",
        "0.00 of paragraphs begin with speech, at least 0.1 needed",
    )


def test_treatises_in_speech_pass():
    assert not isinstance(screen(f"{STATED}\n\n“Row on,” said he.\n\n“I won’t!” cried she. “Will you?”"), Rejection)


def test_the_catalogue_moves_the_limit_but_the_text_decides():
    settings = ScreenSettings(min_words=100, min_style_score=-3.0, catalogue_weight=4.0)
    silent, fiction, history = (
        screen_book(book(TOLD, **entry), settings)
        for entry in ({}, {"subjects": ("Ferries -- Fiction",), "locc": ("PR",)}, {"locc": ("DA",)})
    )
    assert not isinstance(silent, Rejection)
    assert not isinstance(fiction, Rejection)
    assert history.reason == "non-fiction"
    treatise = screen_book(book(f"{STATED} {DATED}", subjects=("Ferries -- Fiction",)), settings)
    assert treatise.reason == "non-fiction"


def test_headings_that_recur_are_no_speakers():
    assert screen(RECIPE).reason == "non-fiction"
    assert speech_share(["Mr. Hale went home.", "Mrs. Hale went home."] * 9) == 0.0
    assert speech_share(["I. The ferry.", "II. The mill."] * 9) == 0.0


def test_names_under_letters_make_no_play():
    letters = ["ANNE VALE.", "THE MILL.", "My dear Tom, " + "the water is high, and nobody comes to us. " * 120]
    assert speech_share(letters * 9) == 0.0


def test_words_in_the_order_of_the_alphabet_are_reference():
    entries = [
        f"{word.capitalize()}, a kind of ferry that is seen on the weir by the mill in the spring." for word in WORDS
    ]
    assert alphabetical_share(entries) > 0.7
    assert alphabetical_share([f"{number}. The ferry." for number in range(40)]) == 0.0
    assert screen("\n\n".join(entries), count=1).reason == "reference"


START = "*** START OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n\n"
STOP = "*** END OF THE PROJECT GUTENBERG EBOOK THE MILL ***\n"


def read(text):
    raw = RawBook(entry=CatalogueEntry(book_id="7"), file="7.txt", source_sha256="0" * 64, data=text.encode())
    return screen_book(clean_book(raw, CleanSettings()), ScreenSettings(min_words=100))


def test_a_text_that_breaks_off_is_rejected_for_two_signs_together():
    story = f"{TOLD}\n\n" * 60
    broken = "The ferry had gone over the water in the grey light, and he had thought of"
    cut = read(f"{START}{story}{broken}")
    assert cut.reason == "incomplete"
    assert cut.detail.startswith("2 signs that it breaks off, below 2 allowed: its last sentence is unfinished")
    assert not isinstance(read(f"{START}{story}{broken}\n\n{STOP}"), Rejection)
    assert not isinstance(read(f"{START}{story}"), Rejection)
    assert not isinstance(read(f"{START}{story}{broken}\n\nTHE END\n"), Rejection)


def test_chapters_that_only_the_contents_know_are_missing():
    contents = "\n\n".join(f"CHAPTER {number}. The Mill" for number in range(1, 21))
    chapters = "".join(f"CHAPTER {number}\n\n" + f"{TOLD}\n\n" * 30 for number in range(1, 10))
    cut = read(f"{START}CONTENTS\n\n{contents}\n\n{chapters}")
    assert cut.reason == "incomplete"
    assert "its contents tell 20 chapters, its headings 9" in cut.detail


def test_numbers_are_read_in_figures_and_in_roman():
    assert [read_number(text) for text in ("12", "xiv", "XL", "III")] == [12, 14, 40, 3]


def test_samples_cover_the_whole_text():
    assert take_samples("abc", 3, 2) == ["ab", "c"]
    samples = take_samples("".join(chr(number) for number in range(100, 1100)), 5, 10)
    assert (len(samples), samples[0][0], samples[-1][-1]) == (5, chr(100), chr(1099))


def test_no_words_are_no_error():
    empty = book(STORY).model_copy(update={"text": "", "blocks": ()})
    assert screen_book(empty, ScreenSettings()).reason == "too-short"
    assert Traits(empty).style.told == 0.0


def test_every_rule_is_named_like_a_reason():
    reasons = [rule.__name__.replace("_", "-") for rule in RULES]
    assert reasons == [
        "wrong-language",
        "reference",
        "drama",
        "verse",
        "too-short",
        "odd-characters",
        "non-fiction",
        "dialogue",
        "incomplete",
    ]
