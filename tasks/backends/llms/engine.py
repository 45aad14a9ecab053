"""Requests -> answers or failures: one asyncio loop in a thread of its own behind the synchronous `LLM` seam."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from schemas.errors import BudgetError, TransientError
from schemas.ledger import Ledger
from schemas.settings import CostSettings, LLMSettings
from schemas.value import Value
from tasks.backends.answers import AnswerStore, Sampling, StoredAnswer, answer_key
from tasks.backends.llms.ladder import RUNAWAY, Accepted, Attempt, Message, Refused, hash_rules, judge, next_attempt
from tasks.backends.llms.question import Completion, Question, UnanswerableError
from tasks.backends.llms.tally import Tally
from tasks.protocols import Answer, Failure, Request

logger = logging.getLogger(__name__)

MAX_TEXT = 2_000  # characters of a refused answer that a failure shows; the answer store has it whole
DEFAULT_RATES = CostSettings()


@dataclass
class Flight:
    """A question that is being asked, and how many wait for its answer."""

    task: asyncio.Task[list[StoredAnswer]]
    num_waiting: int = 0


@functools.cache
def schema_of(answer: type[Value]) -> dict[str, object]:
    """Return the JSON schema of an answer's class, as it is sent and as it is part of the key."""
    return answer.model_json_schema()


class Engine(ABC):
    """An LLM: looks answers up, asks for the others, keeps them, accepts them or climbs the repair ladder.

    A subclass says how a model is asked (`complete`). `answer` may be called by several threads at once. The
    engine owns its store and closes it.
    """

    def __init__(
        self,
        settings: LLMSettings,
        store: AnswerStore,
        model: str,
        revision: str | None,
        *,
        fallback: str | None = None,
        cost: CostSettings = DEFAULT_RATES,
    ) -> None:
        self.settings = settings
        self.sampling = Sampling(model, revision, settings.temperature, settings.top_p)
        self.fallback = replace(self.sampling, model=fallback, revision=None) if fallback else None
        self.tally = Tally(cost, settings.num_processes)
        self._store = store
        self._rules = hash_rules()
        self._flights: dict[tuple[str, int, int], Flight] = {}
        self._sending, self._closed = threading.Lock(), False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm", daemon=True)
        self._thread.start()

    @abstractmethod
    async def complete(self, question: Question) -> list[Completion]:
        """Ask the model once, and return exactly one sample for each key of the question.

        UnanswerableError where this request can never be answered, ConfigError where none can,
        TransientError where the model did not answer, however often it was tried, or the budget is spent.
        """

    @property
    @abstractmethod
    def trainable(self) -> bool:
        """Whether plans by this model may be trained on."""

    @property
    def max_model_len(self) -> int | None:
        """Tokens of prompt and answer together that the model can hold, where it has such a limit."""
        return None

    async def release(self) -> None:  # noqa: B027 - a hook: most engines hold nothing
        """Let go of what a subclass holds open, in the loop's thread."""

    def keyed(self, request: Request, messages: list[Message]) -> list[Message]:
        """Return what shapes an answer, for its key: the messages, unless a subclass reads something else."""
        return messages

    @property
    def identity(self) -> str:
        """Model, revision, sampling, fallback and rules of acceptance: what shapes a value; no URL, no secret."""
        drawn = f"temperature={self.sampling.temperature} top_p={self.sampling.top_p} seed={self.settings.seed}"
        fallback = f" fallback={self.fallback.model}" if self.fallback else ""
        return f"{self.sampling.model}@{self.sampling.revision or '-'} {drawn}{fallback} rules={self._rules}"

    def ledger(self) -> Ledger:
        """Return what the answers cost so far."""
        return self.tally.ledger()

    def find_stored(self, request: Request) -> list[StoredAnswer]:
        """Return what the store holds of a request's first try: all of its samples, or nothing."""
        messages, schema = self.keyed(request, request.messages), schema_of(request.schema)
        indices = range(request.num_samples)
        keys = [answer_key(self.sampling, messages, schema, self.settings.seed, index) for index in indices]
        found = self._store.get_many(keys)
        return [found[key] for key in keys] if len(found) == len(keys) else []

    def answer(self, requests: Sequence[Request]) -> list[Answer | Failure]:
        """Return an answer or a failure for each request, in their order.

        ConfigError where the server refuses for good or the answer store cannot be written, TransientError
        where the server stayed busy or away, or the engine was closed meanwhile.
        """
        with self._sending:
            if self._closed:
                raise TransientError("the engine is closed")
            future = asyncio.run_coroutine_threadsafe(self._serve(requests), self._loop)
        try:
            return future.result()
        except CancelledError as error:
            raise TransientError("the engine was closed before it had answered") from error
        except BaseException:
            future.cancel()  # interrupted: nobody waits for the answers any more
            raise

    def close(self) -> None:
        """Cancel what is in flight, keep what has arrived, and leave nothing running."""
        with self._sending:
            if self._closed:
                return
            self._closed = True
            shut = asyncio.run_coroutine_threadsafe(self._shut(), self._loop)
        shut.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._store.close()

    def __enter__(self) -> Self:
        """Return the engine."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the engine."""
        self.close()

    async def _shut(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.release()

    async def _serve(self, requests: Sequence[Request]) -> list[Answer | Failure]:
        try:
            return await self._answer_all(requests)
        except asyncio.CancelledError:  # the caller was interrupted: what nobody waits for is not worth its tokens
            for name in [name for name, flight in self._flights.items() if not flight.num_waiting]:
                self._flights.pop(name).task.cancel()
            raise

    async def _answer_all(self, requests: Sequence[Request], urgent: bool = False) -> list[Answer | Failure]:
        tasks = [asyncio.create_task(self._climb(request, urgent)) for request in requests]
        try:
            return await asyncio.gather(*tasks)
        except BudgetError:  # what is in flight is paid for: let it arrive
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        finally:
            for task in tasks:  # of a batch that fails, nothing more is asked
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _climb(self, request: Request, urgent: bool) -> Answer | Failure:
        """Ask until an answer is accepted or the ladder is spent."""
        attempt: Attempt | None = Attempt(self.settings.seed)
        num_samples, text, refused, keys = request.num_samples, "", Refused("", ()), list[str]()
        while attempt is not None:
            question = self._put(request, attempt, num_samples, urgent or bool(keys))
            try:
                answers, is_new = await self._ask(question)
            except UnanswerableError as error:
                refused = Refused(error.reason, (error.detail,))
            else:
                verdicts = [judge(request, answer.text, answer.finish_reason) for answer in answers]
                self._count_verdicts(request, answers, verdicts, is_new)
                if values := tuple(verdict.value for verdict in verdicts if isinstance(verdict, Accepted)):
                    return await self._follow(request, Answer(values))
                keys += question.keys
                text, refused = answers[0].text, next(verdict for verdict in verdicts if isinstance(verdict, Refused))
            attempt, num_samples = next_attempt(attempt, text, refused, self.fallback is not None), 1
        self.tally.add(request.book_id, request.call, failures=1)
        detail = "; ".join(refused.problems)
        logger.warning("book %s: %s, %s: %s: %s", request.book_id, request.node, request.call, refused.reason, detail)
        return Failure(refused.reason, detail, tuple(keys), text[:MAX_TEXT])

    async def _follow(self, request: Request, answer: Answer) -> Answer:
        """Ask what comes after an answer, while the server still has the prefix."""
        if request.then is None:
            return answer
        return Answer(answer.samples, tuple(await self._answer_all(request.then(answer), urgent=True)))

    def _put(self, request: Request, attempt: Attempt, num_samples: int, urgent: bool) -> Question:
        sampling = attempt.drawn(self.fallback if attempt.fallback and self.fallback else self.sampling)
        messages, schema = self.keyed(request, attempt.messages(request)), schema_of(request.schema)
        keys = (answer_key(sampling, messages, schema, attempt.seed, index) for index in range(num_samples))
        return Question(request, attempt, sampling, tuple(keys), urgent)

    def _count_verdicts(
        self,
        request: Request,
        answers: Sequence[StoredAnswer],
        verdicts: Sequence[Accepted | Refused],
        is_new: bool,
    ) -> None:
        """Count what was refused; of the tokens of several samples, each has its share by characters."""
        refused = [verdict for verdict in verdicts if isinstance(verdict, Refused)]
        lenient = sum(verdict.lenient for verdict in verdicts if isinstance(verdict, Accepted))
        if not refused and not lenient:
            return
        sizes = [len(answer.text) + 1 for answer in answers]
        wasted = sum(size for size, verdict in zip(sizes, verdicts, strict=True) if isinstance(verdict, Refused))
        num_tokens = sum(answer.completion_tokens for answer in answers)
        self.tally.add(
            request.book_id,
            request.call,
            refused=len(refused),
            runaways=sum(verdict.reason == RUNAWAY for verdict in refused),
            lenient=lenient,
            wasted_tokens=round(num_tokens * wasted / sum(sizes)) if is_new else 0,
        )

    async def _ask(self, question: Question) -> tuple[list[StoredAnswer], bool]:
        """Return the samples from the store, from the same question in flight, or from the model: new ones."""
        keys, max_tokens = question.keys, question.request.max_tokens
        found = self._store.get_many(keys)
        if all(key in found and found[key].serves(max_tokens) for key in keys):
            self.tally.add(question.request.book_id, question.request.call, replayed=len(keys))
            return [found[key] for key in keys], False
        name = (keys[0], len(keys), max_tokens)
        flight = self._flights.get(name)
        is_new = flight is None
        if flight is None:
            flight = self._flights[name] = Flight(asyncio.create_task(self._fetch(question)))
            flight.task.add_done_callback(functools.partial(self._land, name))
        flight.num_waiting += 1
        try:
            return await asyncio.shield(flight.task), is_new  # who waits may be cancelled, the others still wait
        finally:
            flight.num_waiting -= 1

    def _land(self, name: tuple[str, int, int], task: asyncio.Task[list[StoredAnswer]]) -> None:
        if (flight := self._flights.get(name)) and flight.task is task:
            del self._flights[name]
        if not task.cancelled():
            task.exception()  # seen, even when everybody who waited is gone

    async def _fetch(self, question: Question) -> list[StoredAnswer]:
        """Ask the model, and keep what it says before anything else is done with it.

        What the store then holds is returned: another process may have kept its answer to this question first.
        """
        completions, request = await self.complete(question), question.request
        self.tally.add(
            request.book_id,
            request.call,
            calls=1,
            prompt_tokens=sum(completion.prompt_tokens for completion in completions),
            cached_tokens=sum(completion.cached_tokens for completion in completions),
            completion_tokens=sum(completion.completion_tokens for completion in completions),
        )
        arrived = [StoredAnswer(max_tokens=request.max_tokens, **vars(completion)) for completion in completions]
        await asyncio.wrap_future(self._store.put_later(dict(zip(question.keys, arrived, strict=True))))
        kept = self._store.get_many(question.keys)
        return [kept[key] for key in question.keys]
