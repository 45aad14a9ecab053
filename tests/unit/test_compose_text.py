"""What a model wrote, inside the grammar."""

import pytest

from tasks.composing.text import cut_text, fit_preview, fit_title, fold, shorten_until
from tests.scaffolds import PREVIEW


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        (" a \n\t b\u2028c ", "a b c"),
        ("<|eot<|eot_id|>_id|>x", "x"),
        ("a\x00\u200bb", "ab"),
        ("<|genre:gothic|>", "<|genre:gothic|>"),
        ("<|eot\x00_id|>", ""),
    ],
)
def test_texts_are_folded_to_one_line(text, folded):
    assert fold(text) == folded


def test_a_text_is_cut_at_a_word():
    assert cut_text("one two three", 9) == "one two"
    assert cut_text("one two", 7) == "one two"
    assert cut_text("x" * 10, 4) == "xxxx"
    assert shorten_until("one two three four", lambda text: len(text) < 8) == "one two"


@pytest.mark.parametrize(
    ("title", "fitted"),
    [
        ("The Strange Case of Dr. Jekyll and Mr. Hyde", "The Strange Case of Dr. Jekyll and Mr."),
        ("The Long Way Home: Being the True Account of a Journey", "The Long Way Home"),
        ("Home; Or, the Wanderer", "Home; Or, the Wanderer"),
        ("*One*\nTwo [sic]", "One Two (sic)"),
        ("***", None),
    ],
)
def test_a_title_ends_at_its_subtitle_then_at_eight_words(title, fitted):
    assert fit_title(title) == fitted


def test_foreign_characters_of_a_preview_are_dropped_or_spelled():
    text = "She *never* paid 50% of it — “never”, said Čapek’s −keeper− (дом). " * 6
    preview, _ = fit_preview(
        PREVIEW.model_copy(update={"highlight": text, "tags": tuple("#tag, one!" for _ in range(7))})
    )
    assert preview is not None
    assert preview.highlight.startswith("She never paid 50 percent of it — “never”, said Čapek’s -keeper- She")
    assert preview.tags[0] == "tag one"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": "###"}, "the title has no word"),
        ({"archetype": "Short."}, "the archetype has 1 words"),
        ({"tags": ("a",) * 6 + ("#",)}, "6 tags have a word"),
    ],
)
def test_a_preview_under_a_minimum_is_none(changes, said):
    preview, problem = fit_preview(PREVIEW.model_copy(update=changes))
    assert preview is None
    assert said in problem
