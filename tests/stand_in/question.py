"""The body of a chat request -> what it asks about: read tolerantly, for the layout of prompts is not ours to fix."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NUMBERED = re.compile(r"[\[(]?(\d{1,5})[\])]?[.:|]?[ \n\t]")
_CHAPTER = re.compile(r"^\W*(?:[Cc]hapter )?(\d+)[.:] (.+?) \(([\d,]+) words[^)]*\)(?:: ?(.*))?$", re.MULTILINE)
_PERSON = re.compile(r"^\W*([^\n(,:]{1,80})(?: \(also ([^)]*)\))?, in \d+ chapters?[^:\n]*(?:: ?(.*))?$", re.MULTILINE)
_SCENE = re.compile(
    r"^\W*(?:scene )?(\d+):\s*(?:paragraphs? )?(\d+)(?:(?: to |-|\u2013)(\d+))?\W*$", re.MULTILINE | re.IGNORECASE
)
_STATEMENT = re.compile(r"^[\W_]*(\d+)[\W_]+(\S.*)$", re.MULTILINE)
_MARKED = re.compile(r"[^\n]*\bmarked\b.*?(?:\.\n|\n\n|\Z)", re.DOTALL)
WINDOW_CALLS = frozenset(("ReadAnswer", "RateAnswer", "ClaimsAnswer", "OutlineAnswer"))
_HEAD_CHARS = 600  # enough to tell two contexts apart; what is appended to a question lies behind it


@dataclass(frozen=True)
class Question:
    """One chat request; `paragraphs` are (number, text) in order, `asked` is what stands after them."""

    schema: str
    system: str
    head: str
    paragraphs: tuple[tuple[int, str], ...]
    asked: str
    user: str
    num_turns: int
    num_samples: int
    max_tokens: int

    @property
    def base(self) -> str:
        """A hash of what is asked about: the same for a question, its repairs, its other seeds, and with a note."""
        about: Sequence[object] = self.paragraphs or (self.user[:_HEAD_CHARS],)
        return hash_json([self.schema, self.head, list(about)])

    @property
    def chapters(self) -> list[tuple[int, str, str]]:
        """The chapters that a context lists: number, name, statements in one string."""
        return [(int(number), name, told or "") for number, name, _, told in _CHAPTER.findall(self.user)]

    @property
    def people(self) -> list[tuple[str, list[str], str]]:
        """The people that a context lists: name, aliases, roles in one string."""
        return [
            (name.strip(), [alias.strip() for alias in also.split(",") if alias.strip()], roles or "")
            for name, also, roles in _PERSON.findall(self.user)
        ]

    @property
    def num_chapters(self) -> int:
        """How many chapters the book has, as it was measured; else as many as are listed."""
        measured = re.search(r"words in (\d+) chapters?", self.user)
        listed = max((number for number, _, _ in self.chapters), default=1)
        return int(measured[1]) if measured else listed

    @property
    def scene_starts(self) -> list[int]:
        """The paragraphs at which the author has marked scenes."""
        told = _MARKED.findall(self.asked)
        marked = {int(number) for text in told[-1:] for number in re.findall(r"\d+", text)}
        return sorted(marked.intersection(number for number, _ in self.paragraphs))

    @property
    def listed_scenes(self) -> list[tuple[int, int, int]]:
        """The scenes to be rated: number, first and last paragraph."""
        found = _SCENE.findall(self.asked)
        return [(int(number), int(first), int(last or first)) for number, first, last in found]

    @property
    def statements(self) -> list[tuple[int, str]]:
        """The statements to be held against the text."""
        return [(int(number), text) for number, text in _STATEMENT.findall(self.asked)]


def read_question(body: Mapping[str, Any]) -> Question:
    """Read a chat request; KeyError or IndexError where it is none that the project sends."""
    messages = body["messages"]
    user = next(message["content"] for message in messages if message["role"] == "user")
    schema = body.get("response_format", {}).get("json_schema", {}).get("name", "")
    head, paragraphs, asked = split_prompt(user) if schema in WINDOW_CALLS else ("", [], user)
    return Question(
        schema=schema,
        system="".join(message["content"] for message in messages if message["role"] == "system"),
        head=head,
        paragraphs=tuple(paragraphs),
        asked=asked,
        user=user,
        num_turns=sum(message["role"] == "user" for message in messages),
        num_samples=int(body.get("n") or 1),
        max_tokens=int(body.get("max_tokens") or body.get("max_completion_tokens") or 16_384),
    )


def split_prompt(user: str) -> tuple[str, list[tuple[int, str]], str]:
    """Return what stands before the numbered paragraphs, these, and what stands after; numbers never fall."""
    head: list[str] = []
    paragraphs: list[tuple[int, str]] = []
    blocks = user.split("\n\n")
    for index, block in enumerate(blocks):
        match = _NUMBERED.match(block)
        number = int(match[1]) if match else -1
        if match and (not paragraphs or paragraphs[-1][0] <= number <= paragraphs[-1][0] + 1):
            paragraphs.append((number, block[match.end() :].strip()))
        elif paragraphs:
            return "\n\n".join(head), paragraphs, "\n\n".join(blocks[index:])
        else:
            head.append(block)
    return "\n\n".join(head), paragraphs, ""


def hash_json(value: object) -> str:
    """Return a hex hash of a value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=list).encode()).hexdigest()


def draw(*parts: object) -> float:
    """Return a number from 0 to 1 that follows from its arguments alone."""
    return int(hash_json([str(part) for part in parts])[:12], 16) / 16**12
