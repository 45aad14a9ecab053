"""Lines of a file -> prompt, its label and story, in the form that the grammar wants, or why they cannot be used."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from schemas.errors import BookError
from schemas.stories import Form, RawStory
from tasks.grammar.pairs import CONTROL_LIKE
from tasks.stories.detokenise import restore_text

# the kinds of prompts of r/WritingPrompts: writing, theme, image, constrained, established universe, fan fiction ...
_LABELS = "WP|TT|IP|CW|EU|FF|OT|RF|HP|MP|CC|PI|PM|SP|Punch"
_LABEL = rf"[\[({{]\s*({_LABELS})\s*[\])}}]"
_FIRST = re.compile(rf"(?i)\s*{_LABEL}\s*[:\-–]?\s*")
_LAST = re.compile(rf"(?i)\s*{_LABEL}\s*")
_GONE = re.compile(r"(?i)[\[(]?\s*(?:deleted|removed)(?: by (?:user|moderator))?\s*[\])]?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\u200b]")
_DAMAGE = "\ufffd"  # stands where bytes were no UTF-8


class Words(NamedTuple):
    """What a pair says."""

    label: str
    prompt: str
    text: str


def read_pair(raw: RawStory, form: Form) -> Words:
    """Return what a pair says.

    Raises:
        BookError: `empty-prompt`, `empty-story`, `deleted`, `damaged-text` or `control-token`, with what was found.
    """
    label, prompt = read_prompt(raw.prompt, form)
    text = read_text(raw.text, form)
    for name, said in (("prompt", prompt), ("story", text)):
        if not re.search(r"\w", said):
            raise BookError(raw.story_id, f"empty-{name}", f"the {name} has no word: {said[:40]!r}")
        if _GONE.fullmatch(said):
            raise BookError(raw.story_id, "deleted", f"all of the {name} is {said!r}")
        if _DAMAGE in said:
            raise BookError(raw.story_id, "damaged-text", f"{said.count(_DAMAGE)} places of the {name} are no UTF-8")
        if found := CONTROL_LIKE.search(said):
            raise BookError(raw.story_id, "control-token", f"the {name} holds {found[0][:60]!r}")
    return Words(label, prompt, text)


def read_prompt(raw: str, form: Form) -> tuple[str, str]:
    """Return the labels that stand before or after a prompt, and the prompt; a title has no label."""
    prompt = read_text(raw, form)
    if form == "plain":
        return "", " ".join(prompt.split())
    labels: list[str] = []
    while found := _FIRST.match(prompt):
        labels.append(found[1])
        prompt = prompt[found.end() :]
    last = _LAST.search(prompt)
    if last is not None and last.end() == len(prompt):
        labels.append(last[1])
        prompt = prompt[: last.start()]
    return " ".join(label.upper() for label in labels), prompt.strip()


def read_text(raw: str, form: Form) -> str:
    """Return a text in NFC without white space at the ends of its lines, and with at most one blank line in a row."""
    text = restore_text(raw) if form == "tokenised" else raw
    text = unicodedata.normalize("NFC", _CONTROLS.sub("", re.sub(r"\r\n?|[\u2028\u2029\x85]", "\n", text)))
    lines = (line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
