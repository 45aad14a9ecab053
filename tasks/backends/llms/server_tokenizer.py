"""Text -> number of tokens, counted by the server that will read it."""

from __future__ import annotations

import functools
import hashlib
import json
import time

import httpx

from schemas.errors import ConfigError, PipelineError, TransientError
from schemas.settings import LLMSettings
from tasks.backends.llms.server import (
    BUSY,
    COUNT_S,
    connect_server,
    describe_error,
    open_sync_client,
    root_of,
    wait_before,
)

NUM_CACHED = 65_536  # texts whose counts are kept
# exercises a vocabulary: words long and rare, case, digits, runs of white space, dashes, accents, other scripts
PROBE = (
    "It was the lighthouse-keeper's idea; nobody else would have thought of counter-revolutionary hens.\n\n"
    "\u201cTwenty-one!\u201d cried M\u00e9lisande\u2014and 1234567890 gulls    rose, \u00c6gean-wards.\t_Why_ not? "
    '\u0413\u0434\u0435 \u4f60\u597d \u03b1\u03b2\u03b3 \U0001f600 {"key": [1, 2.5e-3]}'
)


class ServerTokenizer:
    """Counts of a server's /tokenize; its identity is the model and the hash of the tokens of a fixed text."""

    def __init__(self, settings: LLMSettings) -> None:
        self._server = connect_server(settings)
        self._num_tries = settings.connect_attempts
        self._client = open_sync_client(self._server.urls, min(settings.timeout_s, COUNT_S))
        self._count = functools.lru_cache(NUM_CACHED)(lambda text: len(self._tokenize(text)))
        try:
            tokens = json.dumps(self._tokenize(PROBE))
        except PipelineError:
            self.close()
            raise
        self._identity = f"server:{self._server.model}:{hashlib.sha256(tokens.encode()).hexdigest()}"

    @property
    def identity(self) -> str:
        """The model's name and a fingerprint of its vocabulary."""
        return self._identity

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`, without those that a chat or a sequence adds.

        A server reads a control token that is spelled out in the text as what it is.
        """
        return self._count(text)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _tokenize(self, text: str) -> list[int]:
        """Return token ids; ConfigError where a server cannot count, TransientError where all stay away."""
        body = {"model": self._server.model, "prompt": text, "add_special_tokens": False}
        trouble = ""
        for attempt in range(self._num_tries):
            response: httpx.Response | None = None
            for url in self._server.urls:
                try:
                    response = self._client.post(f"{root_of(url)}/tokenize", json=body)
                except httpx.RequestError as error:
                    trouble = str(error) or type(error).__name__
                    continue
                if response.status_code not in BUSY:
                    return read_tokens(response, url)
                trouble = describe_error(response)
            if attempt + 1 < self._num_tries:
                time.sleep(wait_before(attempt, response))
        raise TransientError(f"{self._server} did not count tokens in {self._num_tries} tries: {trouble}", retried=True)


def read_tokens(response: httpx.Response, url: str) -> list[int]:
    """Return the token ids of an answer of /tokenize; ConfigError where there are none."""
    try:
        if response.status_code == 200:
            return [int(token) for token in response.json()["tokens"]]
    except (ValueError, KeyError, TypeError):
        pass
    raise ConfigError(f"{url} has no /tokenize ({describe_error(response)}): name a tokenizer with --reader-tokenizer")
