"""Prompts of sample novels -> what our engine makes of them: requests a second, full slots, CPU of the client."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from benchmarks.serving.peer import Load, measure_load
from benchmarks.serving.vllm_cpu import ROOT, VllmServer
from schemas.answers import ReadAnswer
from schemas.settings import LLMSettings
from schemas.value import Value
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.vllm import VllmLLM
from tasks.protocols import Answer, Request

SMALL_TOKENS = 256  # more than the longest answer within the bounds of `Note`
QUESTION = "Describe the passage above in one JSON object: title, summary, tone, tension."


class Note(Value):
    """A short answer that a random model ends by itself, so that both sides do the same work."""

    title: Annotated[str, Field(min_length=5, max_length=40)]
    summary: Annotated[str, Field(min_length=40, max_length=120)]
    tone: Literal["dark", "comic"]
    tension: Annotated[int, Field(ge=1, le=10)]


class Nothing(Value):
    """No inputs."""


@dataclass(frozen=True)
class OneMessage(Request):
    """A request of one user message, as the peer sends it."""

    @property
    def messages(self) -> list[dict[str, str]]:
        """The request as one chat message."""
        return [{"role": "user", "content": f"{self.context}\n\n{self.question}"}]


def cut_passages(num_passages: int, num_chars: int) -> list[str]:
    """Return passages of the sample novels, each unlike the others from its first words on."""
    text = "\n".join(path.read_text(encoding="utf-8-sig") for path in sorted((ROOT / "samples").glob("*.txt")))
    step = max(1, (len(text) - num_chars) // num_passages)
    return [f"Passage {at}. {text[at * step : at * step + num_chars]}" for at in range(num_passages)]


def make_requests(passages: Sequence[str], schema: type[Value], max_tokens: int) -> list[Request]:
    """Return a request a passage, of 64 books."""
    return [
        OneMessage(
            call="read",
            book_id=f"book {number % 64}",
            node=f"window {number}",
            instructions="",
            context=passage,
            question=QUESTION,
            inputs=Nothing(),
            schema=schema,
            max_tokens=max_tokens,
        )
        for number, passage in enumerate(passages)
    ]


def run_ours(
    server: VllmServer, requests: Sequence[Request], num_slots: int, temperature: float = 0.0
) -> tuple[Load, float]:
    """Send requests through a fresh engine and answer store; return the load, and CPU milliseconds a request.

    The engine is told the server's slots and nothing else. Its start-up checks are behind it when the clocks start:
    validation and the store are within them.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = LLMSettings(url=server.url, max_num_seqs=num_slots, temperature=temperature, top_p=1.0)
        with VllmLLM(settings, AnswerStore(Path(folder) / "answers.sqlite")) as llm:
            llm.answer(make_requests(["Warm up."], Note, SMALL_TOKENS))
            before, cpu_s, started = server.counters(), time.process_time(), time.perf_counter()
            answers = llm.answer(requests)
            wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
            after = server.counters()
    lost = sum(not isinstance(answer, Answer) for answer in answers)
    if lost and temperature == 0.0:
        raise RuntimeError(f"{lost} of {len(requests)} requests failed: the two sides would not do the same work")
    return measure_load(before, after, len(requests), wall_s, num_slots), 1_000 * cpu_s / len(requests)


def measure_cpu(server: VllmServer, num_requests: int, in_flight: int) -> float:
    """Return CPU milliseconds a request, of windows and answers like those of the factory."""
    requests = make_requests(cut_passages(num_requests, 4_000), ReadAnswer, ReadAnswer.max_tokens)
    return run_ours(server, requests, in_flight, temperature=0.7)[1]
