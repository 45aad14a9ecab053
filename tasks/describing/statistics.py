"""Manifest -> numbers of a card's tables and plots, from its shards' counts; no shard is read."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from schemas.runs import Manifest, ShardKind

# levels of a trajectory, coarse to fine, and the roles that belong to them; what is repeated as context stands last
LEVELS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt",),
    "preview": ("book_preview",),
    "book plan": ("book_plan", "book_characters_list"),
    "chapter plans": ("first_chapter_plan", "full_book_chapters_plan"),
    "scene breakdowns": ("first_chapter_scene_breakdown", "scene_breakdown"),
    "prose": ("first_chapter_text", "chapter_text", "passage", "story"),
    "context": ("premise", "story_so_far", "previous_text"),
}

NUMBERS = ("rows", "num_tokens", "plan_tokens", "prose_tokens")


class Rung(NamedTuple):
    """The rows of one layout and window."""

    layout: str
    window: int
    rows: int
    num_tokens: int
    plan_tokens: int
    prose_tokens: int
    levels: dict[str, int]  # tokens by level

    @property
    def name(self) -> str:
        """Its layout, and its window where a layout has several."""
        return f"{self.layout} {name_window(self.window)}" if self.layout == "chapter-window" else self.layout

    @property
    def max_length(self) -> int:
        """Tokens that a trainer must not cut: the window, and an eighth for the turns of a chat template."""
        return self.window + self.window // 8


def name_window(window: int) -> str:
    """Return '8k' for 8192."""
    return f"{window // 1_024}k" if window % 1_024 == 0 else str(window)


def sum_counts(manifest: Manifest, kind: ShardKind, group: str) -> Counter[str]:
    """Return a group of counts over all shards of a kind; shards older than a group add nothing."""
    counts: Counter[str] = Counter()
    for shard in manifest.shards:
        if shard.kind == kind:
            counts.update(shard.counts.get(group, {}))
    return counts


def list_rungs(manifest: Manifest) -> list[Rung]:
    """Return the layouts and windows that the shards tell of, by name and window."""
    groups = {group for shard in manifest.shards for group in shard.counts if group.startswith("rung:")}
    found = []
    for _, layout, window in (group.split(":") for group in groups):
        tokens = sum_counts(manifest, "trajectories", f"rung:{layout}:{window}")
        roles = sum_counts(manifest, "trajectories", f"roles:{layout}:{window}")
        levels = {level: sum(roles[role] for role in members) for level, members in LEVELS.items()}
        found.append(Rung(layout, int(window), **{name: tokens[name] for name in NUMBERS}, levels=levels))
    return sorted(found, key=lambda rung: (rung.layout, rung.window))


def list_refusals(manifest: Manifest) -> list[tuple[str, str, int]]:
    """Return what was refused: of what, the reason, how often."""
    accounting = manifest.accounting
    groups = {"book": accounting.books.rejected, "work": accounting.works.rejected}
    if groups["book"] == groups["work"]:
        del groups["work"]  # no book of the data set is a collection
    groups |= {f"layout {name}": tally.refused for name, tally in accounting.layouts.items()}
    groups["part of a plan"] = accounting.nodes
    return [(what, reason, number) for what, reasons in groups.items() for reason, number in sorted(reasons.items())]
