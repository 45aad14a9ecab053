"""Requests that wait -> the servers they may be sent to now."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.backends.llms.limiter import Limiter
from tasks.backends.llms.turns import Turns


@dataclass(eq=False)
class Lane:
    """The way to one server."""

    url: str
    limiter: Limiter
    up: bool = True


@dataclass(eq=False)
class Waiter:
    """A request that waits for the first of its lanes that is up."""

    lanes: Sequence[Lane]
    granted: asyncio.Future[Lane]


def order_lanes(lanes: Sequence[Lane], book_id: str) -> list[Lane]:
    """Return the lanes as a book prefers them: the same for all its requests, whose prefixes lie there.

    Source: rendezvous hashing (Thaler and Ravishankar 1998); a server more or less moves only its own books.
    """
    return sorted(lanes, key=lambda lane: hashlib.sha256(f"{lane.url} {book_id}".encode()).digest())


class Gate:
    """Lets requests through: books in turns, no lane beyond its limit, all lanes together not beyond `ceiling`."""

    def __init__(self, lanes: Sequence[Lane], ceiling: int) -> None:
        self._lanes, self._ceiling = tuple(lanes), ceiling
        self._turns: Turns[Waiter] = Turns()
        self.in_flight = 0

    async def enter(self, lanes: Sequence[Lane], book_id: str, urgent: bool) -> Lane:
        """Wait for a turn, and return the lane to take: the first that is up, or the first where none is."""
        waiter = Waiter(lanes, asyncio.get_running_loop().create_future())
        book = (book_id, lanes[0].url)
        self._turns.add(book, waiter, urgent)
        self.open()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            self._turns.discard(book, waiter)
            if not waiter.granted.cancelled():
                self.leave(waiter.granted.result())
            raise

    def leave(self, lane: Lane) -> None:
        """End a request's time on its lane."""
        lane.limiter.leave()
        self.in_flight -= 1
        self.open()

    def open(self) -> None:
        """Let in who may go: after every change of what is in flight, of a limit, or of who is up."""
        while self.in_flight < self._ceiling and any(lane.limiter.has_room for lane in self._lanes):
            turn = self._turns.take(find_lane)
            if turn is None:
                return
            waiter, lane = turn
            if waiter.granted.done():  # cancelled, and not yet gone
                continue
            lane.limiter.enter()
            self.in_flight += 1
            waiter.granted.set_result(lane)


def find_lane(waiter: Waiter) -> Lane | None:
    """Return the lane that a waiter may take now."""
    lane = next((lane for lane in waiter.lanes if lane.up), waiter.lanes[0])
    return lane if lane.limiter.has_room else None
