"""Prompt and passage of `outline-to-text` -> what they say, in either template; an independent reader."""

from __future__ import annotations

import re

from schemas.outlines import MAX_BULLETS
from schemas.plans import OutlinePrompt, Passage
from tasks.grammar.outline_words import (
    CLEAN_OUTLINE,
    CLEAN_REFERENCE,
    CLEAN_REFERENCE_TASK,
    CLEAN_TASK,
    PAPER_AFTER,
    PAPER_BEFORE,
    PAPER_LEAD,
)
from tasks.grammar.parts import GrammarError, StageReader

_STATEMENT = re.compile(r".{1,300}")


def parse_outline_prompt(reader: StageReader) -> OutlinePrompt:
    """Take a prompt; its first words tell the template."""
    return _parse_clean(reader) if reader.lines[0] == CLEAN_TASK else _parse_paper(reader)


def parse_passage(reader: StageReader) -> Passage:
    """Take a target, with the sentence of the template `paper` before it if it is there."""
    text = "\n".join(reader.lines)
    lead = PAPER_LEAD if text.startswith(PAPER_LEAD) else ""
    reader.at = len(reader.lines)
    return Passage(text.removeprefix(lead), lead)


def check_pair(prompt: OutlinePrompt, passage: Passage) -> None:
    """Hold a target against its prompt.

    Raises:
        GrammarError: the two are not of one template.
    """
    if (prompt.template == "paper") != (passage.lead == PAPER_LEAD):
        raise GrammarError(f"the prompt is of the template {prompt.template}, the passage of the other one")


def _parse_clean(reader: StageReader) -> OutlinePrompt:
    reader.line(CLEAN_TASK)
    reader.line("")
    reader.line(CLEAN_OUTLINE)
    outline = reader.bullets(MAX_BULLETS)
    if reader.at == len(reader.lines):
        return OutlinePrompt("clean", outline)
    for line in ("", CLEAN_REFERENCE, CLEAN_REFERENCE_TASK, ""):
        reader.line(line)
    reference = "\n".join(reader.lines[reader.at :])
    if not reference:
        raise reader.fail("a passage of the work")
    reader.at = len(reader.lines)
    return OutlinePrompt("clean", outline, reference)


def _parse_paper(reader: StageReader) -> OutlinePrompt:
    text = "\n".join(reader.lines)
    if not text.startswith(PAPER_BEFORE) or not text.endswith(PAPER_AFTER):
        raise reader.fail("a template of outline-to-text")
    inner = text.removeprefix(PAPER_BEFORE).removesuffix(PAPER_AFTER)
    reader.lines = inner.split("\n")
    outline = []
    while reader.at < len(reader.lines):
        outline.append(reader.match(_STATEMENT, "a statement")[0])
    reader.check_number(len(outline), MAX_BULLETS, "statements")
    return OutlinePrompt("paper", tuple(outline))
