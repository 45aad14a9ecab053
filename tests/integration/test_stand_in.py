"""The stand-in keeps what it promises: the same answer to the same question, and the endpoints of a real server."""

from __future__ import annotations

import asyncio
import json
import re
import time

import httpx
import pytest

from schemas.answers import LEVELS
from tests.stand_in.answers import answer
from tests.stand_in.faults import GOOD_TRY, TRANSPORT, Faults
from tests.stand_in.process import StandIn
from tests.stand_in.question import read_question
from tests.stand_in.tokens import BLOCK, PrefixCache

PARAGRAPHS = [
    f"Mara carried bucket number {word} past the wall, and Tomas told her that the {word} was broken again. "
    f"She answered Tomas with a song about the {word} and a boat."
    for word in ("ladder", "kettle", "window", "anchor", "basket", "lantern", "saddle", "bottle")
]
NUMBERED = "\n\n".join(f"[{number}] {text}" for number, text in enumerate(PARAGRAPHS))


def ask(
    schema, question="Read the paragraphs above.", context=f"Book: The Wall\nChapter 1 of 1\n\n{NUMBERED}", **fields
):
    shape = {"type": "json_schema", "json_schema": {"name": schema, "schema": {}}}
    messages = [
        {"role": "system", "content": "You plan."},
        {"role": "user", "content": f"{context}\n\n{question}"},
    ]
    body = {"model": "stand-in", "messages": messages, "max_tokens": 4_096, "response_format": shape}
    return {**body, **fields}


@pytest.fixture
def stand_in(tmp_path):
    with StandIn(tmp_path / "log.jsonl") as running:
        yield running


@pytest.mark.parametrize("schema", list(LEVELS.values()), ids=lambda level: level.call)
def test_every_answer_has_the_form_of_its_call(schema):
    details = {"rate": "0: 0 to 4\n1: 5 to 7", "claims": "0: Mara carries a kettle.\n1: Tomas sings of the anchor."}
    text = answer(read_question(ask(schema.__name__, details.get(schema.call, "Say what you see."))))
    assert schema.model_validate_json(text)


@pytest.mark.parametrize("mark", ["[{}] ", "{} ", "{}. ", "({}) "])
def test_paragraphs_are_found_under_any_form_of_number(mark):
    context = "Book: The Wall\n\n" + "\n\n".join(
        mark.format(number + 3) + text for number, text in enumerate(PARAGRAPHS)
    )
    question = read_question(
        ask("ReadAnswer", "The author has marked scenes that begin with paragraphs 5, 9.", context=context)
    )
    assert list(question.paragraphs) == list(enumerate(PARAGRAPHS, 3))
    scenes = json.loads(answer(question))["scenes"]
    assert [scene["first_paragraph"] for scene in scenes] == [3, 5, 9]
    assert all(PARAGRAPHS[scene["first_paragraph"] - 3].startswith(scene["opening"]) for scene in scenes)


def test_statements_name_only_who_is_there_and_copy_no_run_of_words():
    told = json.loads(answer(read_question(ask("ReadAnswer"))))
    lines = [bullet["text"] for node in (told, *told["scenes"]) for bullet in node["bullets"]]
    assert {name for line in lines for name in re.findall(r"(?<=[a-z,;] )[A-Z][a-z]+", line)} <= {"Mara", "Tomas"}
    prose = " ".join(" ".join(PARAGRAPHS).lower().split())
    for line in lines:
        words = re.findall(r"[a-z]+", line.lower())
        assert not [at for at in range(len(words) - 4) if " ".join(words[at : at + 5]) in prose]


def test_a_repair_another_seed_and_a_note_get_the_answer_of_the_question():
    first = ask("ReadAnswer")
    noted = ask("ReadAnswer", "Read the paragraphs above.\n\nBe short, and end.")
    turns = [{"role": "assistant", "content": "{"}, {"role": "user", "content": "Your answer was refused."}]
    repaired = {**first, "messages": first["messages"] + turns}
    asked = [read_question(body) for body in (first, noted, repaired, {**first, "seed": 7, "temperature": 0.9})]
    assert len({answer(question) for question in asked}) == 1
    assert len({question.base for question in asked}) == 1


def test_only_first_answers_are_spoiled_and_always_in_the_same_way():
    faults, again = Faults(content=1.0), Faults(content=1.0)
    first, later = read_question(ask("ReadAnswer")), read_question(ask("ReadAnswer", "Read.\n\nBe short."))
    assert faults.in_the_answer(first, "one") == faults.in_the_answer(first, "one") == again.in_the_answer(first, "one")
    assert faults.in_the_answer(first, "one") is not None
    assert faults.in_the_answer(later, "two") is None
    assert faults.in_the_answer(read_question(ask("ReadAnswer", max_tokens=1)), "three") is None


def test_faults_on_the_way_follow_from_request_and_try_and_spare_the_third():
    faults = Faults(transport=0.3)
    drawn = [faults.on_the_way(f"body {number}", attempt) for number in range(500) for attempt in (1, 2)]
    assert drawn == [faults.on_the_way(f"body {number}", attempt) for number in range(500) for attempt in (1, 2)]
    assert 0.25 < sum(fault is not None for fault in drawn) / len(drawn) < 0.35
    assert set(drawn) == {None, *TRANSPORT}
    assert {faults.on_the_way(f"body {number}", GOOD_TRY) for number in range(500)} == {None}


def test_whole_blocks_of_a_prefix_are_found_again():
    cache, tokens = PrefixCache(), list(range(10 * BLOCK + 5))
    assert cache.add(tokens) == 0
    assert cache.add([*tokens[: 4 * BLOCK + 3], -1, *tokens]) == 4 * BLOCK
    assert cache.add(tokens) == 10 * BLOCK


def test_it_counts_what_it_serves_and_keeps_a_log(stand_in):
    root = stand_in.url.removesuffix("/v1")
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{root}/health").status_code == 200
        assert client.get(f"{stand_in.url}/models").json()["data"][0]["max_model_len"] == 32_768
        replies = [
            client.post(f"{stand_in.url}/chat/completions", json=ask("ReadAnswer", n=2), headers={"X-Request-Id": name})
            for name in ("0123456789abcdef-1", "fedcba9876543210-1")
        ]
        probe = client.post(f"{stand_in.url}/chat/completions", json=ask("ReadAnswer", max_tokens=1)).json()
        counted = client.post(f"{root}/tokenize", json={"messages": ask("ReadAnswer")["messages"]}).json()["count"]
        metrics = dict(re.findall(r"vllm:(\w+)\{[^}]*\} (\S+)", client.get(f"{root}/metrics").text))
    first, second = (reply.json() for reply in replies)
    assert first["choices"][0]["message"] == first["choices"][1]["message"] == second["choices"][0]["message"]
    assert first["usage"]["prompt_tokens"] == counted
    assert second["usage"]["prompt_tokens_details"]["cached_tokens"] > 0.8 * counted
    assert probe["choices"][0]["finish_reason"] == "length"
    assert float(metrics["prompt_tokens_total"]) == 3 * counted
    assert float(metrics["num_requests_running"]) == 0
    assert [(entry["event"], entry["id"]) for entry in stand_in.entries()] == [
        (event, name) for name in ("0123456789abcdef-1", "fedcba9876543210-1") for event in ("received", "answered")
    ]


def test_256_requests_are_answered_at_once_and_more_than_its_queue_are_refused(tmp_path):
    async def send(url, number):
        limits = httpx.Limits(max_connections=number)
        async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60) as client:
            posts = [
                client.post(f"{url}/chat/completions", json=ask("StyleAnswer", f"Say {index}.", context="Book: A"))
                for index in range(number)
            ]
            return [reply.status_code for reply in await asyncio.gather(*posts)]

    with StandIn(tmp_path / "log.jsonl", latency=0.5) as running:
        started = time.monotonic()
        assert asyncio.run(send(running.url, 256)) == [200] * 256
        assert time.monotonic() - started < 60.0  # one after another they would take 128 s
    with StandIn(tmp_path / "log.jsonl", latency=0.5, max_num_seqs=2, max_queued=3) as running:
        assert sorted(asyncio.run(send(running.url, 12))) == [200] * 5 + [503] * 7
