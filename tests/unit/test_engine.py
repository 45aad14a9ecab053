"""Requests are looked up, asked, kept, judged, and asked again: the repair ladder."""

import asyncio
import concurrent.futures
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import Field

from schemas.errors import BudgetError, ConfigError, TransientError
from schemas.settings import CostSettings, LLMSettings
from schemas.value import Value
from tasks.backends.answers import AnswerStore
from tasks.backends.llms.engine import Engine
from tasks.backends.llms.ladder import NOTE, SEED_STRIDE
from tasks.backends.llms.question import Completion, Question, UnanswerableError
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

    def __init__(
        self,
        path: Path,
        *script: Completion | str | Exception,
        fallback: str | None = None,
        budget: float | None = None,
        **settings: object,
    ) -> None:
        self.script = list(script)
        self.asked: list[tuple[list[dict[str, str]], int, int]] = []
        self.questions: list[Question] = []
        self.pause_s, self.released, self.num_ended = 0.0, False, 0
        store, cost = AnswerStore(path / "answers.sqlite"), CostSettings(output_price=1.0, gpu_hour=0.0, budget=budget)
        super().__init__(LLMSettings(**settings), store, "scripted", None, fallback=fallback, cost=cost)

    @property
    def trainable(self):
        return False

    async def release(self):
        self.released = True

    async def complete(self, question):
        num_samples = len(question.keys)
        self.asked.append((question.messages, question.attempt.seed, num_samples))
        self.questions.append(question)
        self.tally.check_budget()
        with self.tally.flight(question.request.book_id, question.request.call):
            await asyncio.sleep(self.pause_s)
        self.num_ended += 1
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

    def make(*script, kind=ScriptedEngine, **settings):
        engines.append(kind(tmp_path, *script, **settings))
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


CUT = Completion('{"name": "Ad', "length", 100, 64, 50)


def test_a_runaway_is_asked_again_with_a_note_once_and_never_unchanged(engine_of):
    engine = engine_of(CUT)
    [failure] = engine.answer([request()])
    assert (failure.reason, failure.detail) == ("runaway", "the answer did not end within its tokens")
    first, second = (messages for messages, _, _ in engine.asked)
    assert second[0] == first[0]
    assert second[1]["content"] == f"{first[1]['content']}\n\n{NOTE}"
    assert engine.ledger().runaways == 2


def test_a_runaway_that_ends_by_itself_is_recognised_by_its_tail(engine_of):
    engine = engine_of('{"name": "and on and on and on' + " and on" * 40, GOOD)
    assert engine.answer([request()]) == [Answer((KEEPER,))]
    assert engine.asked[1][0][1]["content"].endswith(NOTE)
    assert (engine.ledger().runaways, engine.ledger().refused) == (1, 1)


def test_the_noted_request_is_repaired_like_any_other(engine_of):
    engine = engine_of(CUT, OLD, GOOD)
    assert engine.answer([request()]) == [Answer((KEEPER,))]
    last = engine.asked[2][0]
    assert last[:2] == engine.asked[1][0]
    assert last[2] == {"role": "assistant", "content": OLD}


def test_another_seed_draws_a_little_hotter_as_seeds_may_not_be_sent(engine_of):
    engine = engine_of("no JSON", temperature=0.0)
    engine.answer([request()])
    assert [question.sampling.temperature for question in engine.questions] == [0.0, 0.0, 0.0, 0.1, 0.2]
    assert len({question.keys for question in engine.questions}) == 5


def test_the_fallback_model_is_asked_last_and_repaired_once(engine_of):
    engine = engine_of("no JSON", fallback="large", temperature=0.7)
    engine.answer([request()])
    assert [question.sampling.model for question in engine.questions] == ["scripted"] * 5 + ["large"] * 2
    assert [len(messages) for messages, _, _ in engine.asked] == [2, 4, 4, 2, 2, 2, 4]
    assert engine.questions[5].sampling.temperature == 0.7
    assert engine.ledger().failures == 1


def test_the_fallback_model_is_asked_after_a_second_runaway(engine_of):
    engine = engine_of(CUT, CUT, GOOD, fallback="large")
    assert engine.answer([request()]) == [Answer((KEEPER,))]
    assert [question.sampling.model for question in engine.questions] == ["scripted", "scripted", "large"]


def test_what_one_model_cannot_hold_the_fallback_model_may(engine_of):
    engine = engine_of(UnanswerableError("over-window", "too long"), GOOD, fallback="large")
    assert engine.answer([request()]) == [Answer((KEEPER,))]


def test_answers_of_the_fallback_model_are_replayed_too(engine_of):
    script = (*["no JSON"] * 5, GOOD)
    answers = engine_of(*script, fallback="large").answer([request()])
    again = engine_of(TransientError("nothing may be asked"), fallback="large")
    assert again.answer([request()]) == answers
    assert again.ledger().replayed == 6


def test_a_failure_names_every_answer_that_was_refused(engine_of):
    engine = engine_of("no JSON " * 400)
    [failure] = engine.answer([request()])
    assert failure.answers == tuple(key for question in engine.questions for key in question.keys)
    assert failure.text == ("no JSON " * 400)[:2_000]
    stored = engine._store.get_many(failure.answers)
    assert {answer.text for answer in stored.values()} == {"no JSON " * 400}


def test_what_follows_an_answer_is_asked_at_once_and_comes_with_it(engine_of):
    engine = engine_of(GOOD)
    engine.pause_s = 0.005

    def ask_more(answer):
        return [request("then", question=f"And after {answer.samples[0].name}?")]

    answers = engine.answer([request("first", then=ask_more), request("second")])
    assert answers == [Answer((KEEPER,), (Answer((KEEPER,)),)), Answer((KEEPER,))]
    assert [question.urgent for question in engine.questions] == [False, False, True]


def test_a_repair_is_as_urgent_as_what_follows(engine_of):
    engine = engine_of(OLD, GOOD)
    engine.answer([request()])
    assert [question.urgent for question in engine.questions] == [False, True]


def test_the_ledger_counts_by_book_and_level(engine_of):
    engine = engine_of(GOOD)
    engine.answer([request(), request("Salt.", book_id="8"), request("Fog.", book_id="8", call="rate")])
    ledger = engine.ledger()
    assert {book: set(levels) for book, levels in ledger.books.items()} == {"7": {"keeper"}, "8": {"keeper", "rate"}}
    assert ledger.levels["keeper"].calls == 2
    assert ledger.levels["rate"].prompt_tokens == 100
    assert ledger.calls == sum(usage.calls for usage in ledger.levels.values())
    assert 0 <= ledger.busy_seconds < 10


def test_tokens_of_refused_answers_are_wasted_once_and_of_samples_by_their_share(engine_of):
    long, short = '{"name": "Ada", "age": 610}', '{"name": "Ada", "age": 61 }'
    engine = engine_of(Completion(long, "stop", 100, 0, 60), Completion(short), Completion(short))
    engine.answer([request(num_samples=3)])
    assert engine.ledger().wasted_tokens == 20
    again = engine_of(TransientError("nothing may be asked"))
    again.answer([request(num_samples=3)])
    assert (again.ledger().refused, again.ledger().wasted_tokens) == (1, 0)


def test_time_with_many_requests_in_flight_counts_once(engine_of):
    engine = engine_of(GOOD)
    engine.pause_s = 0.2
    engine.answer([request(str(number)) for number in range(10)])
    ledger = engine.ledger()
    assert ledger.seconds >= 2.0
    assert 0.2 <= ledger.busy_seconds < 1.0


def test_a_spent_budget_sends_nothing_more_and_a_second_run_goes_on(engine_of):
    first = engine_of(GOOD, budget=16e-6)  # two answers of 8 tokens
    for number in range(2):
        first.answer([request(str(number))])
    with pytest.raises(BudgetError, match=r"budget of 0\.00 is spent: 0\.00 for 2 requests; .*run again to go on"):
        first.answer([request(str(number)) for number in range(4)])
    second = engine_of(GOOD, budget=16e-6)
    second.answer([request(str(number)) for number in range(4)])
    assert (second.ledger().calls, second.ledger().replayed) == (2, 2)


def test_what_is_in_flight_when_the_budget_is_spent_arrives_and_is_kept(engine_of):
    class SlowFirst(ScriptedEngine):
        async def complete(self, question):
            if question.request.context == "slow":
                await asyncio.sleep(0.2)
                return [Completion(GOOD)]
            return await super().complete(question)

    engine = engine_of(GOOD, kind=SlowFirst, budget=8e-6)
    chain = request("quick", then=lambda _: [request("more")])
    with pytest.raises(BudgetError):
        engine.answer([request("slow"), chain])
    engine.close()
    second = engine_of(TransientError("nothing may be asked"))
    assert second.answer([request("slow"), request("quick")]) == [Answer((KEEPER,))] * 2


def test_an_answer_that_was_aborted_does_not_count(engine_of):
    engine = engine_of(Completion(GOOD, "abort"), GOOD)
    assert engine.answer([request()]) == [Answer((KEEPER,))]
    assert engine.ledger().refused == 1


def test_more_tokens_reuse_what_ended_by_itself_and_ask_again_what_was_cut(engine_of):
    first = engine_of(CUT)
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
    engine.close()
    assert engine.released
    assert not {"llm", "answers"} & {thread.name for thread in threading.enumerate()}
    with pytest.raises(TransientError, match="closed"):
        engine.answer([request()])


def test_an_interrupted_caller_leaves_nothing_in_flight(engine_of, monkeypatch):
    engine = engine_of(GOOD)
    engine.pause_s = 60.0

    def interrupt(_):
        while len(engine.asked) < 2:
            time.sleep(0.001)
        raise KeyboardInterrupt

    monkeypatch.setattr(concurrent.futures.Future, "result", interrupt)
    with pytest.raises(KeyboardInterrupt):
        engine.answer([request("one"), request("two")])
    monkeypatch.undo()
    deadline = time.monotonic() + 5.0
    while engine._flights and time.monotonic() < deadline:
        time.sleep(0.001)
    assert not engine._flights
    engine.pause_s = 0.0
    assert engine.answer([request("one")]) == [Answer((KEEPER,))]


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
    other = engine_of(GOOD, temperature=0.2, fallback="large", fallback_url="http://10.0.0.9/v1").identity
    assert " fallback=large " in other
    assert "10.0.0.9" not in other
