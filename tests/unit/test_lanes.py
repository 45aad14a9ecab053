"""Books take turns, each at its own server, and nobody waits for a place that is free."""

import asyncio
from collections import Counter

from tasks.backends.llms.lanes import Gate, Lane, order_lanes
from tasks.backends.llms.limiter import Limiter
from tasks.backends.llms.turns import Turns


def make_lanes(*limits):
    return [Lane(f"http://server-{number}/v1", Limiter(limit)) for number, limit in enumerate(limits)]


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_books_take_turns_and_within_a_book_the_urgent_go_first():
    turns = Turns()
    for waiter in ("a1", "a2", "a3", "b1", "c1", "b2"):
        turns.add(waiter[0], waiter, urgent=False)
    turns.add("a", "a!", urgent=True)
    taken = [turns.take(lambda _: "place")[0] for _ in range(7)]
    assert taken == ["a!", "b1", "c1", "a1", "b2", "a2", "a3"]
    assert turns.take(lambda _: "place") is None


def test_a_book_without_a_place_is_passed_over_and_keeps_its_turn():
    turns = Turns()
    for waiter in ("a1", "b1", "b2"):
        turns.add(waiter[0], waiter, urgent=False)
    assert turns.take(lambda waiter: "place" if waiter.startswith("b") else None) == ("b1", "place")
    assert turns.take(lambda _: "place") == ("a1", "place")


def test_who_waits_no_more_is_forgotten():
    turns = Turns()
    turns.add("a", "a1", urgent=False)
    turns.add("a", "a2", urgent=True)
    turns.discard("a", "a2")
    turns.discard("b", "b1")
    assert len(turns) == 1
    turns.discard("a", "a1")
    assert turns.take(lambda _: "place") is None


def test_a_book_prefers_the_same_servers_whatever_others_there_are():
    lanes = make_lanes(1, 1, 1, 1)
    first = {str(book): order_lanes(lanes, str(book))[0] for book in range(400)}
    assert min(Counter(first.values()).values()) > 60
    without = {book: order_lanes(lanes[:-1], book)[0] for book in first}
    assert all(without[book] is lane for book, lane in first.items() if lane is not lanes[-1])


def test_a_gate_lets_no_more_in_than_its_lanes_and_its_ceiling_hold():
    async def enter_ten(ceiling, *limits):
        lanes = make_lanes(*limits)
        gate = Gate(lanes, ceiling)
        tasks = [asyncio.create_task(gate.enter([lanes[n % 2], lanes[1 - n % 2]], str(n), False)) for n in range(10)]
        await settle()
        counts = [lane.limiter.in_flight for lane in lanes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return counts

    assert asyncio.run(enter_ten(100, 2, 3)) == [2, 3]
    assert sum(asyncio.run(enter_ten(4, 2, 3))) == 4


def test_a_request_goes_to_the_first_lane_that_is_up_and_to_the_first_where_none_is():
    async def enter_one(*up):
        lanes = make_lanes(1, 1)
        for lane, is_up in zip(lanes, up, strict=True):
            lane.up = is_up
        return lanes.index(await Gate(lanes, 2).enter(lanes, "7", False))

    assert asyncio.run(enter_one(True, True)) == 0
    assert asyncio.run(enter_one(False, True)) == 1
    assert asyncio.run(enter_one(False, False)) == 0


def test_who_leaves_lets_the_next_in():
    async def take_turns():
        lanes = make_lanes(1)
        gate, order = Gate(lanes, 1), []

        async def work(name, urgent=False):
            lane = await gate.enter(lanes, name[0], urgent)
            order.append(name)
            await asyncio.sleep(0)
            gate.leave(lane)

        await asyncio.gather(*(work(name) for name in ("a1", "a2", "a3", "b1")), work("a!", urgent=True))
        return order, gate.in_flight

    assert asyncio.run(take_turns()) == (["a1", "a!", "b1", "a2", "a3"], 0)


def test_who_is_cancelled_while_waiting_or_just_let_in_takes_no_place():
    async def cancel_two():
        lanes = make_lanes(1)
        gate = Gate(lanes, 1)
        lane = await gate.enter(lanes, "a", False)
        waiting, next_one = (asyncio.create_task(gate.enter(lanes, book, False)) for book in ("b", "c"))
        await settle()
        waiting.cancel()
        gate.leave(lane)  # the one that is cancelled has not noticed yet
        assert next_one.cancel()  # let in, and cancelled before it could go on
        await asyncio.gather(waiting, next_one, return_exceptions=True)
        return gate.in_flight, lanes[0].limiter.in_flight

    assert asyncio.run(cancel_two()) == (0, 0)
