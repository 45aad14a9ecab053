"""SegmentedBook + Scaffold -> Scaffold: the statements of a plan that exists, held against the text by the model."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.books import SegmentedBook
from schemas.scaffold import Bullet, ChapterScaffold, Doubt, Scaffold
from schemas.settings import ChunkSettings
from tasks.chunk import Window, chunk_chapter
from tasks.planning.ask import ask_together
from tasks.planning.chapters import list_chapters, list_windows
from tasks.planning.windows import Task, ask_claims_of, judge_replies
from tasks.protocols import LLM, Tokenizer


def ask_claims(book: SegmentedBook, scaffold: Scaffold, llm: LLM, reader: Tokenizer, chunk: ChunkSettings) -> Scaffold:
    """Return the scaffold with every chapter's statements judged: how many were, and which the text does not bear out.

    A statement is held against the window of the first paragraph it rests on. Statements whose request has no
    accepted answer are not judged.
    """
    listed = {chapter.place.number: chapter for chapter in list_chapters(book)}
    shares: list[tuple[Task, list[str]]] = []
    for planned in scaffold.chapters:
        chapter = listed[planned.number]
        windows = chunk_chapter(chapter.division, book.text, chunk, reader)
        named = zip(list_windows(windows), _share_out(planned, windows), strict=True)
        shares += [(Task(chapter, window, name), told) for (name, window), told in named if not planned.quarantined]
    replies = ask_together(llm, [ask_claims_of(task, statements) for task, statements in shares])
    judged: dict[int, tuple[int, tuple[Doubt, ...]]] = {}
    for (task, statements), of_window in zip(shares, replies, strict=True):
        num_claims, doubts = judged.get(task.chapter.place.number, (0, ()))
        more, found = judge_replies(task, statements, of_window)
        judged[task.chapter.place.number] = (num_claims + more, doubts + found)
    chapters = tuple(_note(planned, *judged.get(planned.number, (0, ()))) for planned in scaffold.chapters)
    return scaffold.model_copy(update={"chapters": chapters})


def _note(planned: ChapterScaffold, num_claims: int, doubts: tuple[Doubt, ...]) -> ChapterScaffold:
    return planned.model_copy(update={"num_claims": num_claims, "doubts": doubts})


def _share_out(planned: ChapterScaffold, windows: Sequence[Window]) -> list[list[str]]:
    """Return the statements of each window, the chapter's before its scenes', each once."""
    shares: list[dict[str, None]] = [{} for _ in windows]
    for place, bullet in enumerate(planned.bullets):
        shares[_find_window(bullet, windows, place * len(windows) // len(planned.bullets))][bullet.text] = None
    for scene in planned.scenes:
        begins = _holding(scene.first_paragraph, windows)
        for bullet in scene.bullets:
            shares[_find_window(bullet, windows, begins)][bullet.text] = None
    return [list(share) for share in shares]


def _find_window(bullet: Bullet, windows: Sequence[Window], otherwise: int) -> int:
    return _holding(bullet.paragraphs[0], windows) if bullet.paragraphs else otherwise


def _holding(paragraph: int, windows: Sequence[Window]) -> int:
    """Return the last window that holds a paragraph's beginning or comes before it."""
    return max((place for place, window in enumerate(windows) if window.pieces[0].paragraph <= paragraph), default=0)
