"""What each stage of a trajectory says: values that are rendered to text and read back from it.

The limits of the grammar are not here: `tasks.grammar.parser` holds a text against them, so that what writes a
stage and what judges it share nothing but these names.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from schemas.scaffold import Preview, Vector


class Named(NamedTuple):
    """Something with a name and what there is to say about it: an arc, an archetype, a character, a chapter."""

    name: str
    bullets: tuple[str, ...]


class ChapterEntry(NamedTuple):
    """A chapter as `book_plan` lists it."""

    name: str
    vector: Vector
    word_count: int


class ArcPlan(NamedTuple):
    """An arc in its three lengths, with its chapters."""

    name: str
    short: tuple[str, ...]
    medium: tuple[str, ...]
    long: tuple[str, ...]
    chapters: tuple[ChapterEntry, ...]


class BookPlan(NamedTuple):
    """`book_plan` of the layout `full-book`."""

    world_rules: tuple[str, ...]
    arcs: tuple[ArcPlan, ...]
    archetypes: tuple[Named, ...]
    writing_style: tuple[str, ...]


class OpeningPlan(NamedTuple):
    """`book_plan` of the layout `first-chapter`."""

    preview: Preview
    world_rules: tuple[str, ...]
    arcs: tuple[Named, ...]
    archetypes: tuple[Named, ...]
    writing_style: tuple[str, ...]


class ChapterPlan(NamedTuple):
    """The chapter block; alone, it is `first_chapter_plan` of the layout `first-chapter`."""

    name: str
    word_count: int
    vector: Vector
    focuses: tuple[str, ...]
    bullets: tuple[str, ...]


class ScenePlan(NamedTuple):
    """The scene block; its number is its place."""

    title: str
    word_count: int
    vector: Vector
    focuses: tuple[str, ...]
    perspective: str
    bullets: tuple[str, ...]


class FirstChapterPlan(NamedTuple):
    """`first_chapter_plan` of the layout `full-book`: the chapter with its scenes."""

    chapter: ChapterPlan
    scenes: tuple[ScenePlan, ...]


class ChaptersPlan(NamedTuple):
    """`full_book_chapters_plan`: chapters 2 to N."""

    chapters: tuple[ChapterPlan, ...]


class CharactersList(NamedTuple):
    """`book_characters_list`."""

    main: tuple[Named, ...]
    side: tuple[Named, ...]


class SceneBreakdown(NamedTuple):
    """`scene_breakdown` and `first_chapter_scene_breakdown`."""

    name: str
    scenes: tuple[ScenePlan, ...]


class Prose(NamedTuple):
    """`first_chapter_text`, `chapter_text` and `previous_text`: the author's own words."""

    name: str
    text: str


class Passage(NamedTuple):
    """`passage` and `story`: the author's own words, all of the stage but for words of the template before them."""

    text: str
    lead: str = ""  # of the template `paper`, whose instruction ends within the target


class OutlinePrompt(NamedTuple):
    """`prompt` of `outline-to-text`: the outline of a passage, and perhaps another passage as a model of style."""

    template: Literal["clean", "paper"]
    outline: tuple[str, ...]
    reference: str = ""  # only of the template `clean`, and not where the work has no passage fit for it


class Tag(NamedTuple):
    """A wish that can be measured: `genre`, `tone`, `pov`, `length`, `dialogue` or `character`, and its value."""

    key: str
    value: str


class TaggedPrompt(NamedTuple):
    """`prompt` of the layout `tagged-story`: what is wished of the story, then what it is to be about."""

    tags: tuple[Tag, ...]
    prompt: str


class TitlePrompt(NamedTuple):
    """`prompt` of the layout `title-to-story`: one story with its title as an example, then the title to write for."""

    example_title: str
    example: str
    title: str


class Premise(NamedTuple):
    """`premise`: what a window that begins in the midst of a book is told about it."""

    title: str
    highlight: str  # "" where the budget had no room for it
    characters: tuple[Named, ...]


class StorySoFar(NamedTuple):
    """`story_so_far`: finished arcs, then earlier chapters, in reading order."""

    entries: tuple[Named, ...]


Plan = (
    str  # the prompt of all other layouts
    | Preview
    | BookPlan
    | OpeningPlan
    | ChapterPlan
    | FirstChapterPlan
    | ChaptersPlan
    | CharactersList
    | SceneBreakdown
    | Prose
    | Passage
    | OutlinePrompt
    | TaggedPrompt
    | TitlePrompt
    | Premise
    | StorySoFar
)
