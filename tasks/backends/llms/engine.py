"""Requests -> answers or failures: one asyncio loop in a thread of its own behind the synchronous `LLM` seam."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from schemas.errors import TransientError
from schemas.ledger import Ledger
from schemas.settings import LLMSettings
from schemas.value import Value
from tasks.backends.answers import AnswerStore, Sampling, StoredAnswer, answer_key
from tasks.backends.llms.ladder import Accepted, Attempt, Refused, hash_rules, judge, next_attempt
from tasks.protocols import Answer, Failure, Request

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Completion:
    """One sample as the model gave it; of several samples of a request, the first carries its token counts."""

    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


class UnanswerableError(Exception):
    """A request that can never be answered as it stands; others can."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass
class Counts:
    """What the answers cost so far; written by the loop's thread alone."""

    calls: int = 0
    replayed: int = 0
    refused: int = 0
    lenient: int = 0
    failures: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def add(self, completions: Sequence[Completion], seconds: float) -> None:
        """Count one call and its samples."""
        self.calls += 1
        self.seconds += seconds
        self.prompt_tokens += sum(completion.prompt_tokens for completion in completions)
        self.cached_tokens += sum(completion.cached_tokens for completion in completions)
        self.completion_tokens += sum(completion.completion_tokens for completion in completions)


@functools.cache
def schema_of(answer: type[Value]) -> dict[str, object]:
    """Return the JSON schema of an answer's class, as it is sent and as it is part of the key."""
    return answer.model_json_schema()


class Engine(ABC):
    """An LLM: looks answers up, asks for the others, keeps them, accepts them or climbs the repair ladder.

    A subclass says how a model is asked (`complete`). `answer` may be called by several threads at once. The
    engine owns its store and closes it.
    """

    def __init__(self, settings: LLMSettings, store: AnswerStore, model: str, revision: str | None) -> None:
        self.settings = settings
        self.sampling = Sampling(model, revision, settings.temperature, settings.top_p)
        self._store = store
        self._rules = hash_rules()
        self._counts = Counts()
        self._slots = asyncio.Semaphore(settings.max_in_flight)
        self._flights: dict[tuple[str, int, int], asyncio.Task[list[StoredAnswer]]] = {}
        self._sending, self._closed = threading.Lock(), False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm", daemon=True)
        self._thread.start()

    @abstractmethod
    async def complete(
        self, request: Request, messages: list[dict[str, str]], seed: int, num_samples: int
    ) -> list[Completion]:
        """Ask the model once, and return exactly `num_samples` samples.

        UnanswerableError where this request can never be answered, ConfigError where none can,
        TransientError where the model did not answer, however often it was tried.
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

    def keyed(self, request: Request, messages: list[dict[str, str]]) -> list[dict[str, str]]:
        """Return what shapes an answer, for its key: the messages, unless a subclass reads something else."""
        return messages

    @property
    def identity(self) -> str:
        """Model, revision, sampling and rules of acceptance: what shapes a value; no URL, no secret."""
        drawn = f"temperature={self.sampling.temperature} top_p={self.sampling.top_p} seed={self.settings.seed}"
        return f"{self.sampling.model}@{self.sampling.revision or '-'} {drawn} rules={self._rules}"

    def ledger(self) -> Ledger:
        """Return what the answers cost so far."""
        return Ledger.model_validate(vars(self._counts))

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
            future = asyncio.run_coroutine_threadsafe(self._answer_all(requests), self._loop)
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

    async def _answer_all(self, requests: Sequence[Request]) -> list[Answer | Failure]:
        tasks = [asyncio.create_task(self._climb(request)) for request in requests]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:  # of a batch that fails, nothing goes on
                task.cancel()

    async def _climb(self, request: Request) -> Answer | Failure:
        """Ask until an answer is accepted or the ladder is spent."""
        attempt: Attempt | None = Attempt(request.messages, self.settings.seed)
        num_samples, text, refused = request.num_samples, "", Refused("", ())
        while attempt is not None:
            try:
                answers = await self._ask(request, attempt, num_samples)
            except UnanswerableError as error:
                refused = Refused(error.reason, (error.detail,))
                if attempt.messages == request.messages:  # a repair may be too long where the request is not
                    break
            else:
                verdicts = [judge(request, answer.text, answer.finish_reason) for answer in answers]
                if values := self._count_verdicts(verdicts):
                    return await self._follow(request, Answer(values))
                text, refused = answers[0].text, next(verdict for verdict in verdicts if isinstance(verdict, Refused))
            attempt, num_samples = next_attempt(request, attempt, text, refused), 1
        self._counts.failures += 1
        detail = "; ".join(refused.problems)
        logger.warning("book %s: %s, %s: %s: %s", request.book_id, request.node, request.call, refused.reason, detail)
        return Failure(refused.reason, detail)

    async def _follow(self, request: Request, answer: Answer) -> Answer:
        """Ask what comes after an answer, while the server still has the prefix."""
        if request.then is None:
            return answer
        return Answer(answer.samples, tuple(await self._answer_all(request.then(answer))))

    def _count_verdicts(self, verdicts: Sequence[Accepted | Refused]) -> tuple[Value, ...]:
        accepted = [verdict for verdict in verdicts if isinstance(verdict, Accepted)]
        self._counts.refused += len(verdicts) - len(accepted)
        self._counts.lenient += sum(verdict.lenient for verdict in accepted)
        return tuple(verdict.value for verdict in accepted)

    async def _ask(self, request: Request, attempt: Attempt, num_samples: int) -> list[StoredAnswer]:
        """Return the samples from the store, from the same question already in flight, or from the model."""
        schema, messages = schema_of(request.schema), self.keyed(request, attempt.messages)
        keys = [answer_key(self.sampling, messages, schema, attempt.seed, index) for index in range(num_samples)]
        found = self._store.get_many(keys)
        if all(key in found and found[key].serves(request.max_tokens) for key in keys):
            self._counts.replayed += num_samples
            return [found[key] for key in keys]
        flight = (keys[0], num_samples, request.max_tokens)
        if flight not in self._flights:
            self._flights[flight] = asyncio.create_task(self._fetch(request, attempt, keys))
            self._flights[flight].add_done_callback(functools.partial(self._land, flight))
        return await asyncio.shield(self._flights[flight])  # who waits may be cancelled, the others still wait

    def _land(self, flight: tuple[str, int, int], task: asyncio.Task[list[StoredAnswer]]) -> None:
        del self._flights[flight]
        if not task.cancelled():
            task.exception()  # seen, even when everybody who waited is gone

    async def _fetch(self, request: Request, attempt: Attempt, keys: list[str]) -> list[StoredAnswer]:
        """Ask the model, and keep what it says before anything else is done with it.

        What the store then holds is returned: another process may have kept its answer to this question first.
        """
        async with self._slots:
            start = time.monotonic()
            completions = await self.complete(request, attempt.messages, attempt.seed, len(keys))
            self._counts.add(completions, time.monotonic() - start)
        arrived = [StoredAnswer(max_tokens=request.max_tokens, **vars(completion)) for completion in completions]
        await asyncio.wrap_future(self._store.put_later(dict(zip(keys, arrived, strict=True))))
        kept = self._store.get_many(keys)
        return [kept[key] for key in keys]
