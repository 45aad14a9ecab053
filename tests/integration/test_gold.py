"""Reference scaffolds on their real books: no false alarm, and every damage done to them is caught."""

from __future__ import annotations

import pytest

from schemas.answers import ClaimsAnswer
from schemas.questions import Numbered
from schemas.settings import VerifySettings
from tasks import verify
from tasks.checking.answers import BookChecks
from tasks.checking.claims import count_judged, judge_claims
from tasks.checking.measures import MIN_WINDOWS, WINDOW_WORDS
from tasks.checking.source import read_source
from tasks.chunk import Window, list_pieces
from tests.damages import DAMAGES, damage_by_swapping_roles, list_lists, put_chapter
from tests.gold import MISSING, REASON, TEXTS, answer_for, answers_about_book, load_gold

pytestmark = pytest.mark.skipif(MISSING, reason=REASON)

SETTINGS = VerifySettings()
MOST_CASES = 6  # of one damage done to one chapter, evenly chosen among all places
MIN_WORDS = (MIN_WINDOWS + 1) * WINDOW_WORDS // 2  # fewer have no order and no quarters
NEEDS_LENGTH = frozenset(("reversed", "truncated"))
OF_A_LIST = {  # damages that one list of statements shows by itself
    "invented name": verify.check_invented_names,
    "extractive": verify.check_copies,
    "leaked sentence": verify.check_copies,
    "duplicated statement": verify.check_duplicates,
}


@pytest.mark.parametrize("book_id", TEXTS)
def test_a_reference_scaffold_raises_no_alarm(book_id):
    found = verify.verify_scaffold(*load_gold(book_id), SETTINGS)
    assert found.failed == ()
    assert len(found.findings) > 20


@pytest.mark.parametrize("book_id", TEXTS)
def test_an_answer_with_a_reference_plan_is_accepted(book_id):
    book, scaffold = load_gold(book_id)
    checks = BookChecks(book, SETTINGS, quoting=False)
    windows = [(leaf, Window(list_pieces(leaf))) for leaf in book.chapters()]
    problems = [
        checks.for_read(window)(answer_for(chapter))
        for (leaf, window), chapter in zip(windows, scaffold.chapters, strict=True)
    ]
    assert problems == [[]] * len(scaffold.chapters)


@pytest.mark.parametrize("book_id", TEXTS)
def test_answers_about_the_book_with_a_reference_scaffold_are_accepted(book_id):
    book, scaffold = load_gold(book_id)
    checks = BookChecks(book, SETTINGS, quoting=False)
    people = [*scaffold.main_characters, *scaffold.side_characters]
    told = [bullet.text for chapter in scaffold.chapters for bullet in chapter.bullets]
    told += [line for person in people for line in (person.name, *person.aliases, *person.bullets)]
    for call, answer in answers_about_book(scaffold).items():
        check = checks.for_arcs(len(scaffold.chapters)) if call == "arcs" else checks.for_book(call, told)
        assert check(answer) == []


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("book_id", TEXTS)
def test_every_damage_is_caught(book_id, damage):
    book, scaffold = load_gold(book_id)
    source = read_source(book)
    missed, num_cases = [], 0
    for chapter in scaffold.chapters:
        if damage in NEEDS_LENGTH and chapter.num_words < MIN_WORDS:
            continue
        cases = list(DAMAGES[damage](book, scaffold, chapter))
        for damaged in cases[:: max(1, len(cases) // MOST_CASES)]:
            num_cases += 1
            if not fails(book, scaffold, damaged, source, OF_A_LIST.get(damage)):
                missed.append((chapter.number, damaged))
    assert missed == []
    assert num_cases or (damage == "wrong chapter" and len(scaffold.chapters) == 1)


def fails(book, scaffold, damaged, source, check):
    """Say whether a check, or any of those on a chapter among its siblings, finds a damaged plan out."""
    if check is not None:
        case = verify.Case(book, scaffold.model_copy(update={"chapters": (damaged,)}), source)
        return any(node != verify.BOOK and not found.passed for node, found in check(case, SETTINGS))
    case = verify.Case(book, put_chapter(scaffold, damaged), source)
    checks = (verify.check_ranks, verify.check_order, verify.check_coverage)
    return any(not found.passed for check in checks for _, found in check(case, SETTINGS))


@pytest.mark.parametrize("book_id", TEXTS)
def test_swapped_roles_are_caught_by_the_claim_check_and_by_no_rule(book_id):
    book, scaffold = load_gold(book_id)
    source = read_source(book)
    true = {line for chapter in scaffold.chapters for lines, _ in list_lists(chapter) for line in lines}
    num_cases = 0
    for chapter, leaf in zip(scaffold.chapters, book.chapters(), strict=True):
        paragraphs = [Numbered(piece.paragraph, book.text[piece.start : piece.end]) for piece in list_pieces(leaf)]
        for damaged in list(damage_by_swapping_roles(book, scaffold, chapter))[:MOST_CASES]:
            num_cases += 1
            judged = judge(damaged, true, paragraphs)
            case = verify.Case(book, put_chapter(scaffold, judged), source)
            failed = [found.check for _, found in verify.check_claims(case, SETTINGS) if not found.passed]
            assert failed == ["claims-contradicted"]
    assert num_cases
    honest = [judge(chapter, true, [Numbered(0, "Nothing to be said of it.")]) for chapter in scaffold.chapters]
    case = verify.Case(book, scaffold.model_copy(update={"chapters": tuple(honest)}), source)
    assert all(found.passed for _, found in verify.check_claims(case, SETTINGS))


def judge(chapter, true, paragraphs):
    """Return a chapter with the verdicts of a judge who knows which statements are true, and quotes the text."""
    statements = [line for lines, _ in list_lists(chapter) for line in lines][:60]
    quoted = max(paragraphs, key=lambda paragraph: len(paragraph.text))
    claims = [
        {
            "statement": number,
            "paragraph": quoted.number,
            "evidence": " ".join(quoted.text.split()[:12])[:200],
            "verdict": "supported" if line in true else "contradicted",
        }
        for number, line in enumerate(statements)
    ]
    answer = ClaimsAnswer.model_validate({"claims": claims})
    doubts = judge_claims(answer, statements, paragraphs)
    return chapter.model_copy(update={"num_claims": count_judged(answer, statements), "doubts": doubts})
