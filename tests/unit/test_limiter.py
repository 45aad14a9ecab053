"""How many requests a server is sent at once follows what it shows of its load."""

import pytest

from tasks.backends.llms.limiter import FIRST_LIMIT, Limiter, Load, read_load

CALM = Load(0, 0.2, 0)


def answer_window(limiter, full=True):
    """As many answers as the limit allows, with that many in flight or with one at a time."""
    num_answers = limiter.limit
    if full:
        for _ in range(num_answers):
            limiter.enter()
        for _ in range(num_answers):
            limiter.leave()
            limiter.note_answer()
    else:
        for _ in range(num_answers):
            limiter.enter()
            limiter.leave()
            limiter.note_answer()


def fill(limiter):
    while limiter.has_room:
        limiter.enter()


def test_an_unknown_server_is_filled_twice_as_much_after_each_good_window():
    limiter = Limiter(100)
    limits = [limiter.limit]
    for _ in range(4):
        limiter.note_load(CALM)
        answer_window(limiter)
        limits.append(limiter.limit)
    assert limits == [FIRST_LIMIT, 32, 64, 100, 100]


def test_a_limit_that_was_not_reached_is_not_raised():
    limiter = Limiter(100)
    limiter.note_load(CALM)
    answer_window(limiter, full=False)
    assert limiter.limit == FIRST_LIMIT


def test_nothing_grows_before_the_server_has_shown_its_load_anew():
    limiter = Limiter(100)
    answer_window(limiter)
    assert limiter.limit == FIRST_LIMIT
    limiter.note_load(CALM)
    answer_window(limiter)
    answer_window(limiter)
    assert limiter.limit == 2 * FIRST_LIMIT


def test_a_server_that_shows_no_load_is_filled_until_it_is_busy():
    limiter = Limiter(1_000)
    limiter.note_silence()
    for _ in range(3):
        answer_window(limiter)
    assert limiter.limit == 128
    limiter.note_busy()
    assert limiter.limit == 89
    answer_window(limiter)
    assert limiter.limit == 94  # from now on in small steps


@pytest.mark.parametrize(
    "load", [Load(200, 0.2, 0), Load(0, 0.96, 0), Load(0, 0.2, 3)], ids=["queue", "cache", "preempted"]
)
def test_an_overloaded_server_is_sent_less(load):
    limiter = Limiter(100)
    limiter.note_load(CALM)
    fill(limiter)
    limiter.note_load(load)
    assert limiter.limit == 11


def test_preemptions_before_the_first_look_are_no_news():
    limiter = Limiter(100)
    limiter.note_load(Load(0, 0.2, 7))
    limiter.note_load(Load(0, 0.2, 7))
    assert limiter.limit == FIRST_LIMIT


def test_a_limit_is_lowered_again_only_when_fewer_are_in_flight():
    limiter = Limiter(100)
    fill(limiter)
    for _ in range(5):
        limiter.note_load(Load(50, 0.2, 0))
    assert limiter.limit == 11
    while limiter.in_flight > 11:
        limiter.leave()
    limiter.note_load(Load(50, 0.2, 0))
    assert limiter.limit == 7


def test_a_short_queue_lowers_the_limit_by_what_waits():
    limiter = Limiter(100)
    fill(limiter)
    limiter.note_load(Load(7, 0.2, 0))
    assert limiter.limit == FIRST_LIMIT - 3


@pytest.mark.parametrize(("most", "least"), [(100, 4), (2, 2)])
def test_the_limit_never_falls_to_nothing(most, least):
    limiter = Limiter(most)
    for _ in range(20):
        limiter.note_busy()
        limiter.note_load(Load(500, 1.0, 0))
    assert limiter.limit == least


def test_known_slots_are_filled_from_the_start_until_a_few_requests_wait_there():
    limiter = Limiter(256, num_slots=64)
    limits = [limiter.limit]
    for num_waiting in (0, 6, 9):  # 9: an eighth of the limit
        limiter.note_load(Load(num_waiting, 0.2, 0))
        answer_window(limiter)
        limits.append(limiter.limit)
    assert limits == [64, 72, 75, 75]


def test_known_slots_without_a_look_at_the_load_are_passed_by_an_eighth():
    limiter = Limiter(256, num_slots=64)
    limiter.note_silence()
    for _ in range(20):
        answer_window(limiter)
    assert limiter.limit == 72


def test_known_slots_are_not_left_empty_for_a_queue_but_for_a_full_cache():
    limiter = Limiter(256, num_slots=64)
    fill(limiter)
    limiter.note_load(Load(30, 0.2, 0))
    assert limiter.limit == 64
    limiter.note_load(Load(30, 0.97, 0))
    assert limiter.limit == 44


def test_no_more_than_the_ceiling_is_sent_whatever_the_server_could_take():
    assert Limiter(8).limit == 8
    assert Limiter(8, num_slots=64).limit == 8


def test_the_load_is_read_from_a_page_of_metrics():
    page = """
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
vllm:num_requests_waiting{engine="0",model_name="tiny"} 3.0
vllm:num_requests_waiting{engine="1",model_name="tiny"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="tiny",reason="capacity"} 3.0
vllm:kv_cache_usage_perc{engine="0",model_name="tiny"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="tiny"} 0.75
vllm:num_preemptions_total{engine="0",model_name="tiny"} 4.0
vllm:num_preemptions_total{engine="1",model_name="tiny"} 1.0
"""
    assert read_load(page) == Load(5, 0.75, 5)
    assert read_load("python_gc_objects_collected_total 12.0\n") is None
