"""A row of a table in LongPage's columns, however the table stores its dictionaries.

The published columns hold dictionaries keyed by names, for which Parquet has several forms. What is read may be a
struct (with null for every name of other books), an Arrow map (pairs), a list of {key, value}, or JSON text.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from schemas.scaffold import Vector
from schemas.value import Value

TOP_RATING = 100  # some tables rate to 100; our scale ends at 99, so it is read as that


def decode_text(value: Any) -> Any:
    """Return what JSON text says; anything else is returned as it is."""
    return json.loads(value) if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") else value


def read_keyed(value: Any) -> Any:
    """Return a dictionary keyed by names from any form of it, in its order; members that are null are of others.

    Raises:
        ValueError: a name occurs twice.
    """
    value = decode_text(value)
    if isinstance(value, list):
        pairs = [(item["key"], item["value"]) if isinstance(item, dict) else tuple(item) for item in value]
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a name occurs twice")
        value = dict(pairs)
    return {name: told for name, told in value.items() if told is not None} if isinstance(value, dict) else value


def read_lines(value: Any) -> Any:
    """Return a list of texts from a list, from JSON text, or from text of one statement a line; null is none."""
    value = decode_text(value)
    if isinstance(value, str):
        return [line for line in value.splitlines() if line.strip()]
    return [] if value is None else value


def read_focus(value: Any) -> Any:
    """Return focuses as one text, joined by '; '."""
    value = decode_text(value)
    return "; ".join(value) if isinstance(value, list) else value


def read_ratings(value: Any) -> Any:
    """Return the seven ratings of ours among those given."""
    value = read_keyed(value)
    if not isinstance(value, dict):
        return value
    known = {name: rating for name, rating in value.items() if name in Vector.model_fields}
    return {name: min(rating, 99) if rating == TOP_RATING else rating for name, rating in known.items()}


Lines = Annotated[tuple[str, ...], BeforeValidator(read_lines)]
Ratings = Annotated[Vector, BeforeValidator(read_ratings)]


class Told(Value):
    """A value of a table that others wrote: what else it holds is passed over."""

    model_config = ConfigDict(extra="ignore")


class LongPageScene(Told):
    """A scene; where it begins in the chapter is not told."""

    scene_name: str
    word_count: int = Field(ge=0)
    embedding_space: Ratings
    narrative_focus: Annotated[str, BeforeValidator(read_focus)]
    narrative_perspective: str
    scene_summary_short: Lines


class LongPageChapter(Told):
    """A chapter: its prose, its plan and its scenes."""

    chapter: str
    embedding_space: Ratings
    chapter_summary: Lines
    scene_breakdown: Annotated[tuple[LongPageScene, ...], BeforeValidator(decode_text)] = Field(min_length=1)


class LongPageArc(Told):
    """An arc of one length; which chapters it spans is not told."""

    arc_name: str
    arc_summary: Lines


class LongPageCharacter(Told):
    """A person of the book."""

    name: str
    description: Lines


class LongPageCast(Told):
    """The people of the book."""

    main_characters: Annotated[tuple[LongPageCharacter, ...], BeforeValidator(read_lines)] = ()
    side_characters: Annotated[tuple[LongPageCharacter, ...], BeforeValidator(read_lines)] = ()


class LongPageBook(Told):
    """One row; the columns are those of the published table, in its order."""

    use_prompt: str
    book_highlight: str
    book_title: str
    book_tags: Lines
    book_archetype: str
    world_rules: Lines
    story_arcs: Annotated[tuple[LongPageArc, ...], BeforeValidator(decode_text)] = Field(min_length=1)
    character_archetypes: Annotated[dict[str, Lines], BeforeValidator(read_keyed)]
    writing_style: Lines
    book_characters: Annotated[LongPageCast, BeforeValidator(decode_text)]
    book_chapters: Annotated[dict[str, LongPageChapter], BeforeValidator(read_keyed)] = Field(min_length=1)


COLUMNS = tuple(LongPageBook.model_fields)


class ImportSettings(Value):
    """LongPageBook -> Scaffold."""

    trainable: bool = Field(True, description="false for tables whose plans quote the prose, which no column tells")
