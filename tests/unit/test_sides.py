"""Splits that leak nothing: authors on two sides, and works of two sides that share text."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.books import CatalogueEntry
from schemas.corpus_settings import DuplicateSettings
from schemas.errors import ConfigError
from schemas.settings import ComposeSettings, Settings
from tasks.composing.splits import assign_split, name_sides, place_side
from tasks.judge import divide_works, judge_likeness
from tasks.likeness.sides import SIDES, find_across_sides
from tasks.settled import check_settled
from tests.unit.test_duplicates import change, prose, sign

LIMIT = DuplicateSettings().min_across_sides
SHARE = ComposeSettings().held_out_share
WORDS = prose(21, 9_000)
RETOLD = {f"{at}": change(WORDS, share, seed=at) for at, share in enumerate((0.0, 0.03, 0.2, 0.5, 0.9))}


def author_in(split, share=SHARE):
    """An invented name that belongs to a split."""
    names = (f"Quill, Mara {'x' * number}" for number in range(1, 2_000))
    return next(name for name in names if assign_split(CatalogueEntry(book_id="1", authors=(name,)), share) == split)


def entry(*authors, title="The Lamp"):
    return CatalogueEntry(book_id="7", title=title, authors=authors)


def across(splits, texts):
    return find_across_sides([sign(name, text) for name, text in texts.items()], splits, LIMIT)


def test_a_work_has_the_names_of_all_who_wrote_it_and_of_nobody_else():
    written = ("Quill, Mara, 1801-1850", "Reve, Tomas [Author]", "Oddy, A. [Translator]", "Various")
    assert name_sides(entry(*written)) == ("author mara quill", "author reve tomas")
    assert name_sides(entry("Anonymous", "Quill, Mara")) == ("title the lamp", "author mara quill")
    assert name_sides(entry("Oddy, A. [Editor]", "Reve, Tomas [Illustrator]")) == ("author a oddy",)
    assert name_sides(entry()) == ("title the lamp",)


def test_a_work_is_judged_on_the_side_that_it_is_composed_for():
    for split in SIDES:
        work = entry(author_in(split))
        assert place_side(name_sides(work)[0], SHARE) == assign_split(work, SHARE) == split


def test_a_work_whose_authors_are_on_two_sides_is_refused_with_their_names():
    both, alone = entry(author_in("train"), author_in("test")), entry(author_in("test"))
    splits, divided = divide_works({"1": name_sides(both), "2": name_sides(alone)}, SHARE)
    assert splits == {"1": "train", "2": "test"}
    assert set(divided) == {"1"}
    assert divided["1"].reason == "authors-on-two-sides"
    told = [f"{name!r} in {side}" for name, side in zip(name_sides(both), ("train", "test"), strict=True)]
    assert all(one in divided["1"].detail for one in told)


def test_a_work_that_is_too_unlike_to_be_an_edition_is_still_refused_beside_a_held_out_one():
    near = across({"0": "test", "2": "train"}, {"0": WORDS, "2": RETOLD["2"]})
    assert {name: (one.near, one.near_split) for name, one in near.items()} == {"2": ("0", "test")}
    assert near["2"].contained == pytest.approx(0.8**5, abs=0.07)
    assert near["2"].detail.startswith("it is in train, and like 0, which is in test: ")
    beside = [sign("0", WORDS), sign("2", RETOLD["2"])]
    assert judge_likeness(beside, dict.fromkeys("02", "train"), DuplicateSettings()) == ({}, {})


def test_a_passage_of_a_held_out_work_within_a_longer_one_is_found_whoever_is_held_out():
    longer = prose(22, 30_000) + WORDS[:3_000]
    texts = {"short": WORDS, "long": longer}
    assert set(across({"short": "validation", "long": "train"}, texts)) == {"long"}
    assert set(across({"short": "train", "long": "validation"}, texts)) == {"short"}
    assert across({"short": "train", "long": "train"}, texts) == {}


def test_another_translation_may_stand_on_another_side():
    assert across({"0": "test", "3": "train"}, {"0": WORDS, "3": RETOLD["3"]}) == {}
    assert across({"0": "test", "4": "train"}, {"0": [], "4": RETOLD["4"]}) == {}


def test_test_stays_before_validation_and_validation_before_train():
    texts = {name: RETOLD[name] for name in ("0", "1", "2")}
    near = across({"0": "train", "1": "validation", "2": "test"}, texts)
    assert {name: one.near for name, one in near.items()} == {"0": "2", "1": "2"}


def test_a_work_of_train_names_the_likest_that_stays():
    texts = {"0": RETOLD["0"], "1": RETOLD["1"], "2": RETOLD["2"]}
    near = across({"0": "train", "1": "test", "2": "test"}, texts)
    assert {name: one.near for name, one in near.items()} == {"0": "1"}


SIGNED = [sign(name, text) for name, text in RETOLD.items()]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SIDES), min_size=5, max_size=5), st.randoms(use_true_random=False))
def test_who_is_refused_does_not_depend_on_the_order_of_arrival(sides, rng):
    splits = dict(zip(RETOLD, sides, strict=True))
    shuffled = rng.sample(SIGNED, len(SIGNED))
    near = find_across_sides(SIGNED, splits, LIMIT)
    assert find_across_sides([*shuffled, shuffled[0]], splits, LIMIT) == near
    left = [one for one in shuffled if one.book_id not in near]
    assert find_across_sides(left, splits, LIMIT) == {}
    assert all(one.near not in near for one in near.values())
    assert not [name for name in near if splits[name] == "test"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(SIDES), min_size=5, max_size=5), st.integers(1, 4))
def test_a_night_more_refuses_what_all_at_once_would_and_nothing_held_out_for_a_work_of_train(sides, num_first):
    splits = dict(zip(RETOLD, sides, strict=True))
    first = find_across_sides(SIGNED[:num_first], splits, LIMIT)
    both = find_across_sides(SIGNED, splits, LIMIT)
    later = {one.book_id for one in SIGNED[num_first:]}
    withdrawn = {name for name in both if name not in first and name not in later}
    assert all(both[name].near in later or both[name].near in first for name in withdrawn)
    assert all(SIDES.index(one.near_split) < SIDES.index(one.split) for one in both.values())


def test_an_edition_of_a_work_that_is_refused_for_its_side_is_refused_with_it():
    better, worse = sign("1", WORDS), sign("2", change(WORDS, 0.02), encoding="ascii")
    held = sign("3", change(WORDS, 0.2), title="Another Road", authors=("Reve, Tomas",))
    rejections, winners = judge_likeness(
        [better, worse, held], {"1": "train", "2": "train", "3": "test"}, DuplicateSettings()
    )
    assert {name: one.reason for name, one in rejections.items()} == {
        "1": "near-duplicate-across-sides",
        "2": "duplicate",
    }
    assert winners == {"1": "3", "2": "3"}


def test_of_one_text_the_better_edition_stays_whatever_its_side():
    better, worse = sign("1", WORDS), sign("2", WORDS[:8_000], authors=("Anonymous",))
    rejections, winners = judge_likeness([worse, better], {"1": "train", "2": "test"}, DuplicateSettings())
    assert {name: one.reason for name, one in rejections.items()} == {"2": "duplicate"}
    assert winners == {"2": "1"}


def test_signatures_of_other_settings_are_not_compared():
    other = sign("9", WORDS).model_copy(update={"minhash": b"\0" * 64})
    with pytest.raises(ConfigError, match="sign all books anew"):
        find_across_sides([sign("8", WORDS), other], {"8": "test", "9": "train"}, LIMIT)


def test_thousands_of_works_are_compared_with_what_is_held_out():
    rng = random.Random(4)
    works = [sign(str(number), prose(number, 400)) for number in range(300)]
    splits = {one.book_id: rng.choice(SIDES) for one in works}
    copies = [
        one.model_copy(update={"book_id": f"copy-{one.book_id}"}) for one in works if splits[one.book_id] == "test"
    ]
    splits |= {one.book_id: "train" for one in copies}
    assert set(find_across_sides([*works, *copies], splits, LIMIT)) == {one.book_id for one in copies}


class Head:
    """A manifest, as far as `check_settled` reads it."""

    def __init__(self, **compose):
        self.recipe, self.settings = "prompt-to-book", {"compose": compose}


def test_a_data_set_keeps_the_shares_that_divided_its_authors():
    asked = Settings(compose=ComposeSettings(held_out_share=0.1))
    check_settled(None, asked)
    check_settled(Head(held_out_share=0.1), asked)
    check_settled(Head(), asked)
    with pytest.raises(ConfigError, match=r"held_out_share 0.02, not 0.1"):
        check_settled(Head(held_out_share=0.02), asked)
    with pytest.raises(ConfigError, match="of the recipe prompt-to-book; tagged-story goes"):
        check_settled(Head(held_out_share=0.02), Settings(recipe="tagged-story"))
