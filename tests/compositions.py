"""Composing small books in tests, and looking at what came of it."""

from __future__ import annotations

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
