"""Few books are computed at once, however many are in work."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import wraps

import pytest

from tasks import line, prepare
from tasks.line import run_book
from tests.unit.test_shard import bench, story  # noqa: F401  # the fixture


class Gauge:
    """Counts how many threads are in a function at once."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def watch(self, function):
        @wraps(function)
        def watched(*inputs, **seams):
            with self._lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
            time.sleep(0.05)
            try:
                return function(*inputs, **seams)
            finally:
                with self._lock:
                    self.inside -= 1

        return watched


@pytest.mark.parametrize(("module", "name"), [(prepare, "clean_book"), (line, "compose_book")])
def test_books_take_turns_where_they_are_computed(bench, monkeypatch, module, name):  # noqa: F811
    for number in range(3):
        (bench.source.root / f"boat{number}.txt").write_text(story(num_chapters=3 + number))
    bench.source.relist()
    gauge = Gauge()
    monkeypatch.setattr(module, name, gauge.watch(getattr(module, name)))
    monkeypatch.setattr(module, "COMPUTING", threading.BoundedSemaphore(1))
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda book_id: run_book(book_id, bench), ["boat", "boat0", "boat1", "boat2"]))
    assert [outcome.status for outcome in outcomes] == ["out"] * 4
    assert gauge.most == 1
