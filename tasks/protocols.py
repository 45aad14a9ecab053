"""The seams: what a stage may ask of the world, as Protocols, and the values that cross them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from schemas.books import CatalogueEntry
from schemas.runs import TrainingResult, TrainingSpec
from schemas.value import Value


@dataclass(frozen=True)
class SourceFile:
    """One file of a book within a source; `rank` orders several of one book, best first."""

    book_id: str
    path: str
    rank: int


class TextSource(Protocol):
    """A book's bytes."""

    def book_ids(self) -> tuple[str, ...]:
        """Return every id it holds, sorted; ConfigError where it cannot be listed."""

    def entry(self, book_id: str) -> CatalogueEntry | None:
        """Return what the source's own table says about a book, if it has one."""

    def files(self, book_id: str) -> tuple[SourceFile, ...]:
        """Return the files of one book that may hold its text, best first; none for an unknown id."""

    def read(self, file: SourceFile) -> bytes:
        """Return a file's bytes as they lie in the source.

        Raises:
            FileNotFoundError: it is gone.
            OSError: it cannot be read.
            BookError: it is too large, leads out of the source, or is no book's file.
            TransientError: a mirror is busy.
        """

    def rdf(self, book_id: str) -> bytes | None:
        """Return the book's catalogue record in RDF, if it lies beside the text."""

    def stamp(self, book_id: str) -> str | None:
        """Return a cheap mark of a book's files, such as sizes and times; None where only asking tells."""

    def fingerprint(self, book_id: str) -> str | None:
        """Return a hash of what `entry`, `files`, `read` and `rdf` would give, if no network is needed to tell."""

    def refresh(self, book_id: str) -> bool:
        """Ask again for what was fetched before; True where it has changed. Raises as `read` does."""

    def relist(self) -> bool:
        """Look again which books there are; True where that has changed."""


class Identified(Protocol):
    """What may shape a value: its identity is part of the value's key."""

    @property
    def identity(self) -> str:
        """Model, vocabulary, sampling: never a URL or a secret."""


class Tokenizer(Protocol):
    """Exact token counts of one model; part of the LLM's or the trainee's identity."""

    @property
    def identity(self) -> str:
        """Name and sha256 of the vocabulary: part of the keys of what it shapes."""

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`, control tokens not recognised."""


@dataclass(frozen=True)
class Request:
    """One call to a model, whole: what `messages` say to a server, `inputs` says to the extractive default.

    Nothing before `question` differs between two calls on one window, so a server's prefix cache holds it.
    """

    call: str  # names the prompt file and the answer's class
    book_id: str
    node: str  # "chapter 3, window 1": for findings and logs
    instructions: str  # shared by every call of a run: the system message
    context: str  # of this book, then the numbered text
    question: str  # this call's own, last
    inputs: Value
    schema: type[Value]
    max_tokens: int
    num_samples: int = 1
    check: Callable[[Value], list[str]] | None = None  # semantic problems of an answer; empty: accepted
    then: Callable[[Answer], Sequence[Request]] | None = None  # asked next, while the server still has the prefix

    @property
    def messages(self) -> list[dict[str, str]]:
        """The request as chat messages."""
        return [
            {"role": "system", "content": self.instructions},
            {"role": "user", "content": f"{self.context}\n\n{self.question}"},
        ]


@dataclass(frozen=True)
class Answer:
    """Validated samples of one request, at least one, and what `Request.then` asked after them was answered."""

    samples: tuple[Value, ...]
    following: tuple[Answer | Failure, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A request whose answers were all refused: the ladder is spent."""

    reason: str
    detail: str
    answers: tuple[str, ...] = ()  # keys in the answer store of all that was refused
    text: str = ""  # of the last one, cut


class LLM(Protocol):
    """A batch of requests in, answers out, in the same order."""

    @property
    def identity(self) -> str:
        """Model, revision and sampling: part of a scaffold's key; never a URL or a secret."""

    @property
    def trainable(self) -> bool:
        """Whether plans by this model may be trained on (extractive ones quote the target)."""

    def answer(self, requests: Sequence[Request]) -> list[Answer | Failure]:
        """Ask, validate, repair; ConfigError where the server refuses for good."""


class Store(Protocol):
    """Bytes by key, whole or not at all."""

    def get(self, key: str) -> bytes:
        """Return the bytes; FileNotFoundError where there are none."""

    def open(self, key: str) -> BinaryIO:
        """Return a value as a file, of which a part may be read; FileNotFoundError where there is none."""

    def head(self, key: str, num_bytes: int) -> bytes | None:
        """Return the first bytes of a value, or None where there is none."""

    def put(self, key: str, data: bytes) -> None:
        """Write or replace a value in one step."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write a value unless there is one; False where there was."""

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a prefix, sorted."""

    def delete(self, key: str) -> None:
        """Remove a value, if there is one."""


class Trainer(Protocol):
    """A file contract: run.json in, result.json and checkpoints out."""

    def train(self, spec: TrainingSpec) -> TrainingResult:
        """Run a training job to its end; PipelineError with the last line it said where it failed."""
