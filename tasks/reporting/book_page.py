"""Row of a book -> its page: the plan on the left, the text on the right, every bullet beside its passage."""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from schemas.scaffold import NOT_STATED, ChapterScaffold, Finding, Findings, Scaffold, SceneScaffold, Vector
from tasks.reporting.frame import render_page
from tasks.tables import Row

COLUMNS = (
    "book_id", "parent_id", "title", "authors", "languages", "issued", "rights", "split", "num_words", "num_chapters",
    "text", "divisions", "scaffold", "findings", "outlines",
)  # fmt: skip
AXES = tuple(Vector.model_fields)
_BLANK = re.compile(r"\n{2,}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_ARC = re.compile(r"arc \d+, (short|medium|long)")


class Section(NamedTuple):
    """A division of the text: the heading alone where it contains others, else its paragraphs and a chapter's plan."""

    kind: str
    heading: str
    paragraphs: tuple[str, ...]
    chapter: ChapterScaffold | None
    scenes: Mapping[int, tuple[int, SceneScaffold]]  # number and plan, by the paragraph that each begins with

    @property
    def num_words(self) -> int:
        """Words of the paragraphs."""
        return sum(len(paragraph.split()) for paragraph in self.paragraphs)


class Outlined(NamedTuple):
    """A passage of a book of outlines, with its outline; no bullet where no answer was accepted."""

    number: int
    chapter: int
    bullets: tuple[str, ...]
    paragraphs: tuple[str, ...]


class Shape(NamedTuple):
    """One rating over all chapters, as the path of an area in a box of one unit a chapter and 100 units of height."""

    axis: str
    path: str
    mean: float


def render_book(row: Row, refused: Sequence[Row]) -> bytes:
    """Return the page of a book or story.

    Args:
        row: COLUMNS of the table `books`; outline-to-text leaves scaffold and findings null, the others outlines.
        refused: the book's rows of `rejected`: layouts that it does not fit, and notes.
    """
    scaffold = Scaffold.model_validate_json(row["scaffold"]) if row["scaffold"] else None
    findings = Findings.model_validate_json(row["findings"]).findings if row["findings"] else ()
    language = (row["languages"] or [""])[0]
    passages = list_passages(row["text"] or "", row["outlines"])
    return render_page(
        "report_book.html",
        book=row,
        title=row["title"] or row["book_id"],
        language=language if _LANGUAGE.fullmatch(language) else "",
        scaffold=scaffold,
        passages=passages,
        sections=[] if passages else list_sections(row["text"] or "", row["divisions"] or [], scaffold),
        findings=group_findings(findings, scaffold),
        num_outside=sum(not finding.passed for finding in findings),
        shapes=draw_shapes(scaffold.chapters) if scaffold else (),
        refused=[one for one in refused if one["level"] == "layout"],
        notes=[one for one in refused if one["level"] == "note"],
        axes=AXES,
        not_stated=NOT_STATED,
    )


def list_sections(text: str, divisions: Sequence[Row], scaffold: Scaffold | None) -> list[Section]:
    """Return the whole text in order: every division's heading, every paragraph, chapters with their plans.

    Paragraphs are counted as those of `SegmentedBook`, which the model saw: a blank line ends one, nothing else does.
    """
    rows = divisions or list(_divide_by_plan(text, scaffold))
    chapters = deque(scaffold.chapters if scaffold else ())
    sections = []
    for place, row in enumerate(rows):
        is_leaf = place + 1 == len(rows) or rows[place + 1]["depth"] <= row["depth"]
        body = text[row["body_start"] : row["end"]] if is_leaf else ""
        is_planned = is_leaf and chapters and row["body_start"] <= chapters[0].start < row["end"]
        heading = text[row["start"] : row["body_start"]].strip()
        sections.append(_make_section(row["kind"], heading, body, chapters.popleft() if is_planned else None))
    sections += [_make_section("narrative", "", "", chapter) for chapter in chapters]
    return [section for section in sections if section.heading or section.paragraphs or section.chapter]


def _divide_by_plan(text: str, scaffold: Scaffold | None) -> Iterator[Row]:
    """Yield divisions where none were kept: what stands before the first chapter, then a chapter up to the next."""
    starts = [0, *(chapter.start for chapter in scaffold.chapters)] if scaffold else [0]
    for start, end in pairwise([*starts, len(text)]):
        yield {"depth": 0, "kind": "narrative", "start": start, "body_start": start, "end": end}


def _make_section(kind: str, heading: str, body: str, chapter: ChapterScaffold | None) -> Section:
    scenes = {one.first_paragraph: (number, one) for number, one in enumerate(chapter.scenes if chapter else (), 1)}
    return Section(kind, heading, _split(body), chapter, scenes)


def _split(body: str) -> tuple[str, ...]:
    return tuple(_BLANK.split(body.rstrip())) if body.strip() else ()


def list_passages(text: str, outlines: str | None) -> list[Outlined]:
    """Return the passages that a book of outlines was cut into, in order; they tile its narrative."""
    told = json.loads(outlines) if outlines else {}
    return [
        Outlined(
            number=passage["number"],
            chapter=passage["chapter"],
            bullets=tuple(bullet["text"] for bullet in passage["bullets"]),
            paragraphs=_split(text[passage["start"] : passage["end"]]),
        )
        for passage in told.get("passages", ())
    ]


def group_findings(findings: Sequence[Finding], scaffold: Scaffold | None) -> Mapping[str, list[Finding]]:
    """Return findings by the node of the plan that they stand beside; those of no node shown stand beside the book."""
    shown = set(list_nodes(scaffold)) if scaffold else set()
    grouped: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        node = finding.node.rpartition(", ")[0] if _ARC.fullmatch(finding.node) else finding.node
        grouped[node if node in shown else "book"].append(finding)
    return grouped


def list_nodes(scaffold: Scaffold) -> Iterator[str]:
    """Yield the names that `verify` gives to the parts of a plan, one for the three lengths of an arc."""
    yield from ("world", "style", "preview", "prompts")
    yield from (f"arc {number}" for number, _ in enumerate(scaffold.arcs, 1))
    yield from (f"archetype {one.name}" for one in scaffold.archetypes)
    yield from (f"person {one.name}" for one in (*scaffold.main_characters, *scaffold.side_characters))
    yield from (f"part {number}" for number, _ in enumerate(scaffold.parts, 1))
    for chapter in scaffold.chapters:
        yield f"chapter {chapter.number}"
        yield from (f"chapter {chapter.number}, scene {number}" for number, _ in enumerate(chapter.scenes, 1))


def draw_shapes(chapters: Sequence[ChapterScaffold]) -> tuple[Shape, ...]:
    """Return how each rating rises and falls over the chapters, those without a plan as nothing."""
    shapes = []
    for axis in AXES:
        values = [0 if chapter.quarantined else getattr(chapter.vector, axis) for chapter in chapters]
        steps = "".join(f"V{100 - value}h1" for value in values)
        shapes.append(Shape(axis.replace("_", " "), f"M0 100{steps}V100z", sum(values) / len(values)))
    return tuple(shapes)
