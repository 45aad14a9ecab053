"""What a server says is read, and what is wrong with it told in one line."""

import httpx
import pytest

from schemas.errors import ConfigError
from tasks.backends.llms.question import Completion
from tasks.backends.llms.runaway import runs_away
from tasks.backends.llms.server import describe_error, read_models, wait_before
from tasks.backends.llms.server_tokenizer import read_tokens
from tasks.backends.llms.vllm import read_completions


def choice(index, text="salt", finish_reason="stop"):
    return {"index": index, "message": {"content": text}, "finish_reason": finish_reason}


def test_samples_come_in_their_order_and_the_first_carries_the_counts():
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": None}
    response = httpx.Response(200, json={"choices": [choice(1, "fog", "length"), choice(0)], "usage": usage})
    assert read_completions(response, 2, "server") == [Completion("salt", "stop", 9, 0, 4), Completion("fog", "length")]


def test_an_answer_without_text_is_empty():
    response = httpx.Response(200, json={"choices": [choice(0, None)]})
    assert read_completions(response, 1, "server") == [Completion("", "stop")]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"choices": [{"index": 0}]}'])
def test_a_200_that_holds_no_choices_is_one_clear_line(body):
    with pytest.raises(ConfigError, match="server is no OpenAI-compatible server: its answer holds no choices"):
        read_completions(httpx.Response(200, content=body), 1, "server")


def test_a_server_that_ignores_n_is_one_clear_line():
    response = httpx.Response(200, json={"choices": [choice(0)]})
    with pytest.raises(ConfigError, match="server gave 1 samples, 3 were asked for: it does not know 'n'"):
        read_completions(response, 3, "server")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"data": [{}]}'])
def test_a_list_of_models_that_is_none_is_one_clear_line(body):
    with pytest.raises(ConfigError, match="server is no OpenAI-compatible server: /models holds no list of models"):
        read_models(httpx.Response(200, content=body), "server")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'{"error": {"message": "no\\n such model"}}', "404 no such model"),
        (b'{"error": "no such model"}', "404 no such model"),
        (b'{"detail": "Not Found"}', "404 Not Found"),
        (b"<html>", "404"),
        (b"[1]", "404"),
    ],
)
def test_an_error_is_told_in_one_line(body, line):
    assert describe_error(httpx.Response(404, content=body)) == line


def test_tokens_are_read_and_their_absence_is_one_clear_line():
    assert read_tokens(httpx.Response(200, json={"tokens": [5, 6]}), "server") == [5, 6]
    with pytest.raises(ConfigError, match=r"server has no /tokenize \(200\): name a tokenizer with --reader-tokenizer"):
        read_tokens(httpx.Response(200, json={"count": 2}), "server")


def test_waits_double_up_to_a_minute_unless_the_server_names_a_time():
    assert 0.25 <= wait_before(0, None) <= 0.5
    assert 1.0 <= wait_before(2, None) <= 2.0
    assert 30.0 <= wait_before(50, None) <= 60.0
    assert wait_before(0, httpx.Response(503, headers={"Retry-After": "7"})) == 7.0
    assert wait_before(0, httpx.Response(503, headers={"Retry-After": "soon"})) <= 0.5


PROSE = "The keeper climbed the stairs, trimmed the lamp, and wrote the hour in his book; nobody would read it. " * 3


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ada' + " " * 60,
        '{"name":\n' + "\n\t" * 30,
        '{"name": "no, no, no' + ", no" * 40,
        '{"bullets": [' + '"The fog comes in.", ' * 12,
        PROSE + "a" * 120,
        PROSE[:199] * 4,
    ],
)
def test_white_space_and_phrases_without_end_are_runaways(text):
    assert runs_away(text)


@pytest.mark.parametrize(
    "text", ["", "no", '{"name": "Ada"', "ha ha ha ha", PROSE[:200], '{"a": ' + "[" * 3 + " " * 20]
)
def test_what_is_only_broken_is_no_runaway(text):
    assert not runs_away(text)
