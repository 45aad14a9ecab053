"""SegmentedBook -> Outlines: the narrative in passages, the outline of each by one call through the `LLM` seam."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, cast

from schemas.answers import OutlineAnswer
from schemas.books import SegmentedBook
from schemas.errors import BookError
from schemas.outlines import OUTLINE_TO_TEXT, OutlinedPassage, Outlines
from schemas.plans import Passage
from schemas.questions import ReadInputs
from schemas.recipe_settings import OutlineSettings
from schemas.scaffold import Bullet, Quarantine
from schemas.settings import VerifySettings
from tasks.checking.answers import BookChecks
from tasks.chunk import Window
from tasks.composing.job import trim_span
from tasks.composing.text import fit_bullet
from tasks.grammar.parser import parse_stage
from tasks.grammar.parts import GrammarError
from tasks.planning.ask import Node, ask_alone, quarantine
from tasks.planning.chapters import Chapter, list_chapters, number_paragraphs, show_window
from tasks.planning.passages import cut_passages
from tasks.protocols import LLM, Answer, Failure, Request, Tokenizer

logger = logging.getLogger(__name__)

CALL = "outline"


class Task(NamedTuple):
    """A passage that is to be outlined; its number is its place in the book, from 1."""

    number: int
    chapter: Chapter
    window: Window

    @property
    def text(self) -> str:
        """The passage without the blank lines around it: what a row would hold."""
        start, end = trim_span(self.chapter.book.text, self.window.span)
        return self.chapter.book.text[start:end]


class Outlined(NamedTuple):
    """What came of a task: an outline, or why there is none."""

    bullets: tuple[Bullet, ...]
    quarantine: Quarantine | None = None


def outline_book(
    book: SegmentedBook, settings: OutlineSettings, *, llm: LLM, trainee: Tokenizer, checks: VerifySettings
) -> Outlines:
    """Cut the narrative of a book into passages and have each outlined, all in one batch.

    A passage without an accepted answer, or whose text no row can hold, is quarantined; the others stand.

    Raises:
        BookError: `no-chapters`; or `no-answer`, every passage is quarantined.
    """
    tasks = list_tasks(book, settings.passage_tokens, trainee)
    enforced = BookChecks(book, checks, quoting=not llm.trainable) if checks.mode == "enforce" else None
    faults = [find_fault(task.text) for task in tasks]
    asked = [task for task, fault in zip(tasks, faults, strict=True) if fault is None]
    replies = iter(llm.answer([ask_outline(task, enforced) for task in asked]))
    outlined = [
        _settle(task, next(replies)) if fault is None else _give_up(task, Failure("prose-breaks-grammar", fault))
        for task, fault in zip(tasks, faults, strict=True)
    ]
    outlines = join_outlines(book, tasks, outlined, llm)
    if not outlines.told:
        first = outlines.quarantined[0]
        detail = f"all {len(tasks)} passages: {first.node}: no answer ({first.reason}: {first.detail})"
        raise BookError(book.book_id, "no-answer", detail)
    num_refused = len(outlines.quarantined)
    logger.info("book %s: outlines of %d passages, %d quarantined", book.book_id, len(tasks), num_refused)
    return outlines


def list_tasks(book: SegmentedBook, passage_tokens: int, trainee: Tokenizer) -> list[Task]:
    """Return the passages of all narrative chapters, in order; none of them is blank.

    Raises:
        BookError: `no-chapters`, there are none.
    """
    windows = [
        (chapter, window)
        for chapter in list_chapters(book)
        for window in cut_passages(chapter.division, book.text, passage_tokens, trainee)
        if book.text[window.span.start : window.span.end].strip()
    ]
    return [Task(number, chapter, window) for number, (chapter, window) in enumerate(windows, 1)]


def find_fault(text: str) -> str | None:
    """Return why no row can hold a passage, or None where one can."""
    try:
        plan = parse_stage(OUTLINE_TO_TEXT, "passage", text)
    except GrammarError as error:
        return str(error)
    return None if plan == Passage(text) else "passage: it begins with words of a template"


def ask_outline(task: Task, checks: BookChecks | None) -> Request:
    """Return the request for the outline of a passage."""
    node = Node(task.chapter.book.book_id, f"passage {task.number}")
    inputs = ReadInputs(paragraphs=number_paragraphs(task.chapter, task.window))
    request = ask_alone(CALL, node, show_window(task.chapter, task.window), inputs)
    return replace(request, check=checks.for_outline(task.window) if checks else None)


def join_outlines(book: SegmentedBook, tasks: Sequence[Task], outlined: Sequence[Outlined], llm: LLM) -> Outlines:
    """Put the outlines together; who wrote them is 'extractive' where nothing may be trained on, else the model."""
    passages = tuple(
        OutlinedPassage(
            number=task.number,
            chapter=task.chapter.place.number,
            start=task.window.span.start,
            end=task.window.span.end,
            num_words=len(task.text.split()),
            bullets=found.bullets,
        )
        for task, found in zip(tasks, outlined, strict=True)
    )
    return Outlines(
        book_id=book.book_id,
        num_words=sum(passage.num_words for passage in passages),
        num_chapters=tasks[-1].chapter.place.number,
        passages=passages,
        quarantined=tuple(found.quarantine for found in outlined if found.quarantine),
        summarizer=llm.identity.split(" ")[0] if llm.trainable else "extractive",
        trainable=llm.trainable,
    )


def _settle(task: Task, reply: Answer | Failure) -> Outlined:
    if isinstance(reply, Failure):
        return _give_up(task, reply)
    said = cast(OutlineAnswer, reply.samples[0]).bullets
    fitted = (Bullet(text=text, paragraphs=one.paragraphs) for one in said if (text := fit_bullet(one.text)))
    bullets = tuple(fitted)
    return Outlined(bullets) if bullets else _give_up(task, Failure("empty-plan-text", "no statement says anything"))


def _give_up(task: Task, failure: Failure) -> Outlined:
    return Outlined((), quarantine(ask_outline(task, None), failure, task.chapter.place.number))
