"""SegmentedBook -> Pilot: a work is really summarised or outlined, and what each of its answers costs is noted."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from schemas.books import SegmentedBook
from schemas.errors import BookError
from schemas.ledger import Ledger, Pilot, Point
from schemas.recipe_settings import OutlineSettings
from schemas.settings import SummarizeSettings
from tasks.backends.answers import StoredAnswer
from tasks.backends.llms.engine import Engine
from tasks.outline import outline_book
from tasks.protocols import LLM, Answer, Failure, Request, Tokenizer
from tasks.summarize import summarize_book

logger = logging.getLogger(__name__)

READ, OUTLINE = "read", "outline"
WINDOW_CALLS = (READ, OUTLINE)  # of a recipe, the call that is asked of every window or passage first


class _Metered:
    """An LLM that notes every request, those that follow an answer, too."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.identity, self.trainable = engine.identity, engine.trainable
        self.requests: list[Request] = []

    def answer(self, requests: Sequence[Request]) -> list[Answer | Failure]:
        """Pass the requests on."""
        return self._engine.answer([self._note(request) for request in requests])

    def _note(self, request: Request) -> Request:
        self.requests.append(request)
        then = request.then
        if then is None:
            return request
        return replace(request, then=lambda answer: [self._note(following) for following in then(answer)])


class _BatchError(Exception):
    """The first batch of requests of a book, on its way out of its stage."""

    def __init__(self, requests: Sequence[Request]) -> None:
        super().__init__(f"{len(requests)} requests")
        self.requests = requests


class _Unasked:
    """An LLM that answers nothing: it hands back what it was asked first."""

    def __init__(self, llm: LLM) -> None:
        self.identity, self.trainable = llm.identity, llm.trainable

    def answer(self, requests: Sequence[Request]) -> NoReturn:
        """Raise the requests."""
        raise _BatchError(requests)


class InputCounter:
    """Input tokens of requests in the reader's tokenizer; instructions, which many share, are counted once."""

    def __init__(self, reader: Tokenizer) -> None:
        self._reader = reader
        self._instructions: dict[str, int] = {}

    def count(self, request: Request) -> int:
        """Return the tokens of a request's messages, without what a chat template adds."""
        if request.instructions not in self._instructions:
            self._instructions[request.instructions] = self._reader.count(request.instructions)
        others = (message["content"] for message in request.messages if message["role"] != "system")
        return self._instructions[request.instructions] + sum(map(self._reader.count, others))


def list_reads(book: SegmentedBook, settings: SummarizeSettings, *, llm: LLM, **seams: Any) -> list[Request]:
    """Return the read requests of a book as `summarize_book` sends them, one a window, without asking them.

    Raises:
        BookError: the book has no chapters.
    """
    return _catch_batch(lambda unasked: summarize_book(book, settings, llm=unasked, **seams), llm)


def list_outlines(book: SegmentedBook, settings: OutlineSettings, *, llm: LLM, **seams: Any) -> list[Request]:
    """Return the outline requests of a book as `outline_book` sends them, one a passage; raises as `list_reads`."""
    return _catch_batch(lambda unasked: outline_book(book, settings, llm=unasked, **seams), llm)


def measure_work(
    book: SegmentedBook, settings: SummarizeSettings, *, llm: Engine, reader: Tokenizer, **seams: Any
) -> Pilot:
    """Summarise a work and return what its answers cost; they are kept, so that the build finds them.

    Raises:
        TransientError: the server was busy for longer than the engine's patience; nothing is lost.
    """

    def ask(metered: LLM) -> None:
        summarize_book(book, settings, llm=metered, reader=reader, **seams)

    return _measure(book.book_id, ask, llm, reader)


def measure_outlines(
    book: SegmentedBook, settings: OutlineSettings, *, llm: Engine, reader: Tokenizer, **seams: Any
) -> Pilot:
    """Outline a work, and go on as `measure_work`."""

    def ask(metered: LLM) -> None:
        outline_book(book, settings, llm=metered, **seams)

    return _measure(book.book_id, ask, llm, reader)


def _catch_batch(ask: Callable[[LLM], object], llm: LLM) -> list[Request]:
    try:
        ask(_Unasked(llm))
    except _BatchError as batch:
        return [request for request in batch.requests if request.call in WINDOW_CALLS]
    return []


def _measure(book_id: str, ask: Callable[[LLM], None], llm: Engine, reader: Tokenizer) -> Pilot:
    before, metered = llm.ledger(), _Metered(llm)
    try:
        ask(metered)
    except BookError as error:
        logger.warning("%s; what it cost counts all the same", error)
    after = llm.ledger()
    return Pilot(
        points=_list_points(metered.requests, llm, InputCounter(reader)),
        usage={level: usage for level, usage in after.books.get(book_id, {}).items() if usage.calls},
        concurrency=_measure_concurrency(before, after),
    )


def _list_points(requests: Sequence[Request], engine: Engine, counter: InputCounter) -> dict[str, tuple[Point, ...]]:
    sizes = {request.node: counter.count(request) for request in requests if request.call in WINDOW_CALLS}
    points: dict[str, list[Point]] = defaultdict(list)
    for request in sorted(requests, key=lambda request: (request.call, request.node)):
        if answers := engine.find_stored(request):
            points[request.call].append(Point(sizes.get(request.node, 0), *_sum_tokens(answers)))
    return {level: tuple(found) for level, found in points.items()}


def _sum_tokens(answers: Sequence[StoredAnswer]) -> tuple[int, int, int]:
    return (
        sum(answer.prompt_tokens for answer in answers),
        sum(answer.cached_tokens for answer in answers),
        sum(answer.completion_tokens for answer in answers),
    )


def _measure_concurrency(before: Ledger, after: Ledger) -> float:
    busy_seconds = after.busy_seconds - before.busy_seconds
    return (after.seconds - before.seconds) / busy_seconds if busy_seconds > 0 else 0.0
