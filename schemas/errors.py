"""Three ways to fail: stop, retry, or record and go on."""

from __future__ import annotations


class PipelineError(Exception):
    """Base of every error that this project raises on purpose; its message is one line for a person."""


class ConfigError(PipelineError):
    """Wrong before anything ran: stop."""


class TransientError(PipelineError):
    """The world was busy: retry. `retried` is set where a layer of its own has tried often enough."""

    def __init__(self, message: str, *, retried: bool = False) -> None:
        super().__init__(message)
        self.retried = retried


class BookError(PipelineError):
    """A book cannot be processed: record it, go on."""

    def __init__(self, book_id: str, reason: str, detail: str) -> None:
        super().__init__(f"book {book_id}: {detail}")
        self.book_id, self.reason, self.detail = book_id, reason, detail


class BudgetError(TransientError):
    """The run has cost what it may: nothing more is sent; what was answered is kept, and another run goes on."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retried=True)
