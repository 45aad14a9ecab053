"""What a server shows of its load -> how many requests it may be sent at once."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_LIMIT = 16  # of a server that is not known
SHRINK = 0.7
LEAST_LIMIT = 4  # where a server sends so much away that less does not help, waiting does
FULL_CACHE = 0.95  # share of the KV cache: beyond it, sequences are about to be thrown out and begun again
STEP = 16  # a step up is this part of the limit, after the first step down
SPARE = 8  # this part of its slots may wait at a server whose slots are known, to keep them full
MIN_SPARE = 4


@dataclass(frozen=True)
class Load:
    """What a server says of itself; `num_preempted` counts since its start."""

    num_waiting: float
    cache_usage: float
    num_preempted: float


class Limiter:
    """Requests in flight to one server, and their limit: twice as many after a good window, then a few more.

    A window is as many answers as the limit allows at once. A limit that was not reached is not raised, and one
    that was just lowered is not lowered again before fewer are in flight: the server shows its effect late. Where the
    server's slots are known, the limit rises beyond them until a few requests wait there: some are always on their way.
    """

    def __init__(self, most: int, num_slots: int | None = None) -> None:
        """Begin at the slots of the server, if they are known; `most` is never passed."""
        self._slots = min(num_slots, most) if num_slots else None
        self._most, self._num_more = most, 1
        self.limit = self._slots or min(FIRST_LIMIT, most)
        self.in_flight = 0
        self._num_answers, self._was_full, self._doubling = 0, False, self._slots is None
        self._shows_load, self._calm = True, False
        self._num_preempted: float | None = None

    @property
    def has_room(self) -> bool:
        """Whether one more may be sent."""
        return self.in_flight < self.limit

    def enter(self) -> None:
        """Count a request that is sent."""
        self.in_flight += 1
        self._was_full = self._was_full or self.in_flight >= self.limit

    def leave(self) -> None:
        """Count a request that has ended."""
        self.in_flight -= 1

    def note_answer(self) -> None:
        """Count an answer; the last one of a good window raises the limit."""
        self._num_answers += 1
        if self._num_answers < self.limit:
            return
        most = self._most if self._shows_load else min(self._most, self._blind_most())
        if self._was_full and self._calm and self.limit < most:
            step = self._num_more if self._slots else self.limit if self._doubling else max(1, self.limit // STEP)
            self.limit = min(most, self.limit + step)
            self._calm = not self._shows_load  # shown again at the new limit, before the next step
        self._num_answers, self._was_full = 0, False

    def note_busy(self) -> None:
        """Lower the limit: the server sent a request away, which has left already."""
        self._shrink(LEAST_LIMIT)

    def note_silence(self) -> None:
        """Go by answers alone: the server does not show its load."""
        self._shows_load, self._calm = False, True

    def note_load(self, load: Load) -> None:
        """Lower the limit where the server is overloaded, and note whether it could take more."""
        known = self._num_preempted
        self._num_preempted = load.num_preempted
        preempted = known is not None and load.num_preempted > known
        spare = make_spare(self.limit)
        self._num_more = max(1, spare - int(load.num_waiting))
        self._calm = load.num_waiting < (spare if self._slots else 1)
        if load.cache_usage > FULL_CACHE or preempted:
            self._shrink(LEAST_LIMIT)
        elif load.num_waiting > spare:  # slots that are known to be there are not left empty
            self._shrink(max(self._slots or LEAST_LIMIT, self.limit - int(load.num_waiting) + spare))

    def _blind_most(self) -> int:
        """Return the limit at a server that does not show its load."""
        return self._slots + make_spare(self._slots) if self._slots else self._most

    def _shrink(self, least: int) -> None:
        self._calm, self._doubling = not self._shows_load, False
        self._num_answers, self._was_full = 0, False
        if self.in_flight <= self.limit:
            self.limit = min(self.limit, max(least, int(self.limit * SHRINK)))


def make_spare(num_slots: int) -> int:
    """Return how many requests may wait beside those that run."""
    return max(MIN_SPARE, num_slots // SPARE)


def read_load(metrics: str) -> Load | None:
    """Return the load that a Prometheus page of vLLM shows, over all its engines; None where it is another's."""
    found: dict[str, list[float]] = {}
    for line in metrics.splitlines():
        if line.startswith(("vllm:num_requests_waiting{", "vllm:kv_cache_usage_perc{", "vllm:num_preemptions_total{")):
            name, value = line.partition("{")[0], line.rpartition(" ")[2]
            found.setdefault(name, []).append(float(value))
    if "vllm:num_requests_waiting" not in found:
        return None
    usage = max(found.get("vllm:kv_cache_usage_perc", [0.0]))
    preempted = sum(found.get("vllm:num_preemptions_total", [0.0]))
    return Load(sum(found["vllm:num_requests_waiting"]), usage, preempted)
