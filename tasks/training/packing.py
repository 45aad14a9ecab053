"""Lengths -> batch plan: which samples each step packs, a pure function of lengths, seed and step."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Sequence


def plan_batch(lengths: Sequence[int], capacity: int, seed: int, step: int) -> tuple[int, ...]:
    """Return the samples of a step, counted from 0; every sample comes once an epoch.

    A run is resumed from the number of its step alone: there is no state of a loader.
    """
    num_steps = len(pack_samples(lengths, capacity))  # of any epoch: the same lengths pack alike in every order
    epoch, place = divmod(step, num_steps)
    return plan_epoch(lengths, capacity, seed, epoch)[place]


def plan_epoch(lengths: Sequence[int], capacity: int, seed: int, epoch: int) -> list[tuple[int, ...]]:
    """Shuffle, pack, shuffle the packs: other neighbours and another order in each epoch."""
    chance = random.Random(f"{seed} {epoch}")
    order = list(range(len(lengths)))
    chance.shuffle(order)
    packs = pack_samples([lengths[sample] for sample in order], capacity)
    chance.shuffle(packs)
    return [tuple(order[place] for place in pack) for pack in packs]


def pack_samples(lengths: Sequence[int], capacity: int) -> list[tuple[int, ...]]:
    """Pack whole samples into as few packs of `capacity` tokens as best fit finds; a longer one is a pack of its own.

    Source: best-fit decreasing (arXiv:2404.10830).
    """
    packs: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (tokens left, pack), sorted
    for sample in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        place = bisect_left(room, (lengths[sample], -1))
        if place == len(room):
            packs.append([])
            left, pack = max(capacity, lengths[sample]), len(packs) - 1
        else:
            left, pack = room.pop(place)
        packs[pack].append(sample)
        insort(room, (left - lengths[sample], pack))
    return [tuple(pack) for pack in packs]
