"""A book's row + its trajectories -> problems: grammar, offsets, tokens, tiling, quarantine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby, pairwise

from schemas.outlines import OUTLINE_TO_TEXT
from schemas.scaffold import ChapterScaffold, Scaffold
from schemas.trajectories import Trajectory
from schemas.value import Span
from tasks.checking.pairs import check_pairs
from tasks.composing.text import clean_scaffold
from tasks.grammar.sequence import check_trajectory, messages
from tasks.protocols import Tokenizer
from tasks.tables import Row

WHOLE_LAYOUTS = {"full-book", "chapter-window"}  # every chapter with a plan is a target in them, and exactly once

Told = set[tuple[str, str]]  # quarantined nodes among what was refused: work, node
Targets = dict[tuple[str, int], list[Span]]  # layout and window -> prose that is a target


def check_works(books: Iterator[Row], trajectories: Iterator[Row], told: Told, trainee: Tokenizer) -> Iterator[str]:
    """Yield what is wrong with the works of a bucket; both tables come in the order of their ids, a row at a time."""
    groups = groupby(trajectories, key=lambda row: str(row["book_id"]))
    group = next(groups, None)
    for book in books:
        while group is not None and group[0] < book["book_id"]:
            yield _stray(group[0])
            group = next(groups, None)
        if group is None or group[0] != book["book_id"]:
            yield f"book {book['book_id']}: out, but without a trajectory"
            continue
        yield from check_work(book, group[1], told, trainee)
        group = next(groups, None)
    while group is not None:
        yield _stray(group[0])
        group = next(groups, None)


def _stray(book_id: str) -> str:
    return f"book {book_id}: trajectories of a book that is not out"


def check_work(book: Row, rows: Iterator[Row], told: Told, trainee: Tokenizer) -> Iterator[str]:
    """Yield what is wrong with one work."""
    targets: Targets = defaultdict(list)
    chapters: set[int] = set()
    names: set[str] = set()
    pairs: list[Row] = []
    for row in rows:
        name = row["trajectory_id"]
        if name in names:
            yield f"trajectory {name}: more than once"
        names.add(name)
        chapters.update(row["targets"])
        if row["layout"] in WHOLE_LAYOUTS:
            prose = (stage for stage in row["stages"] if stage["role"] != "previous_text")  # a target may weigh nothing
            told_spans = (Span(stage["start"], stage["end"]) for stage in prose if stage["start"] is not None)
            targets[row["layout"], row["window"]] += told_spans
        if row["layout"] == OUTLINE_TO_TEXT:
            pairs.append(row)
        yield from (f"trajectory {name}: {problem}" for problem in _check_row(row, book, trainee))
    if book["outlines"]:
        nodes = {node for book_id, node in told if book_id == book["book_id"]}
        yield from (f"book {book['book_id']}: {problem}" for problem in check_pairs(book, pairs, nodes))
    if book["scaffold"]:  # pairs have none
        scaffold = Scaffold.model_validate_json(book["scaffold"])
        yield from _check_tiling(book, scaffold, targets)
        yield from _check_quarantine(book["book_id"], scaffold, chapters, told)
    elif targets:
        yield f"book {book['book_id']}: trajectories with plans, but no scaffold"


def _check_row(row: Row, book: Row, trainee: Tokenizer) -> Iterator[str]:
    try:
        trajectory = Trajectory.model_validate({key: value for key, value in row.items() if key != "messages"})
    except ValueError as error:
        yield str(error)
        return
    yield from check_trajectory(trajectory, book["text"], trainee)
    if messages(trajectory.stages) != row["messages"]:
        yield "its messages differ from its stages"
    if trajectory.split != book["split"] or trajectory.source_sha256 != book["source_sha256"]:
        yield "split or source differ from its book's"


def _check_tiling(book: Row, scaffold: Scaffold, targets: Targets) -> Iterator[str]:
    """In a layout that holds whole books, every word of every chapter with a plan is a target once, no other is."""
    text = book["text"]
    wanted = sum(len(text[chapter.start : chapter.end].split()) for chapter in _planned_chapters(scaffold))
    for (layout, window), spans in sorted(targets.items()):
        spans.sort()
        num_twice = sum(later.start < earlier.end for earlier, later in pairwise(spans))
        found = sum(len(text[start:end].split()) for start, end in spans)
        if num_twice or found != wanted:
            yield (
                f"book {book['book_id']}: {layout} at {window} tokens has {found} words as targets, "
                f"its chapters with a plan have {wanted}, and {num_twice} targets begin before another ends"
            )


def _check_quarantine(book_id: str, scaffold: Scaffold, targets: set[int], told: Told) -> Iterator[str]:
    """No quarantined chapter is a target, and every one has its node among what was refused."""
    wrong = {chapter.number for chapter in scaffold.chapters if chapter.quarantined} & targets
    yield from (f"book {book_id}: chapter {number} is quarantined, and a target" for number in sorted(wrong))
    untold = {node.node for node in scaffold.quarantined if (book_id, node.node) not in told}
    yield from (f"book {book_id}: {node} is quarantined, and not in rejected" for node in sorted(untold))


def _planned_chapters(scaffold: Scaffold) -> list[ChapterScaffold]:
    """Return the chapters that may be a target: not quarantined, and nothing of their plans empty."""
    empty = clean_scaffold(scaffold)[1].chapters
    return [chapter for chapter in scaffold.chapters if not chapter.quarantined and chapter.number not in empty]
