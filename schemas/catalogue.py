"""What a catalogue tells beside its entries: who an author was, which entries were chosen."""

from __future__ import annotations

from pydantic import Field

from schemas.value import Value


class Author(Value):
    """One name of a catalogue, taken apart; years before our era are negative, and what nobody said is null."""

    surname: str = Field(description="or the whole name where it has one part, such as 'Homer' or a company")
    given: str | None = None
    full_given: str | None = Field(default=None, description="what stands in parentheses: 'Herbert George' of H. G.")
    titles: tuple[str, ...] = Field(default=(), description="such as 'Baron', 'Mrs.', 'of Samosata'")
    born: int | None = None
    died: int | None = None
    active: tuple[int, int] | None = Field(
        default=None, description="first and last year at work, where only it is known"
    )
    approximate: bool = Field(default=False, description="a year bears a question mark or the like")
    role: str | None = Field(default=None, description="null: wrote it; else 'Translator', 'Editor' and so on")

    @property
    def first_year(self) -> int | None:
        """The earliest year in which the author is known to have lived."""
        return next((year for year in (self.born, self.active and self.active[0], self.died) if year is not None), None)

    @property
    def last_year(self) -> int | None:
        """The latest year in which the author is known to have lived."""
        return next((year for year in (self.died, self.active and self.active[1], self.born) if year is not None), None)


class Selection(Value):
    """What was chosen of a catalogue: `len(book_ids)` and the counts of `left_out` make all its entries."""

    book_ids: tuple[str, ...]
    left_out: dict[str, int] = Field(description="entries by the first rule that left them out, rules in their order")

    @property
    def num_entries(self) -> int:
        """Entries of the catalogue."""
        return len(self.book_ids) + sum(self.left_out.values())
