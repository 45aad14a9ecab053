"""LLMSettings -> an OpenAI-compatible server: its address, its models, what its errors mean."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from schemas.errors import ConfigError, TransientError
from schemas.settings import LLMSettings

logger = logging.getLogger(__name__)

API_KEY = "SCRIPTORIUM_LLM_API_KEY"  # name of the environment variable
CONNECT_S = 5.0
# counting takes milliseconds; vLLM 0.32 was seen to leave a lone request unanswered until another one came
COUNT_S = 20.0
KEEP_S = 3.0  # vLLM closes an idle connection after 5
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
BUSY = {408, 425, 429, 500, 502, 503, 504}  # 500: vLLM answers so while its engine dies, and comes back
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Server:
    """One model and the replicas that serve it; their URLs end in the version, such as /v1."""

    urls: tuple[str, ...]
    model: str
    max_model_len: int | None  # tokens of prompt and answer, of the smallest replica; only vLLM tells

    def __str__(self) -> str:
        """Return the addresses."""
        return ", ".join(self.urls)


def root_of(url: str) -> str:
    """Return where vLLM has its own pages, such as /tokenize: beside the OpenAI endpoints, not below them."""
    return url.removesuffix("/v1")


def read_urls(urls: str) -> tuple[str, ...]:
    """Return the base URLs of a setting, each once; ConfigError for what is none."""
    return tuple(dict.fromkeys(read_url(url) for url in urls.split(",")))


def read_url(url: str) -> str:
    """Return a base URL with its version and without a closing slash; ConfigError for what is none."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise ConfigError(f"llm.url: {error}: write it like http://127.0.0.1:8000/v1") from error
    if parsed.userinfo or parsed.query or parsed.fragment:  # settings and logs hold no secret
        raise ConfigError(f"llm.url: leave out user, password and what follows a '?'; the key is read from {API_KEY}")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigError(f"llm.url: {url!r} is no URL: write it like http://127.0.0.1:8000/v1, or 'builtin'")
    return str(parsed).rstrip("/") if parsed.path.strip("/") else str(parsed).rstrip("/") + "/v1"


def key_headers() -> dict[str, str]:
    """Return the headers that carry the key, if there is one."""
    key = os.environ.get(API_KEY)
    return {"Authorization": f"Bearer {key}"} if key else {}


def open_sync_client(urls: Sequence[str], timeout_s: float) -> httpx.Client:
    """Return a client for one request at a time; servers on this machine are not asked through a proxy."""
    is_far = any(httpx.URL(url).host not in LOOPBACK for url in urls)
    return httpx.Client(
        headers=key_headers(), timeout=timeout_s, limits=httpx.Limits(keepalive_expiry=KEEP_S), trust_env=is_far
    )


def connect_server(settings: LLMSettings) -> Server:
    """Ask the replicas for their models, and return the model that the settings name or the only one there is.

    ConfigError where no replica answers, where one is no such server, or does not serve the model.
    """
    return _connect(read_urls(settings.url), settings.model, "llm.model")


def connect_fallback(settings: LLMSettings) -> Server | None:
    """Return the fallback model and its replicas, if the settings name one; ConfigError as of `connect_server`."""
    if settings.fallback_model is None and settings.fallback_url is None:
        return None
    return _connect(read_urls(settings.fallback_url or settings.url), settings.fallback_model, "llm.fallback_model")


def _connect(urls: tuple[str, ...], model: str | None, setting: str) -> Server:
    """Return the model as all replicas that answer serve it; one that is away may come later."""
    replicas: dict[str, dict[str, int | None]] = {}
    troubles: list[str] = []
    for url in urls:
        try:
            replicas[url] = read_models(fetch_models(url), url)
        except (httpx.RequestError, TransientError) as error:
            troubles.append(f"no server answers at {url} ({str(error) or type(error).__name__})")
    if not replicas:
        raise ConfigError(f"{'; '.join(troubles)}: start one, or give --llm builtin")
    for trouble in troubles:
        logger.warning("%s, the others go on without it", trouble)
    model = model or _only_model(replicas, setting)
    for url, models in replicas.items():
        if model not in models:
            raise ConfigError(f"{setting}: {url} does not serve {model!r}, it serves: {', '.join(sorted(models))}")
    windows = [window for models in replicas.values() if (window := models[model]) is not None]
    return Server(urls, model, min(windows, default=None))


def _only_model(replicas: Mapping[str, Mapping[str, int | None]], setting: str) -> str:
    url, models = next(iter(replicas.items()))
    if not models:
        raise ConfigError(f"{url} serves no model, load one")
    if len(models) > 1:
        names = ", ".join(sorted(models))
        raise ConfigError(f"{setting}: {url} serves several models, name one of them: {names}")
    return next(iter(models))


def fetch_models(url: str) -> httpx.Response:
    """Return the server's answer to GET /models.

    ConfigError where it refuses, TransientError where it is busy, httpx.RequestError where it is away.
    """
    with open_sync_client([url], CONNECT_S) as client:
        response = client.get(f"{url}/models")
    if response.status_code in (401, 403):
        raise ConfigError(f"{url} refuses the key ({response.status_code}): set {API_KEY}")
    if response.status_code in BUSY:
        raise TransientError(describe_error(response))
    if response.status_code != 200:
        raise ConfigError(f"{url} is no OpenAI-compatible server: /models says {describe_error(response)}")
    return response


def read_models(response: httpx.Response, url: str) -> dict[str, int | None]:
    """Return the served models and their windows in tokens."""
    try:
        return {str(model["id"]): model.get("max_model_len") for model in response.json()["data"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{url} is no OpenAI-compatible server: /models holds no list of models") from error


def describe_error(response: httpx.Response) -> str:
    """Return status and message of an error as one line."""
    try:
        body = response.json()
    except ValueError:
        body = None
    error = body.get("error", body) if isinstance(body, Mapping) else None
    message = error.get("message", error.get("detail", "")) if isinstance(error, Mapping) else error or ""
    return " ".join(f"{response.status_code} {message}".split())[:500]


def wait_before(attempt: int, said: httpx.Response | httpx.RequestError | None) -> float:
    """Return the seconds to wait before try `attempt` + 1: what the server asks for, else doubling, with jitter."""
    asked = said.headers.get("Retry-After", "") if isinstance(said, httpx.Response) else ""
    if asked.isdecimal():
        return min(float(asked), LONGEST_WAIT_S)
    jitter = 0.5 + random.random() / 2
    return min(FIRST_WAIT_S * 2.0**attempt, LONGEST_WAIT_S) * jitter
