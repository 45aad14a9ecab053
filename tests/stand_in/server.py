"""The server: its endpoints, its queue, its counters and its log."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.stand_in.answers import answer
from tests.stand_in.faults import Faults, spoil
from tests.stand_in.http import BrokenConnectionError, HttpRequest, Reply, say
from tests.stand_in.question import Question, draw, hash_json, read_question
from tests.stand_in.tokens import PrefixCache, cut_tokens, render, tokenize

DELAY_S = 0.3  # of a request that is held up on the way
_TRANSPORT_FIELDS = ("request_id", "cache_salt", "priority", "user")


@dataclass
class Options:
    """How the server behaves; `latency_s` is the mean time of an answer, drawn by hash from half to one and a half."""

    models: tuple[str, ...] = ("stand-in",)
    max_model_len: int = 32_768
    max_num_seqs: int = 256
    max_queued: int | None = None  # more wait: 503
    latency_s: float = 0.0
    faults: Faults = field(default_factory=Faults)
    log: Path | None = None


class Server:
    """Answers requests; counts what vLLM counts."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.counts: Counter[str] = Counter()
        self._slots = asyncio.Semaphore(options.max_num_seqs)
        self._running = self._waiting = 0
        self._cache = PrefixCache()
        self._tries: Counter[str] = Counter()
        self._log = options.log.open("a", buffering=1, encoding="utf-8") if options.log else None

    async def handle(self, request: HttpRequest) -> Reply:
        """Answer one request."""
        if request.method == "GET":
            return self._tell(request.path)
        try:
            body = json.loads(request.body)
            if request.path == "/tokenize":
                return self._count(body)
            if request.path == "/v1/chat/completions":
                return await self._chat(body, request.headers.get("x-request-id", ""))
        except (ValueError, KeyError, StopIteration) as error:
            return refuse(400, f"1 validation error: {error!r}")
        return say(404, {"detail": "Not Found"})

    def _tell(self, path: str) -> Reply:
        if path == "/health":
            return Reply(200, b"")
        if path == "/version":
            return say(200, {"version": "0.32.0"})
        if path == "/v1/models":
            window = self.options.max_model_len
            return say(200, {"data": [{"id": name, "max_model_len": window} for name in self.options.models]})
        if path == "/metrics":
            return Reply(200, self._metrics().encode(), "text/plain; version=0.0.4")
        return say(404, {"detail": "Not Found"})

    def _metrics(self) -> str:
        gauges = {
            "num_requests_running": self._running,
            "num_requests_waiting": self._waiting,
            "kv_cache_usage_perc": round(0.9 * self._running / self.options.max_num_seqs, 4),
        }
        names = ("num_preemptions", "prefix_cache_queries", "prefix_cache_hits", "prompt_tokens")
        names += ("prompt_tokens_cached", "generation_tokens")
        values = {**gauges, **{f"{name}_total": self.counts[name] for name in names}}
        values["e2e_request_latency_seconds_sum"] = self.counts["e2e_ms"] / 1000
        values["e2e_request_latency_seconds_count"] = self.counts["requests"]
        model = self.options.models[0]
        return "".join(f'vllm:{name}{{engine="0",model_name="{model}"}} {value}\n' for name, value in values.items())

    def _count(self, body: dict[str, Any]) -> Reply:
        tokens = render(body["messages"]) if "messages" in body else tokenize(body["prompt"])
        return say(200, {"count": len(tokens), "tokens": tokens, "max_model_len": self.options.max_model_len})

    async def _chat(self, body: dict[str, Any], request_id: str) -> Reply:
        question = read_question(body)
        hashed = hash_json({name: value for name, value in body.items() if name not in _TRANSPORT_FIELDS})
        attempt = self._count_try(hashed, request_id)
        entry = {"id": request_id, "body": hashed, "schema": question.schema, "max_tokens": question.max_tokens}
        entry |= {"turns": question.num_turns, "n": question.num_samples}
        way = self.options.faults.on_the_way(hashed, attempt) if question.max_tokens > 1 else None
        self._note("received", entry, fault=way)
        if way in ("500", "503"):
            return refuse(int(way), "EngineCore encountered an issue." if way == "500" else "The engine is busy.")
        if way == "reset":
            raise BrokenConnectionError
        if way == "delay":
            await asyncio.sleep(DELAY_S)
        if body.get("model") not in self.options.models:
            return refuse(404, f"The model `{body.get('model')}` does not exist.")
        if self.options.max_queued is not None and self._waiting >= self.options.max_queued:
            return refuse(503, "The engine is currently busy. Please retry later.")
        prompt = render(body["messages"])
        if len(prompt) >= self.options.max_model_len:
            return refuse(400, f"This model's maximum context length is {self.options.max_model_len} input_tokens.")
        return await self._answer(question, entry, prompt)

    async def _answer(self, question: Question, entry: dict[str, Any], prompt: list[int]) -> Reply:
        started = time.monotonic()
        self._waiting += 1
        async with self._slots:
            self._waiting -= 1
            self._running += 1
            try:
                cached = self._cache.add(prompt)
                text, ending, fault = self._write(question, entry["body"], len(prompt))
                if self.options.latency_s:
                    await asyncio.sleep(self.options.latency_s * (0.5 + draw("latency", entry["body"])))
            finally:
                self._running -= 1
        completion = len(tokenize(text)) * question.num_samples
        self.counts.update(
            prefix_cache_queries=len(prompt),
            prefix_cache_hits=cached,
            prompt_tokens=len(prompt),
            prompt_tokens_cached=cached,
            generation_tokens=completion,
            requests=1,
            e2e_ms=round(1000 * (time.monotonic() - started)),
        )
        usage = {"prompt_tokens": len(prompt), "completion_tokens": completion}
        usage |= {"total_tokens": len(prompt) + completion, "prompt_tokens_details": {"cached_tokens": cached}}
        message = {"role": "assistant", "content": text}
        choices = [
            {"index": index, "message": message, "finish_reason": ending} for index in range(question.num_samples)
        ]
        reply = {"id": f"chatcmpl-{entry['id']}", "object": "chat.completion", "choices": choices, "usage": usage}
        tokens = {"prompt": len(prompt), "cached": cached, "completion": completion}
        return say(200, reply, lambda: self._note("answered", entry, fault=fault, **tokens))

    def _write(self, question: Question, hashed: str, num_prompt: int) -> tuple[str, str, str | None]:
        """Return the text, how it ends, and what is wrong with it; no longer than asked for and than the window."""
        text, ending = answer(question), "stop"
        fault = self.options.faults.in_the_answer(question, hashed)
        if fault is not None:
            text, ending = spoil(fault, text, question)
        most = min(question.max_tokens, self.options.max_model_len - num_prompt)
        if len(text) > most and len(tokenize(text)) > most:  # a token is at least a letter
            text, ending = cut_tokens(text, most), "length"
        return text, ending, fault

    def _count_try(self, hashed: str, request_id: str) -> int:
        """Return which try of a request this is: as its id says, else as often as its body came."""
        self._tries[hashed] += 1
        _, _, attempt = request_id.rpartition("-")
        return int(attempt) if attempt.isdecimal() and request_id.count("-") == 1 else self._tries[hashed]

    def _note(self, event: str, entry: dict[str, Any], **more: object) -> None:
        if self._log is not None:
            self._log.write(json.dumps({"time": time.time(), "event": event, **entry, **more}) + "\n")


def refuse(status: int, message: str) -> Reply:
    """Return an error in the form that vLLM gives it."""
    kind = {400: "BadRequestError", 404: "NotFoundError"}.get(status, "InternalServerError")
    return say(status, {"error": {"message": message, "type": kind, "param": None, "code": status}})
