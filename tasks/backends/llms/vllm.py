"""Requests -> completions of any OpenAI-compatible servers, with the schema as the shape of the answer."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any

import httpx

from schemas.answers import LEVELS
from schemas.errors import ConfigError, PipelineError
from schemas.settings import CostSettings, LLMSettings
from schemas.value import Value
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.engine import DEFAULT_RATES, Engine, schema_of
from tasks.backends.llms.fleet import CHAT_PAGE, Caller, Fleet
from tasks.backends.llms.ladder import OVER_WINDOW, REFUSED, Message
from tasks.backends.llms.question import Completion, Question, UnanswerableError
from tasks.backends.llms.schema_rules import check_schema
from tasks.backends.llms.server import API_KEY, Server, connect_fallback, connect_server, describe_error

logger = logging.getLogger(__name__)

TEMPLATE_BYTES = 1_024  # room for what a chat template adds to short messages
LEAST_SHARE = 0.5  # an answer with less than this share of its tokens is not worth asking for
NAME_CHARS = 16  # of an answer's key, in a request's id
PROBE: list[Message] = [{"role": "user", "content": "Answer in JSON."}]


class VllmLLM(Engine):
    """A model of any OpenAI-compatible servers; ConfigError where none answers or one does not serve the model."""

    def __init__(self, settings: LLMSettings, store: AnswerStore, *, cost: CostSettings = DEFAULT_RATES) -> None:
        try:
            self.server, self.fallback_server = connect_server(settings), connect_fallback(settings)
        except PipelineError:
            store.close()
            raise
        fallback = self.fallback_server.model if self.fallback_server else None
        super().__init__(settings, store, self.server.model, settings.revision, fallback=fallback, cost=cost)
        self._fleet = Fleet(
            settings, [self.server, *([self.fallback_server] if self.fallback_server else [])], self.tally
        )
        self._uncounted: set[Server] = set()  # without /tokenize
        self._checked: set[type[Value]] = set()
        self._probes: dict[Server, asyncio.Task[None]] = {}

    @property
    def trainable(self) -> bool:
        """A model's plans are its own words."""
        return True

    @property
    def max_model_len(self) -> int | None:
        """The window that the server names."""
        return self.server.max_model_len

    async def release(self) -> None:
        """Close the connections."""
        await self._fleet.close()

    async def complete(self, question: Question) -> list[Completion]:
        """Ask a server once for all samples."""
        request = question.request
        server = self.fallback_server if question.attempt.fallback and self.fallback_server else self.server
        self._check_schema(request.schema)
        caller = Caller(request.book_id, request.call, question.urgent, question.keys[0][:NAME_CHARS])
        max_tokens = await self._fit_window(server, question, caller)
        await self._probe_schemas(server)
        make_body = functools.partial(self._make_body, server, question, max_tokens)
        response = await self._fleet.chat(server, make_body, caller)
        if response.status_code != 200:
            raise explain_refusal(response, url_of(response), request.schema)
        return read_completions(response, len(question.keys), url_of(response))

    def _make_body(self, server: Server, question: Question, max_tokens: int) -> dict[str, object]:
        seed = {"seed": question.attempt.seed} if self.settings.send_seed else {}
        return {
            "model": server.model,
            "messages": question.messages,
            "max_tokens": max_tokens,
            "n": len(question.keys),
            "temperature": question.sampling.temperature,
            "top_p": question.sampling.top_p,
            "response_format": format_of(question.request.schema),
            **seed,
        }

    def _check_schema(self, schema: type[Value]) -> None:
        if schema in self._checked:
            return
        if problems := check_schema(schema_of(schema)):
            raise ConfigError(f"the schema {schema.__name__} cannot be held to by a server: {'; '.join(problems)}")
        self._checked.add(schema)

    async def _probe_schemas(self, server: Server) -> None:
        """Let a server see every schema before the first request that is really sent to it.

        A server that is away fails those who wait; the next request probes again.
        """
        probe = self._probes.get(server)
        if probe is None:
            for schema in LEVELS.values():
                self._check_schema(schema)
            probe = self._probes[server] = asyncio.create_task(self._probe_all(server))
            probe.add_done_callback(functools.partial(self._end_probe, server))
        if not probe.done():
            await asyncio.shield(probe)

    def _end_probe(self, server: Server, probe: asyncio.Task[None]) -> None:
        if probe.cancelled() or probe.exception():
            del self._probes[server]

    async def _probe_all(self, server: Server) -> None:
        probes = [asyncio.create_task(self._probe(server, schema)) for schema in LEVELS.values()]
        try:
            await asyncio.gather(*probes)
        finally:
            for probe in probes:
                probe.cancel()
            await asyncio.gather(*probes, return_exceptions=True)

    async def _probe(self, server: Server, schema: type[Value]) -> None:
        body = {"model": server.model, "messages": PROBE, "max_tokens": 1, "response_format": format_of(schema)}
        response = await self._fleet.chat(server, lambda: body, Caller("", "probe", True, f"probe-{schema.__name__}"))
        if response.status_code == 400:
            raise ConfigError(f"{url_of(response)} refuses the schema {schema.__name__}: {describe_error(response)}")
        if response.status_code != 200:
            raise explain_refusal(response, url_of(response), schema)
        usage = read_usage(response.json())
        names = ("prompt_tokens", "cached_tokens", "completion_tokens")
        self.tally.add("", "probe", calls=1, **dict(zip(names, usage, strict=True)))

    async def _fit_window(self, server: Server, question: Question, caller: Caller) -> int:
        """Return the tokens to ask for: fewer than wanted where the prompt leaves no room for more.

        The server cuts in silence where prompt and answer together pass its window.
        """
        window, wanted, messages = server.max_model_len, question.request.max_tokens, question.messages
        num_bytes = sum(len(message["content"].encode()) for message in messages) + TEMPLATE_BYTES
        if window is None or server in self._uncounted or num_bytes + wanted <= window:
            return wanted  # a token is at least a byte
        num_tokens = await self._count_tokens(server, messages, caller)
        room = min(wanted, window - num_tokens) if num_tokens is not None else wanted
        if room < LEAST_SHARE * wanted:
            detail = f"a prompt of {num_tokens} tokens and an answer of {wanted} pass the window of {window}"
            raise UnanswerableError(OVER_WINDOW, detail)
        return room

    async def _count_tokens(self, server: Server, messages: list[Message], caller: Caller) -> int | None:
        """Return the tokens of a prompt in the model's own chat template; None where a server cannot count."""
        response = await self._fleet.count(server, messages, caller)
        try:
            return int(response.json()["count"])
        except (ValueError, KeyError, TypeError):
            self._uncounted.add(server)
            logger.warning("%s has no /tokenize: the window of %s is not watched", server, server.model)
            return None


@functools.cache
def format_of(schema: type[Value]) -> dict[str, object]:
    """Return the form of an answer, as a server is told."""
    shape = {"name": schema.__name__, "schema": schema_of(schema), "strict": True}
    return {"type": "json_schema", "json_schema": shape}


def url_of(response: httpx.Response) -> str:
    """Return the base URL of the server that gave a response."""
    return str(response.url).removesuffix(CHAT_PAGE)


def explain_refusal(response: httpx.Response, url: str, schema: type[Value]) -> Exception:
    """Return what a status that is no 200 means: for this request, or for all."""
    status, said = response.status_code, describe_error(response)
    lowered = said.lower()
    if status in (401, 403):
        return ConfigError(f"{url} refuses the key ({status}): set {API_KEY}")
    if status == 404:
        return ConfigError(f"{url}: {said}")
    if "max_tokens" in lowered or "input_tokens" in lowered or "context length" in lowered:
        return UnanswerableError(OVER_WINDOW, said)
    if "grammar" in lowered or "schema" in lowered or "response_format" in lowered:
        return ConfigError(f"{url} refuses the schema {schema.__name__}: {said}")
    return UnanswerableError(REFUSED, said)


def read_completions(response: httpx.Response, num_samples: int, url: str) -> list[Completion]:
    """Return the samples in their order; ConfigError where a 200 holds something else."""
    try:
        body: dict[str, Any] = response.json()
        choices = sorted(body["choices"], key=lambda choice: int(choice["index"]))
        samples = [(choice["message"]["content"] or "", str(choice["finish_reason"])) for choice in choices]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{url} is no OpenAI-compatible server: its answer holds no choices") from error
    if len(samples) != num_samples:
        raise ConfigError(f"{url} gave {len(samples)} samples, {num_samples} were asked for: it does not know 'n'")
    first, *others = samples
    return [Completion(*first, *read_usage(body)), *(Completion(*sample) for sample in others)]


def read_usage(body: dict[str, Any]) -> tuple[int, int, int]:
    """Return the tokens of the prompt, of its cached part, and of the answer, as far as a server tells."""
    usage = body.get("usage") or {}
    details = usage.get("prompt_tokens_details") or {}
    counts = (usage.get("prompt_tokens"), details.get("cached_tokens"), usage.get("completion_tokens"))
    num_prompt, num_cached, num_completion = (count or 0 for count in counts)
    return num_prompt, num_cached, num_completion
