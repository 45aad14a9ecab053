"""Prompts of all stories -> the side of each: equal prompts are on one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from schemas.stories import Side

SIDES: tuple[Side, Side, Side] = ("train", "validation", "test")


def draw(seed: int, *names: str) -> float:
    """Return a number from 0 to 1 that depends on a seed and on names alone."""
    digest = hashlib.sha256("\n".join((str(seed), *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def side_prompts(told: Sequence[tuple[str, Side | None]], held_out_share: float, seed: int) -> dict[str, Side]:
    """Return the side of every prompt: the one that its files' names tell, else one by hash.

    Of a prompt that stands in files of several sides, all stories go to the one that is the furthest from training:
    test, then validation, so that what a published test measures is never trained on.
    """
    sides: dict[str, Side] = {}
    for prompt_key, side in told:
        known = sides.get(prompt_key)
        if known is None or (side is not None and SIDES.index(side) > SIDES.index(known)):
            sides[prompt_key] = side or "train"
    named = {prompt_key for prompt_key, side in told if side is not None}
    for prompt_key in sides.keys() - named:
        sides[prompt_key] = _side_by_hash(draw(seed, "side", prompt_key), held_out_share)
    return sides


def side_titles(stories: Mapping[str, int], split: tuple[float, float, float], seed: int) -> dict[str, Side]:
    """Return the side of every title.

    Args:
        stories: how many stories each title has.
        split: proportions of train, validation and test. Where they sum up to at most 1 they are shares, and a title's
            side depends on its hash alone; else titles are taken in the order of their hashes, so that the sides have
            these very numbers of stories if their sum is that of the stories.
        seed: another one, another order.
    """
    total = sum(split)
    order = sorted(stories, key=lambda title: (draw(seed, "side", title), title))
    limits = (split[0] / total, (split[0] + split[1]) / total)
    if total <= 1:
        places = {title: draw(seed, "side", title) for title in order}
    else:
        num_all, num_before = sum(stories.values()), 0
        places = {}
        for title in order:
            places[title] = num_before / num_all
            num_before += stories[title]
        limits = (round(limits[0] * num_all) / num_all, round(limits[1] * num_all) / num_all) if num_all else limits
    return {title: SIDES[sum(place >= limit for limit in limits)] for title, place in places.items()}


def _side_by_hash(place: float, held_out_share: float) -> Side:
    if place < held_out_share:
        return "validation"
    return "test" if place < 2 * held_out_share else "train"
