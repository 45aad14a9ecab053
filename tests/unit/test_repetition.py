"""What comes again in a work, held against plain counting, and which works loop."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.books import CatalogueEntry, Division, Scene, SegmentedBook
from schemas.corpus_settings import ScreenSettings
from schemas.repetition import Repetition
from schemas.value import Span
from tasks.repetition import measure_repetition, refuse_repetitive, too_repetitive
from tasks.screening.repetition import measure_text
from tests.unit.test_duplicates import change, prose

SETTINGS = ScreenSettings()
few_words = st.lists(st.sampled_from(["ash", "bow", "cup", "den"]), max_size=60)


def paragraphs(words, size=60):
    return [" ".join(words[at : at + size]) + "." for at in range(0, len(words), size)]


NOVEL = paragraphs(prose(31, 60_000))


def ngrams(words, size):
    return [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]


def covered(words, size):
    """Characters within n-grams that stood before, counted plainly."""
    seen, places = set(), set()
    for at, gram in enumerate(ngrams(words, size)):
        if gram in seen:
            places.update(range(at, at + size))
        seen.add(gram)
    return sum(len(words[place]) for place in places)


@settings(deadline=None)  # the first call fills the table of letters
@given(few_words)
def test_ngrams_are_counted_as_one_counts_by_hand(words):
    found = measure_text(" ".join(words))
    num_chars = sum(map(len, words))
    assert found.num_words == len(words)
    for size, share in zip(range(5, 11), found.repeated_ngrams, strict=True):
        assert share == pytest.approx(covered(words, size) / max(1, num_chars), abs=1e-5)
    for size, share in zip(range(2, 5), found.top_ngrams, strict=True):
        counts = Counter(ngrams(words, size))
        most = max((len("".join(gram)) * number for gram, number in counts.items() if number > 1), default=0)
        assert share == pytest.approx(most / max(1, num_chars), abs=1e-5)
    grams = ngrams(words, 4)
    assert found.rep_4 == pytest.approx(1 - len(set(grams)) / len(grams) if grams else 0.0, abs=1e-5)


def test_rep_4_sees_a_window_and_not_the_whole_book():
    words = prose(32, 1_000)
    assert measure_text(" ".join(words * 5)).rep_4 < 0.01
    assert measure_text(" ".join(words[:100] * 50)).rep_4 > 0.85


def test_lines_and_paragraphs_count_but_not_what_says_nothing():
    text = "One lamp.\n\n* * *\n\nTwo lamps\nby the door.\n\n* * *\n\nONE  lamp.\n\nTwo lamps\nby a gate."
    found = measure_text(text)
    assert found.duplicate_paragraphs == pytest.approx(1 / 4)
    assert found.duplicate_lines == pytest.approx(2 / 6, abs=1e-5)
    assert found.duplicate_line_chars == pytest.approx(18 / (9 + 9 + 12 + 9 + 9 + 10), abs=1e-5)
    assert found.duplicate_paragraph_chars == pytest.approx(9 / (9 + 22 + 9 + 20), abs=1e-5)


def test_a_phrase_of_eight_words_four_times_within_a_thousand_is_a_loop():
    filler = prose(33, 4_000)
    phrase = ["the", "lamp", "went", "out", "again", "over", "the", "water"]
    near = [word for at in range(4) for word in (*phrase, *filler[300 * at : 300 * at + 300])]
    far = [word for at in range(4) for word in (*phrase, *filler[900 * at : 900 * at + 900])]
    assert measure_text(" ".join(near)).looped_words == pytest.approx(32 / len(near), abs=1e-5)
    assert measure_text(" ".join(far)).looped_words == 0.0


def test_the_longest_run_that_comes_again_is_measured_in_words():
    words = prose(34, 3_000)
    assert measure_text(" ".join([*words, "so", *words[500:900]])).longest_repeat == 400
    assert measure_text(" ".join(words)).longest_repeat == 0


def test_a_text_of_nothing_repeats_nothing():
    for text in ("", "\n\n", "***", "One."):
        found = measure_text(text)
        assert (found.longest_repeat, found.looped_words, found.rep_4, set(found.top_ngrams)) == (0, 0.0, 0.0, {0.0})
        assert too_repetitive(found, SETTINGS) is None


def test_the_narrative_alone_is_measured():
    front, body = "Contents. " * 200, " ".join(prose(35, 500))
    ends = (0, len(front), len(front + body))
    divisions = tuple(
        Division(
            level="chapter", kind=kind, start=start, body_start=start, end=end, line=1, scenes=(scene(start, end),)
        )
        for kind, start, end in (("front", ends[0], ends[1]), ("narrative", ends[1], ends[2]))
    )
    work = SegmentedBook(entry=CatalogueEntry(book_id="7"), source_sha256="-", text=front + body, divisions=divisions)
    assert measure_repetition(work) == measure_text(body)


def scene(start, end):
    return Scene(start=start, end=end, paragraphs=(Span(start, end),))


def loop(words, size):
    """What a model writes that always takes the same next word."""
    after = dict(pairwise(words))
    word, told = words[0], []
    for _ in range(size):
        told.append(word)
        word = after.get(word, words[0])
    return told


def after_every(pieces, step, line):
    """The pieces, and a line after each so many of them; `{}` in it is a number."""
    told = ([piece, line.format(at)] if at % step == 0 else [piece] for at, piece in enumerate(pieces))
    return [one for pair in told for one in pair]


LOOPING = {
    "a chapter twice": [*NOVEL, *NOVEL[200:240]],
    "a paragraph fifty times": [*NOVEL[:500], *[NOVEL[3]] * 50, *NOVEL[500:]],
    "a paragraph after every twentieth": after_every(NOVEL, 20, NOVEL[3]),
    "chapters twice with a word in fifty changed": NOVEL + paragraphs(change(" ".join(NOVEL[100:170]).split(), 0.02)),
    "a Markov loop": NOVEL + paragraphs(loop(" ".join(NOVEL).split(), 3_000)),
    "one sentence without end": [*NOVEL[:100], *["The lamp went out, and she lit it, and it went out."] * 400],
    "the head of every page": after_every(NOVEL, 5, "THE LAMP AT THE FORD"),
    "the head of every page with its number": after_every(NOVEL, 5, "{} THE LAMP AT THE FORD"),
}

SOUND = {
    "a novel": NOVEL,
    "a tale with a refrain": after_every(NOVEL[:60], 3, "“Lamp, lamp, who goes by?”"),
    "a tale that tells each errand anew": after_every(NOVEL[:20], 1, NOVEL[40][:150]),
    "a letter that is read again in the last chapter": [*NOVEL, " ".join(" ".join(NOVEL[7:10]).split()[:170])],
    "a novel of short answers": after_every(after_every(NOVEL, 5, "“Yes.”"), 7, "“No,” said she."),
}


@pytest.mark.parametrize("name", LOOPING)
def test_prose_that_loops_is_refused(name):
    rejection = refuse_repetitive("7", measure_text("\n\n".join(LOOPING[name])), SETTINGS)
    assert rejection is not None
    assert (rejection.stage, rejection.reason) == ("screen", "too-repetitive")
    assert "screen." in rejection.detail


@pytest.mark.parametrize("name", SOUND)
def test_prose_that_repeats_itself_by_right_is_kept(name):
    assert too_repetitive(measure_text("\n\n".join(SOUND[name])), SETTINGS) is None


def test_every_limit_refuses_alone_and_says_which():
    plain = measure_text(" ".join(prose(36, 2_000))).model_dump() | {"num_words": 50_000}
    for change_, limit in (
        ({"longest_repeat": 251}, "max_repeated_run"),
        ({"repeated_ngrams": (0.0,) * 5 + (0.031,)}, "max_repeated_share"),
        ({"looped_words": 0.021}, "max_looped_share"),
        ({"duplicate_paragraph_chars": 0.021}, "max_duplicate_share"),
        ({"top_ngrams": (0.0, 0.0, 0.007)}, "max_top_share"),
    ):
        found = Repetition.model_validate(plain | change_)
        assert f"screen.{limit}" in (too_repetitive(found, SETTINGS) or "")
        assert too_repetitive(found.model_copy(update={"num_words": 900, "longest_repeat": 0}), SETTINGS) is None


def test_equal_texts_have_equal_measures_and_a_shuffled_one_has_fewer_repeats():
    words = (prose(37, 300) * 4)[:1_000]
    shuffled = random.Random(1).sample(words, len(words))
    assert measure_text(" ".join(words)) == measure_text(" ".join(words))
    assert measure_text(" ".join(shuffled)).longest_repeat == 0
