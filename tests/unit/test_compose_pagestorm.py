"""full-book and first-chapter: what fits, what is divided, shortened or refused."""

import pytest

from schemas.errors import BookError
from schemas.scaffold import Bullet, Character
from schemas.settings import ComposeSettings
from tasks.composing.divide import deal_bullets
from tasks.grammar.sequence import parse_trajectory, round_words
from tests.compositions import SMALL, TWO_CHAPTERS, change_chapter, compose, prose_spans, refusals, rows_of
from tests.scaffolds import PREVIEW, make_book, write_paragraphs


def test_a_work_of_one_chapter_gets_no_full_book():
    composed = compose(*make_book([[write_paragraphs(3_000)]]))
    assert refusals(composed) == {"full-book": ("one-chapter", "1 chapter, at least 2 needed")}
    assert rows_of(composed, "first-chapter")
    assert rows_of(composed, "chapter-window")


@pytest.mark.parametrize("side", ["main", "side"])
def test_a_work_without_characters_gets_no_full_book(side):
    book, scaffold = make_book(TWO_CHAPTERS)
    composed = compose(book, scaffold.model_copy(update={f"{side}_characters": ()}))
    assert refusals(composed)["full-book"][0] == f"no-{side}-character"
    assert len({row.layout for row in composed.rows}) == 2


def test_a_book_over_the_window_is_refused_with_its_size():
    book, scaffold = make_book(TWO_CHAPTERS)
    composed = compose(
        book, scaffold, SMALL.model_copy(update={"full_book_window": 1_400, "first_chapter_window": 1_024})
    )
    assert refusals(composed)["full-book"][0] == "over-window"
    assert refusals(composed)["full-book"][1].endswith("tokens, 1400 allowed")
    assert refusals(composed)["first-chapter"][1].endswith("1024 allowed")


def test_prose_over_the_window_is_refused_before_its_plans_are_made():
    composed = compose(*make_book([[write_paragraphs(900)]] * 2), SMALL.model_copy(update={"full_book_window": 1_024}))
    assert "of prose alone" in refusals(composed)["full-book"][1]


def test_a_short_highlight_is_refused_and_never_padded():
    book, scaffold = make_book(TWO_CHAPTERS)
    short = PREVIEW.model_copy(update={"highlight": "Too short."})
    composed = compose(book, scaffold.model_copy(update={"preview": short}))
    assert refusals(composed) == dict.fromkeys(
        ("full-book", "first-chapter"), ("preview-too-short", "the highlight has 2 words, at least 55 needed")
    )


def test_a_plan_with_nothing_in_it_leaves_the_window_and_there_its_chapter_is_no_target():
    book, scaffold = make_book(TWO_CHAPTERS)
    scenes = tuple(
        scene.model_copy(update={"bullets": (Bullet(text="<|eot_id|>"),)}) for scene in scaffold.chapters[0].scenes
    )
    composed = compose(book, change_chapter(scaffold, 0, scenes=scenes))
    assert refusals(composed)["full-book"] == ("empty-plan-text", "2 names or lists of the plans have nothing in them")
    assert [(row.layout, row.targets) for row in composed.rows] == [("chapter-window", (2,))]
    assert [(note.layout, note.reason) for note in composed.notes] == [("chapter-window", "empty-plan-text")]


@pytest.mark.parametrize(
    ("paragraph", "said"),
    [
        ("A line.\n```\nA fence.", "a line begins with a fence"),
        ("A line \nthat ends in a space.", "a line ends in white space"),
        ("A <|eot_id|> token.", "holds a control token"),
    ],
)
def test_prose_that_breaks_the_grammar_is_refused(paragraph, said):
    composed = compose(*make_book([[[paragraph]], [write_paragraphs(100)]]))
    assert composed.rows == ()
    assert {reason for reason, _ in refusals(composed).values()} == {"prose-breaks-grammar"}
    assert all(said in detail for _, detail in refusals(composed).values())


def test_a_long_chapter_is_divided_at_scene_borders_into_numbered_parts():
    book, scaffold = make_book(
        [[write_paragraphs(9_000), write_paragraphs(5_000), write_paragraphs(5_000)], [write_paragraphs(50)]]
    )
    composed = compose(book, scaffold)
    (row,) = rows_of(composed, "full-book")
    plan = parse_trajectory(row).plans[2]
    chapters = [chapter for arc in plan.arcs for chapter in arc.chapters]
    assert [chapter.name for chapter in chapters] == ["Chapter 1", "Chapter 1 (2)", "Chapter 2"]
    assert [chapter.word_count for chapter in chapters] == [9_000, 10_000, 50]
    assert {chapter.vector for chapter in chapters[:2]} == {scaffold.chapters[0].vector}
    assert prose_spans([row], "first_chapter_text")[0][1] == scaffold.chapters[0].scenes[0].end
    assert row.targets == (1, 2)
    noted = {(note.reason, note.detail) for note in composed.notes if note.layout == "full-book"}
    assert ("divided-chapter", "chapter 1: 2 parts") in noted


def test_a_long_scene_is_divided_at_paragraph_borders():
    book, scaffold = make_book([[write_paragraphs(50)], [write_paragraphs(30_000)]])
    composed = compose(book, scaffold)
    (row,) = rows_of(composed, "full-book")
    spans = prose_spans([row])
    assert len(spans) == 3
    assert all(book.text[end : end + 2] == "\n\n" for _, end in spans)
    titles = [scene.title for plan in parse_trajectory(row).plans[7::2] for scene in plan.scenes]
    assert titles == ["Scene 1 of 2", "Scene 1 of 2 (2)", "Scene 1 of 2 (3)"]
    assert "divided-scene" in {note.reason for note in composed.notes}


def test_a_chapter_of_more_than_twelve_scenes_is_divided():
    (row,) = rows_of(compose(*make_book([[write_paragraphs(20)] * 30, [write_paragraphs(50)]])), "full-book")
    parsed = parse_trajectory(row)
    assert [len(plan.scenes) for plan in (parsed.plans[3], *parsed.plans[7::2])] == [10, 10, 10, 1]


def test_bullets_go_with_the_paragraphs_they_rest_on():
    bullets = [
        Bullet(text="c", paragraphs=(7,)),
        Bullet(text="a", paragraphs=(0, 1)),
        Bullet(text="b", paragraphs=(4, 5, 0)),
    ]
    hands = deal_bullets(bullets, [(0, 3), (4, 6), (7, 9)], [10, 10, 10])
    assert [[bullet.text for bullet in hand] for hand in hands] == [["a"], ["b"], ["c"]]


def test_bullets_that_rest_on_nothing_are_shared_in_proportion_one_each_at_least():
    bullets = [Bullet(text=text) for text in "abcd"]
    hands = deal_bullets(bullets, [(0, 0), (1, 1), (2, 2)], [75, 25, 0])
    assert [[bullet.text for bullet in hand] for hand in hands] == [["a", "b", "c"], ["d"], ["d"]]


def test_repeated_chapter_names_are_prefixed_by_their_part_then_numbered():
    book, scaffold = make_book([[write_paragraphs(40)]] * 5, parts=(2, 2))
    chapters = [chapter.model_copy(update={"name": "Night"}) for chapter in scaffold.chapters]
    (row,) = rows_of(compose(book, scaffold.model_copy(update={"chapters": tuple(chapters)})), "full-book")
    names = [chapter.name for arc in parse_trajectory(row).plans[2].arcs for chapter in arc.chapters]
    assert names == ["PART 1, Night", "PART 1, Night (2)", "PART 2, Night", "PART 2, Night (2)", "Night"]


def test_a_long_name_ends_at_a_word_its_number_included():
    book, scaffold = make_book([[write_paragraphs(40)]] * 2)
    name = "Which tells " * 10
    chapters = [chapter.model_copy(update={"name": name}) for chapter in scaffold.chapters]
    (row,) = rows_of(compose(book, scaffold.model_copy(update={"chapters": tuple(chapters)})), "full-book")
    first, second = (chapter.name for chapter in parse_trajectory(row).plans[2].arcs[0].chapters)
    assert first == name.strip()
    assert second == "Which tells " * 9 + "Which (2)"


def test_an_arc_of_more_than_99_chapters_is_divided():
    book, scaffold = make_book([[write_paragraphs(20)]] * 150)
    one_arc = scaffold.arcs[0].model_copy(update={"last_chapter": 150})
    (row,) = rows_of(compose(book, scaffold.model_copy(update={"arcs": (one_arc,)})), "full-book")
    arcs = parse_trajectory(row).plans[2].arcs
    assert [(arc.name, len(arc.chapters)) for arc in arcs] == [("Movement 1", 75), ("Movement 1 (2)", 75)]
    assert arcs[0].medium + arcs[1].medium == one_arc.medium


@pytest.mark.parametrize(("first", "last"), [(1, 1), (2, 2), (3, 9)])
def test_arcs_that_do_not_partition_the_chapters_are_refused(first, last):
    book, scaffold = make_book(TWO_CHAPTERS)
    arc = scaffold.arcs[0].model_copy(update={"first_chapter": first, "last_chapter": last})
    composed = compose(book, scaffold.model_copy(update={"arcs": (arc,)}))
    assert refusals(composed)["full-book"][0] == "arcs"


def test_more_than_twelve_arcs_are_refused():
    book, scaffold = make_book([[write_paragraphs(11)]] * 1_200)
    composed = compose(book, scaffold, ComposeSettings(layouts=("full-book",)))
    assert refusals(composed)["full-book"][1] == "24 arcs of at most 99 chapters, 12 allowed"


def test_plans_over_their_tokens_lose_their_last_bullets_and_are_counted():
    book, scaffold = make_book(TWO_CHAPTERS)
    bullets = tuple(f"Fact {k}: " + "word " * 50 + "end." for k in range(20))
    people = tuple(Character(name=f"Person {k}", bullets=bullets) for k in range(20))
    composed = compose(book, scaffold.model_copy(update={"main_characters": people}))
    (row,) = rows_of(composed, "full-book")
    listed = parse_trajectory(row).plans[6]
    kept = len(listed.main[0].bullets)
    assert 5_000 < row.stages[6].num_tokens <= 6_000
    assert {person.bullets for person in listed.main} == {bullets[:kept]}
    noted = {note.detail for note in composed.notes if note.reason == "shortened-plan"}
    assert noted == {f"book_characters_list: 1 plans shortened, {20 * (20 - kept)} bullets dropped"}


def test_a_plan_whose_single_bullets_are_too_long_loses_their_ends():
    book, scaffold = make_book(TWO_CHAPTERS)
    people = tuple(Character(name=f"Person {k}", bullets=(". " * 149 + ".",)) for k in range(20))
    composed = compose(book, scaffold.model_copy(update={"main_characters": people, "side_characters": people}))
    (row,) = rows_of(composed, "full-book")
    assert parse_trajectory(row).plans[6].main[0].bullets == (". " * 74 + ".",)


def test_a_plan_that_cannot_be_short_enough_is_refused():
    book, scaffold = make_book(TWO_CHAPTERS)
    preview = PREVIEW.model_copy(update={"archetype": " ".join(["a" + "-" * 100] * 50)})
    composed = compose(book, scaffold.model_copy(update={"preview": preview}))
    assert refusals(composed)["full-book"][0] == "stage-over-limit"


def test_the_opening_plan_takes_32_bullets():
    book, scaffold = make_book(TWO_CHAPTERS)
    bullets = tuple(Bullet(text=f"Thing {k}.") for k in range(80))
    (row,) = rows_of(compose(book, change_chapter(scaffold, 0, bullets=bullets)), "first-chapter")
    assert list(parse_trajectory(row).plans[2].bullets) == [f"Thing {k}." for k in range(32)]


def test_prose_that_the_runner_would_cut_is_noted():
    dots = [" ".join(["a.b.c.d"] * 200)]
    composed = compose(*make_book([[dots], [dots]]))
    assert ("long-prose", "2 chapters have more than twice as many tokens as words planned for") in {
        (note.reason, note.detail) for note in composed.notes
    }


def test_a_scaffold_of_another_text_is_an_error_of_the_book():
    book, scaffold = make_book(TWO_CHAPTERS)
    scene = scaffold.chapters[0].scenes[1]
    scenes = (scaffold.chapters[0].scenes[0], scene.model_copy(update={"start": scene.start + 10}))
    with pytest.raises(BookError, match="scenes must tile the chapter"):
        compose(book, change_chapter(scaffold, 0, scenes=scenes))


def test_a_word_count_of_a_part_is_that_of_its_own_text():
    book, scaffold = make_book([[write_paragraphs(9_000), write_paragraphs(5_000)], [write_paragraphs(50)]])
    (row,) = rows_of(compose(book, scaffold), "full-book")
    plan = parse_trajectory(row).plans[3]
    start, end = prose_spans([row], "first_chapter_text")[0]
    assert plan.chapter.word_count == round_words(len(book.text[start:end].split()))
