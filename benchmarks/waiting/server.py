"""An OpenAI-compatible server that lets every question wait, then answers it by its schema: it costs next to nothing.

Scenes begin with paragraphs of the question and quote them, so that what comes of an answer is as large as with a
model; what the plans say is nothing.

    python server.py LATENCY_S     prints its URL, and serves until it is ended
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from typing import Any

SENTENCE = "the keeper walks down to the harbour before dawn and finds that nobody has lit the lamp for the late boat"
_PARAGRAPH = re.compile(r"(?m)^\[(\d+)\] (\S+(?: \S+){0,9})")
_LISTED_SCENE = re.compile(r"(?m)^- scene (\d+):")
USUAL_ITEMS = 5
WINDOW = 131_072


def write_answer(schema: dict[str, Any], question: str) -> dict[str, Any]:
    """Return an object that the schema allows; its words follow from the question alone."""
    rng = random.Random(question)
    words = SENTENCE.split()

    def write(field: dict[str, Any], name: str, place: int) -> object:
        if "$ref" in field:
            field = schema["$defs"][field["$ref"].rsplit("/", 1)[-1]]
        if "enum" in field:
            return field["enum"][0]
        if field["type"] == "array":
            number = min(field["maxItems"], max(field["minItems"], USUAL_ITEMS))
            return [write(field["items"], name, index) for index in range(number)]
        if field["type"] == "object":
            return {key: write(part, key, place) for key, part in field["properties"].items()}
        if field["type"] == "integer":
            return min(field["maximum"], field["minimum"] + place)
        if field["type"] == "boolean":
            return False
        text = " ".join(rng.sample(words, len(words)))[: min(field["maxLength"], 110)].strip()
        return text.ljust(field["minLength"], ".")

    answer = write(schema, "", 0)
    assert isinstance(answer, dict)
    return _fit_question(answer, question)


def _fit_question(answer: dict[str, Any], question: str) -> dict[str, Any]:
    """Let scenes begin where paragraphs do, and rate the scenes that are listed."""
    paragraphs = _PARAGRAPH.findall(question)
    if "scenes" in answer and paragraphs:
        step = max(1, len(paragraphs) // len(answer["scenes"]))
        for scene, (number, opening) in zip(answer["scenes"], paragraphs[::step], strict=False):
            scene.update(first_paragraph=int(number), opening=opening[:150])
    listed = [int(number) for number in _LISTED_SCENE.findall(question)]
    if "ratings" in answer and listed:
        answer["ratings"] = [{**answer["ratings"][0], "scene": number} for number in listed]
    return answer


class WaitingServer:
    """Answers after `latency_s`; `most` is the greatest number of questions that waited at once."""

    def __init__(self, latency_s: float) -> None:
        self.latency_s, self.waiting, self.most = latency_s, 0, 0

    async def serve(self) -> None:
        """Print the URL, and serve until ended."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=1 << 24, backlog=1_024)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the requests of one connection, one after the other."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                data = json.dumps(await self._reply(head.split(" ", 2)[1], body)).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has what it wanted
        finally:
            writer.close()

    async def _reply(self, path: str, body: bytes) -> dict[str, Any]:
        if path.endswith("/models"):
            return {"data": [{"id": "waiting", "max_model_len": WINDOW}]}
        asked = json.loads(body) if body else {}
        if path.endswith("/tokenize"):
            said = asked.get("prompt") or " ".join(message["content"] for message in asked["messages"])
            return {"count": len(said) // 4, "max_model_len": WINDOW}
        if "messages" not in asked:
            return {"most_waiting": self.most}
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(self.latency_s)
        self.waiting -= 1
        return _complete(asked)


def _complete(asked: dict[str, Any]) -> dict[str, Any]:
    question = "\n".join(message["content"] for message in asked["messages"])
    schema = asked["response_format"]["json_schema"]["schema"]
    text = json.dumps(write_answer(schema, question))
    choices = [
        {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for index in range(asked.get("n", 1))
    ]
    usage = {"prompt_tokens": len(question) // 4, "completion_tokens": len(text) // 4 * len(choices)}
    return {"choices": choices, "usage": usage}


if __name__ == "__main__":
    asyncio.run(WaitingServer(float(sys.argv[1])).serve())
