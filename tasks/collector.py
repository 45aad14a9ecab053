"""How often Python's collector of cycles runs, and from how many heaps its threads allocate."""

from __future__ import annotations

import ctypes
import gc
import sys

M_ARENA_MAX = -8  # glibc's name of the option, malloc.h; environment variable MALLOC_ARENA_MAX
THRESHOLDS = (20_000, 50, 100)  # Python's own are 700, 10, 10


def calm_collector() -> None:
    """Let the collector of cycles run less often, and not look at what was there before.

    A book is 100,000 small values without a cycle among them; with Python's own thresholds the collector walks them
    hundreds of times, which costs cleaning and dividing about 6 % of their time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


def share_heap() -> None:
    """Let all threads allocate from one heap where the C library is glibc; for threads that are started later.

    glibc gives threads up to eight heaps a core, and what one book has freed in one of them serves no book in another:
    64 threads that prepare 64 novels on two cores then take 556 MB, from one heap 328. Python runs one thread at a
    time, so they do not wait for each other.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
        if mallopt is not None:
            mallopt(M_ARENA_MAX, 1)
