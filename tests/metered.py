"""A stand-in server that meters like a real one: answers and token counts are a function of the request alone.

Tokens are words. Answers keep to their schema and mean nothing; their lengths vary by request as a model's do. What a
prompt shares with an earlier one, in whole blocks, counts as cached.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
from dataclasses import dataclass
from typing import Any

from tests.fakes import Reply, StandInServer, _StandInHandler

TEMPLATE_TOKENS, BLOCK = 7, 16
WORDS = [
    "salt",
    "tide",
    "lamp",
    "stair",
    "harbour",
    "winter",
    "letter",
    "oar",
    "gull",
    "stone",
    "rope",
    "quiet",
    "candle",
    "storm",
]


@dataclass(frozen=True)
class MeteredReply(Reply):
    """All samples of an answer, and what its prompt cost."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    texts: tuple[str, ...] = ()


class MeteredServer(StandInServer):
    """Serves the model 'tiny'; `requests` holds the bodies of the chat requests in order, probes left out."""

    def __init__(self, window: int = 32_768) -> None:
        super().__init__(window=window)
        self.cache: set[str] = set()
        self.lock = threading.Lock()
        self._server.RequestHandlerClass = type("Handler", (_MeteredHandler,), {"stand_in": self})

    def take(self, body: dict[str, Any], name: str = "") -> Reply:
        """Return all samples of an answer; `_MeteredHandler.chat` knows how to send them."""
        words = " ".join(message["content"] for message in body["messages"]).split()
        if body["max_tokens"] == 1:  # a probe of a schema
            return MeteredReply(finish_reason="length", prompt_tokens=len(words) + TEMPLATE_TOKENS, texts=("{",))
        blocks = [" ".join(words[:end]) for end in range(BLOCK, len(words) + 1, BLOCK)]
        keys = [hashlib.sha256(block.encode()).hexdigest() for block in blocks]
        with self.lock:
            self.requests.append(body)
            known = next((index for index, key in enumerate(keys) if key not in self.cache), len(keys))
            self.cache.update(keys)
        texts = tuple(write_answer(body, index) for index in range(body.get("n", 1)))
        return MeteredReply(prompt_tokens=len(words) + TEMPLATE_TOKENS, cached_tokens=known * BLOCK, texts=texts)


class _MeteredHandler(_StandInHandler):
    def chat(self, reply: Reply, num_samples: int) -> None:
        assert isinstance(reply, MeteredReply)
        assert len(reply.texts) == num_samples
        usage = {
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": sum(len(text.split()) for text in reply.texts),
            "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
        }
        choices = [
            {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": reply.finish_reason}
            for index, text in enumerate(reply.texts)
        ]
        self.say(200, {"choices": choices, "usage": usage})


def write_answer(body: dict[str, Any], index: int) -> str:
    """Return sample `index` of the answer to a chat request."""
    schema = body["response_format"]["json_schema"]["schema"]
    asked = json.dumps([body["messages"], schema, index])
    rng = random.Random(hashlib.sha256(asked.encode()).hexdigest())

    def vary(middle: float, least: int, most: int) -> int:
        return max(least, min(most, round(middle * rng.uniform(0.75, 1.25))))

    def write(field: dict[str, Any]) -> object:
        if "$ref" in field:
            field = schema["$defs"][field["$ref"].rsplit("/", 1)[-1]]
        if "enum" in field:
            return rng.choice(field["enum"])
        if field["type"] == "array":
            least, most = field["minItems"], field["maxItems"]
            return [write(field["items"]) for _ in range(vary((least + min(most, 8)) / 2, least, most))]
        if field["type"] == "object":
            return {name: write(part) for name, part in field["properties"].items()}
        if field["type"] == "integer":
            return rng.randint(field["minimum"], min(field["maximum"], 99))
        if field["type"] == "boolean":
            return rng.random() < 0.5
        words = " ".join(rng.choices(WORDS, k=40))
        return words[: vary(min(field["maxLength"], 90), field["minLength"], field["maxLength"])].strip() or "salt"

    return json.dumps(write(schema))
