"""The engine against a real vLLM server on the CPU, with a tiny random model."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field
from tokenizers import Tokenizer

from schemas.errors import ConfigError
from schemas.settings import LLMSettings
from schemas.value import Value
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.server_tokenizer import ServerTokenizer
from tasks.backends.llms.vllm import VllmLLM
from tasks.protocols import Answer, Request

pytestmark = pytest.mark.vllm

SAMPLES = sorted((Path(__file__).resolve().parents[2] / "samples").glob("*.txt"))
Line = Annotated[str, Field(min_length=1, max_length=200)]


class Scene(Value):
    title: Line
    bullets: tuple[Line, ...] = Field(min_length=1, max_length=8)
    place: Line | None
    tension: int = Field(ge=0, le=99)


class Scenes(Value):
    scenes: tuple[Scene, ...] = Field(min_length=1, max_length=6)


class Nothing(Value):
    pass


@pytest.fixture(scope="module")
def prose():
    return SAMPLES[0].read_text(encoding="utf-8-sig")


@pytest.fixture
def llm_of(vllm_server, tmp_path):
    llms = []

    def make(**settings):
        llms.append(VllmLLM(LLMSettings(url=vllm_server.url, **settings), AnswerStore(tmp_path / "answers.sqlite")))
        return llms[-1]

    yield make
    for llm in llms:
        llm.close()


def request(context, question="Which scenes are there?", **fields):
    values = {
        "call": "read",
        "book_id": "7",
        "node": "chapter 1, window 1",
        "instructions": "Answer in JSON.",
        "context": context,
        "question": question,
        "inputs": Nothing(),
        "schema": Scenes,
        "max_tokens": 4_096,
    }
    return Request(**(values | fields))


def test_windows_of_a_novel_are_answered_with_valid_samples(llm_of, prose):
    windows = [prose[start : start + 20_000] for start in range(0, 80_000, 20_000)]
    llm = llm_of()
    answers = llm.answer([request(window, num_samples=2) for window in windows])
    assert all(isinstance(answer, Answer) for answer in answers)
    assert all(isinstance(sample, Scenes) for answer in answers for sample in answer.samples)
    ledger = llm.ledger()
    assert ledger.failures == 0
    assert ledger.prompt_tokens > 4 * 2_048  # read in parts: more than the server takes in at one step
    assert ledger.completion_tokens > 0


def test_a_second_question_on_one_window_finds_it_in_the_prefix_cache(llm_of, prose):
    llm = llm_of()
    llm.answer([request(prose[1_000:16_000])])
    before = llm.ledger()
    llm.answer([request(prose[1_000:16_000], "How tense is each scene?")])
    cached = llm.ledger().cached_tokens - before.cached_tokens
    assert cached > 0.9 * (llm.ledger().prompt_tokens - before.prompt_tokens)


def test_a_second_engine_replays_what_the_first_was_told(llm_of, prose):
    first = llm_of().answer([request(prose[:4_000])])
    second = llm_of()
    assert second.answer([request(prose[:4_000])]) == first
    assert second.ledger().calls == 0


def test_a_prompt_beyond_the_models_window_fails_without_being_sent(llm_of, prose):
    llm = llm_of()
    [failure] = llm.answer([request(prose * 4)])
    assert failure.reason == "over-window"
    assert "pass the window of 32768" in failure.detail


def test_a_wrong_model_is_one_clear_line(llm_of, vllm_server):
    with pytest.raises(ConfigError, match=f"{vllm_server.url} does not serve 'huge', it serves: tiny"):
        llm_of(model="huge")


def test_the_servers_tokenizer_counts_as_the_models_file_does(vllm_server, prose):
    own = Tokenizer.from_file(str(vllm_server.model_dir / "tokenizer.json"))
    server = ServerTokenizer(LLMSettings(url=vllm_server.url))
    texts = [*prose.split("\r\n\r\n")[:40], "", " ", "“Naïve”—she said… 😀\t\n"]
    counts = [server.count(text) for text in texts]
    server.close()
    assert counts == [len(own.encode(text, add_special_tokens=False).ids) for text in texts]
