"""Row of the table of books -> row in LongPage's columns; the dictionaries keyed by names are JSON.

No Arrow type holds such dictionaries for thousands of names and is read by all: `datasets` refuses maps, and a struct
would have a member for every name of any book. Parquet's logical type JSON is text to those who know no better, and a
dictionary to `datasets`, DuckDB and polars (docs/decisions/0023).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from schemas.books import Division, Rejection
from schemas.longpage import (
    COLUMNS,
    LongPageArc,
    LongPageBook,
    LongPageCast,
    LongPageChapter,
    LongPageCharacter,
    LongPageScene,
)
from schemas.scaffold import ChapterScaffold, Character, Scaffold, SceneScaffold
from tasks.composing.divide import name_chapters
from tasks.composing.pagestorm import pick_prompt
from tasks.composing.text import clean_scaffold, fit_preview
from tasks.tables import Row

JSON = pa.json_(pa.large_string())
_TEXT = pa.large_string()
_LINES = pa.list_(_TEXT)
_CAST = pa.list_(pa.struct([("name", _TEXT), ("description", _LINES)]))

SCHEMA = pa.schema(
    [
        ("use_prompt", _TEXT),
        ("book_highlight", _TEXT),
        ("book_title", _TEXT),
        ("book_tags", _LINES),
        ("book_archetype", _TEXT),
        ("world_rules", _LINES),
        ("story_arcs", pa.list_(pa.struct([("arc_name", _TEXT), ("arc_summary", _LINES)]))),
        ("character_archetypes", JSON),
        ("writing_style", _LINES),
        ("book_characters", pa.struct([("main_characters", _CAST), ("side_characters", _CAST)])),
        ("book_chapters", JSON),
    ]
)


def describe_book(row: Row, *, untrainable: bool) -> LongPageBook | Rejection:
    """Return a book in LongPage's columns, its texts those of `full-book`.

    These columns have no word for what is missing of a plan, nor for a plan that quotes its prose: such books are
    rejected, the last not where `untrainable` asks for them.
    """
    if row["scaffold"] is None:
        return _reject(row, "no-scaffold", "it was made by a recipe without scaffolds")
    whole = Scaffold.model_validate_json(row["scaffold"])
    num_gaps = sum(chapter.quarantined for chapter in whole.chapters)
    if whole.quarantined or num_gaps:
        return _reject(row, "quarantined", f"{max(num_gaps, len(whole.quarantined))} parts of its plan are missing")
    scaffold, empty = clean_scaffold(whole)
    if empty.num_texts:
        return _reject(row, "empty-plan-text", f"{empty.num_texts} texts of its plan have nothing in them")
    if not (scaffold.trainable or untrainable):
        return _reject(row, "untrainable", "its plans quote the prose")
    return _join_columns(scaffold, build_tree(row["divisions"]), row["text"])


def _join_columns(scaffold: Scaffold, divisions: Sequence[Division], text: str) -> LongPageBook:
    preview = fit_preview(scaffold.preview)[0] or scaffold.preview
    archetypes: dict[str, tuple[str, ...]] = {}
    for one in scaffold.archetypes:  # two of one name are one there
        archetypes[one.name] = (*archetypes.get(one.name, ()), *one.bullets)
    return LongPageBook(
        use_prompt=pick_prompt(scaffold, 0),
        book_highlight=preview.highlight,
        book_title=preview.title,
        book_tags=preview.tags,
        book_archetype=preview.archetype,
        world_rules=scaffold.world_rules,
        story_arcs=tuple(LongPageArc(arc_name=arc.name, arc_summary=arc.long) for arc in scaffold.arcs),
        character_archetypes=archetypes,
        writing_style=scaffold.writing_style,
        book_characters=LongPageCast(
            main_characters=_cast(scaffold.main_characters), side_characters=_cast(scaffold.side_characters)
        ),
        book_chapters={one.name: _chapter(one, text) for one in name_chapters(divisions, scaffold.chapters)},
    )


def _reject(row: Row, reason: str, detail: str) -> Rejection:
    return Rejection(book_id=row["book_id"], stage="export", reason=reason, detail=detail)


def longpage_row(book: LongPageBook) -> Row:
    """Return a book as a row of SCHEMA."""
    row: dict[str, Any] = book.model_dump()
    texts = {name: json.dumps(row[name], ensure_ascii=False) for name in ("character_archetypes", "book_chapters")}
    return {**{name: row[name] for name in COLUMNS}, **texts}


def build_tree(rows: list[Row]) -> tuple[Division, ...]:
    """Return the tree of a book's divisions from their rows, each with its depth; scenes are not among them."""
    levels: list[list[Row]] = [[]]
    for row in rows:
        node = {**row, "children": []}
        del levels[row["depth"] + 1 :]
        levels[row["depth"]].append(node)
        levels.append(node["children"])
    return tuple(map(_division, levels[0]))


def _division(node: Row) -> Division:
    told = {name: value for name, value in node.items() if name not in ("depth", "children")}
    return Division(**told, line=1, children=tuple(map(_division, node["children"])))


def _cast(people: tuple[Character, ...]) -> tuple[LongPageCharacter, ...]:
    return tuple(LongPageCharacter(name=one.name, description=one.bullets) for one in people)


def _chapter(chapter: ChapterScaffold, text: str) -> LongPageChapter:
    return LongPageChapter(
        chapter=text[chapter.scenes[0].start : chapter.scenes[-1].end],
        embedding_space=chapter.vector,
        chapter_summary=tuple(bullet.text for bullet in chapter.bullets),
        scene_breakdown=tuple(_scene(scene, text) for scene in chapter.scenes),
    )


def _scene(scene: SceneScaffold, text: str) -> LongPageScene:
    return LongPageScene(
        scene_name=scene.title,
        word_count=len(text[scene.start : scene.end].split()),
        embedding_space=scene.vector,
        narrative_focus="; ".join(scene.focuses),
        narrative_perspective=scene.perspective,
        scene_summary_short=tuple(bullet.text for bullet in scene.bullets),
    )
