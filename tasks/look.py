"""CleanBook and SegmentedBook -> LookReport: how one raw book is read, for people and for programs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from schemas.books import CleanBook, Division, LookDivision, LookRange, LookReport, Reading, SegmentedBook
from tasks.dividing.arguments import find_story_start

UNKNOWN = "unknown"  # the id of a file that tells none
INDENT = "  "


def describe_book(clean: CleanBook, segmented: SegmentedBook) -> LookReport:
    """Return the ends of a book, what was removed, and its headings in order; divisions without a heading of their
    own (title page, text of a part before its first chapter) are left out, but for the only chapter of a book.
    """
    chapters = [chapter for chapter in segmented.chapters() if chapter.scenes]
    shown = in_print_order(division for division in iter_divisions(segmented) if division.label or division.title)
    if not any(division.kind == "narrative" for division in shown):
        shown = sorted([*shown, *chapters], key=lambda division: division.start)
    return LookReport(
        book_id=None if clean.book_id == UNKNOWN else clean.book_id,
        title=clean.entry.title,
        encoding=clean.encoding,
        first_line=clean.first_line,
        last_line=clean.last_line,
        narrative_first_line=line_at(clean, find_story_start(segmented.text, chapters)) if chapters else None,
        narrative_last_line=line_at(clean, find_story_end(segmented.text, chapters), is_end=True) if chapters else None,
        removed=tuple(LookRange(**removed._asdict()) for removed in clean.removed),
        divisions=tuple(describe_division(division) for division in shown),
        needs_review=segmented.needs_review,
    )


def find_story_end(text: str, chapters: Sequence[Division]) -> int:
    """Return the last letter or digit of the last chapter: an ornament below the story is none of its lines."""
    end = chapters[-1].end - 1
    return next((at for at in range(end, chapters[-1].body_start, -1) if text[at].isalnum()), end)


def in_print_order(divisions: Iterable[Division]) -> list[Division]:
    """Return the divisions but those that cleaning moved: notes at the end, whose lines stand earlier in the file."""
    shown: list[Division] = []
    for division in divisions:
        if not shown or division.line >= shown[-1].line:
            shown.append(division)
    return shown


def iter_divisions(segmented: SegmentedBook) -> Iterator[Division]:
    """Yield every division of the tree in reading order."""
    stack = list(reversed(segmented.divisions))
    while stack:
        division = stack.pop()
        yield division
        stack += reversed(division.children)


def describe_division(division: Division) -> LookDivision:
    """Return a division's heading."""
    return LookDivision(
        level=division.level,
        kind=division.kind,
        label=division.label,
        title=division.title,
        line=division.line,
        body_line=division.body_line,
    )


def line_at(clean: CleanBook, offset: int, is_end: bool = False) -> int:
    """Return the raw line of the block at an offset of the text: its first, or its last one."""
    block = clean.blocks[bisect_right(clean.blocks, offset, key=lambda block: block.start) - 1]
    return block.last_line if is_end else block.line


def render_look(report: LookReport, readings: Sequence[Reading] = ()) -> str:
    """Return a report as lines for a person: ends, removals by rule, the headings indented by level, and of a book
    that needs review how many headings each kind of evidence reads.
    """
    lines = [
        f"{report.title or 'no title'} ({report.book_id or 'no id'}), read as {report.encoding}",
        f"book:      lines {report.first_line} to {report.last_line}",
        f"narrative: lines {report.narrative_first_line or '?'} to {report.narrative_last_line or '?'}",
        "removed:" if report.removed else "removed: nothing",
    ]
    lines += [f"{INDENT}{one.rule}: {one.first_line} to {one.last_line}" for one in report.removed]
    lines.append("divisions:" if report.divisions else "divisions: none")
    lines += render_divisions(report.divisions)
    if report.needs_review:
        lines.append("needs review: headings and table of contents disagree, or numbers are missing")
    lines += [f"{INDENT}{one.evidence}: {len(one.headings)}" for one in readings]
    return "\n".join(lines)


def render_divisions(divisions: Sequence[LookDivision]) -> list[str]:
    """Return a line a heading, indented by the levels above it that the book has."""
    levels = [level for level in ("volume", "part", "book", "chapter") if any(one.level == level for one in divisions)]
    lines = []
    for one in divisions:
        name = " ".join(part for part in (one.label, one.title) if part) or "(no heading)"
        kind = "" if one.kind == "narrative" else f" [{one.kind}]"
        lines.append(f"{INDENT * (1 + levels.index(one.level))}{one.line}: {name}{kind}")
    return lines
