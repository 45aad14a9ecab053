"""What a build will cost: windows counted, the rest as pilots have it."""

from types import SimpleNamespace

import pytest

from schemas.ledger import Ledger, Pilot, Point, Usage
from schemas.settings import ChunkSettings, CostSettings, Settings, SummarizeSettings
from tasks.forecast import CountedWork, choose_pilots, fit_input, fit_line, make_forecast
from tasks.line import seams_of
from tasks.pilot import InputCounter, list_reads
from tasks.pricing import add_usage, subtract_usage
from tasks.summarize import summarize_book
from tests.fakes import FakeLLM, WordTokenizer, build_book, write_nonsense

RATES = CostSettings(gpu_hour=2.0, num_gpus=4, input_price=1.0, cached_price=0.1, output_price=10.0)
CHUNK = ChunkSettings(window_tokens=200)


def counted(work_id, *sizes, is_planned=False, num_read=0, read=None):
    return CountedWork(work_id, "", sizes, is_planned, num_read, read or Usage())


def pilot_of(*sizes, template=9, out=100, seconds=2.0, concurrency=4.0, replayed=0):
    """Each window is read and rated, the book is asked once about its arcs; every answer takes 100 tokens."""
    points = {
        "read": tuple(Point(size, size + template, 0, out) for size in sizes),
        "rate": tuple(Point(size, size + 50, size, out) for size in sizes),
        "arcs": (Point(0, 500, 0, out),),
    }
    usage = {
        level: Usage(
            calls=len(found),
            replayed=replayed,
            prompt_tokens=sum(point.prompt_tokens for point in found),
            cached_tokens=sum(point.cached_tokens for point in found),
            completion_tokens=sum(point.completion_tokens for point in found),
            seconds=seconds * len(found),
        )
        for level, found in points.items()
    }
    return Pilot(points=points, usage=usage, concurrency=concurrency)


WORKS = [counted("a", 1000, 2000), counted("b", 1000, 1500, 2000), counted("c", 400, 500, 600, 700)]


def test_the_input_of_reading_is_counted_exactly():
    forecast = make_forecast(3, WORKS, {"b": pilot_of(1000, 1500, 2000)}, Ledger(), RATES)
    num_windows, text = 9, 3000 + 4500 + 2200
    assert forecast.windows == forecast.levels["read"].calls == num_windows
    assert forecast.levels["read"].prompt_tokens == text + 9 * num_windows


def test_the_rest_is_expected_by_window_or_by_work_as_pilots_have_it():
    forecast = make_forecast(3, WORKS, {"b": pilot_of(1000, 1500, 2000)}, Ledger(), RATES)
    read, rate, arcs = (forecast.levels[level] for level in ("read", "rate", "arcs"))
    assert (read.completion_tokens, rate.completion_tokens, arcs.completion_tokens) == (900, 900, 300)
    assert (rate.calls, arcs.calls, arcs.prompt_tokens) == (9, 3, 1500)
    assert rate.cached_tokens == pytest.approx(9700, abs=2)
    assert forecast.total == add_usage(read, rate, arcs)
    assert forecast.pilot == ("b",)


def test_what_is_known_is_told_apart_and_costs_nothing():
    works = [*WORKS[:2], counted("c", 400, 500, 600, 700, is_planned=True)]
    forecast = make_forecast(3, works, {"b": pilot_of(1000, 1500, 2000)}, Ledger(), RATES)
    assert forecast.remaining.calls == 2 + 2 + 1  # of the first work alone
    assert forecast.already_answered.calls == (3 + 3 + 1) + (4 + 4 + 1)
    assert add_usage(forecast.remaining, forecast.already_answered).calls == forecast.total.calls
    assert forecast.remaining.prompt_tokens == pytest.approx(3000 + 2 * 9 + 3000 + 2 * 50 + 500, abs=2)


def test_of_a_work_that_was_stopped_the_windows_read_are_known_and_what_follows_them():
    read = Usage(calls=1, prompt_tokens=1009, completion_tokens=80)
    works = [counted("a", 1000, 2000, num_read=1, read=read), WORKS[1]]
    forecast = make_forecast(2, works, {"b": pilot_of(1000, 1500, 2000)}, Ledger(), RATES)
    assert forecast.already_answered.calls == 7 + 1 + 1
    assert forecast.remaining.calls == 1 + 1 + 1


def test_gpu_hours_follow_from_the_seconds_and_the_requests_in_flight():
    forecast = make_forecast(3, WORKS, {"b": pilot_of(1000, 1500, 2000)}, Ledger(), RATES)
    busy_seconds = (2.0 * (2 + 2 + 1) + 2.0 * (4 + 4 + 1)) / 4.0
    assert forecast.gpu_hours == pytest.approx(busy_seconds / 3600 * 4)
    left = forecast.remaining
    tokens = (left.prompt_tokens - left.cached_tokens) + 0.1 * left.cached_tokens + 10 * left.completion_tokens
    assert forecast.cost == pytest.approx(forecast.gpu_hours * 2.0 + tokens / 1e6)


def test_a_pilot_that_was_answered_before_takes_its_pace_from_the_last_run():
    known = pilot_of(1000, 1500, 2000).model_copy(update={"usage": {}, "concurrency": 0.0})
    assert make_forecast(3, WORKS, {"b": known}, Ledger(), RATES).gpu_hours == 0.0
    last = Ledger(completion_tokens=1000, seconds=20.0, busy_seconds=5.0)
    forecast = make_forecast(3, WORKS, {"b": known}, last, RATES)
    assert forecast.gpu_hours == pytest.approx(0.02 * forecast.remaining.completion_tokens / 4.0 / 3600 * 4)


def test_repairs_and_waste_of_a_pilot_are_expected_of_the_others():
    pilot = pilot_of(1000, 1500, 2000)
    spent = pilot.usage["read"].model_copy(update={"calls": 6, "completion_tokens": 600, "wasted_tokens": 300})
    pilot = pilot.model_copy(update={"usage": {**pilot.usage, "read": spent}})
    read = make_forecast(3, WORKS, {"b": pilot}, Ledger(), RATES).levels["read"]
    assert (read.calls, read.completion_tokens, read.wasted_tokens) == (18, 1800, 900)


def test_without_a_pilot_only_what_is_counted_is_told():
    forecast = make_forecast(3, [*WORKS[:2], counted("c", 400, is_planned=True)], {}, Ledger(), RATES)
    assert forecast.levels == {"read": Usage(calls=6, prompt_tokens=7900)}
    assert forecast.already_answered == Usage(calls=1, prompt_tokens=400)


def test_a_forecast_of_nothing_is_nothing():
    forecast = make_forecast(0, [], {}, Ledger(), RATES)
    assert (forecast.total.calls, forecast.cost) == (0, 0.0)
    assert choose_pilots([], 3) == []


def test_pilots_are_the_works_nearest_the_median_whatever_their_order():
    works = [
        counted("e", *range(9)),
        counted("b", *range(4)),
        counted("c", *range(5)),
        counted("d", *range(40)),
        counted("a", 1),
    ]
    assert [work.work_id for work in choose_pilots(works, 3)] == ["c", "b", "a"]
    assert choose_pilots(works[::-1], 3) == choose_pilots(works, 3)


def test_a_line_never_falls_and_few_sizes_give_a_mean():
    assert fit_line([(1, 4), (2, 3), (3, 2)]).slope == 0.0
    assert fit_line([(1, 4), (2, 8)]) == (6.0, 0.0)
    base, slope = fit_line([(1, 12), (2, 14), (3, 16), (9, 28)])
    assert (base, slope) == (pytest.approx(10), pytest.approx(2))


def test_input_is_the_count_and_a_template_or_where_vocabularies_differ_a_multiple():
    assert fit_input([Point(10, 17, 0, 0)]) == (7.0, 1.0)
    line = fit_input([Point(10, 15, 0, 0), Point(20, 30, 0, 0), Point(30, 45, 0, 0)])
    assert line == (pytest.approx(0, abs=1e-6), pytest.approx(1.5))


def test_the_reads_that_are_counted_are_those_that_are_sent():
    book = build_book([["The lamp was lit. " * 30] * 9], [["Nobody came. " * 40] * 3])
    llm = FakeLLM(lambda request: write_nonsense(request.schema, 7))
    seams = seams_of(SimpleNamespace(llm=llm, reader=WordTokenizer(), chunk=CHUNK, settings=Settings()))
    counted_requests = list_reads(book, SummarizeSettings(), **seams)
    assert llm.batches == []
    summarize_book(book, SummarizeSettings(), **seams)
    assert [request.messages for request in counted_requests] == [request.messages for request in llm.asked("read")]
    assert len(counted_requests) > 5
    counter = InputCounter(WordTokenizer())
    for request in counted_requests:
        assert counter.count(request) == sum(WordTokenizer().count(m["content"]) for m in request.messages)


def test_usages_add_up_and_nothing_falls_below_zero():
    some, more = Usage(calls=2, seconds=1.5, runaways=1), Usage(calls=3, prompt_tokens=7)
    assert add_usage(some, more) == Usage(calls=5, prompt_tokens=7, seconds=1.5, runaways=1)
    assert add_usage() == Usage()
    assert subtract_usage(more, some) == Usage(calls=1, prompt_tokens=7)
