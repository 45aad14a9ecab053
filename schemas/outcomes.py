"""What became of a book: Prepared (as far as no model is needed), then Outcome, with every work in it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.books import CatalogueEntry, Rejection
from schemas.value import Value


class PreparedWork(Value):
    """A whole book, or one story of a collection, ready for a model: where its values lie in the work store."""

    work_id: str
    segmented: str = Field(description="key of its SegmentedBook")
    signature: str = Field(description="key of its Signature")
    repetition: str = Field(description="key of its Repetition")
    side_names: tuple[str, ...] = Field(
        min_length=1, description="who decides its split, then its other authors, as tasks.composing.splits names them"
    )
    scaffold: str | None = Field(default=None, description="key of a Scaffold that came with it: no model is asked")
    rejection: Rejection | None = Field(
        default=None, description="of a story that is no work of its own, or of a text that repeats itself"
    )


class Prepared(Value):
    """A book fetched, cleaned, screened and divided, or why it was rejected on the way."""

    book_id: str
    entry: CatalogueEntry
    file_sha256: str | None = Field(default=None, description="of the file as it was delivered")
    source_sha256: str | None = Field(default=None, description="of its text as it was read")
    rejection: Rejection | None = None
    values: dict[str, str] = Field(default_factory=dict, description="stage -> key in the work store")
    works: tuple[PreparedWork, ...] = ()


class WorkOutcome(Value):
    """What became of one work: where its values lie in the work store, or why it was rejected."""

    work_id: str
    rejection: Rejection | None = None
    values: dict[str, str] = Field(default_factory=dict, description="stage -> key in the work store")
    num_rows: int = 0


class Outcome(Value):
    """What became of one book: it is out if any of its works is, otherwise rejected with one reason."""

    book_id: str
    status: Literal["out", "rejected"]
    entry: CatalogueEntry
    file_sha256: str | None = Field(default=None, description="of the file as it was delivered")
    rejection: Rejection | None = None
    values: dict[str, str] = Field(default_factory=dict, description="stage -> key in the work store")
    works: tuple[WorkOutcome, ...] = ()

    @property
    def num_rows(self) -> int:
        """Trajectories of all its works."""
        return sum(work.num_rows for work in self.works)


Verdicts = dict[str, Rejection]  # by id of a work or of a book: what its own text cannot tell (duplicates, takedowns)
