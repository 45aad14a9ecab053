"""Requests -> completions of any OpenAI-compatible server, with the schema as the shape of the answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import httpx

from schemas.errors import ConfigError, PipelineError, TransientError
from schemas.settings import LLMSettings
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.engine import Completion, Engine, UnanswerableError, schema_of
from tasks.backends.llms.schema_rules import check_schema
from tasks.backends.llms.server import (
    API_KEY,
    BUSY,
    CONNECT_S,
    client_options,
    connect_server,
    describe_error,
    wait_before,
)
from tasks.protocols import Request

logger = logging.getLogger(__name__)

TEMPLATE_BYTES = 1_024  # room for what a chat template adds to short messages
LEAST_SHARE = 0.5  # an answer with less than this share of its tokens is not worth asking for


class VllmLLM(Engine):
    """A model of any OpenAI-compatible server; ConfigError where none answers or it does not serve the model."""

    def __init__(self, settings: LLMSettings, store: AnswerStore) -> None:
        try:
            self.server = connect_server(settings)
        except PipelineError:
            store.close()
            raise
        self._counts_tokens = self.server.max_model_len is not None
        self._checked: set[str] = set()
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.timeout_s, connect=CONNECT_S, pool=None),
            **client_options(self.server.url, settings.max_in_flight),
        )
        super().__init__(settings, store, self.server.model, settings.revision)

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
        await self._client.aclose()

    async def complete(
        self, request: Request, messages: list[dict[str, str]], seed: int, num_samples: int
    ) -> list[Completion]:
        """Ask the server once for all samples."""
        self._check_schema(request)
        body: dict[str, object] = {
            "model": self.server.model,
            "messages": messages,
            "max_tokens": await self._fit_window(request, messages),
            "n": num_samples,
            "temperature": self.settings.temperature,
            "top_p": self.settings.top_p,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": request.schema.__name__, "schema": schema_of(request.schema), "strict": True},
            },
        }
        if self.settings.send_seed:
            body["seed"] = seed
        response = await self._post(f"{self.server.url}/chat/completions", body, request)
        return read_completions(response, num_samples, self.server.url)

    def _check_schema(self, request: Request) -> None:
        name = request.schema.__name__
        if name not in self._checked and (problems := check_schema(schema_of(request.schema))):
            raise ConfigError(f"the schema {name} cannot be held to by a server: {'; '.join(problems)}")
        self._checked.add(name)

    async def _fit_window(self, request: Request, messages: list[dict[str, str]]) -> int:
        """Return the tokens to ask for: fewer than wanted where the prompt leaves no room for more.

        The server cuts in silence where prompt and answer together pass its window.
        """
        window, wanted = self.server.max_model_len, request.max_tokens
        num_bytes = sum(len(message["content"].encode()) for message in messages) + TEMPLATE_BYTES
        if window is None or not self._counts_tokens or num_bytes + wanted <= window:
            return wanted  # a token is at least a byte
        num_tokens = await self._count_tokens(request, messages)
        room = min(wanted, window - num_tokens) if num_tokens is not None else wanted
        if room < LEAST_SHARE * wanted:
            detail = f"a prompt of {num_tokens} tokens and an answer of {wanted} pass the window of {window}"
            raise UnanswerableError("over-window", detail)
        return room

    async def _count_tokens(self, request: Request, messages: list[dict[str, str]]) -> int | None:
        """Return the tokens of a prompt in the model's own chat template; None where the server cannot count."""
        body = {"model": self.server.model, "messages": messages}
        try:
            response = await self._post(self.server.tokenize_url, body, request)
            return int(response.json()["count"])
        except (ConfigError, ValueError, KeyError, TypeError):
            self._counts_tokens = False
            logger.warning("%s has no /tokenize: the window of %s is not watched", self.server.url, self.server.model)
            return None

    async def _post(self, url: str, body: Mapping[str, object], request: Request) -> httpx.Response:
        """Return a 200, whatever it takes: busy or away is waited for, a refusal is raised."""
        trouble = ""
        for attempt in range(self.settings.connect_attempts):
            response: httpx.Response | None = None
            try:
                response = await self._client.post(url, json=body)
            except httpx.RequestError as error:
                trouble = str(error) or type(error).__name__
            else:
                if response.status_code == 200:
                    return response
                if response.status_code not in BUSY:
                    raise self._refusal(response, request)
                trouble = describe_error(response)
            if attempt + 1 < self.settings.connect_attempts:
                await asyncio.sleep(wait_before(attempt, response))
        tries = self.settings.connect_attempts
        raise TransientError(
            f"book {request.book_id}: {self.server.url} did not answer in {tries} tries: {trouble}", retried=True
        )

    def _refusal(self, response: httpx.Response, request: Request) -> Exception:
        """Return what a status that is no 200 means: for this request, or for all."""
        status, said = response.status_code, describe_error(response)
        lowered = said.lower()
        if status in (401, 403):
            return ConfigError(f"{self.server.url} refuses the key ({status}): set {API_KEY}")
        if status == 404:
            return ConfigError(f"{self.server.url}: {said}")
        if "max_tokens" in lowered or "input_tokens" in lowered or "context length" in lowered:
            return UnanswerableError("over-window", said)
        if "grammar" in lowered or "schema" in lowered or "response_format" in lowered:
            return ConfigError(f"{self.server.url} refuses the schema {request.schema.__name__}: {said}")
        return UnanswerableError("refused", said)


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
    usage = body.get("usage") or {}
    details = usage.get("prompt_tokens_details") or {}
    counts = (usage.get("prompt_tokens"), details.get("cached_tokens"), usage.get("completion_tokens"))
    first, *others = samples
    return [Completion(*first, *(count or 0 for count in counts)), *(Completion(*sample) for sample in others)]
