"""SegmentedBook -> Scaffold, with a scripted model: scenes, names, arcs, and the order of the requests."""

from __future__ import annotations

import pytest

from schemas.answers import ArcsAnswer, BulletAnswer
from schemas.errors import BookError
from schemas.scaffold import Scaffold, Vector
from tasks.planning.assemble import mean_vector
from tasks.planning.assemble_book import partition_arcs
from tasks.planning.wording import clean_line, cut_sentences, name_chapter, tidy_heading
from tests.fakes import FakeLLM, build_book, write_nonsense
from tests.scripted import ANSWERS, PARAGRAPHS, arc, rate, scene, script, summarize


def scene_texts(book, scaffold):
    return [[book.text[part.start : part.end] for part in chapter.scenes] for chapter in scaffold.chapters]


def test_what_follows_from_an_answer_is_asked_right_after_it():
    llm = FakeLLM(script)
    summarize(build_book([PARAGRAPHS], [PARAGRAPHS], in_parts=True), llm)
    calls = [[request.call for request in batch] for batch in llm.batches]
    after_people = ["arcs", "world", "style", "parts"]
    assert calls == [["read"] * 2, ["rate"], ["rate"], ["people"], after_people, ["preview"], ["prompts"]]


def test_nothing_before_the_question_differs_between_the_calls_on_one_text():
    llm = FakeLLM(script)
    summarize(build_book([PARAGRAPHS], in_parts=True), llm)
    for first, *others in (("read", "rate"), ("people", "arcs", "world", "style", "parts"), ("preview", "prompts")):
        (leading,) = llm.asked(first)
        for call in others:
            (following,) = llm.asked(call)
            assert (leading.instructions, leading.context) == (following.instructions, following.context)
    (read,), (rating,) = llm.asked("read"), llm.asked("rate")
    assert "The Mill, by Reed, Ada" in read.context
    assert f"\n\n2 {PARAGRAPHS[2]}" in read.context
    assert "0: 0 to 1\n1: 2 to 3" in rating.question


def test_calls_keep_to_two_a_window_and_a_handful_a_book():
    llm = FakeLLM(script)
    summarize(build_book(*[[PARAGRAPHS] for _ in range(40)], in_parts=True), llm)
    num_windows = len(llm.asked("read"))
    assert num_windows == 40
    assert sum(len(batch) for batch in llm.batches) == 2 * num_windows + 7 <= 2.3 * num_windows + 10


def test_scenes_are_numbered_by_window_and_joined_by_chapter():
    long = [f"{sentence} {'The mill went round and round. ' * 10}" for sentence in PARAGRAPHS]
    llm = FakeLLM(script)
    chapter = summarize(build_book([long]), llm, window_tokens=200).chapters[0]
    assert [request.inputs.scenes[0].number for request in llm.asked("rate")] == [0] * len(llm.asked("rate"))
    assert sum(len(request.inputs.scenes) for request in llm.asked("rate")) == len(chapter.scenes) > 1


def test_located_scenes_partition_the_chapter():
    book = build_book([PARAGRAPHS])
    assert scene_texts(book, summarize(book)) == [["\n\n".join(PARAGRAPHS[:2]), "\n\n".join(PARAGRAPHS[2:])]]


def test_an_opening_with_a_wrong_number_and_a_wrong_word_is_still_found():
    scenes = (scene(0, "x"), scene(1, "In the morning her brother walked home along the ford"))
    read = ANSWERS["read"].model_copy(update={"scenes": scenes})
    scaffold = summarize(build_book([PARAGRAPHS]), FakeLLM(lambda request: script(request, read=read)))
    assert [part.first_paragraph for part in scaffold.chapters[0].scenes] == [0, 2]


def test_quoted_openings_are_kept_where_they_stand_in_the_text():
    chapter = summarize(build_book([PARAGRAPHS])).chapters[0]
    assert [part.opening for part in chapter.scenes] == [PARAGRAPHS[0][:40], PARAGRAPHS[2][:40]]
    assert chapter.num_unlocated == 0


def test_an_invented_scene_is_dropped_and_counted():
    scenes = (scene(0, PARAGRAPHS[0]), scene(3, "The dragon fell burning out of a sky of brass", "Dragon"))
    read = ANSWERS["read"].model_copy(update={"scenes": scenes})
    scaffold = summarize(build_book([PARAGRAPHS]), FakeLLM(lambda request: script(request, read=read)))
    assert [part.title for part in scaffold.chapters[0].scenes] == ["Scene"]
    assert scaffold.chapters[0].num_unlocated == 1


def test_scene_breaks_of_the_author_hold_and_stay_inside_the_scene_before():
    book = build_book([[*PARAGRAPHS[:1], "* * *"], PARAGRAPHS[1:]])
    llm = FakeLLM(script)
    scaffold = summarize(book, llm)
    assert "marked scenes that begin with paragraphs 0, 2" in llm.asked("read")[0].question
    assert [part.first_paragraph for part in scaffold.chapters[0].scenes] == [0, 2, 3]
    assert scene_texts(book, scaffold)[0][0].endswith("\n\n* * *")


def test_a_marked_scene_without_a_plan_takes_the_statements_that_rest_on_it():
    bullets = (BulletAnswer(text="He sells the horse.", paragraphs=(3,)),)
    update = {"scenes": (scene(0, PARAGRAPHS[0]),), "bullets": bullets}
    read = ANSWERS["read"].model_copy(update=update)
    book = build_book([PARAGRAPHS[:2], PARAGRAPHS[2:]])
    scaffold = summarize(book, FakeLLM(lambda request: script(request, read=read)))
    last = scaffold.chapters[0].scenes[1]
    assert (last.title, last.bullets[0].text, last.bullets[0].paragraphs) == ("Scene 2", "He sells the horse.", (3,))


def test_ratings_are_means_and_chapters_are_weighted_by_words():
    scaffold = summarize(build_book([[*PARAGRAPHS[:2], *PARAGRAPHS[2:]]]))
    chapter = scaffold.chapters[0]
    weights = [part.num_words for part in chapter.scenes]
    assert [part.vector.action for part in chapter.scenes] == [10, 40]
    assert chapter.vector.action == round((10 * weights[0] + 40 * weights[1]) / sum(weights))
    assert chapter.scenes[0].spread == 0.0


def test_means_are_rounded():
    low, high = (Vector(**rate(0, value).model_dump(exclude={"scene"})) for value in (10, 21))
    assert mean_vector([(low, 1), (high, 2)]).pacing == 17


def test_lines_are_cleaned_and_evidence_is_kept_within_the_chapter():
    chapter = summarize(build_book([PARAGRAPHS])).chapters[0]
    assert chapter.bullets[0].paragraphs == (0,)
    assert chapter.scenes[0].focuses == ("Waiting, or not",)


def test_a_chapter_is_called_by_title_label_or_model():
    assert name_chapter("THE DEPARTURE OF MR. O'BRIEN.", "CHAPTER I", "x", 1) == "The Departure of Mr. O'Brien"
    assert name_chapter("", "CHAPTER IV.", "x", 4) == "Chapter IV"
    assert name_chapter("", "IV.", "x", 4) == "Chapter IV"
    assert name_chapter("", "", " A\nFord ", 4) == "A Ford"
    assert name_chapter("", "", "", 4) == "Chapter 4"
    assert tidy_heading("_A TEA-PARTY_") == "A Tea-Party"


def test_lines_are_cut_at_words_and_prompts_at_sentences():
    assert clean_line("- one\ntwo\u200b three", 8) == "one two"
    assert cut_sentences("One two three. Four five six seven.", 5) == "One two three."
    assert cut_sentences("One two three four five six", 4) == "One two three four"


def test_arcs_are_repaired_into_a_partition():
    arcs = partition_arcs(ArcsAnswer(arcs=(arc(5, 9, "B"), arc(2, 3, "A"), arc(5, 5, "C"), arc(99, 99, "D"))), 7)
    assert [(part.name, part.first_chapter, part.last_chapter) for part in arcs] == [
        ("A", 1, 4),
        ("B", 5, 5),
        ("C", 6, 6),
        ("D", 7, 7),
    ]
    assert [part.name for part in partition_arcs(ArcsAnswer(arcs=(arc(1, 1, "A"), arc(2, 2, "B"))), 1)] == ["A"]


def test_an_arc_of_more_than_99_chapters_is_divided():
    arcs = partition_arcs(ArcsAnswer(arcs=(arc(1, 250),)), 250)
    assert [(part.name, part.first_chapter, part.last_chapter) for part in arcs] == [
        ("An arc (1)", 1, 83),
        ("An arc (2)", 84, 166),
        ("An arc (3)", 167, 250),
    ]


def test_the_scaffold_holds_what_was_answered_and_what_was_counted():
    book = build_book([PARAGRAPHS], [PARAGRAPHS], in_parts=True)
    scaffold = summarize(book)
    assert scaffold.num_words == 2 * sum(len(text.split()) for text in PARAGRAPHS)
    assert [(part.label, part.first_chapter, part.last_chapter) for part in scaffold.parts] == [("Part 1", 1, 2)]
    assert scaffold.chapters[1].label == "Part 1, Chapter 2"
    assert [person.name for person in scaffold.main_characters] == ["Anna Reed"]
    assert scaffold.side_characters == ()
    assert scaffold.world_rules == ("Water is owned by the abbey.",)
    assert (scaffold.summarizer, scaffold.trainable) == ("fake-1@main", True)
    tagged = next(prompt.text for prompt in scaffold.prompts if prompt.style == "tagged")
    assert tagged.startswith("<|genre:country tale|><|tone:calm|>")
    assert f"<|length:{scaffold.num_words} words in 2 chapters|><|character:Anna Reed|> Tell of a mill." in tagged
    assert all(len(prompt.text.split()) <= 40 for prompt in scaffold.prompts)


def test_an_untrainable_model_is_called_extractive():
    assert summarize(build_book([PARAGRAPHS]), FakeLLM(script, trainable=False)).summarizer == "extractive"


def test_a_book_without_narrative_chapters_is_refused():
    book = build_book([PARAGRAPHS])
    front = book.divisions[0].model_copy(update={"kind": "front"})
    with pytest.raises(BookError, match="0 narrative chapters"):
        summarize(book.model_copy(update={"divisions": (front,)}))


@pytest.mark.parametrize("seed", range(5))
def test_nonsense_within_the_schema_still_gives_a_valid_scaffold(seed):
    long = [f"{sentence} {'The mill went round. ' * 15}" for sentence in PARAGRAPHS]
    book = build_book([long, long], [PARAGRAPHS], [long], in_parts=True)

    def babble(request):
        return write_nonsense(request.schema, seed + len(request.context))

    scaffold = summarize(book, FakeLLM(babble), window_tokens=200)
    assert Scaffold.model_validate_json(scaffold.to_json()) == scaffold
    assert summarize(book, FakeLLM(babble), window_tokens=200).to_json() == scaffold.to_json()
    for chapter, division in zip(scaffold.chapters, book.chapters(), strict=True):
        covered = "".join(book.text[part.start : part.end] for part in chapter.scenes)
        assert "".join(covered.split()) == "".join(book.text[division.body_start : division.end].split())
        assert chapter.scenes[0].first_paragraph == 0
    lines = [bullet.text for chapter in scaffold.chapters for bullet in chapter.bullets]
    assert all(line == " ".join(line.split()) for line in lines)
    assert [part.last_chapter for part in scaffold.arcs][-1] == 3
