"""As much of HTTP/1.1 as a client of a model needs, over asyncio streams: a handler may also break the connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}


@dataclass(frozen=True)
class HttpRequest:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One reply; `sent` is called when the client's machine has it."""

    status: int
    body: bytes
    content_type: str = "application/json"
    sent: Callable[[], None] = lambda: None


class BrokenConnectionError(Exception):
    """Raised by a handler that breaks the connection instead of replying."""


Handler = Callable[[HttpRequest], Awaitable[Reply]]


def say(status: int, value: Any, sent: Callable[[], None] = lambda: None) -> Reply:
    """Return a reply in JSON."""
    return Reply(status, json.dumps(value).encode(), sent=sent)


async def serve_connection(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until the client closes it."""
    try:
        while (request := await _read_request(reader)) is not None:
            reply = await handler(request)
            head = (
                f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Status')}\r\n"
                f"Content-Type: {reply.content_type}\r\nContent-Length: {len(reply.body)}\r\n\r\n"
            )
            writer.write(head.encode() + reply.body)
            await writer.drain()
            reply.sent()
    except BrokenConnectionError:
        writer.transport.abort()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # the client has gone
    finally:
        writer.close()


async def _read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = first.split(" ")
    return HttpRequest(method, path.partition("?")[0], headers, body)
