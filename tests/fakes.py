"""Stand-ins for what lies behind the seams."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from schemas.books import SegmentedBook
from schemas.value import Value
from tasks.protocols import Answer, Failure, Request
from tests.scaffolds import make_book


class WordTokenizer:
    """A tokenizer whose tokens are words and punctuation marks; white space is free."""

    identity = "words"

    def count(self, text: str) -> int:
        return len(re.findall(r"\w+|[^\w\s]", text))


# ---- a stand-in for an OpenAI-compatible server, for the faults that a real one cannot be made to show ----


@dataclass(frozen=True)
class Reply:
    """What the stand-in answers to one chat request."""

    text: str = ""
    finish_reason: str = "stop"
    status: int = 200
    error: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    hang_up: bool = False  # close the connection without an answer


class StandInServer:
    """An OpenAI-compatible server on a free port of this machine that answers by script, then by its last reply.

    `requests` holds the bodies of the chat requests in order, `ids` their X-Request-Id, `headers` those of the last
    request of any kind. Requests for one token are probes of a schema: counted apart, and answered apart.
    """

    def __init__(self, *replies: Reply, models: tuple[str, ...] = ("tiny",), window: int | None = 8_192) -> None:
        self.replies, self.models, self.window = list(replies), models, window
        self.counts_tokens = window is not None
        self.requests: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.probes: list[dict[str, Any]] = []
        self.probe_reply = Reply("{", "length")
        self.health, self.metrics, self.looks = 200, "", 0
        self.headers: dict[str, str] = {}
        self.most_in_flight = self._in_flight = 0
        self._lock = threading.Lock()
        handler = type("Handler", (_StandInHandler,), {"stand_in": self})
        self._server = _BusyHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> StandInServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, body: dict[str, Any], name: str) -> Reply:
        with self._lock:
            if body["max_tokens"] == 1:
                self.probes.append(body)
                return self.probe_reply
            self.requests.append(body)
            self.ids.append(name)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        time.sleep(reply.delay_s)
        with self._lock:
            self._in_flight -= 1
        return reply


class _BusyHTTPServer(ThreadingHTTPServer):
    request_queue_size = 1_024  # hundreds connect at once; beyond the queue, a connection takes a second more


class _StandInHandler(BaseHTTPRequestHandler):
    stand_in: StandInServer

    def do_GET(self) -> None:
        self.stand_in.headers = dict(self.headers)
        models = [{"id": name, "max_model_len": self.stand_in.window} for name in self.stand_in.models]
        if self.path == "/v1/models":
            self.say(200, {"data": models})
        elif self.path == "/health":
            self.say(self.stand_in.health, {})
        elif self.path == "/metrics" and self.stand_in.metrics:
            self.stand_in.looks += 1
            self.say_bytes(200, self.stand_in.metrics.encode())
        else:
            self.say(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        self.stand_in.headers = dict(self.headers)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/tokenize" and self.stand_in.counts_tokens:
            text = body.get("prompt") or " ".join(message["content"] for message in body["messages"])
            self.say(200, {"count": len(text.split()), "tokens": [len(word) for word in text.split()]})
        elif self.path == "/v1/chat/completions":
            self.chat(self.stand_in.take(body, self.headers["X-Request-Id"]), body.get("n", 1))
        else:
            self.say(404, {"detail": "Not Found"})

    def chat(self, reply: Reply, num_samples: int) -> None:
        if reply.hang_up:
            return
        if reply.status != 200:
            self.say(reply.status, {"error": {"message": reply.error}}, dict(reply.headers))
        else:
            message = {"role": "assistant", "content": reply.text}
            choices = [
                {"index": index, "message": message, "finish_reason": reply.finish_reason}
                for index in range(num_samples)
            ]
            usage = {
                "prompt_tokens": 100,
                "completion_tokens": 10 * num_samples,
                "prompt_tokens_details": {"cached_tokens": 64},
            }
            self.say(200, {"choices": choices, "usage": usage})

    def say(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self.say_bytes(status, json.dumps(body).encode(), headers)

    def say_bytes(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the terminal."""


# ---- a scripted model, and books built by hand for it to read ----


class FakeLLM:
    """An LLM that answers by script: a function from a request to an answer's value, or to a Failure."""

    identity = "fake-1@main temperature=0"

    def __init__(self, script: Callable[[Request], Value | Failure], *, trainable: bool = True) -> None:
        self.script, self.trainable = script, trainable
        self.batches: list[list[Request]] = []

    def answer(self, requests: Sequence[Request]) -> list[Answer | Failure]:
        self.batches.append(list(requests))
        return [self._reply(request) for request in requests]

    def asked(self, call: str) -> list[Request]:
        return [request for batch in self.batches for request in batch if request.call == call]

    def _reply(self, request: Request) -> Answer | Failure:
        said = self.script(request)
        if isinstance(said, Failure):
            return said
        answer = Answer((said,) * request.num_samples)
        following = self.answer(request.then(answer)) if request.then else []
        return Answer(answer.samples, tuple(following))


def write_nonsense(schema: type[Value], seed: int) -> Value:
    """An answer that a model with random weights might give: it validates and means nothing."""
    definition, rng = schema.model_json_schema(), random.Random(seed)

    def write(field: dict[str, Any]) -> object:
        if "$ref" in field:
            field = definition["$defs"][field["$ref"].rsplit("/", 1)[-1]]
        if "enum" in field:
            return rng.choice(field["enum"])
        if field["type"] == "array":
            return [write(field["items"]) for _ in range(rng.randint(field["minItems"], field["maxItems"]))]
        if field["type"] == "object":
            return {name: write(part) for name, part in field["properties"].items()}
        if field["type"] == "integer":
            return rng.randint(field["minimum"], field["maximum"])
        if field["type"] == "boolean":
            return rng.random() < 0.5
        letters = rng.choices(" \n\t\u200b\x07;-#*éaB.\u201c<|", k=rng.randint(field["minLength"], field["maxLength"]))
        return "".join(letters)

    return schema.model_validate(write(definition))


def build_book(*chapters: Sequence[Sequence[str]], in_parts: bool = False) -> SegmentedBook:
    """A book of chapters, each given as scenes of paragraphs, all of them in one part if need be."""
    parts = (len(chapters),) if in_parts else ()
    return make_book(chapters, parts, book_id="m1", title="The Mill", authors=("Reed, Ada",))[0]
