"""Files that were downloaded, kept in a store with what the server said of them: asked for once, checked, resumed."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import httpx

from schemas.errors import TransientError
from tasks.backends.sources.polite import Asked, PoliteClient, shown
from tasks.fetching.soundness import check_size
from tasks.protocols import Store

logger = logging.getLogger(__name__)

MAX_PARTS = 3  # requests in a row for one file while each brings more of it

Check = Callable[[bytes], None]  # raises RefusedError for what is not worth keeping

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class _ChangedError(Exception):
    """The part that is kept does not fit what the server has now."""


@dataclass(frozen=True)
class Head:
    """What the server said of a file."""

    url: str
    etag: str | None = None
    last_modified: str | None = None

    @property
    def validator(self) -> str | None:
        """A strong one, as If-Range needs it (RFC 9110, 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


@dataclass(frozen=True)
class Kept:
    """A file, or the first part of one."""

    head: Head
    data: bytes
    whole: bool = True


class Downloads:
    """Files by URL. In the store a file is one value: a line of JSON, then its bytes; never half-written."""

    def __init__(self, client: PoliteClient, cache: Store, max_bytes: int, seconds: float) -> None:
        self._client, self._cache = client, cache
        self._max_bytes, self._seconds = max_bytes, seconds

    def kept(self, url: str) -> bytes:
        """Return a file that was downloaded before; FileNotFoundError where there is none."""
        kept = self._load(url, "file")
        if kept is None:
            raise FileNotFoundError(shown(url))
        return kept.data

    def get(self, url: str, check: Check) -> bytes:
        """Return a file, downloaded if it is not kept.

        Raises:
            FileNotFoundError: the server has none.
            RefusedError: it is too large, no file of this kind, or lies where we may not go.
            TransientError: the server is busy, away, or broke off; what came is kept, and the next call goes on there.
        """
        kept = self._load(url, "file")
        if kept is None:
            kept = self._receive(url, None, check)
            self._save(kept, "file")
        return kept.data

    def refresh(self, url: str, check: Check) -> bool:
        """Ask whether a file has changed, and take the new one; True where its bytes did. Raises as `get` does."""
        old = self._load(url, "file")
        try:
            new = self._receive(url, old, check)
        except FileNotFoundError:
            self._cache.delete(_key(url, "file"))
            raise
        if new is not old:
            self._save(new, "file")
        return old is None or new.data != old.data

    def _receive(self, url: str, old: Kept | None, check: Check) -> Kept:
        """Download a file, in parts if need be; return `old` where the server says that it is still so."""
        part = self._load(url, "part")
        for _ in range(MAX_PARTS):
            try:
                got = self._ask(url, old, part)
            except _ChangedError:
                self._cache.delete(_key(url, "part"))
                part = None
                continue
            if got is None or got.whole:
                if part is not None:
                    self._cache.delete(_key(url, "part"))
                if got is not None:
                    check(got.data)
                return got or old or _never(url)
            gained = len(got.data) > len(part.data if part else b"")
            part = got if got.head.validator else None
            if part is not None and gained:
                self._save(part, "part")
            elif not gained:
                break
        raise TransientError(f"{shown(url)}: the mirror broke off; the next try goes on where it did")

    def _ask(self, url: str, old: Kept | None, part: Kept | None) -> Kept | None:
        headers = {}
        if part and part.head.validator:
            headers = {"Range": f"bytes={len(part.data)}-", "If-Range": part.head.validator}
        elif old:
            known = {"If-None-Match": old.head.etag, "If-Modified-Since": old.head.last_modified}
            headers = {name: value for name, value in known.items() if value}
        with self._client.ask(url, headers) as answer:
            head = Head(url, answer.headers.get("ETag"), answer.headers.get("Last-Modified"))
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return None
            if answer.status_code == httpx.codes.OK:
                return self._read(Kept(head, b""), answer)
            if part is None or answer.status_code != httpx.codes.PARTIAL_CONTENT or not continues(part, head, answer):
                raise _ChangedError
            return self._read(replace(part, head=head), answer)

    def _read(self, start: Kept, answer: Asked) -> Kept:
        """Read a body to its end or to where it breaks off, and no further than the limit."""
        body = bytearray(start.data)
        announced = answer.headers.get("Content-Length", "")
        check_size(len(body) + (int(announced) if announced.isdecimal() else 0), self._max_bytes)
        deadline = time.monotonic() + self._seconds
        try:
            for piece in answer.iter_raw():
                body += piece
                check_size(len(body), self._max_bytes, "an answer without end")
                if time.monotonic() > deadline:
                    logger.warning("%s: not done in %.0f s", shown(start.head.url), self._seconds)
                    return Kept(start.head, bytes(body), whole=False)
        except httpx.TransportError as error:
            logger.warning("%s: broke off after %d bytes (%s)", shown(start.head.url), len(body), type(error).__name__)
            return Kept(start.head, bytes(body), whole=False)
        return Kept(start.head, bytes(body))

    def _load(self, url: str, kind: str) -> Kept | None:
        """Return what is kept; what is damaged counts as none."""
        try:
            line, _, data = self._cache.get(_key(url, kind)).partition(b"\n")
            said = json.loads(line)
            if said.pop("sha256") == hashlib.sha256(data).hexdigest():
                return Kept(Head(url, said["etag"], said["last_modified"]), data)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            logger.warning("%s: what was kept of it is damaged; it is fetched again", shown(url))
        return None

    def _save(self, kept: Kept, kind: str) -> None:
        said = {**asdict(kept.head), "url": shown(kept.head.url), "sha256": hashlib.sha256(kept.data).hexdigest()}
        self._cache.put(_key(kept.head.url, kind), json.dumps(said).encode() + b"\n" + kept.data)


def continues(part: Kept, head: Head, answer: Asked) -> bool:
    """Return whether a partial answer begins where the part ends, and is of the same file."""
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    same = all(
        new is None or new == old
        for new, old in ((head.etag, part.head.etag), (head.last_modified, part.head.last_modified))
    )
    return found is not None and int(found[1]) == len(part.data) and same


def _key(url: str, kind: str) -> str:
    return f"download/{hashlib.sha256(url.encode()).hexdigest()}.{kind}"


def _never(url: str) -> Kept:
    raise TransientError(f"{shown(url)}: the server says that nothing changed, of a file that was never asked for")
