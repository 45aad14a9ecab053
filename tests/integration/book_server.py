"""A mirror on a free port of this machine that serves files by script: well, or as badly as one likes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """A request: its path, and its headers in lower case."""

    path: str
    headers: dict[str, str]


@dataclass
class Reply:
    """What is answered. `length` is announced, whatever the truth; `cut` bytes are sent, then the line goes dead."""

    data: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = -1  # -1: the true one; None: none
    cut: int | None = None
    stall: bool = False  # after `cut` bytes, wait until the server is stopped
    endless: bool = False


Script = Callable[[Asked], Reply] | list[Reply]


class BookServer:
    """Serves `files` with ETag, Last-Modified and Range; a path in `scripts` is answered as that says."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.scripts: dict[str, Script] = {}
        self.asked: list[Asked] = []
        self.most_in_flight = self._in_flight = 0
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"books": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.netloc}"

    def count(self, path: str) -> int:
        return sum(asked.path == path for asked in self.asked)

    def __enter__(self) -> BookServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        script = self.scripts.get(asked.path)
        if callable(script):
            return script(asked)
        if script:
            return script.pop(0) if len(script) > 1 else script[0]
        return self.serve(asked)

    def serve(self, asked: Asked) -> Reply:
        """Answer as a good mirror does."""
        data = self.files.get(asked.path)
        if data is None:
            return Reply(b"<html>Not Found</html>", 404)
        tag = f'"{hash(data)}"'
        if asked.headers.get("if-none-match") == tag:
            return Reply(status=304, headers={"ETag": tag})
        wanted = asked.headers.get("range")
        if wanted and asked.headers.get("if-range") == tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            headers = {"ETag": tag, "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
            return Reply(data[start:], 206, headers)
        return Reply(data, headers={"ETag": tag})

    def done(self) -> None:
        with self._lock:
            self._in_flight -= 1


class _Handler(BaseHTTPRequestHandler):
    books: BookServer
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
        reply = self.books.take(asked)
        try:
            self._send(reply)
        except OSError:
            self.close_connection = True  # the client had enough
        finally:
            self.books.done()

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        length = len(reply.data) if reply.length == -1 else reply.length
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.data[: reply.cut])
        self.wfile.flush()
        while reply.endless and not self.books.stopped.is_set():
            self.wfile.write(b"more and more of the same\n" * 1000)
        if reply.stall:
            self.books.stopped.wait(60)
        if reply.cut is not None or length != len(reply.data):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the terminal."""
