"""Treebank tokens -> text: what was taken apart comes back, and text that people wrote stays as it is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.stories.detokenise import join_tokens, restore_text
from tests.treebank import tokenise

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "stories"

words = st.sampled_from(
    [
        "the",
        "a",
        "Ada's",
        "don't",
        "cannot",
        "gonna",
        "I'm",
        "we've",
        "they'll",
        "he'd",
        "isn't",
        "well-known",
        "3,000",
        "$5",
        "40%",
        "Mara",
        "sea's",
        "U2",
        "can't",
    ]
)
phrases = st.lists(words, min_size=1, max_size=8).map(" ".join)
clauses = st.one_of(
    phrases,
    phrases.map(lambda said: f'"{said},"'),
    phrases.map(lambda said: f"({said})"),
    st.tuples(phrases, phrases).map(lambda two: f"{two[0]}, {two[1]}"),
    st.tuples(phrases, phrases).map(lambda two: f"{two[0]}; {two[1]}..."),
)
sentences = st.tuples(st.lists(clauses, min_size=1, max_size=3).map(" ".join), st.sampled_from(".?!:")).map("".join)
texts = st.lists(st.lists(sentences, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=4).flatmap(
    lambda lines: st.sampled_from(["\n", "\n\n"]).map(lambda gap: gap.join(lines))
)


@given(texts)
def test_what_the_treebank_takes_apart_comes_back(text):
    assert restore_text(tokenise(text)) == text


@given(texts)
def test_brackets_that_were_spelled_out_come_back(text):
    assert restore_text(tokenise(text, brackets=True)) == text


@given(texts)
def test_text_that_was_never_taken_apart_stays_as_it_is(text):
    lines = text.split("\n")
    assert [restore_text(line) for line in lines] == lines


@given(st.lists(st.text(min_size=1, max_size=6).filter(lambda token: token.split() == [token]), max_size=12))
def test_no_token_is_lost_whatever_it_is(tokens):
    plain = [token for token in tokens if token not in ("``", "''", "`") and not token.startswith("-")]
    assert join_tokens(plain).replace(" ", "") == "".join(plain)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("`` Do n't , '' she said .", '"Don\'t," she said.'),
        ("I ca n't , wo n't and sha n't .", "I can't, won't and shan't."),
        ("The boys ' toys are n't Ada 's .", "The boys' toys aren't Ada's."),
        ("We 're gon na go , we got ta .", "We're gonna go, we gotta."),
        ("It cost $ 5 -LRB- or 10 % of it -RRB- .", "It cost $5 (or 10% of it)."),
        ('" Well , " he said , " no . "', '"Well," he said, "no."'),
        ("` Yes , ' he said .", "'Yes,' he said."),
        ("He said , ' Go ! ' and went .", "He said, 'Go!' and went."),
        ("One <newline> two", "One\ntwo"),
        ("One . <newline> <newline> Two . <newline><newline> <newline> Three .", "One.\n\nTwo.\n\nThree."),
        ("-- and then ... silence", "-- and then... silence"),
        ("see http : //example.org", "see http://example.org"),
    ],
)
def test_tokens_become_text(tokens, text):
    assert restore_text(tokens) == text


def test_the_samples_are_the_same_stories_in_both_of_their_forms():
    with (SAMPLES / "titles.csv").open(encoding="utf-8", newline="") as file:
        plain = {row["story"] for row in csv.DictReader(file)}
    lines = [line for file in SAMPLES.glob("*.wp_target") for line in file.read_text("utf-8").splitlines()]
    assert {restore_text(line) for line in lines} == plain
    assert all(60 <= len(story.split()) <= 150 for story in plain)
