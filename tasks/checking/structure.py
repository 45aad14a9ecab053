"""A scaffold's form -> what is wrong with it: partitions, quoted openings, counts of the trajectory grammar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from schemas.books import Division
from schemas.scaffold import ChapterScaffold, Scaffold
from tasks.chunk import Piece, Window, list_pieces
from tasks.planning.scenes import locate_opening

HIGHLIGHT_WORDS, ARCHETYPE_WORDS, TAG_WORDS, NUM_TAGS = (55, 140), (45, 190), (1, 8), 7  # trajectory grammar
MAX_ARC_CHAPTERS = 99  # trajectory grammar


def count_outside_arcs(arcs: Sequence[tuple[int, int]], numbers: Sequence[int]) -> int:
    """Return how many chapters lie in no arc or in two; 1 where only their order is wrong."""
    listed = [number for first, last in arcs for number in range(first, last + 1)]
    wrong = len(set(numbers).symmetric_difference(listed)) + len(listed) - len(set(listed))
    return wrong or int(listed != list(numbers))


def list_breaks(chapter: ChapterScaffold, leaf: Division, text: str) -> list[int]:
    """Return the numbers (from 1) of the scenes that leave text out before them, overlap, or begin within a paragraph.

    Text left out after the last scene counts as that scene's.
    """
    pieces = list_pieces(leaf)
    wrong, at = [], leaf.body_start
    for number, scene in enumerate(chapter.scenes, 1):
        begins = scene.first_paragraph < len(pieces) and pieces[scene.first_paragraph].start <= scene.start
        within = begins and not text[pieces[scene.first_paragraph].start : scene.start].strip()
        if not within or scene.start < at or text[at : scene.start].strip():
            wrong.append(number)
        at = scene.end
    if text[at : leaf.end].strip() or at > leaf.end:
        wrong.append(len(chapter.scenes))
    return wrong


def list_misquoted(chapter: ChapterScaffold, text: str) -> list[int]:
    """Return the numbers (from 1) of the scenes whose quoted opening does not stand at their start."""
    return [
        number
        for number, scene in enumerate(chapter.scenes, 1)
        if scene.opening and not begins_with(scene.opening, text, scene.start, scene.end)
    ]


def begins_with(opening: str, text: str, start: int, end: int) -> bool:
    """Say whether a stretch of the text begins with the words that are quoted from it."""
    return locate_opening(opening, 0, Window((Piece(0, start, end),)), text, -1) is not None


def list_miscounts(scaffold: Scaffold) -> list[str]:
    """Return the limits of the trajectory grammar that the scaffold breaks and its schema does not hold.

    Foreign characters and texts that are too long are left to `compose`, which repairs them; it never pads.
    """
    found = [*count_preview(scaffold.preview.highlight, scaffold.preview.archetype, scaffold.preview.tags)]
    for arc in scaffold.arcs:
        size = arc.last_chapter - arc.first_chapter + 1
        if not 1 <= size <= MAX_ARC_CHAPTERS:
            found.append(f"arc {arc.name!r}: {size} chapters, 1 to {MAX_ARC_CHAPTERS} allowed")
    for side, people in (("main", scaffold.main_characters), ("side", scaffold.side_characters)):
        if not people:
            found.append(f"no {side} character")
    found += [f"{line[:40]!r} has several lines, or none" for line in _list_lines(scaffold) if not _is_line(line)]
    plans = [one.focuses for chapter in scaffold.chapters for one in chapter.scenes]
    plans += [chapter.focuses for chapter in scaffold.chapters]
    return found + [f"a semicolon in the focus {focus!r}" for focuses in plans for focus in focuses if ";" in focus]


def count_preview(highlight: str, archetype: str, tags: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the lengths of a preview's texts."""
    yield from _outside("the highlight", highlight, *HIGHLIGHT_WORDS)
    yield from _outside("the archetype", archetype, *ARCHETYPE_WORDS)
    for number, tag in enumerate(tags, 1):
        yield from _outside(f"tag {number}", tag, *TAG_WORDS)
    if len({tag.casefold() for tag in tags}) < NUM_TAGS:
        yield f"{len({tag.casefold() for tag in tags})} different tags, {NUM_TAGS} needed"


def _outside(name: str, text: str, least: int, most: int) -> Iterator[str]:
    found = len(text.split())
    if not least <= found <= most:
        yield f"{name} has {found} words, {least} to {most} allowed"


def _list_lines(scaffold: Scaffold) -> Iterable[str]:
    yield from (*scaffold.world_rules, *scaffold.writing_style)
    for chapter in scaffold.chapters:
        yield from (chapter.name, *(bullet.text for bullet in chapter.bullets))
        for scene in chapter.scenes:
            yield from (scene.title, scene.perspective, *(bullet.text for bullet in scene.bullets))
    for arc in scaffold.arcs:
        yield from (arc.name, *arc.short, *arc.medium, *arc.long)
    for person in (*scaffold.main_characters, *scaffold.side_characters):
        yield from (person.name, *person.bullets)
    for role in scaffold.archetypes:
        yield from (role.name, *role.bullets)


def _is_line(text: str) -> bool:
    return bool(text.strip()) and "\n" not in text
