"""Requests as a mirror wants them: one at a time, apart from each other, only where robots are welcome."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from schemas.corpus_settings import SourceSettings
from schemas.errors import ConfigError, TransientError
from tasks.fetching.soundness import RefusedError

logger = logging.getLogger(__name__)

USER_AGENT = "scriptorium/0.1 (builds data sets of public-domain books; reads mirrors only"
# Gutenberg's site is for people; robots may ask for these two only (its robot policy, and the offline catalogues)
HUMAN_SITE = re.compile(r"(?:(?:www|m|dev)\.)?gutenberg\.(?:org|net)", re.I)
ROBOT_PATH = re.compile(r"/robot/harvest|/cache/epub/feeds/[\w-]+(?:\.[\w-]+)*")
BUSY = {403, 429, 503}  # with Retry-After; 403 is how a mirror says that it was asked too much
MAX_REDIRECTS = 5
MAX_WAITS = 2  # times in a row that a Retry-After is waited for

Asked = httpx.Response


class Turns:
    """One request in flight in this process; each host is asked again only when its time has come."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str, pause_s: float, patience_s: float) -> Iterator[None]:
        """Wait for this host's time, then hold the turn.

        Raises:
            TransientError: that is more than `patience_s` away.
        """
        with self._lock:
            wait_s = self._next.get(host, 0.0) - self._clock()
            if wait_s > max(patience_s, pause_s):
                raise TransientError(f"{host} asked to be left alone until {_moment(wait_s)}; run again then")
            if wait_s > 0:
                self._sleep(wait_s)
            try:
                yield
            finally:
                self.put_off(host, pause_s)

    def put_off(self, host: str, wait_s: float) -> None:
        """Ask a host no earlier than this."""
        self._next[host] = max(self._next.get(host, 0.0), self._clock() + wait_s)


TURNS = Turns()


class PoliteClient:
    """GET, and nothing else. A login in the base URL goes to its own host and into no message."""

    def __init__(self, base: str, settings: SourceSettings, turns: Turns = TURNS) -> None:
        contact = f"; contact: {settings.contact})" if settings.contact else ")"
        self._settings, self._turns = settings, turns
        self._origin = origin_of(base)
        self._hosts = {host.lower().strip(".") for host in settings.hosts}
        self._client = httpx.Client(
            timeout=settings.timeout_s,
            headers={"User-Agent": USER_AGENT + contact, "Accept-Encoding": "identity"},
            limits=httpx.Limits(max_keepalive_connections=0),  # seconds apart, an open line is a burden and goes stale
        )
        url = httpx.URL(base)
        self._login = httpx.BasicAuth(url.username, url.password) if url.userinfo else None

    @contextmanager
    def ask(self, url: str, headers: Mapping[str, str]) -> Iterator[Asked]:
        """Yield the answer to a GET, its body still to be read; redirects and short waits are dealt with.

        Raises:
            FileNotFoundError: 404 or 410.
            RefusedError: `redirect` to where we may not go, or `refused` for good.
            TransientError: the host is busy or away.
            ConfigError: it wants a login.
        """
        waits = hops = 0
        pause_s, patience_s = self._settings.request_interval_s, self._settings.max_retry_after_s
        while True:
            check_robot_url(url)
            host = urlsplit(url).netloc
            with self._turns.turn(host, pause_s, patience_s), self._open(url, headers) as answer:
                if answer.status_code in (200, 206, 304, 416):
                    yield answer
                    return
                if answer.is_redirect:
                    hops += 1
                    url = self._follow(url, answer, hops)
                    continue
                wait_s = retry_after(answer) if answer.status_code in BUSY else None
                if wait_s is None or waits >= MAX_WAITS:
                    raise_status(url, answer.status_code)
                waits += 1
                self._turns.put_off(host, wait_s or 0.0)
                logger.info("%s is busy (status %d) and asks for %.0f s", host, answer.status_code, wait_s)

    @contextmanager
    def _open(self, url: str, headers: Mapping[str, str]) -> Iterator[Asked]:
        login = self._login if origin_of(url) == self._origin else None
        try:
            with self._client.stream("GET", url, headers=dict(headers), auth=login) as answer:
                yield answer
        except httpx.HTTPError as error:
            detail = f"no answer ({type(error).__name__})"
            raise TransientError(f"{shown(url)}: {detail}; is the mirror up?") from error

    def _follow(self, url: str, answer: Asked, hops: int) -> str:
        """Return where a redirect leads, if we may go there."""
        try:
            target = str(httpx.URL(url).join(answer.headers.get("Location", "")))
        except httpx.InvalidURL:
            target = ""
        if hops > MAX_REDIRECTS:
            raise RefusedError("redirect", f"{shown(url)}: more than {MAX_REDIRECTS} redirects")
        if not target or not is_same_site(url, target, self._hosts):
            detail = f"{shown(url)} redirects to {shown(target) or 'nowhere'}, another host"
            raise RefusedError("redirect", f"{detail}; if that is a mirror, name it in source.hosts")
        return target


def check_robot_url(url: str) -> None:
    """Pass over a URL that a robot may ask for.

    Raises:
        RefusedError: `human-site`.
    """
    parts = urlsplit(url)
    if HUMAN_SITE.fullmatch((parts.hostname or "").rstrip(".")) and not ROBOT_PATH.fullmatch(parts.path):
        raise RefusedError(
            "human-site", f"{shown(url)}: this site is for people only; use a mirror of Project Gutenberg"
        )


def is_same_site(url: str, target: str, hosts: set[str]) -> bool:
    """Return whether a redirect stays: the same host and port, or its https, or a host that the settings allow."""
    here, there = urlsplit(url), urlsplit(target)
    if there.scheme not in ("http", "https") or (here.scheme, there.scheme) == ("https", "http"):
        return False
    if (there.hostname or "").rstrip(".") in hosts:
        return True
    return there.hostname == here.hostname and (origin_of(url)[2] == origin_of(target)[2] or _is_upgrade(url, target))


def origin_of(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a URL."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise ConfigError(f"{shown(url)}: no URL: {error}") from error


def shown(url: str) -> str:
    """Return a URL as messages may show it: without login and query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def retry_after(answer: Asked) -> float | None:
    """Return the seconds that a busy host asks for, as a number or as a date by its own clock; or None."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    moment = _date(value)
    if moment is None:
        return None
    now = _date(answer.headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def raise_status(url: str, status: int) -> None:
    """Raise the error that a status means."""
    if status in (404, 410):
        raise FileNotFoundError(shown(url))
    if status in (401, 407):
        raise ConfigError(f"{shown(url)}: status {status}: it wants a login, as in https://user:password@host/")
    if status in (403, 408, 425, 429) or status >= 500:
        raise TransientError(f"{shown(url)}: status {status}; the mirror is busy, run again later")
    raise RefusedError("refused", f"{shown(url)}: status {status}")


def _is_upgrade(url: str, target: str) -> bool:
    return (origin_of(url)[0], origin_of(url)[2], origin_of(target)[0], origin_of(target)[2]) == (
        "http",
        80,
        "https",
        443,
    )


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(wait_s: float) -> str:
    then = datetime.now(UTC) + timedelta(seconds=min(wait_s, 1e8))
    return f"{then:%Y-%m-%d %H:%M:%S} UTC ({wait_s:.0f} s from now)"
