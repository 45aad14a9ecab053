"""LLMSettings -> an OpenAI-compatible server: its address, its models, what its errors mean."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

import httpx

from schemas.errors import ConfigError
from schemas.settings import LLMSettings

API_KEY = "SCRIPTORIUM_LLM_API_KEY"  # name of the environment variable
CONNECT_S = 5.0
KEEP_S = 3.0  # vLLM closes an idle connection after 5
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
BUSY = {408, 425, 429, 500, 502, 503, 504}  # 500: vLLM answers so while its engine dies, and comes back
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Server:
    """One model of one server; `url` ends in the version, such as /v1."""

    url: str
    model: str
    max_model_len: int | None  # tokens of prompt and answer; only vLLM tells

    @property
    def tokenize_url(self) -> str:
        """Where vLLM counts tokens: beside the OpenAI endpoints, not below them."""
        return self.url.removesuffix("/v1") + "/tokenize"


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


class ClientOptions(TypedDict):
    """Arguments of an httpx client."""

    headers: dict[str, str]
    limits: httpx.Limits
    trust_env: bool


def client_options(url: str, max_in_flight: int = 1) -> ClientOptions:
    """Return what every client of a server needs; a server on this machine is not asked through a proxy."""
    key = os.environ.get(API_KEY)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    limits = httpx.Limits(max_connections=max_in_flight, keepalive_expiry=KEEP_S)
    return {"headers": headers, "limits": limits, "trust_env": httpx.URL(url).host not in LOOPBACK}


def connect_server(settings: LLMSettings) -> Server:
    """Ask a server for its models, and return the one that the settings name or the only one it serves.

    ConfigError where nobody answers, where it is no such server, or where it does not serve the model.
    """
    url = read_url(settings.url)
    models = read_models(fetch_models(url), url)
    names = ", ".join(sorted(models))
    if not models:
        raise ConfigError(f"{url} serves no model, load one")
    if settings.model is None and len(models) > 1:
        raise ConfigError(f"llm.model: {url} serves several models, name one of them: {names}")
    model = settings.model or next(iter(models))
    if model not in models:
        raise ConfigError(f"llm.model: {url} does not serve {model!r}, it serves: {names}")
    return Server(url, model, models[model])


def fetch_models(url: str) -> httpx.Response:
    """Return the server's answer to GET /models; ConfigError where there is none."""
    try:
        with httpx.Client(timeout=CONNECT_S, **client_options(url)) as client:
            response = client.get(f"{url}/models")
    except httpx.RequestError as error:
        reason = str(error) or type(error).__name__
        raise ConfigError(f"no server answers at {url} ({reason}): start one, or give --llm builtin") from error
    if response.status_code in (401, 403):
        raise ConfigError(f"{url} refuses the key ({response.status_code}): set {API_KEY}")
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


def wait_before(attempt: int, response: httpx.Response | None) -> float:
    """Return the seconds to wait before try `attempt` + 1: what the server asks for, else doubling, with jitter."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    if asked.isdecimal():
        return min(float(asked), LONGEST_WAIT_S)
    jitter = 0.5 + random.random() / 2
    return min(FIRST_WAIT_S * 2.0**attempt, LONGEST_WAIT_S) * jitter
