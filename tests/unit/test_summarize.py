"""SegmentedBook -> Scaffold, with a scripted model: scenes, names, arcs, repairs and refusals."""

from __future__ import annotations

import pytest

from schemas.answers import (
    ArcAnswer,
    ArchetypeAnswer,
    ArcsAnswer,
    BulletAnswer,
    CharacterAnswer,
    PartAnswer,
    PeopleAnswer,
    PersonAnswer,
    PreviewAnswer,
    PromptsAnswer,
    RateAnswer,
    RatingAnswer,
    ReadAnswer,
    SceneAnswer,
    StyleAnswer,
    WorldAnswer,
)
from schemas.errors import BookError
from schemas.scaffold import Scaffold, Vector
from schemas.settings import ChunkSettings, SummarizeSettings
from tasks.planning.assemble import mean_vector
from tasks.planning.assemble_book import partition_arcs
from tasks.planning.wording import clean_line, cut_sentences, name_chapter, tidy_heading
from tasks.protocols import Failure
from tasks.summarize import summarize_book
from tests.fakes import FakeLLM, WordTokenizer, build_book, write_nonsense

PARAGRAPHS = [
    "Anna Reed came down to the mill before the others were awake.",
    "The wheel stood still, and the pond had gone the colour of slate.",
    "In the evening her brother walked home along the ford, singing.",
    "He had sold the grey horse and would not say for how much.",
]


def rate(scene, value):
    names = ("action", "dialog", "world_building", "exposition", "romantic", "erotic", "pacing")
    return RatingAnswer(scene=scene, **dict.fromkeys(names, value))


def scene(first, opening, title="Scene", text="Anna waits."):
    bullet = BulletAnswer(text=text, paragraphs=(first,))
    return SceneAnswer(
        first_paragraph=first,
        opening=opening,
        title=title,
        focuses=("Waiting; or not", "Waiting, or not"),
        perspective="Third person",
        bullets=(bullet,),
    )


def arc(first, last, name="An arc"):
    return ArcAnswer(name=name, first_chapter=first, last_chapter=last, short=("A",), medium=("B",), long=("C",))


ANSWERS = {
    "read": ReadAnswer(
        continues=False,
        scenes=(scene(0, PARAGRAPHS[0][:40]), scene(2, PARAGRAPHS[2][:40], "Home")),
        bullets=(BulletAnswer(text="Anna, the miller's daughter, waits.", paragraphs=(0, 99)),),
        focuses=("Waiting",),
        chapter_title="At the Ford",
        people=(PersonAnswer(name="Anna Reed", aliases=("Anna",), role="The miller's daughter."),),
    ),
    "rate": RateAnswer(ratings=(rate(0, 10), rate(1, 40))),
    "people": PeopleAnswer(
        main=(CharacterAnswer(name="Anna Reed", aliases=("Anna",), bullets=("She keeps the mill.",)),),
        side=(CharacterAnswer(name=" ", aliases=(), bullets=("Nobody.",)),),
        archetypes=(ArchetypeAnswer(name="The Keeper", bullets=("She stays.",)),),
    ),
    "parts": PartAnswer(bullets=("The mill stops.",)),
    "arcs": ArcsAnswer(arcs=(arc(1, 1),)),
    "world": WorldAnswer(rules=("Water is owned by the abbey.", "Water is owned by the abbey.")),
    "style": StyleAnswer(rules=("Plain.",)),
    "preview": PreviewAnswer(highlight="A mill.", tags=("mill",) * 7, archetype="One who stays."),
    "prompts": PromptsAnswer(
        terse="Write about a mill.",
        normal="Please write about a mill.",
        detailed="I want a mill. " * 30,
        tagged="Tell of a mill.",
        genre="country <tale>",
        tone="calm",
        setting="a ford",
        pov="third person",
        theme="staying",
    ),
}


def script(request, **others):
    return {**ANSWERS, **others}[request.call]


def summarize(book, llm=None, window_tokens=400, num_ratings=2):
    return summarize_book(
        book,
        SummarizeSettings(num_ratings=num_ratings, max_prompt_words=40),
        llm=llm or FakeLLM(script),
        reader=WordTokenizer(),
        chunk=ChunkSettings(window_tokens=window_tokens),
    )


def scene_texts(book, scaffold):
    return [[book.text[part.start : part.end] for part in chapter.scenes] for chapter in scaffold.chapters]


def test_a_book_is_asked_about_in_four_batches():
    llm = FakeLLM(script)
    summarize(build_book([PARAGRAPHS], [PARAGRAPHS]), llm)
    calls = [[request.call for request in batch] for batch in llm.batches]
    assert calls == [["read"] * 2, ["rate"] * 2, ["people", "arcs", "world", "style"], ["preview", "prompts"]]


def test_nothing_before_the_question_differs_between_read_and_rate():
    llm = FakeLLM(script)
    summarize(build_book([PARAGRAPHS]), llm)
    (read,), (rating,) = llm.asked("read"), llm.asked("rate")
    assert (read.instructions, read.context) == (rating.instructions, rating.context)
    assert "The Mill, by Reed, Ada" in read.context
    assert f"[2] {PARAGRAPHS[2]}" in read.context
    assert "- scene 1: paragraphs 2 to 3" in rating.question


def test_located_scenes_partition_the_chapter():
    book = build_book([PARAGRAPHS])
    assert scene_texts(book, summarize(book)) == [["\n\n".join(PARAGRAPHS[:2]), "\n\n".join(PARAGRAPHS[2:])]]


def test_an_opening_with_a_wrong_number_and_a_wrong_word_is_still_found():
    scenes = (scene(0, "x"), scene(1, "In the morning her brother walked home along the ford"))
    read = ANSWERS["read"].model_copy(update={"scenes": scenes})
    scaffold = summarize(build_book([PARAGRAPHS]), FakeLLM(lambda request: script(request, read=read)))
    assert [part.first_paragraph for part in scaffold.chapters[0].scenes] == [0, 2]


def test_an_invented_scene_is_dropped():
    scenes = (scene(0, PARAGRAPHS[0]), scene(3, "The dragon fell burning out of a sky of brass", "Dragon"))
    read = ANSWERS["read"].model_copy(update={"scenes": scenes})
    scaffold = summarize(build_book([PARAGRAPHS]), FakeLLM(lambda request: script(request, read=read)))
    assert [part.title for part in scaffold.chapters[0].scenes] == ["Scene"]


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


def test_a_scene_that_goes_on_in_the_next_window_stays_one():
    long = [f"{sentence} {'The mill went round and round. ' * 10}" for sentence in PARAGRAPHS]
    goes_on = ANSWERS["read"].model_copy(update={"continues": True, "scenes": (scene(0, "x"),)})
    book = build_book([long])
    scaffold = summarize(book, FakeLLM(lambda request: script(request, read=goes_on)), window_tokens=200)
    assert len(scaffold.chapters[0].scenes) == 1
    apart = goes_on.model_copy(update={"continues": False})
    scaffold = summarize(book, FakeLLM(lambda request: script(request, read=apart)), window_tokens=200)
    assert len(scaffold.chapters[0].scenes) > 1


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


def refuse_first(call, marker):
    """Refuse a call until its node is a half, or its context is short."""
    return lambda request: (
        Failure("invalid", "no JSON")
        if request.call == call and marker not in request.node and len(request.context) > 900
        else script(request)
    )


def test_a_refused_window_is_halved_once():
    long = [f"{sentence} {'The mill went round. ' * 20}" for sentence in PARAGRAPHS]
    llm = FakeLLM(refuse_first("read", "half"))
    scaffold = summarize(build_book([long]), llm, window_tokens=4_000)
    assert [request.node for request in llm.asked("read")] == [
        "chapter 1, window 1",
        "chapter 1, window 1, half 1",
        "chapter 1, window 1, half 2",
    ]
    assert scaffold.chapters[0].scenes[-1].end == len(build_book([long]).text.rstrip())


def test_a_refused_rating_is_asked_for_by_halves():
    long = [f"{sentence} {'The mill went round. ' * 20}" for sentence in PARAGRAPHS]
    llm = FakeLLM(refuse_first("rate", "half"))
    scaffold = summarize(build_book([long]), llm, window_tokens=4_000)
    assert len(llm.asked("rate")) == 3
    assert scaffold.chapters[0].scenes[1].vector.action == 40


def test_a_book_call_that_is_refused_is_asked_with_half_the_context():
    chapters = [[PARAGRAPHS] for _ in range(30)]
    llm = FakeLLM(refuse_first("arcs", "never"))
    summarize(build_book(*chapters), llm, window_tokens=500)
    whole, half = llm.asked("arcs")
    assert len(half.context) < len(whole.context)
    assert WordTokenizer().count(whole.context) <= 500


def test_a_node_without_any_answer_ends_the_book():
    llm = FakeLLM(lambda request: Failure("runaway", "too long") if request.call == "rate" else script(request))
    with pytest.raises(
        BookError, match=r"book m1: chapter 1, window 1, half 1, rate: no answer was accepted"
    ) as caught:
        summarize(build_book([PARAGRAPHS]), llm)
    assert caught.value.reason == "no-answer"


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
