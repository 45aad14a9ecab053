"""Requests are looked up, asked, kept, judged, and asked again: the repair ladder."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import Field

from schemas.errors import ConfigError, TransientError
from schemas.settings import LLMSettings
from schemas.value import Value
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.engine import Completion, Engine, UnanswerableError
from tasks.backends.llms.ladder import SEED_STRIDE
from tasks.protocols import Answer, Failure, Request


class Keeper(Value):
    name: str = Field(max_length=20)
    age: int = Field(ge=0, le=120)


class Window(Value):
    text: str = "fog"


GOOD = '{"name": "Ada", "age": 61}'
OLD = '{"name": "Ada", "age": 610}'
KEEPER = Keeper(name="Ada", age=61)


class ScriptedEngine(Engine):
    """Answers by script, then by its last line; a script may hold errors."""

    def __init__(self, path: Path, *script: Completion | str | Exception, **settings: object) -> None:
        self.script = list(script)
        self.asked: list[tuple[list[dict[str, str]], int, int]] = []
        self.in_flight = self.most_in_flight = 0
        self.pause_s, self.released = 0.0, False
        super().__init__(LLMSettings(**settings), AnswerStore(path / "answers.sqlite"), "scripted", None)

    @property
    def trainable(self):
        return False

    async def release(self):
        self.released = True

    async def complete(self, request, messages, seed, num_samples):
        self.asked.append((messages, seed, num_samples))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(self.pause_s)
        self.in_flight -= 1
        lines = [self.script.pop(0) if len(self.script) > 1 else self.script[0] for _ in range(num_samples)]
        for line in lines:
            if isinstance(line, Exception):
                raise line
        return [line if isinstance(line, Completion) else Completion(line, "stop", 100, 64, 8) for line in lines]


def request(context="A light on a rock.", **fields):
    values = {
        "call": "keeper",
        "book_id": "7",
        "node": "chapter 1, window 1",
        "instructions": "Answer in JSON.",
        "context": context,
        "question": "Who keeps the light?",
        "inputs": Window(),
        "schema": Keeper,
        "max_tokens": 50,
    }
    return Request(**(values | fields))


@pytest.fixture
def engine_of(tmp_path):
    engines = []

    def make(*script, **settings):
        engines.append(ScriptedEngine(tmp_path, *script, **settings))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def test_a_valid_answer_is_accepted_and_counted(engine_of):
    engine = engine_of(GOOD)
    assert engine.answer([request()]) == [Answer((KEEPER,))]
    ledger = engine.ledger()
    assert (ledger.calls, ledger.prompt_tokens, ledger.cached_tokens, ledger.completion_tokens) == (1, 100, 64, 8)
    assert (ledger.refused, ledger.failures, ledger.replayed) == (0, 0, 0)


def test_answers_come_back_in_the_order_of_the_requests(engine_of):
    engine = engine_of('{"name": "Ada", "age": 1}', '{"name": "Ada", "age": 2}', GOOD)
    answers = engine.answer([request("one"), request("two"), request("three")])
    assert [answer.samples[0].age for answer in answers] == [1, 2, 61]


def test_a_second_engine_asks_nothing_that_the_first_has_asked(engine_of):
    first = engine_of(OLD, OLD, GOOD)
    answers = first.answer([request()])
    second = engine_of(TransientError("nothing may be asked"))
    assert second.answer([request()]) == answers
    assert (second.ledger().calls, second.ledger().replayed, second.ledger().refused) == (0, 3, 2)


def test_a_refused_answer_is_sent_back_with_its_errors(engine_of):
    engine = engine_of(OLD, GOOD)
    assert engine.answer([request()]) == [Answer((KEEPER,))]
    first, second = (messages for messages, _, _ in engine.asked)
    assert second[:2] == first
    assert second[2] == {"role": "assistant", "content": OLD}
    assert "age: Input should be less than or equal to 120" in second[3]["content"]


def test_the_semantic_check_of_a_request_refuses_too(engine_of):
    engine = engine_of('{"name": "Bob", "age": 1}', GOOD)
    checked = request(check=lambda keeper: [] if keeper.name == "Ada" else [f"{keeper.name} keeps no light"])
    assert engine.answer([checked]) == [Answer((KEEPER,))]
    assert "- Bob keeps no light" in engine.asked[1][0][3]["content"]


def test_after_two_repairs_another_seed_is_tried_and_then_the_request_fails(engine_of):
    engine = engine_of("no JSON", seed=5)
    [failure] = engine.answer([request()])
    assert failure.reason == "invalid"
    assert "no JSON: Expecting value" in failure.detail
    assert [seed for _, seed, _ in engine.asked] == [5 + rung * SEED_STRIDE for rung in range(5)]
    assert [len(messages) for messages, _, _ in engine.asked] == [2, 4, 4, 2, 2]
    assert (engine.ledger().calls, engine.ledger().failures) == (5, 1)


def test_a_runaway_is_never_asked_again_unchanged(engine_of):
    engine = engine_of(Completion('{"name": "Ad', "length"))
    assert engine.answer([request()]) == [Failure("runaway", "the answer did not end within its tokens")]
    assert [seed for _, seed, _ in engine.asked] == [0, SEED_STRIDE, 2 * SEED_STRIDE]


def test_an_answer_that_was_aborted_does_not_count(engine_of):
    engine = engine_of(Completion(GOOD, "abort"), GOOD)
    assert engine.answer([request()]) == [Answer((KEEPER,))]
    assert engine.ledger().refused == 1


def test_more_tokens_reuse_what_ended_by_itself_and_ask_again_what_was_cut(engine_of):
    first = engine_of(Completion('{"name', "length"), Completion('{"name', "length"), GOOD)
    first.answer([request(max_tokens=10)])
    second = engine_of(GOOD)
    assert second.answer([request(max_tokens=20)]) == [Answer((KEEPER,))]
    assert [seed for _, seed, _ in second.asked] == [0]
    third = engine_of(TransientError("nothing may be asked"))
    assert third.answer([request(max_tokens=999)]) == [Answer((KEEPER,))]


def test_raw_control_characters_in_a_string_are_read_leniently_and_counted(engine_of):
    engine = engine_of('{"name": "A\tda", "age": 61}')
    [answer] = engine.answer([request()])
    assert answer.samples[0].name == "A\tda"
    assert engine.ledger().lenient == 1


def test_samples_of_one_request_keep_their_order_and_drop_what_is_invalid(engine_of):
    engine = engine_of('{"name": "Ada", "age": 1}', OLD, '{"name": "Ada", "age": 3}')
    [answer] = engine.answer([request(num_samples=3)])
    assert [sample.age for sample in answer.samples] == [1, 3]
    assert [num_samples for _, _, num_samples in engine.asked] == [3]


def test_samples_are_asked_again_singly_only_when_none_is_valid(engine_of):
    engine = engine_of(OLD, OLD, OLD, GOOD)
    assert engine.answer([request(num_samples=3)]) == [Answer((KEEPER,))]
    assert [num_samples for _, _, num_samples in engine.asked] == [3, 1]


def test_a_request_that_can_never_be_answered_fails_at_once(engine_of):
    engine = engine_of(UnanswerableError("over-window", "too long"), GOOD)
    assert engine.answer([request(), request("other")]) == [Failure("over-window", "too long"), Answer((KEEPER,))]


def test_a_repair_that_is_too_long_gives_way_to_another_seed(engine_of):
    engine = engine_of(OLD, UnanswerableError("over-window", "too long"), GOOD)
    assert engine.answer([request()]) == [Answer((KEEPER,))]
    assert [(len(messages), seed) for messages, seed, _ in engine.asked] == [
        (2, 0),
        (4, SEED_STRIDE),
        (2, 2 * SEED_STRIDE),
    ]


def test_an_error_of_the_server_reaches_the_caller_and_ends_the_batch(engine_of):
    engine = engine_of(ConfigError("no such model"))
    with pytest.raises(ConfigError, match="no such model"):
        engine.answer([request(str(number)) for number in range(20)])
    assert len(engine.asked) <= 20


def test_no_more_requests_are_in_flight_than_the_settings_say(engine_of):
    engine = engine_of(GOOD, max_in_flight=3)
    engine.pause_s = 0.01
    engine.answer([request(str(number)) for number in range(12)])
    assert engine.most_in_flight == 3


def test_equal_requests_at_once_are_asked_once_by_several_threads(engine_of):
    engine = engine_of(GOOD)
    engine.pause_s = 0.05
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: engine.answer([request(), request()]), range(4)))
    assert answers == [[Answer((KEEPER,))] * 2] * 4
    assert len(engine.asked) == 1


def test_a_closed_engine_lets_its_callers_go_and_leaves_nothing_running(engine_of):
    engine = engine_of(GOOD)
    engine.pause_s = 60.0
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(engine.answer, [request()])
        while not engine.asked:
            time.sleep(0.001)
        engine.close()
        with pytest.raises(TransientError, match="closed before it had answered"):
            waiting.result()
    assert engine.released
    assert not {"llm", "answers"} & {thread.name for thread in threading.enumerate()}
    with pytest.raises(TransientError, match="closed"):
        engine.answer([request()])


def test_an_engine_is_closed_at_the_end_of_a_with_block(tmp_path):
    with ScriptedEngine(tmp_path, GOOD) as engine:
        engine.answer([request()])
    assert engine.released


def test_an_answer_is_kept_before_it_is_judged(engine_of):
    def fail(_):
        raise RuntimeError("the process dies here")

    first = engine_of(GOOD)
    with pytest.raises(RuntimeError, match="dies here"):
        first.answer([request(check=fail)])
    second = engine_of(TransientError("nothing may be asked"))
    assert second.answer([request()]) == [Answer((KEEPER,))]


def test_the_identity_names_model_and_sampling_but_no_address(engine_of):
    engine = engine_of(GOOD, url="http://user:secret@10.0.0.7:8000/v1", temperature=0.2)
    assert engine.identity.startswith("scripted@- temperature=0.2 top_p=0.95 seed=0 rules=")
    assert "secret" not in engine.identity
    assert "10.0.0.7" not in engine.identity
    assert engine_of(GOOD, temperature=0.3).identity != engine.identity
