"""What a refresh remembers of a corpus, and what has changed in it since."""

from __future__ import annotations

from pydantic import Field

from schemas.value import Value


class BookState(Value):
    """A book as the last refresh that built it saw it."""

    entry: str | None = Field(description="sha256 of its catalogue entry; null without a catalogue")
    stamp: str | None = Field(description="the source's mark of the file's version; null where it gives none")
    checked: str | None = Field(default=None, description="date on which the source was last asked for changes")


class CorpusState(Value):
    """Every book that is in the data set, out or rejected, by id."""

    books: dict[str, BookState] = Field(default_factory=dict)


class CorpusDiff(Value):
    """What is to be built: new and changed books. Books that are gone from the catalogue stay in the data set."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    unchanged: int = 0
    postponed: int = Field(default=0, description="new and changed books beyond refresh.max_books: of the next nights")

    @property
    def pending(self) -> tuple[str, ...]:
        """Return the books to build."""
        return (*self.new, *self.changed)
