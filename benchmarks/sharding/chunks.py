"""Two files -> the bytes of the second that the first does not hold, as a content-addressed store would count them.

Cuts by a gear hash over the last 64 bytes, 64 kB on average, 8 to 128 kB: the sizes of Hugging Face's Xet storage.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

MEAN_BITS = 16  # a cut where as many bits of the hash are zero: 64 kB apart on average
LEAST, MOST = 8_192, 131_072
BLOCK = 4_000_000  # bytes hashed at once
WINDOW = 64

_GEAR = np.random.default_rng(0).integers(0, 2**63, size=256, dtype=np.uint64)


def cut_points(data: bytes) -> list[int]:
    """Return where the chunks of a file end."""
    found: list[int] = []
    mask = np.uint64((2**MEAN_BITS - 1) << (64 - MEAN_BITS))
    for start in range(0, len(data), BLOCK):
        reach = max(0, start - WINDOW)
        hashes = _GEAR[np.frombuffer(data[reach : start + BLOCK], dtype=np.uint8)]
        for step in (1, 2, 4, 8, 16, 32):  # doubles the window each time
            hashes[step:] += hashes[:-step] << np.uint64(step)
        found.extend(int(at) + reach + 1 for at in np.flatnonzero((hashes & mask) == 0) if at + reach >= start)
    ends: list[int] = []
    last = 0
    for at in [*found, len(data)]:
        while at - last > MOST:
            last += MOST
            ends.append(last)
        if at - last >= LEAST or at == len(data):
            last = at
            ends.append(at)
    return ends


def chunk_sizes(path: Path) -> dict[bytes, int]:
    """Return the chunks of a file: hash and bytes."""
    data = path.read_bytes()
    sizes: dict[bytes, int] = {}
    start = 0
    for end in cut_points(data):
        sizes[hashlib.sha256(data[start:end]).digest()] = end - start
        start = end
    return sizes


def share_new(old: Path, new: Path) -> float:
    """Return the share of the new file's bytes that are in no chunk of the old one."""
    known, chunks = chunk_sizes(old), chunk_sizes(new)
    return sum(size for name, size in chunks.items() if name not in known) / sum(chunks.values())
