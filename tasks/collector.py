"""How often Python's collector of cycles runs."""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 50, 100)  # Python's own are 700, 10, 10


def calm_collector() -> None:
    """Let the collector of cycles run less often, and not look at what was there before.

    A book is 100,000 small values without a cycle among them; with Python's own thresholds the collector walks them
    hundreds of times, which costs cleaning and dividing about 6 % of their time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
