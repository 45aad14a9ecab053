"""The client of an OpenAI-compatible server, against a stand-in that shows every fault by script."""

import logging
import re
import threading
import time

import pytest
from pydantic import Field

from schemas.answers import LEVELS
from schemas.errors import BudgetError, ConfigError, TransientError
from schemas.settings import CostSettings, LLMSettings
from schemas.value import Value
from tasks.backends.answers import AnswerStore
from tasks.backends.llms import server, watch
from tasks.backends.llms.server import API_KEY
from tasks.backends.llms.server_tokenizer import ServerTokenizer
from tasks.backends.llms.vllm import VllmLLM
from tasks.protocols import Answer, Request
from tests.fakes import Reply, StandInServer


class Keeper(Value):
    name: str = Field(max_length=20)
    age: int = Field(ge=0, le=120)


class Endless(Value):
    name: str


GOOD = Reply('{"name": "Ada", "age": 61}')
KEEPER = Keeper(name="Ada", age=61)
BUSY = Reply(status=503, error="The engine is currently busy", headers=(("Retry-After", "0"),))


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr(server, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(watch, "LOOK_S", 0.02)
    monkeypatch.delenv(API_KEY, raising=False)


@pytest.fixture
def llm_of(tmp_path):
    llms = []

    def make(url, **settings):
        values = {"url": url, "connect_attempts": 3} | settings
        llms.append(VllmLLM(LLMSettings(**values), AnswerStore(tmp_path / "answers.sqlite")))
        return llms[-1]

    yield make
    for llm in llms:
        llm.close()


def request(context="A light on a rock.", **fields):
    values = {
        "call": "keeper",
        "book_id": "7",
        "node": "chapter 1, window 1",
        "instructions": "Answer in JSON.",
        "context": context,
        "question": "Who keeps the light?",
        "inputs": KEEPER,
        "schema": Keeper,
        "max_tokens": 50,
    }
    return Request(**(values | fields))


def test_a_request_is_sent_with_its_schema_and_sampling(llm_of):
    with StandInServer(GOOD) as stand_in:
        llm = llm_of(stand_in.url, temperature=0.3, top_p=0.9)
        assert llm.answer([request(num_samples=2)]) == [Answer((KEEPER, KEEPER))]
    [body] = stand_in.requests
    shape = {"name": "Keeper", "schema": Keeper.model_json_schema(), "strict": True}
    assert body == {
        "model": "tiny",
        "messages": request().messages,
        "max_tokens": 50,
        "n": 2,
        "temperature": 0.3,
        "top_p": 0.9,
        "response_format": {"type": "json_schema", "json_schema": shape},
    }
    usage = llm.ledger().levels["keeper"]
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (100, 64, 20)
    assert llm.trainable


def test_the_seed_is_sent_where_the_settings_say_so(llm_of):
    with StandInServer(Reply("{}"), GOOD) as stand_in:
        llm_of(stand_in.url, seed=7, send_seed=True).answer([request()])
    first, second = (body["seed"] for body in stand_in.requests)
    assert first == 7
    assert second != 7


def test_a_busy_server_is_asked_again_after_the_time_it_names(llm_of):
    slow = Reply(status=503, error="busy", headers=(("Retry-After", "1"),))
    with StandInServer(slow, BUSY, GOOD) as stand_in:
        start = time.monotonic()
        assert llm_of(stand_in.url).answer([request()]) == [Answer((KEEPER,))]
        assert time.monotonic() - start >= 1.0
    assert len(stand_in.requests) == 3


def test_a_server_that_hangs_up_or_breaks_is_asked_again(llm_of):
    broken = Reply(status=500, error="EngineCore encountered an issue")
    with StandInServer(Reply(hang_up=True), broken, GOOD) as stand_in:
        assert llm_of(stand_in.url).answer([request()]) == [Answer((KEEPER,))]


def test_a_server_that_stays_busy_is_a_transient_error(llm_of):
    with StandInServer(BUSY) as stand_in:
        with pytest.raises(TransientError, match="did not answer in 3 tries: 503 The engine is currently busy"):
            llm_of(stand_in.url).answer([request()])
        assert len(stand_in.requests) == 3


def test_a_server_that_goes_away_is_a_transient_error(llm_of):
    with StandInServer(GOOD) as stand_in:
        llm = llm_of(stand_in.url)
    with pytest.raises(TransientError, match=r"did not answer in 3 tries: .*connect"):
        llm.answer([request()])


def test_a_slow_answer_is_given_up_and_asked_again(llm_of):
    with StandInServer(Reply(GOOD.text, delay_s=0.6), GOOD) as stand_in:
        assert llm_of(stand_in.url, timeout_s=0.3).answer([request()]) == [Answer((KEEPER,))]
    assert len(stand_in.requests) == 2


def test_invalid_json_is_sent_back_and_a_runaway_is_not(llm_of):
    with StandInServer(Reply('{"name": "Ada"}'), Reply('{"name": "A', "length"), GOOD) as stand_in:
        assert llm_of(stand_in.url).answer([request()]) == [Answer((KEEPER,))]
    assert [len(body["messages"]) for body in stand_in.requests] == [2, 4, 2]


def test_requests_in_flight_are_bounded(llm_of):
    with StandInServer(Reply(GOOD.text, delay_s=0.05)) as stand_in:
        llm_of(stand_in.url, max_in_flight=2).answer([request(str(number)) for number in range(6)])
    assert stand_in.most_in_flight == 2


def test_no_server_is_one_clear_line(llm_of):
    with StandInServer(GOOD) as stand_in:
        url = stand_in.url
    with pytest.raises(ConfigError, match=r"no server answers at http://127.0.0.1:\d+/v1 .*or give --llm builtin"):
        llm_of(url)


def test_a_wrong_model_is_one_clear_line_with_those_there_are(llm_of):
    with StandInServer(GOOD, models=("tiny", "large")) as stand_in:
        with pytest.raises(ConfigError, match="does not serve 'huge', it serves: large, tiny"):
            llm_of(stand_in.url, model="huge")
        with pytest.raises(ConfigError, match="serves several models, name one of them: large, tiny"):
            llm_of(stand_in.url)
        assert llm_of(stand_in.url, model="large").identity.startswith("large@-")


def test_a_server_of_something_else_is_one_clear_line(llm_of):
    with StandInServer(GOOD) as stand_in:
        with pytest.raises(ConfigError, match="is no OpenAI-compatible server: /models says 404 Not Found"):
            llm_of(stand_in.url.replace("/v1", "/shop"))
        stand_in.models = ()
        with pytest.raises(ConfigError, match="serves no model, load one"):
            llm_of(stand_in.url)


@pytest.mark.parametrize("url", ["tiny", "ftp://127.0.0.1/v1", "http://", "http://a:b:c/"])
def test_what_is_no_url_is_one_clear_line(llm_of, url):
    with pytest.raises(ConfigError, match=r"^llm\.url: "):
        llm_of(url)


@pytest.mark.parametrize("url", ["http://user:hush@127.0.0.1/v1", "http://127.0.0.1/v1?key=hush"])
def test_a_secret_in_a_url_is_refused_and_not_told(llm_of, url):
    with pytest.raises(ConfigError, match=f"the key is read from {API_KEY}") as refused:
        llm_of(url)
    assert "hush" not in str(refused.value)


def test_the_version_may_be_left_out_of_the_url(llm_of):
    with StandInServer(GOOD) as stand_in:
        llm = llm_of(stand_in.url.removesuffix("v1"))
        assert llm.answer([request()]) == [Answer((KEEPER,))]


def test_the_key_is_sent_and_nowhere_told(llm_of, monkeypatch, caplog, tmp_path):
    monkeypatch.setenv(API_KEY, "open-sesame")
    caplog.set_level(logging.DEBUG)
    refuse = Reply(status=401, error="bad key")
    with StandInServer(GOOD, refuse) as one, StandInServer(GOOD, refuse) as two, StandInServer(GOOD) as other:
        llm = llm_of(f"{one.url},{two.url}", fallback_url=other.url)
        books = [request(f"Rock {book}.", book_id=str(book)) for book in range(20)]
        llm.answer([books[0]])
        with pytest.raises(ConfigError, match=f"refuses the key \\(401\\): set {API_KEY}") as refused:
            llm.answer(books)
        assert {stand_in.headers["Authorization"] for stand_in in (one, two, other)} == {"Bearer open-sesame"}
    with pytest.raises(TransientError, match="did not answer") as away:
        llm.answer([request("nobody is there")])
    llm.close()
    told = str(refused.value) + str(away.value) + caplog.text + llm.identity + repr(llm.ledger())
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert "open-sesame" not in told
    assert b"open-sesame" not in stored


def test_a_schema_without_an_end_is_refused_before_it_is_sent(llm_of):
    with StandInServer(GOOD) as stand_in:
        with pytest.raises(ConfigError, match=r"the schema Endless .* answer\.name: a string needs max_length"):
            llm_of(stand_in.url).answer([request(schema=Endless)])
        assert stand_in.requests == []


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, "Grammar error: Unimplemented keys", "refuses the schema Keeper: 400 Grammar error"),
        (404, "The model `tiny` does not exist.", "404 The model `tiny` does not exist"),
    ],
)
def test_what_is_wrong_for_every_request_stops(llm_of, status, message, expected):
    with StandInServer(Reply(status=status, error=message)) as stand_in:
        with pytest.raises(ConfigError, match=expected):
            llm_of(stand_in.url).answer([request()])
        assert len(stand_in.requests) == 1


@pytest.mark.parametrize(
    ("message", "reason"),
    [("This model's maximum context length is 64 tokens", "over-window"), ("no such character", "refused")],
)
def test_what_is_wrong_with_one_request_fails_it_alone(llm_of, message, reason):
    with StandInServer(Reply(status=400, error=message), GOOD) as stand_in:
        failure, answer = llm_of(stand_in.url, max_in_flight=1).answer([request(), request("other")])
    assert (failure.reason, failure.detail) == (reason, f"400 {message}")
    assert len(stand_in.requests) == 2
    assert answer == Answer((KEEPER,))


def test_a_prompt_that_leaves_little_room_is_asked_for_less_or_not_at_all(llm_of):
    with StandInServer(GOOD, window=1_000) as stand_in:  # the stand-in's tokens are words
        llm = llm_of(stand_in.url)
        assert llm.answer([request("salt " * 600, max_tokens=500)]) == [Answer((KEEPER,))]
        [failure] = llm.answer([request("salt " * 900, max_tokens=500)])
    assert [body["max_tokens"] for body in stand_in.requests] == [1_000 - 607]
    assert failure.reason == "over-window"
    assert failure.detail == "a prompt of 907 tokens and an answer of 500 pass the window of 1000"


def test_a_server_that_does_not_count_is_asked_as_it_is(llm_of):
    with StandInServer(GOOD, window=None) as stand_in:
        assert llm_of(stand_in.url).answer([request("salt " * 9_000)]) == [Answer((KEEPER,))]
        with pytest.raises(ConfigError, match=r"has no /tokenize \(404 Not Found\): name a tokenizer"):
            ServerTokenizer(LLMSettings(url=stand_in.url))


def test_a_window_that_cannot_be_watched_stops_nothing(llm_of, caplog):
    with StandInServer(GOOD, window=1_000) as stand_in:
        stand_in.counts_tokens = False
        answers = llm_of(stand_in.url).answer([request("salt " * 900), request("fog " * 900)])
    assert answers == [Answer((KEEPER,))] * 2
    assert "has no /tokenize: the window of tiny is not watched" in caplog.text


def test_the_servers_tokenizer_counts_and_keeps_its_counts():
    with StandInServer(GOOD) as stand_in:
        tokenizer = ServerTokenizer(LLMSettings(url=stand_in.url, connect_attempts=2))
        assert tokenizer.count("salt and fog") == 3
        assert tokenizer.identity.startswith("server:tiny:")
    assert tokenizer.count("salt and fog") == 3
    with pytest.raises(TransientError, match="did not count tokens in 2 tries"):
        tokenizer.count("salt and more fog")
    tokenizer.close()


# ---- several servers ----


def books(number):
    return [request(f"Rock {book}.", book_id=str(book)) for book in range(number)]


def texts(stand_in):
    return {body["messages"][1]["content"] for body in stand_in.requests}


def test_all_requests_of_a_book_go_to_one_server_and_books_to_all(llm_of):
    with StandInServer(GOOD) as one, StandInServer(GOOD) as two:
        llm = llm_of(f"{one.url}, {two.url}")
        llm.answer(
            [
                request(f"{book.context} Window {window}.", book_id=book.book_id)
                for book in books(20)
                for window in (1, 2)
            ]
        )
        first, second = ({text.split(".")[0] for text in texts(stand_in)} for stand_in in (one, two))
    assert first
    assert second
    assert not first & second
    assert "127.0.0.1" not in llm.identity


def test_a_server_that_goes_away_hands_its_requests_to_the_next_and_comes_back(llm_of, caplog):
    caplog.set_level(logging.INFO)
    with StandInServer(GOOD) as one, StandInServer(GOOD) as two:
        llm = llm_of(f"{one.url},{two.url}")
        llm.answer([request()])
        two.health, two.replies = 503, [Reply(hang_up=True)]
        assert llm.answer(books(20)) == [Answer((KEEPER,))] * 20
        wait_until(lambda: f"{two.url} is away" in caplog.text)
        before = len(two.requests)
        assert llm.answer([request(f"More {book}.", book_id=str(book)) for book in range(20)])
        assert len(two.requests) == before
        two.health, two.replies = 200, [GOOD]
        wait_until(lambda: f"{two.url} is back" in caplog.text)
        llm.answer([request(f"Still more {book}.", book_id=str(book)) for book in range(20)])
        assert len(two.requests) > before


def test_a_busy_server_that_is_dying_is_down(llm_of, caplog):
    with StandInServer(BUSY) as one, StandInServer(GOOD) as two:
        one.health = 503
        assert llm_of(f"{one.url},{two.url}").answer(books(6)) == [Answer((KEEPER,))] * 6
        wait_until(lambda: f"{one.url} is away" in caplog.text)


def test_of_several_servers_one_may_be_away_at_the_start(llm_of, caplog):
    with StandInServer(GOOD) as away:
        url = away.url
    with StandInServer(GOOD) as one:
        assert llm_of(f"{url},{one.url}").answer(books(6)) == [Answer((KEEPER,))] * 6
    assert f"no server answers at {url}" in caplog.text
    with pytest.raises(ConfigError, match=r"no server answers at .*; no server answers at .*: start one"):
        llm_of(f"{url},{one.url}")


def test_the_smallest_window_counts_and_every_server_must_serve_the_model(llm_of):
    with StandInServer(GOOD, window=4_096) as one, StandInServer(GOOD, window=2_048) as two:
        assert llm_of(f"{one.url},{two.url}").max_model_len == 2_048
        two.models = ("large",)
        with pytest.raises(ConfigError, match=rf"llm\.model: {two.url} does not serve 'tiny', it serves: large"):
            llm_of(f"{one.url},{two.url}")


def test_the_fallback_model_has_a_server_of_its_own(llm_of):
    with StandInServer(Reply("no JSON")) as one, StandInServer(GOOD, models=("large",)) as two:
        llm = llm_of(one.url, fallback_model="large", fallback_url=two.url)
        assert llm.answer([request()]) == [Answer((KEEPER,))]
        assert [body["model"] for body in two.requests] == ["large"]
        assert len(one.requests) == 5
        with pytest.raises(ConfigError, match=r"llm\.fallback_model: .* does not serve 'huge', it serves: large"):
            llm_of(one.url, fallback_model="huge", fallback_url=two.url)


# ---- before the first request, and while requests are in flight ----


def test_every_schema_is_probed_once_before_the_first_request_that_is_sent(llm_of):
    with StandInServer(GOOD) as stand_in:
        llm = llm_of(stand_in.url)
        assert stand_in.probes == []
        llm.answer(books(5))
        llm.answer([request("other")])
        names = [body["response_format"]["json_schema"]["name"] for body in stand_in.probes]
        assert sorted(names) == sorted(schema.__name__ for schema in LEVELS.values())
        assert {body["max_tokens"] for body in stand_in.probes} == {1}
        assert llm.ledger().books[""]["probe"].calls == len(LEVELS)
        llm.close()
        llm_of(stand_in.url).answer(books(5))
        assert len(stand_in.probes) == len(LEVELS)
        assert len(stand_in.requests) == 6


def test_a_schema_that_a_server_refuses_is_told_before_anything_is_asked(llm_of):
    with StandInServer(GOOD) as stand_in:
        stand_in.probe_reply = Reply(status=400, error="Unimplemented keys: uniqueItems")
        llm = llm_of(stand_in.url)
        with pytest.raises(ConfigError, match=r"refuses the schema \w+Answer: 400 Unimplemented keys"):
            llm.answer(books(5))
        assert stand_in.requests == []
        stand_in.probe_reply = Reply("{", "length")
        assert llm.answer(books(1)) == [Answer((KEEPER,))]


def test_each_try_names_the_answer_it_is_for(llm_of):
    with StandInServer(Reply(hang_up=True), BUSY, GOOD) as stand_in:
        llm_of(stand_in.url).answer([request()])
    name = stand_in.ids[0].removesuffix("-1")
    assert re.fullmatch(r"[0-9a-f]{16}", name)
    assert stand_in.ids == [f"{name}-1", f"{name}-2", f"{name}-3"]


def test_the_load_is_looked_at_only_while_requests_are_in_flight(llm_of):
    with StandInServer(Reply(GOOD.text, delay_s=0.3)) as stand_in:
        stand_in.metrics = 'vllm:num_requests_waiting{engine="0"} 0.0\n'
        llm = llm_of(stand_in.url)
        assert stand_in.looks == 0
        llm.answer([request()])
        assert stand_in.looks > 2
        looks = wait_until_calm(stand_in)
        time.sleep(0.2)
        assert stand_in.looks == looks


def test_fewer_requests_are_sent_to_a_server_whose_queue_is_full(llm_of):
    with StandInServer(Reply(GOOD.text, delay_s=0.05)) as stand_in:
        stand_in.metrics = 'vllm:num_requests_waiting{engine="0"} 40.0\n'
        llm = llm_of(stand_in.url)
        assert answer_until(llm, stand_in, lambda most: 1 <= most < 16)


def test_a_server_without_metrics_is_filled_as_long_as_it_answers(llm_of):
    with StandInServer(Reply(GOOD.text, delay_s=0.05)) as stand_in:
        assert answer_until(llm_of(stand_in.url), stand_in, lambda most: most > 16)


def test_a_spent_budget_sends_nothing_more(llm_of, tmp_path):
    with StandInServer(Reply(GOOD.text, delay_s=0.02)) as stand_in:
        cost = CostSettings(
            output_price=1e6, gpu_hour=0.0, budget=200.0
        )  # every answer costs 10, of a probe of a level's schema as of a request
        store = AnswerStore(tmp_path / "answers.sqlite")
        with VllmLLM(LLMSettings(url=stand_in.url, max_in_flight=2), store, cost=cost) as llm:
            with pytest.raises(BudgetError, match=r"the budget of 200\.00 is spent: 2[01]0\.00"):
                llm.answer([request(str(number)) for number in range(50)])
            assert llm.ledger().cost == pytest.approx(10.0 * (len(stand_in.requests) + len(LEVELS)))
        assert 20 <= len(stand_in.requests) + len(LEVELS) <= 21


def test_closing_while_a_server_is_down_leaves_nothing_running(llm_of):
    with StandInServer(Reply(GOOD.text, delay_s=0.2)) as stand_in:
        llm = llm_of(stand_in.url)
        llm.answer([request()])
        stand_in.health, stand_in.replies = 503, [Reply(hang_up=True)]
        with pytest.raises(TransientError):
            llm.answer([request("other")])
        llm.close()
        llm.close()
        assert "llm" not in {thread.name for thread in threading.enumerate()}


def wait_until(claim):
    deadline = time.monotonic() + 10.0
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def answer_until(llm, stand_in, claim):
    """Send batches until what was in flight at most in one of them is as claimed."""
    for batch in range(20):
        stand_in.most_in_flight = 0
        llm.answer([request(f"{batch} {number}") for number in range(60)])
        if claim(stand_in.most_in_flight):
            return True
    return False


def wait_until_calm(stand_in):
    looks = -1
    while looks != stand_in.looks:
        looks = stand_in.looks
        time.sleep(0.1)
    return looks
