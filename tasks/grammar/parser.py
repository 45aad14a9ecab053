"""Text of a stage -> Plan: an independent reader of the grammar, which holds every limit of it.

It knows nothing of how a stage is rendered; it goes through the text line by line and says what it expected where.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from schemas.plans import (
    ArcPlan,
    BookPlan,
    ChapterEntry,
    ChapterPlan,
    ChaptersPlan,
    CharactersList,
    FirstChapterPlan,
    Named,
    OpeningPlan,
    Passage,
    Plan,
    Premise,
    Prose,
    SceneBreakdown,
    ScenePlan,
    StorySoFar,
)
from schemas.scaffold import Preview, Vector
from tasks.grammar.outlines import parse_outline_prompt, parse_passage
from tasks.grammar.pairs import parse_tagged_prompt, parse_title_prompt
from tasks.grammar.parts import (
    ARC,
    CHAPTER_COUNT,
    HEADING_3,
    HEADING_4,
    NAME_BULLET,
    PARAGRAPH,
    SCENE,
    TAG_WORD,
    VECTOR_LINE,
    WORD_COUNT_LINE,
    GrammarError,
    StageReader,
)

T = TypeVar("T")
CONTROL_TOKENS = ("<|start_header_id|>", "<|stop_header_id|>", "<|eot_id|>")
_FENCE = "```"
_UNFIT = re.compile("|".join([r"\s\Z", r"[^\S\n]\n", r"\A\Z", *map(re.escape, CONTROL_TOKENS)]))


def parse_stage(layout: str, role: str, text: str) -> Plan:
    """Return what a stage says.

    Raises:
        GrammarError: the text does not have the form of this role in this layout.
    """
    parse = PARSERS.get(f"{layout}/{role}") or PARSERS.get(role)
    if parse is None:
        raise GrammarError(f"{layout} has no stage {role}")
    reader = StageReader(text)
    try:
        _check_characters(text, reader)
        plan = parse(reader)
        reader.end()
    except GrammarError as error:
        raise GrammarError(f"{role}: {error}") from None
    return plan


def _check_characters(text: str, reader: StageReader) -> None:
    if not _UNFIT.search(text):
        return
    for number, line in enumerate(reader.lines, 1):
        if line and line[-1].isspace():
            raise GrammarError(f"line {number}: ends in white space")
        if any(token in line for token in CONTROL_TOKENS):
            raise GrammarError(f"line {number}: holds a control token")
    if not reader.lines[-1]:
        raise GrammarError("empty, or ends in a newline")


def _parse_prompt(reader: StageReader) -> str:
    reader.at = len(reader.lines)
    return "\n".join(reader.lines)


def _parse_story(reader: StageReader) -> Passage:
    reader.at = len(reader.lines)
    return Passage("\n".join(reader.lines))


def _parse_preview(reader: StageReader) -> Preview:
    highlight = reader.paragraph("## Book Highlight", 55, 140)
    reader.line("")
    title = reader.paragraph("## Book Title", 1, 8)
    reader.line("")
    reader.line("## Book Tags")
    tags = reader.bullets(7)
    if len(tags) < 7:
        raise reader.fail("a seventh tag")
    for tag in tags:
        reader.check_words(tag, TAG_WORD, 1, 8)
    reader.line("")
    archetype = reader.paragraph("## Book Archetype", 45, 190)
    return Preview(highlight=highlight, title=title, tags=tags, archetype=archetype)


def _parse_book_plan(reader: StageReader) -> BookPlan:
    reader.line("## World Rules")
    world_rules = reader.bullets(90)
    short = _parse_arcs(reader, "Short Story Arcs", lambda: reader.bullets(20))
    archetypes, writing_style = _parse_people_and_style(reader)
    medium = _parse_arcs(reader, "Medium Story Arcs", lambda: reader.bullets(40))
    long = _parse_arcs(reader, "Long Story Arcs", lambda: reader.bullets(80))
    counts = _parse_arcs(reader, "Number of Chapters", lambda: int(reader.match(CHAPTER_COUNT, "* n")[1]))
    names = _parse_arcs(reader, "Chapter Names", lambda: reader.bullets(99, NAME_BULLET))
    vectors = _parse_arcs(reader, "Chapters Embedding Space", lambda: _parse_entries(reader, _parse_vector_line))
    words = _parse_arcs(reader, "Chapters Word Count", lambda: _parse_entries(reader, _parse_word_count_line))
    if any(list(section) != list(short) for section in (medium, long, counts, names, vectors, words)):
        raise GrammarError("the arcs are not the same in every section")
    arcs: list[ArcPlan] = []
    for arc, listed in names.items():
        if counts[arc] != len(listed) or any(list(part[arc]) != list(listed) for part in (vectors, words)):
            raise GrammarError(f"arc {arc[0]}: its chapters are not the same in every section")
        chapters = tuple(ChapterEntry(name, vectors[arc][name], words[arc][name]) for name in listed)
        arcs.append(ArcPlan(arc[1], short[arc], medium[arc], long[arc], chapters))
    return BookPlan(world_rules, tuple(arcs), archetypes, writing_style)


def _parse_opening_plan(reader: StageReader) -> OpeningPlan:
    preview = _parse_preview(reader)
    reader.line("")
    reader.line("## World Rules")
    world_rules = reader.bullets(90)
    arcs = _parse_arcs(reader, "Story Arcs", lambda: reader.bullets(20))
    archetypes, writing_style = _parse_people_and_style(reader)
    named = tuple(Named(name, bullets) for (_, name), bullets in arcs.items())
    return OpeningPlan(preview, world_rules, named, archetypes, writing_style)


def _parse_people_and_style(reader: StageReader) -> tuple[tuple[Named, ...], tuple[str, ...]]:
    reader.line("")
    reader.line("## Character Archetypes")
    archetypes = reader.named(HEADING_3, 32, 10)
    reader.line("")
    reader.line("## Writing Style")
    return archetypes, reader.bullets(40)


def _parse_arcs(reader: StageReader, header: str, parse_body: Callable[[], T]) -> dict[tuple[int, str], T]:
    """Take a section of arcs; the keys are number and name, in order."""
    reader.line("")
    reader.line(f"## {header}")
    arcs: dict[tuple[int, str], T] = {}
    while not arcs or reader.blank_before(ARC):
        number, name = reader.match(ARC, "### Arc k: name").groups()
        if int(number) != len(arcs) + 1:
            raise GrammarError(f"line {reader.at}: arc {number} after {len(arcs)} arcs")
        arcs[int(number), name] = parse_body()
    reader.check_number(len(arcs), 12, "arcs")
    return arcs


def _parse_entries(reader: StageReader, parse_value: Callable[[StageReader], T]) -> dict[str, T]:
    """Take an arc's chapters with one value each; two of one name would hide each other, so they are refused."""
    entries: dict[str, T] = {}
    while not entries or reader.sees(HEADING_4):
        name = reader.match(HEADING_4, "#### and a chapter's name")[1]
        if name in entries:
            raise GrammarError(f"line {reader.at}: a second chapter {name!r}")
        entries[name] = parse_value(reader)
    return entries


def _parse_vector_line(reader: StageReader) -> Vector:
    return _read_vector(reader.match(VECTOR_LINE, "a vector")[1])


def _parse_word_count_line(reader: StageReader) -> int:
    return int(reader.match(WORD_COUNT_LINE, "a rounded word count of 2 to 5 digits")[1])


def _read_vector(text: str) -> Vector:
    pairs = (pair.split(": ") for pair in text.split(", "))
    return Vector(**{name: int(value) for name, value in pairs})


def _parse_chapter(reader: StageReader, most_bullets: int = 80) -> ChapterPlan:
    name = reader.match(HEADING_3, "### and the chapter's name")[1]
    word_count = int(reader.field("Word Count"))
    vector = _read_vector(reader.field("Embedding Space"))
    focuses = tuple(reader.field("Narrative Focuses").split("; "))
    reader.line("**Chapter Summary:**")
    return ChapterPlan(name, word_count, vector, focuses, reader.bullets(most_bullets))


def _parse_scenes(reader: StageReader) -> tuple[ScenePlan, ...]:
    scenes: list[ScenePlan] = []
    while not scenes or reader.sees(SCENE):
        number, title = reader.match(SCENE, "#### Scene k: title").groups()
        if int(number) != len(scenes) + 1:
            raise GrammarError(f"line {reader.at}: scene {number} after {len(scenes)} scenes")
        word_count = int(reader.field("Word Count"))
        vector = _read_vector(reader.field("Embedding Space"))
        focuses = tuple(reader.field("Narrative Focus").split("; "))
        perspective = reader.field("Narrative Perspective")
        reader.line("**Scene Summary:**")
        scenes.append(ScenePlan(title, word_count, vector, focuses, perspective, reader.bullets(20)))
    return tuple(scenes)


def _parse_first_chapter_plan(reader: StageReader) -> FirstChapterPlan:
    chapter = _parse_chapter(reader)
    reader.line("")
    reader.line("### Scene Breakdown")
    return FirstChapterPlan(chapter, _parse_scenes(reader))


def _parse_opening_chapter_plan(reader: StageReader) -> ChapterPlan:
    return _parse_chapter(reader, most_bullets=32)


def _parse_chapters_plan(reader: StageReader) -> ChaptersPlan:
    chapters = [_parse_chapter(reader)]
    while reader.blank_before(HEADING_3):
        chapters.append(_parse_chapter(reader))
    return ChaptersPlan(tuple(chapters))


def _parse_characters(reader: StageReader) -> CharactersList:
    reader.line("### Main Characters")
    main = reader.named(HEADING_4, 20, 20)
    reader.line("### Side Characters")
    return CharactersList(main, reader.named(HEADING_4, 20, 20))


def _parse_scene_breakdown(reader: StageReader) -> SceneBreakdown:
    name = reader.match(HEADING_3, "### and the chapter's name")[1]
    return SceneBreakdown(name, _parse_scenes(reader))


def _parse_prose(reader: StageReader) -> Prose:
    name = reader.match(HEADING_3, "### and the chapter's name")[1]
    reader.line(_FENCE)
    body = reader.lines[reader.at : -1]
    fence = next((place for place, line in enumerate(body) if line.startswith(_FENCE)), len(body))
    reader.at += fence
    reader.line(_FENCE)
    if not "".join(body):
        raise GrammarError("no prose between the fences")
    return Prose(name, "\n".join(body))


def _parse_premise(reader: StageReader) -> Premise:
    reader.line("## Book Title")
    title = reader.match(PARAGRAPH, "the title")[0]
    highlight = ""
    characters: tuple[Named, ...] = ()
    if reader.lines[reader.at : reader.at + 2] == ["", "## Book Highlight"]:
        reader.at += 2
        highlight = reader.match(PARAGRAPH, "a paragraph")[0]
    if reader.lines[reader.at : reader.at + 2] == ["", "## Main Characters"]:
        reader.at += 2
        characters = reader.named(HEADING_3, 20, 20)
    return Premise(title, highlight, characters)


def _parse_story_so_far(reader: StageReader) -> StorySoFar:
    reader.line("## Story So Far")
    return StorySoFar(reader.named(HEADING_3, len(reader.lines), 80))


PARSERS: dict[str, Callable[[StageReader], Plan]] = {
    "prompt": _parse_prompt,
    "book_preview": _parse_preview,
    "full-book/book_plan": _parse_book_plan,
    "full-book/first_chapter_plan": _parse_first_chapter_plan,
    "first-chapter/book_plan": _parse_opening_plan,
    "first-chapter/first_chapter_plan": _parse_opening_chapter_plan,
    "full_book_chapters_plan": _parse_chapters_plan,
    "book_characters_list": _parse_characters,
    "scene_breakdown": _parse_scene_breakdown,
    "first_chapter_scene_breakdown": _parse_scene_breakdown,
    "first_chapter_text": _parse_prose,
    "chapter_text": _parse_prose,
    "premise": _parse_premise,
    "story_so_far": _parse_story_so_far,
    "previous_text": _parse_prose,
    "outline-to-text/prompt": parse_outline_prompt,
    "passage": parse_passage,
    "story": _parse_story,
    "tagged-story/prompt": parse_tagged_prompt,
    "title-to-story/prompt": parse_title_prompt,
}
