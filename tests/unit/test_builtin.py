"""The extractive default: valid answers to every call, made of the text's own sentences and measured facts."""

from __future__ import annotations

import re

import pytest

from schemas.questions import ClaimInputs, Numbered, RateInputs, ReadInputs
from schemas.settings import ChunkSettings, LLMSettings, SummarizeSettings, VerifySettings
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.builtin import BuiltinLLM
from tasks.extraction.extract import extract_passage, pick_sentences, split_sentences
from tasks.extraction.extractive import answer_claims, answer_rate, answer_read, propose_scenes
from tasks.extraction.measure import describe_perspective, measure_voice, rate_prose
from tasks.extraction.names import count_lower, find_people, merge_names
from tasks.summarize import summarize_book
from tests.fakes import WordTokenizer, build_book

TALK = "“I will not sell the horse,” said Anna. “Ask Mr. Harding, and see what Mr. Harding says.”"
STORY = [
    "The mill at Overwater had stood idle since the frost, and Anna Reed kept the keys of it in her apron.",
    "When Mr. Harding came up the lane he found Anna by the pond, watching the ice turn grey in the morning light.",
    TALK,
    "He looked at Anna Reed for a long while, and then he looked at the wheel, which had not turned for seven weeks.",
    "In the evening Anna walked down to the village, where Mr. Harding had told everybody that the mill was his.",
    "The smith ran out with a hammer, struck the gate, and shouted that Harding had cheated the whole valley.",
    "Anna said nothing at all; she thought of her brother, who was at sea, and of the letter that she had burned.",
    "“Go home,” said Mr. Harding, and the smith threw his hammer into the snow and wept like a child.",
]


def number(texts):
    return tuple(Numbered(index, text) for index, text in enumerate(texts))


@pytest.fixture
def llm(tmp_path):
    with BuiltinLLM(LLMSettings(), AnswerStore(tmp_path / "answers.sqlite")) as engine:
        yield engine


def summarize(book, llm, **checks):
    return summarize_book(
        book,
        SummarizeSettings(),
        llm=llm,
        reader=WordTokenizer(),
        chunk=ChunkSettings(window_tokens=400),
        checks=VerifySettings(**checks),
    )


def test_a_whole_book_is_planned_within_the_grammar(llm):
    scaffold = summarize(build_book(*[[STORY] for _ in range(4)], in_parts=True), llm)
    assert 55 <= len(scaffold.preview.highlight.split()) <= 140
    assert 45 <= len(scaffold.preview.archetype.split()) <= 190
    assert len(set(scaffold.preview.tags)) == 7
    assert all(1 <= len(tag.split()) <= 8 for tag in scaffold.preview.tags)
    people = [person.name for person in (*scaffold.main_characters, *scaffold.side_characters)]
    assert sorted(people[:2]) == ["Anna Reed", "Mr. Harding"]
    assert len(scaffold.side_characters) >= 1
    assert scaffold.parts[0].bullets
    assert {prompt.style for prompt in scaffold.prompts} == {"terse", "normal", "detailed", "tagged"}
    assert (scaffold.summarizer, scaffold.trainable) == ("extractive", False)


def test_statements_are_the_texts_own_sentences(llm):
    book = build_book([STORY])
    chapter = summarize(book, llm).chapters[0]
    for bullet in chapter.bullets:
        assert bullet.text in book.text
        assert bullet.text in STORY[bullet.paragraphs[0]]


def test_its_claims_find_its_own_sentences_and_no_others():
    statements = number([STORY[3], STORY[4][:-20], "The brother comes home from sea and burns the mill."])
    own, shortened, invented = answer_claims(ClaimInputs(statements=statements, paragraphs=number(STORY))).claims
    assert (own.verdict, own.paragraph) == ("supported", 3)
    assert STORY[3].startswith(own.evidence)
    assert (shortened.verdict, shortened.paragraph) == ("supported", 4)
    assert invented.verdict == "not-in-text"
    assert invented.evidence in STORY[invented.paragraph]


@pytest.mark.parametrize("mode", ["report", "enforce"])
def test_its_plans_pass_in_either_mode_and_their_claims_are_borne_out(llm, mode):
    scaffold = summarize(build_book([STORY, STORY], [STORY], in_parts=True), llm, mode=mode, claims=True)
    assert scaffold.quarantined == ()
    assert all(chapter.num_claims and not chapter.doubts for chapter in scaffold.chapters)
    assert all(scene.opening for chapter in scaffold.chapters for scene in chapter.scenes)
    assert sum(chapter.num_unlocated for chapter in scaffold.chapters) == 0


def test_tagged_prompts_carry_what_is_measured(llm):
    scaffold = summarize(build_book([STORY], [STORY]), llm)
    tagged = next(prompt.text for prompt in scaffold.prompts if prompt.style == "tagged")
    assert re.findall(r"<\|(\w+):", tagged)[:6] == ["genre", "tone", "pov", "setting", "theme", "length"]
    assert f"<|length:{scaffold.num_words} words in 2 chapters|>" in tagged
    assert "<|character:Anna Reed|>" in tagged


def test_the_same_book_is_planned_the_same_way(llm, tmp_path):
    book = build_book([STORY], [STORY])
    first = summarize(book, llm).to_json()
    assert summarize(book, llm).to_json() == first
    assert llm.ledger().replayed > 0
    with BuiltinLLM(LLMSettings(), AnswerStore(tmp_path / "others.sqlite")) as other:
        assert summarize(book, other).to_json() == first


def test_who_it_is_follows_from_its_source(llm):
    assert re.match(r"builtin/extractive@[0-9a-f]{12} ", llm.identity)


def test_a_book_of_one_word_is_planned_too(llm):
    scaffold = summarize(build_book([["Once."]], [["* * *"]]), llm)
    assert scaffold.chapters[0].bullets[0].text == "Once."
    assert scaffold.main_characters[0].name == "The protagonist"
    assert len(scaffold.preview.highlight.split()) >= 55


def test_sentences_end_where_they_do_and_not_at_titles():
    text = "Mr. J. Harding came. “Who is it?” asked Anna. Nobody knew!"
    assert split_sentences(text) == ["Mr. J. Harding came.", "“Who is it?” asked Anna.", "Nobody knew!"]


def test_every_quarter_gives_a_sentence_and_talk_comes_last():
    extract = extract_passage(number(STORY), {"anna", "harding"})
    picked = pick_sentences(extract, 4)
    quarters = {extract.sentences.index(sentence) * 4 // len(extract.sentences) for sentence in picked}
    assert quarters == {0, 1, 2, 3}
    assert not any("“" in sentence.text for sentence in picked)


def test_repeated_words_and_lone_cries_are_not_chosen():
    extract = extract_passage(number(["Ding dong ding dong ding dong ding dong ding dong.", "Alas!", STORY[0]]))
    assert [sentence.text for sentence in pick_sentences(extract, 3)] == [STORY[0]]


def test_a_passage_without_a_fit_sentence_gives_its_beginning():
    extract = extract_passage(number([" ".join(f"word{index}" for index in range(90))]))
    (sentence,) = pick_sentences(extract, 2)
    assert sentence.text.split() == [f"word{index}" for index in range(len(sentence.text.split()))]
    assert len(sentence.text) <= 280


def test_forms_of_a_name_are_joined_and_a_couple_stays_two():
    people = merge_names({"Utter": 30, "Mr. Utter": 20, "Mrs. Utter": 12, "Gabriel Utter": 4})
    assert [(person.name, person.aliases) for person in people] == [
        ("Gabriel Utter", ("Utter", "Mr. Utter")),
        ("Mrs. Utter", ()),
    ]


def test_places_and_days_are_no_people():
    text = "\n\n".join([*STORY, "He lived in London, and died in London. She came from London on Sunday."])
    names = [person.name for person in find_people(text, count_lower(text), min_mentions=2)]
    assert names == ["Anna Reed", "Mr. Harding"]


def test_scenes_are_proposed_where_time_passes():
    filler = "He went on mending the fence beside the road and thought of nothing in particular at all. " * 10
    texts = [filler] * 9 + [f"The next morning, an hour after dawn, they met again. {filler}"] + [filler] * 4
    assert propose_scenes(number(texts)) == (0, 9)


def test_marked_scenes_are_kept():
    answer = answer_read(ReadInputs(paragraphs=number(STORY), scene_starts=(0, 4)))
    assert [scene.first_paragraph for scene in answer.scenes] == [0, 4]
    assert STORY[4].startswith(answer.scenes[1].opening)


def test_ratings_tell_talk_from_action():
    talk, action = rate_prose(TALK), rate_prose(STORY[5])
    assert talk.dialog > 50 > action.dialog
    assert action.action > talk.action
    rated = answer_rate(RateInputs(scenes=(Numbered(3, TALK),))).ratings
    assert [(rating.scene, rating.dialog) for rating in rated] == [(3, talk.dialog)]


def test_voice_is_measured_outside_of_speech():
    assert describe_perspective(measure_voice("\n\n".join(STORY))) == "Third person, past tense"
    assert describe_perspective(measure_voice("I am at the window, and I see my own hand. It is cold.")) == (
        "First person, present tense"
    )
