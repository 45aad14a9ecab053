"""How many books a process computes at once, however many of them wait for a mirror or for answers."""

from __future__ import annotations

import os
import threading

MAX_COMPUTING = 8  # Python runs one thread at a time; only what it calls in C runs beside it

# A novel that is cleaned, checked or composed takes 15 to 50 MB more than one that waits, and is done no sooner for
# sharing the processor with 63 others.
COMPUTING = threading.BoundedSemaphore(min(os.cpu_count() or 1, MAX_COMPUTING))
