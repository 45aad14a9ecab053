"""Checks on single answers: what is refused, in which words, and what is accepted."""

from __future__ import annotations

import pytest

from schemas.answers import ArcsAnswer, ClaimsAnswer, PartAnswer, PreviewAnswer, RateAnswer, ReadAnswer, WorldAnswer
from schemas.questions import Numbered
from schemas.settings import VerifySettings
from tasks.checking.answers import BookChecks
from tasks.checking.claims import count_judged, judge_claims
from tasks.checking.names import find_invented, find_names, is_introduced
from tasks.checking.source import read_source
from tasks.chunk import Window, list_pieces
from tests.scaffolds import ARCHETYPE, HIGHLIGHT, make_book
from tests.village import GOOD, MATTERS, write_paragraph

PARAGRAPHS = [
    f"Of {one}, {two}, {three} and {four} much was told that day. {write_paragraph(index)}"
    for index, (one, two, three, four) in enumerate(MATTERS)
]
BOOK, _ = make_book([[PARAGRAPHS]])
VECTOR = {"action": 1, "dialog": 2, "world_building": 3, "exposition": 4, "romantic": 0, "erotic": 0, "pacing": 5}


def checks(quoting=False):
    return BookChecks(BOOK, VerifySettings(mode="enforce"), quoting=quoting)


def opening(index):
    return " ".join(PARAGRAPHS[index].split()[:9])


def scene(first, text, quoted=None, rests_on=(0,)):
    return {
        "first_paragraph": first,
        "opening": opening(first) if quoted is None else quoted,
        "title": "A scene",
        "focuses": ["work"],
        "perspective": "third person",
        "bullets": [{"text": text, "paragraphs": list(rests_on)}],
    }


SCENES = (scene(0, "Anna wants a wick, and so does Marl."), scene(8, "Marl hunts the poacher with Harding."))


def read(statements=GOOD, scenes=SCENES, people=(), quoting=False):
    answer = ReadAnswer.model_validate(
        {
            "continues": False,
            "scenes": list(scenes),
            "bullets": [{"text": text, "paragraphs": [index]} for index, text in enumerate(statements)],
            "focuses": ["a village"],
            "chapter_title": "Work",
            "people": list(people),
        }
    )
    (leaf,) = BOOK.chapters()
    return checks(quoting).for_read(Window(list_pieces(leaf)))(answer)


def test_a_good_answer_is_accepted():
    assert read() == []


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        ((*GOOD, "Anna tells it to Boswell."), "bullets: names boswell, whom the text does not have"),
        ((*GOOD, GOOD[0]), "bullets: says nearly the same twice"),
        (tuple(reversed(GOOD)), "bullets: is not in the order of the text"),
        (GOOD[:1], "bullets: says nothing of quarter 2, quarter 3, quarter 4 of the text"),
        ((*GOOD, PARAGRAPHS[15].split(". ")[1]), "bullets: copies"),
        (("A lantern is lit.", "A ledger is kept.", "A nurse comes.", "A comet is seen."), "bullets: leaves out Anna"),
    ],
)
def test_a_bad_answer_is_refused_with_what_to_do(statements, problem):
    assert any(found.startswith(problem) for found in read(statements))


def test_scenes_must_begin_where_they_say():
    invented = scene(8, "Marl hunts the poacher.", quoted="Nobody had slept at all in that house")
    assert [found[:36] for found in read(scenes=(SCENES[0], invented))] == ["scene 2: no paragraph from 1 to 15 b"]
    assert read(scenes=(scene(3, "Anna wants a wick."), SCENES[1]))[0].startswith(
        "scene 1: it must begin with paragraph 0"
    )
    turned = read(scenes=(SCENES[0], SCENES[1], scene(4, "Anna hears the bell.")))
    assert turned[0].startswith("scene 3: no paragraph from 9 to 15 begins with")


def test_evidence_must_be_among_the_paragraphs_shown():
    beyond = scene(8, "Marl hunts the poacher with Harding.", rests_on=(9, 40))
    expected = "scene 2, statement 1: it rests on paragraph 40, but the paragraphs are 0 to 15"
    assert read(scenes=(SCENES[0], beyond)) == [expected]


def test_people_must_have_names_of_the_text():
    known = {"name": "Anna Harding", "aliases": ["Miss Harding"], "role": "Anna wants a wick."}
    unknown = {"name": "Anna Boswell", "aliases": [], "role": "She waits."}
    nameless = {"name": "The Narrator", "aliases": [], "role": "A voice that tells it all."}
    assert read(people=[known, nameless]) == []
    assert read(people=[known, unknown]) == ["people: the text has no boswell; give the names as it does"]


def test_a_model_that_quotes_may_copy_and_choose_but_not_invent():
    assert read(tuple(reversed(PARAGRAPHS[0].split(". ")[1:])), quoting=True) == []
    assert "boswell" in read(("Anna tells it to Boswell.",), quoting=True)[0]


def test_each_scene_is_rated_once():
    check = checks().for_rate([0, 1, 2])

    def rated(*numbers):
        return check(RateAnswer.model_validate({"ratings": [{"scene": number, **VECTOR} for number in numbers]}))

    assert rated(0, 1, 2) == rated(2, 0, 1) == []
    assert rated(0, 1, 1) == ["no rating of scene 2", "scene 1 is rated twice or not in the list"]


def arcs(*borders, medium=GOOD[:2]):
    listed = [
        {
            "name": "A",
            "first_chapter": first,
            "last_chapter": last,
            "short": GOOD[:1],
            "medium": medium,
            "long": GOOD[:4],
        }
        for first, last in borders
    ]
    return checks().for_arcs(5)(ArcsAnswer.model_validate({"arcs": listed}))


def test_arcs_partition_the_chapters_and_grow():
    assert arcs((1, 2), (3, 5)) == []
    assert arcs((1, 2), (4, 5))[0].startswith(
        "the arcs are chapters 1 to 2, 4 to 5; they must take every chapter from 1"
    )
    assert arcs((1, 5), medium=GOOD[:1]) == ["arc 1: short, medium and long must each tell more than the one before"]


def test_an_answer_about_the_book_names_only_people_whom_it_was_told_of():
    answer = PartAnswer(bullets=("At dusk Anna lights a lantern for Marl.",))
    assert checks().for_book("parts")(answer) == []
    assert checks().for_book("parts", ["Anna lights up.", "Marl waits."])(answer) == []
    refused = checks().for_book("parts", ["Anna lights up."])(answer)
    assert refused == ["Marl is named, but not in what you were told; leave it out"]


def test_words_of_criticism_are_free_and_unknown_names_are_not():
    check = checks().for_book("world")
    assert check(WorldAnswer(rules=("Life in this Victorian and Dickensian village is hard.",))) == []
    [problem] = check(WorldAnswer(rules=("Life in the village of Zorblaxia is hard.",)))
    assert problem.startswith("rules: names zorblaxia, whom the text does not have")


def test_a_tag_that_names_somebody_unknown_is_refused():
    tags = ("the village of Zorblaxia", *(f"tag {number}" for number in range(6)))
    [problem] = checks().for_book("preview")(PreviewAnswer(highlight=HIGHLIGHT, tags=tags, archetype=ARCHETYPE))
    assert problem.startswith("tags: names zorblaxia")


def test_a_preview_outside_the_grammar_is_refused():
    tags = tuple(f"tag {number}" for number in range(7))
    check = checks().for_book("preview")
    assert check(PreviewAnswer(highlight=HIGHLIGHT, tags=tags, archetype=ARCHETYPE)) == []
    short = PreviewAnswer(highlight="Short.", tags=tags, archetype=ARCHETYPE)
    assert check(short) == ["the highlight has 1 words, 55 to 140 allowed"]


def claims(*verdicts):
    listed = [
        {"statement": number, "paragraph": paragraph, "evidence": evidence, "verdict": verdict}
        for number, paragraph, evidence, verdict in verdicts
    ]
    return ClaimsAnswer.model_validate({"claims": listed})


TEXT = (
    Numbered(4, "Potter lay still in the grass."),
    Numbered(5, "Injun Joe drove the knife into the young man’s breast."),
)
STATEMENTS = ("Potter stabs the doctor.", "Potter lies in the grass.", "Joe is sorry.")


def test_a_contradicted_statement_is_in_doubt_with_its_evidence_located():
    answer = claims(
        (0, 5, "Joe drove the knife into the young man's breast", "contradicted"), (1, 4, "lay still", "supported")
    )
    (doubt,) = judge_claims(answer, STATEMENTS, TEXT)
    assert (doubt.statement, doubt.verdict, doubt.located) == (STATEMENTS[0], "contradicted", True)
    assert count_judged(answer, STATEMENTS) == 2


@pytest.mark.parametrize(
    ("evidence", "located"),
    [
        ("drove the knife into the young man’s breast", True),
        ("drove his knife into the young man's breast", True),  # a slip
        ("Potter lay still in the GRASS", True),  # of another paragraph than the one named
        ("Potter drove it into the doctor twice", False),
        ("the knife", False),  # two words stand in any text
    ],
)
def test_evidence_is_located_in_any_paragraph_but_for_a_slip(evidence, located):
    (doubt,) = judge_claims(claims((0, 5, evidence, "contradicted")), STATEMENTS, TEXT)
    assert doubt.located is located


def test_a_verdict_beyond_the_list_or_given_twice_does_not_count():
    answer = claims(
        (0, 5, "drove the knife", "supported"), (0, 5, "drove the knife", "contradicted"), (9, 5, "a", "contradicted")
    )
    assert judge_claims(answer, STATEMENTS, TEXT) == ()
    assert count_judged(answer, STATEMENTS) == 1


@pytest.mark.parametrize(
    ("statement", "invented"),
    [
        ("Anna lights the lantern.", []),
        ("Anna lights the lantern for Hardin.", []),
        ("At noon Mrs. Boswell comes.", ["boswell"]),
        ("Boswell brings the lantern.", ["boswell"]),
        ("Boswell's ledger is found.", ["boswell"]),
        ("Blackmail is in the air.", []),
        ("Sleepless, Anna waits.", []),
        ("On Saturday the English come.", []),
        ("At the Chapel, Anna kneels.", []),
        ("Anna waits for Rope at the ferry.", ["rope"]),  # an ordinary word of the book, used as a name
    ],
)
def test_names_that_the_book_does_not_have_are_found(statement, invented):
    assert find_invented([statement], read_source(BOOK), frozenset())[0] == invented


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("Anna, a widow, waits.", True),
        ("The old sexton Marl waits.", True),
        ("Here waits Dr. Harding.", True),
        ("At dusk Marl waits.", False),
    ],
)
def test_who_a_name_is_may_be_told_beside_it(statement, told):
    (name,) = find_names(statement)
    assert is_introduced(name, statement) is told
