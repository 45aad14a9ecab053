"""LongPage's columns and back: what comes back is what went out, but for what the columns cannot hold."""

from __future__ import annotations

import json
from itertools import pairwise

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.books import Rejection, SegmentedBook
from schemas.errors import BookError, ConfigError
from schemas.longpage import COLUMNS, ImportSettings, LongPageBook
from schemas.scaffold import Archetype, Bullet, Character, Scaffold, Vector
from tasks.adopt import adopt_row
from tasks.composing.text import clean_scaffold
from tasks.exporting.longpage import SCHEMA, describe_book, longpage_row
from tasks.importing.arcs import place_arcs
from tasks.importing.locate import locate_scenes
from tasks.importing.segment import name_book, segment_row, tidy_prose
from tasks.importing.summarize import scaffold_row
from tasks.importing.table import iter_rows, list_files
from tasks.tables import _book_row
from tests.compositions import TWO_CHAPTERS, compose, quarantine, rows_of
from tests.scaffolds import make_book, write_paragraphs
from tests.snapshots import make_bench

PEOPLE = st.lists(  # a dictionary holds them: of one name, they are one
    st.text("abc déf", min_size=1, max_size=30).filter(str.strip),
    min_size=1,
    max_size=4,
    unique_by=lambda name: " ".join(name.split()),
)
LINE = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60)
PARAGRAPH = st.lists(st.text("abcdé.'—", min_size=1, max_size=8), min_size=1, max_size=25).map(" ".join)


def export_row(book, scaffold):
    told = describe_book(_book_row(book, scaffold, None), untrainable=False)
    assert isinstance(told, LongPageBook), told
    return told


def bring_back(told):
    book = segment_row(told)
    return book, scaffold_row(told, book, ImportSettings())


def prose(book, scaffold):
    return [book.text[scene.start : scene.end].strip() for chapter in scaffold.chapters for scene in chapter.scenes]


def plain(scaffold):
    """What the columns hold of a scaffold."""
    clean = clean_scaffold(scaffold)[0]
    return {
        "chapters": [(c.name, c.vector, [b.text for b in c.bullets]) for c in clean.chapters],
        "scenes": [
            (s.title, s.vector, s.focuses, s.perspective, s.num_words, [b.text for b in s.bullets])
            for c in clean.chapters
            for s in c.scenes
        ],
        "arcs": [(arc.name, arc.long) for arc in clean.arcs],
        "people": [(p.name, p.bullets) for p in (*clean.archetypes, *clean.main_characters, *clean.side_characters)],
        "rules": (clean.world_rules, clean.writing_style),
        "preview": clean.preview,
    }


@st.composite
def planned_books(draw):
    """A book of any shape whose plans say something everywhere."""
    shape = st.lists(
        st.lists(st.lists(PARAGRAPH, min_size=1, max_size=4), min_size=1, max_size=5), min_size=1, max_size=4
    )
    book, scaffold = make_book(draw(shape))
    rating = st.integers(0, 99)

    def bullets(most=4):
        return tuple(draw(st.lists(LINE.map(lambda text: f"x{text}"), min_size=1, max_size=most)))

    def vector():
        return Vector(**{name: draw(rating) for name in Vector.model_fields})

    def scene(one):
        told = {"title": f"x{draw(LINE)}", "vector": vector(), "focuses": (f"x{draw(LINE)}".replace(";", ""), "b")}
        return one.model_copy(update={**told, "bullets": tuple(Bullet(text=text) for text in bullets())})

    chapters = tuple(
        one.model_copy(
            update={
                "name": draw(st.sampled_from(["Chapter", f"x{draw(LINE)}"])),
                "vector": vector(),
                "bullets": tuple(Bullet(text=text) for text in bullets()),
                "scenes": tuple(map(scene, one.scenes)),
            }
        )
        for one in scaffold.chapters
    )
    changes = {
        "chapters": chapters,
        "archetypes": tuple(Archetype(name=f"x{name}", bullets=bullets()) for name in draw(PEOPLE)),
        "main_characters": tuple(Character(name=f"x{name}", bullets=bullets()) for name in draw(PEOPLE)),
        "world_rules": bullets(),
        "arcs": tuple(arc.model_copy(update={"long": bullets(9)}) for arc in scaffold.arcs),
    }
    return book, scaffold.model_copy(update=changes)


@settings(max_examples=60, deadline=None)
@given(planned_books())
def test_any_book_comes_back_from_longpages_columns_with_its_prose_and_plans(made):
    book, scaffold = made
    told = export_row(book, scaffold)
    again, plan = bring_back(told)
    assert prose(again, plan) == prose(book, scaffold)
    names = list(told.book_chapters)
    assert len(set(names)) == len(scaffold.chapters)
    kept, came = plain(scaffold), plain(plan)
    assert [name for name, *_ in came["chapters"]] == names
    assert [rest for _, *rest in came["chapters"]] == [rest for _, *rest in kept["chapters"]]
    for what in ("scenes", "arcs", "people", "rules"):
        assert came[what] == kept[what]
    assert export_row(again, plan).model_dump(exclude={"use_prompt"}) == told.model_dump(exclude={"use_prompt"})
    assert plan.trainable
    assert plan.summarizer == "longpage"


def test_an_imported_book_gives_the_texts_of_the_original_but_for_what_the_columns_cannot_hold():
    book, scaffold = make_book([*TWO_CHAPTERS, [write_paragraphs(250), write_paragraphs(120)]])
    again, plan = bring_back(export_row(book, scaffold))
    [row], [back] = rows_of(compose(book, scaffold), "full-book"), rows_of(compose(again, plan), "full-book")
    pairs = zip(row.stages, back.stages, strict=True)
    unlike = {stage.role for stage, other in pairs if stage.text != other.text}
    lost = {"book_plan", "first_chapter_plan", "full_book_chapters_plan"}  # arcs' short forms; chapters' focuses
    assert unlike <= lost
    assert json.loads(back.provenance)["summarizer"] == "longpage"
    assert [note.split(":")[0] for note in json.loads(back.provenance)["notes"]] == ["arcs", "scenes", "chapters"]
    assert [note.reason for note in compose(again, plan).notes] == ["imported-plan"] * 3


def forms_of(row):
    """The same row as tables of several makers hold it."""
    plain = json.loads(row.model_dump_json())
    chapters, types = plain["book_chapters"], plain["character_archetypes"]
    others = {"Of another book": None}
    return {
        "dictionaries": plain,
        "structs with members of other books": {
            **plain,
            "book_chapters": {**others, **chapters},
            "character_archetypes": {**types, **others},
        },
        "maps": {**plain, "book_chapters": list(chapters.items()), "character_archetypes": list(types.items())},
        "pairs": {**plain, "book_chapters": [{"key": name, "value": one} for name, one in chapters.items()]},
        "JSON text": {name: value if isinstance(value, str) else json.dumps(value) for name, value in plain.items()},
        "ratings to 100": {**plain, "book_chapters": _rate(chapters, 100)},
        "whole floats, more columns": {**plain, "book_chapters": _rate(chapters, 99.0), "author": "nobody"},
    }


def _rate(chapters, pacing):
    return {
        name: {**one, "embedding_space": {**one["embedding_space"], "pacing": pacing}} for name, one in chapters.items()
    }


@pytest.fixture(scope="module")
def row():
    return export_row(*make_book(TWO_CHAPTERS))


@pytest.mark.parametrize("form", list(forms_of(export_row(*make_book(TWO_CHAPTERS)))))
def test_a_row_reads_the_same_however_its_table_stores_dictionaries(row, form):
    assert LongPageBook.model_validate(forms_of(row)[form]) == row


def test_parquet_maps_structs_and_json_and_lines_of_json_are_read(row, tmp_path):
    plain = json.loads(row.model_dump_json())
    pq.write_table(pa.Table.from_pylist([longpage_row(row)], SCHEMA), tmp_path / "a.parquet")
    polars.DataFrame([plain]).write_parquet(tmp_path / "b.parquet")
    types = pa.map_(pa.string(), pa.list_(pa.string()))
    table = pa.Table.from_pylist([plain])
    maps = pa.array([list(plain["character_archetypes"].items())], types)
    pq.write_table(table.set_column(7, "character_archetypes", maps), tmp_path / "c.parquet")
    (tmp_path / "d.jsonl").write_text(json.dumps(plain) + "\n\n")
    (tmp_path / "notes.txt").write_text("not a table")
    files = list_files(str(tmp_path))
    assert [path.name for path in files] == ["a.parquet", "b.parquet", "c.parquet", "d.jsonl"]
    assert [LongPageBook.model_validate(raw) for raw in iter_rows(files)] == [row] * 4


def test_a_table_without_the_columns_is_one_line_that_names_them(row, tmp_path):
    table = pa.Table.from_pylist([longpage_row(row)], SCHEMA).drop_columns(["book_tags", "story_arcs"])
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(ConfigError, match="lacks book_tags, story_arcs"):
        list_files(str(tmp_path))
    (tmp_path / "t.parquet").write_bytes(b"no parquet")
    with pytest.raises(ConfigError, match="cannot be read"):
        list_files(str(tmp_path / "t.parquet"))
    with pytest.raises(ConfigError, match="no table there"):
        list_files(str(tmp_path / "away"))


def _scene(row, **changes):
    [name, *_] = row["book_chapters"]
    scenes = row["book_chapters"][name]["scene_breakdown"]
    scenes[0] = {**scenes[0], **changes}


BROKEN = {
    "missing-column": lambda row: row.pop("book_title"),
    "wrong-type": lambda row: row.update(book_tags={"a": 1}),
    "broken-ratings": lambda row: _scene(
        row, embedding_space={**row["book_chapters"]["Chapter 1"]["embedding_space"], "pacing": 700}
    ),
    "empty-chapter": lambda row: row["book_chapters"]["Chapter 2"].update(chapter=" \n"),
    "fewer-words-than-scenes": lambda row: row["book_chapters"]["Chapter 1"].update(chapter="Alone."),
    "arcs": lambda row: row.update(story_arcs=row["story_arcs"] * 3),
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_row_is_rejected_with_its_reason_and_place(row, reason, tmp_path):
    raw = json.loads(row.model_dump_json())
    BROKEN[reason](raw)
    prepared = adopt_row(raw, ImportSettings(), make_bench(tmp_path))
    assert isinstance(prepared.rejection, Rejection)
    assert (prepared.rejection.stage, prepared.rejection.reason) == ("import", reason)
    assert prepared.book_id.startswith("lp-")
    assert any(char.isdigit() for char in prepared.rejection.detail)


def test_lines_that_are_no_objects_are_rejected_rows(row, tmp_path):
    lines = [row.model_dump_json(), "{", "[1]"]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    reasons = [
        adopt_row(raw, ImportSettings(), make_bench(tmp_path)).rejection
        for raw in iter_rows(list_files(str(tmp_path / "t.jsonl")))
    ]
    assert [found and found.reason for found in reasons] == [None, "missing-column", "missing-column"]


def test_an_adopted_row_is_stored_as_values_that_are_found_again(row, tmp_path):
    bench = make_bench(tmp_path)
    raw = json.loads(row.model_dump_json())
    prepared = adopt_row(raw, ImportSettings(), bench)
    keys = bench.work.store.keys("")
    assert adopt_row(raw, ImportSettings(), bench) == prepared
    assert bench.work.store.keys("") == keys
    [work] = prepared.works
    assert bench.work.load(SegmentedBook, work.segmented).source_sha256 == row.digest()
    marked = adopt_row(raw, ImportSettings(trainable=False), bench)
    assert not bench.work.load(Scaffold, marked.works[0].scaffold).trainable
    assert marked.book_id == prepared.book_id


def test_texts_over_the_limits_are_cut_and_counted(row):
    many = tuple(f"Rule {number}." for number in range(95))
    _, plan = bring_back(row.model_copy(update={"world_rules": many, "writing_style": ("word " * 100,)}))
    assert len(plan.world_rules) == 90
    assert len(plan.writing_style[0]) <= 300
    assert plan.notes[-1] == "limits: 1 texts were cut, 5 entries of lists dropped"


def test_a_book_keeps_its_id_when_its_plans_are_made_anew_and_loses_it_with_its_prose(row):
    assert name_book(row.model_copy(update={"world_rules": ("Another.",)})) == name_book(row)
    assert name_book(row.model_copy(update={"book_title": "Another"})) != name_book(row)


def test_books_that_the_columns_cannot_hold_are_refused_with_a_reason():
    book, scaffold = make_book(TWO_CHAPTERS)
    reasons = [
        describe_book(_book_row(book, one, None), untrainable=False).reason
        for one in (
            quarantine(scaffold, 2),
            scaffold.model_copy(update={"trainable": False}),
            scaffold.model_copy(update={"world_rules": ("\x07",)}),
        )
    ]
    assert reasons == ["quarantined", "untrainable", "empty-plan-text"]
    row = {**_book_row(book, scaffold, None), "scaffold": None}
    assert describe_book(row, untrainable=True).reason == "no-scaffold"


@given(st.lists(PARAGRAPH, min_size=1, max_size=12), st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_scenes_tile_their_chapter_whatever_the_counts_say(paragraphs, counts):
    text = "\n\n".join(paragraphs) + "\n\n"
    scenes = locate_scenes(text, counts)
    if scenes is None:
        assert len(text.split()) < len(counts)
        return
    pieces = [piece for scene in scenes for piece in scene]
    assert len(scenes) == len(counts)
    assert all(scenes)
    assert pieces[0].start == 0
    assert pieces[-1].end == len(text)
    assert all(piece.end == following.start for piece, following in pairwise(pieces))


def test_exact_counts_find_the_very_paragraphs_and_rounded_ones_the_nearest():
    paragraphs = [*write_paragraphs(300, 60), *write_paragraphs(110, 55)]
    text = "\n\n".join(paragraphs)
    assert [len(scene) for scene in locate_scenes(text, [300, 110])] == [5, 2]
    assert [len(scene) for scene in locate_scenes(text, [2, 1])] == [5, 2]
    lines = "\n".join(paragraphs)
    assert [len(scene) for scene in locate_scenes(lines, [300, 110])] == [5, 2]
    assert [len(scene) for scene in locate_scenes("One came. Two went. Three stayed.", [1, 1, 1])] == [1, 1, 1]


def test_arcs_get_the_chapters_whose_words_they_share_and_even_shares_without_any():
    chapters = [["A storm at sea."], ["The sea again, a storm."], ["The storm ends."], ["A trial in the town."]]
    assert place_arcs([["Storm at sea"], ["The trial in town"]], chapters) == [(1, 3), (4, 4)]
    assert place_arcs([["Qq"], ["Ww"]], chapters) == [(1, 2), (3, 4)]
    assert place_arcs([["Qq"]] * 4, chapters) == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_prose_is_tidied_as_this_project_has_it():
    assert tidy_prose("\r\n\n  Caf\u0065\u0301 \r\n\r\nnext\t\n\n") == "  Caf\u00e9\n\nnext"


def test_more_arcs_than_chapters_are_no_partition(row):
    two = row.model_copy(update={"story_arcs": row.story_arcs * 3})
    with pytest.raises(BookError, match="3 arcs for 2 chapters"):
        bring_back(two)


def test_the_columns_are_those_of_the_published_table():
    assert SCHEMA.names == list(COLUMNS)
    assert (
        *("use_prompt", "book_highlight", "book_title", "book_tags", "book_archetype", "world_rules", "story_arcs"),
        *("character_archetypes", "writing_style", "book_characters", "book_chapters"),
    ) == COLUMNS
