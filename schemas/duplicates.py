"""What is known of a book's text to tell it from others, and what was found."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.value import Value

Likeness = Literal["edition", "part", "omnibus"]


class Signature(Value):
    """A few kB that stand for a book when books are compared; equal texts have equal signatures."""

    book_id: str = Field(min_length=1)
    title: str = Field(description="normalised: no subtitle, article, volume or accent; empty where it has none")
    volume: str = Field(default="", description="what the title says of volume or part, such as '2'")
    authors: tuple[str, ...] = Field(default=(), description="normalised surnames of those who wrote it, if known")
    num_words: int = Field(ge=0)
    num_accents: int = Field(ge=0, description="letters outside ASCII: a plain-ASCII transcription has lost them")
    encoding: str
    num_shingles: int = Field(ge=0, description="distinct ones")
    minhash: bytes = Field(description="little-endian uint32, one a permutation")
    sketch: bytes = Field(description="little-endian uint32, ascending: the least hashes of its shingles")


class NearDuplicate(Value):
    """A work that shares text with one of another split, which stays."""

    book_id: str
    split: str
    near: str = Field(description="id of the work that stays")
    near_split: str
    contained: float = Field(ge=0.0, le=1.0, description="estimated share of the shorter one's shingles in the other")

    @property
    def detail(self) -> str:
        """What to tell a person, on one line."""
        share = f"{self.contained:.0%} of the phrases of the shorter one stand in both"
        return f"it is in {self.split}, and like {self.near}, which is in {self.near_split}: {share}"


class Duplicate(Value):
    """A book that is left out because another one, which stays, holds its text."""

    book_id: str
    duplicate_of: str = Field(description="id of the book that stays")
    similarity: float = Field(ge=0.0, le=1.0, description="estimated; what it measures depends on `likeness`")
    likeness: Likeness = Field(
        description="'edition': shared shingles among all of both; 'part': among those of this book; "
        "'omnibus': share of this book that other books hold, of which `duplicate_of` is the largest"
    )

    @property
    def detail(self) -> str:
        """What to tell a person, on one line."""
        said = {
            "edition": "{:.0%} of the phrases of both are the same",
            "part": "{:.0%} of its phrases stand there",
            "omnibus": "{:.0%} of it are books of their own, of which that is the largest",
        }
        return f"duplicate of {self.duplicate_of}: {said[self.likeness].format(self.similarity)}"
