"""What an engine asks a model, and what it gets."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.backends.answers import Sampling
from tasks.backends.llms.ladder import Attempt, Message
from tasks.protocols import Request


@dataclass(frozen=True)
class Completion:
    """One sample as the model gave it; of several samples of a request, the first carries its token counts."""

    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


class UnanswerableError(Exception):
    """A request that can never be answered as it stands; others can. The reasons are those of the ladder."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Question:
    """A request as one attempt puts it, and the keys of its samples in the answer store."""

    request: Request
    attempt: Attempt
    sampling: Sampling
    keys: tuple[str, ...]
    urgent: bool  # goes before what else its book asks: the server still has its prefix

    @property
    def messages(self) -> list[Message]:
        """What is sent; made anew each time, for many questions wait at once."""
        return self.attempt.messages(self.request)
