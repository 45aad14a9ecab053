"""Composing small books in tests, and looking at what came of it."""

from __future__ import annotations

from schemas.scaffold import NOT_STATED, Arc, Bullet, Preview, Quarantine
from schemas.settings import ComposeSettings
from tasks.compose import compose_book
from tests.fakes import WordTokenizer
from tests.scaffolds import write_paragraphs

TWO_CHAPTERS = [[write_paragraphs(300), write_paragraphs(200)], [write_paragraphs(400)]]
SMALL = ComposeSettings(windows=(2_048,))


def compose(book, scaffold, compose_settings=SMALL):
    return compose_book(book, scaffold, compose_settings, WordTokenizer())


def rows_of(composed, layout):
    return [row for row in composed.rows if row.layout == layout]


def refusals(composed):
    return {refusal.layout: (refusal.reason, refusal.detail) for refusal in composed.refused}


def prose_spans(rows, role="chapter_text"):
    return [(stage.start, stage.end) for row in rows for stage in row.stages if stage.role == role]


def change_chapter(scaffold, place, **changes):
    chapters = list(scaffold.chapters)
    chapters[place] = chapters[place].model_copy(update=changes)
    return scaffold.model_copy(update={"chapters": tuple(chapters)})


def quarantine(scaffold, *numbers):
    """The scaffold as it is where these chapters could not be read."""
    for number in numbers:
        chapter = scaffold.chapters[number - 1]
        scene = chapter.scenes[0].model_copy(
            update={
                "title": NOT_STATED,
                "end": chapter.end,
                "focuses": (NOT_STATED,),
                "perspective": NOT_STATED,
                "bullets": (Bullet(text=NOT_STATED),),
            }
        )
        texts = {"focuses": (NOT_STATED,), "bullets": (Bullet(text=NOT_STATED),), "scenes": (scene,)}
        scaffold = change_chapter(scaffold, number - 1, quarantined=True, **texts)
    nodes = [
        Quarantine(node=f"chapter {number}, window 1", chapter=number, call="read", reason="length", detail="cut")
        for number in numbers
    ]
    return scaffold.model_copy(update={"quarantined": (*scaffold.quarantined, *nodes)})


def lose(scaffold, call):
    """The scaffold as it is where a call about the book was given up."""
    node = Quarantine(node="book", call=call, reason="json", detail="no JSON", answers=("ab",), text="{")
    whole = Arc(
        name=NOT_STATED,
        first_chapter=1,
        last_chapter=len(scaffold.chapters),
        short=(NOT_STATED,),
        medium=(NOT_STATED,),
        long=(NOT_STATED,),
    )
    lost = {
        "prompts": {"prompts": ()},
        "preview": {
            "preview": Preview(highlight=NOT_STATED, title="The Lamp", tags=(NOT_STATED,) * 7, archetype=NOT_STATED)
        },
        "world": {"world_rules": ()},
        "style": {"writing_style": ()},
        "arcs": {"arcs": (whole,)},
        "people": {"archetypes": (), "main_characters": (), "side_characters": ()},
        "parts": {},
    }
    return scaffold.model_copy(update={"quarantined": (*scaffold.quarantined, node), **lost[call]})
