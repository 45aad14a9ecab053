"""Outline -> prompt: the words of both templates of `outline-to-text`, in one place.

`paper` is printed as `... plot: <outline>. Add ... [/INST] Try to write your text as well as this one: ` and the
reference text (LSG 2024). What it prints is kept letter for letter, the sentence after the instruction's end included;
the words that are known as `...` only are ours. The marks `[INST]` and `[/INST]` are a chat template's to add.
"""

from __future__ import annotations

PAPER_BEFORE = "Write a passage of a story that has the following " + "plot: "  # ours, then the report's
PAPER_AFTER = ". Add " + "details, descriptions and dialogue."  # the report's, then ours
PAPER_LEAD = "Try to write your text as well as this one: "  # the report's, at the head of the target

CLEAN_TASK = "Write a passage of fiction that tells the outline below. Answer with the passage alone."
CLEAN_OUTLINE = "## Outline"
CLEAN_REFERENCE = "## Style Reference"
CLEAN_REFERENCE_TASK = (
    "Another passage of the same work follows. Write in its manner; take over neither its events nor its sentences."
)
