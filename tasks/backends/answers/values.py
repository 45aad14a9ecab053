"""What was asked, as a key; what a model said to it, as a value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from schemas.value import Value


class StoredAnswer(Value):
    """One sample as the model gave it, accepted or not."""

    text: str
    finish_reason: str
    max_tokens: int
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    @property
    def shown_text(self) -> str:
        """The text as it can be printed and shipped: half a surrogate pair is a question mark."""
        return self.text.encode("utf-8", "replace").decode()

    def serves(self, max_tokens: int) -> bool:
        """Whether asking again with `max_tokens` could bring nothing else."""
        return self.finish_reason != "length" or self.max_tokens >= max_tokens


@dataclass(frozen=True)
class Sampling:
    """Who answers, and how it draws: the same for every request of an engine."""

    model: str
    revision: str | None
    temperature: float
    top_p: float


def answer_key(
    sampling: Sampling, messages: Sequence[Mapping[str, str]], schema: Mapping[str, object], seed: int, index: int
) -> str:
    """Return the hex sha256 of everything that shapes a sample, but for `max_tokens`, which only cuts it."""
    asked = [asdict(sampling), list(messages), schema, seed, index]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
