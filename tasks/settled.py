"""Data set + settings -> what its first snapshot settled once for all: later builds keep to it, or are refused."""

from __future__ import annotations

from schemas.errors import ConfigError
from schemas.runs import Manifest
from schemas.settings import Settings


def check_settled(head: Manifest | None, settings: Settings) -> None:
    """Hold a build against the data set that it is to add to.

    Raises:
        ConfigError: the data set is of another recipe, or its authors were divided by other shares: they would be on
            two sides.
    """
    if head is None:
        return
    if head.recipe != settings.recipe:
        raise ConfigError(
            f"{settings.out} holds a data set of the recipe {head.recipe}; {settings.recipe} goes into another --out"
        )
    group = head.settings.get("compose")
    held, asked = (group.get("held_out_share") if isinstance(group, dict) else None), settings.compose.held_out_share
    if held is not None and held != asked:
        raise ConfigError(
            f"{settings.out} was divided with compose.held_out_share {held}, not {asked}: its authors would change "
            "sides; give the same share, or another --out"
        )
