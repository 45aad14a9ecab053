"""Who may send next: books take turns, within a book first come first served."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Waiter = TypeVar("Waiter")
Place = TypeVar("Place")


class Turns(Generic[Waiter]):
    """Waiters by book; an urgent one goes before the others of its book."""

    def __init__(self) -> None:
        self._queues: OrderedDict[Hashable, tuple[deque[Waiter], deque[Waiter]]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many wait."""
        return sum(len(urgent) + len(others) for urgent, others in self._queues.values())

    def add(self, book: Hashable, waiter: Waiter, urgent: bool) -> None:
        """Let a waiter wait for its book's turn."""
        first, others = self._queues.setdefault(book, (deque(), deque()))
        (first if urgent else others).append(waiter)

    def take(self, find_place: Callable[[Waiter], Place | None]) -> tuple[Waiter, Place] | None:
        """Remove and return the next waiter for whom there is a place, and the place; its book goes to the end."""
        for book, (urgent, others) in self._queues.items():
            queue = urgent or others
            place = find_place(queue[0])
            if place is not None:
                waiter = queue.popleft()
                if urgent or others:
                    self._queues.move_to_end(book)
                else:
                    del self._queues[book]
                return waiter, place
        return None

    def discard(self, book: Hashable, waiter: Waiter) -> None:
        """Forget a waiter, if it still waits."""
        urgent, others = self._queues.get(book, (deque(), deque()))
        for queue in (urgent, others):
            if waiter in queue:
                queue.remove(waiter)
        if book in self._queues and not urgent and not others:
            del self._queues[book]
