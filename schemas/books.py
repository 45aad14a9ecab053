"""CatalogueEntry -> RawBook -> CleanBook -> SegmentedBook, and Rejection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from schemas.edits import Edit, EditLog
from schemas.value import Span, Value

Level = Literal["volume", "part", "book", "chapter"]
Kind = Literal["front", "narrative", "back"]


class CatalogueEntry(Value):
    """One work as a catalogue knows it; what nobody said stays null or empty."""

    book_id: str = Field(min_length=1, description="Gutenberg's number as text, or a file's own name")
    title: str | None = None
    authors: tuple[str, ...] = Field(default=(), description="'Surname, Name, years [Role]', as catalogued")
    languages: tuple[str, ...] = ()
    type: str | None = None
    issued: str | None = None
    subjects: tuple[str, ...] = ()
    locc: tuple[str, ...] = ()
    bookshelves: tuple[str, ...] = ()
    rights: str | None = None
    parent_id: str | None = Field(default=None, description="of a story: the collection's id")


class RawBook(Value):
    """The text of one book's best file, as bytes.

    `data` is that file as it lies in its source where it is plain text; otherwise what was taken out of it: the
    unpacked .gz, the text file within a .zip, or the text of an EPUB, laid out like one of Gutenberg's plain
    texts, in UTF-8.
    """

    entry: CatalogueEntry
    file: str = Field(description="path within its source, and within the archive: '1/19/19-0.zip/19-0.txt'")
    source_sha256: str = Field(description="of `data`")
    file_sha256: str | None = Field(default=None, description="of the file as it lies in its source; null: `data` is")
    notes: tuple[str, ...] = Field(default=(), description="better-ranked files that were passed over, and why")
    data: bytes

    @property
    def book_id(self) -> str:
        """The id of the entry."""
        return self.entry.book_id


class Removed(NamedTuple):
    """Raw lines (1-based, inclusive) that a cleaning rule took out."""

    rule: str
    first_line: int
    last_line: int


class Block(NamedTuple):
    """One paragraph or group of lines of `CleanBook.text`, and where it stood in the raw file."""

    start: int
    end: int
    line: int  # 1-based raw line of its first character
    last_line: int
    blank_before: int  # blank raw lines above it: evidence for headings and scene breaks
    unwrapped: bool  # False: its line ends were kept (verse, letters, headings, lists)


class CleanBook(Value):
    r"""The author's text: NFC, `\n` line ends, paragraphs unwrapped and separated by one blank line.

    No line of `text` ends in white space. `blocks` tile the text but for the blank lines between them. Between two
    `edits`, the raw bytes read with `encoding` are the text.
    """

    entry: CatalogueEntry
    source_sha256: str
    encoding: str = Field(description="the codec that read the bytes, such as utf-8-sig")
    text: str
    blocks: tuple[Block, ...]
    removed: tuple[Removed, ...] = Field(default=(), description="whole lines that rules took out")
    edits: EditLog = Field(default=EditLog(), description="every place where text and raw file differ")
    first_line: int = Field(description="raw line where the printed book begins")
    last_line: int = Field(description="raw line where it ends")

    @property
    def book_id(self) -> str:
        """The id of the entry."""
        return self.entry.book_id

    @property
    def num_words(self) -> int:
        """Words as white space separates them."""
        return len(self.text.split())

    def raw_offset(self, offset: int) -> int:
        """Return the byte of `RawBook.data` where the character at `offset` stood; at the end, where the text ended."""
        if not 0 <= offset <= len(self.text):
            raise IndexError(f"book {self.book_id}: offset {offset} outside of 0 to {len(self.text)}")
        if offset == len(self.text):
            return self.edits.raw_end(self.text, self.encoding, offset)
        return self.edits.raw_offset(self.text, self.encoding, offset)

    def raw_span(self, start: int, end: int) -> Span:
        """Return the bytes of `RawBook.data` that `text[start:end]` was made of."""
        if start >= end:
            return Span(self.raw_offset(start), self.raw_offset(start))
        return Span(self.raw_offset(start), self.edits.raw_end(self.text, self.encoding, end))

    def iter_edits(self) -> Iterator[Edit]:
        """Yield every edit with its rule, in order of the text."""
        return self.edits.iter_edits()


class Reading(Value):
    """One way to divide a book: what a kind of evidence tells, as 'raw line: label title'."""

    evidence: str = Field(description="'headings', 'table of contents' or 'numbered lines'")
    headings: tuple[str, ...]


class Rejection(Value):
    """A book that did not make it: a value, not an error."""

    book_id: str
    stage: str
    reason: str = Field(description="name of the rule, counted in the manifest")
    detail: str = Field(description="the limit and the value found")
    readings: tuple[Reading, ...] = Field(default=(), description="of a book that needs review: what disagrees")


class Scene(Value):
    """A scene's range and its paragraphs, which tile it (each with the blank lines after it)."""

    start: int
    end: int
    paragraphs: tuple[Span, ...]


class Division(Value):
    """A volume, part, book or chapter: heading, then children or scenes.

    `start:body_start` is the heading with the blank lines after it; `body_start:end` is tiled by
    `children` or, in a leaf, by `scenes`. Text of a container that stands before its first child is a
    child of its own with an empty heading.
    """

    level: Level
    kind: Kind
    label: str = Field(default="", description="as printed: 'CHAPTER IV.', 'Letter 2', 'IV.'")
    title: str = ""
    start: int
    body_start: int
    end: int
    line: int = Field(description="raw line of the heading, or of the first line where there is none")
    body_line: int | None = Field(default=None, description="raw line of the first line under the heading")
    confidence: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="weighted share of the evidence that agrees: form, number, table, room, siblings, length",
    )
    children: tuple[Division, ...] = ()
    scenes: tuple[Scene, ...] = ()

    def leaves(self) -> Iterator[Division]:
        """Yield the divisions that hold scenes, in order."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def spans(self) -> Iterator[Span]:
        """Yield heading and paragraphs, in order: the leaves of the tree."""
        if self.body_start > self.start:
            yield Span(self.start, self.body_start)
        for child in self.children:
            yield from child.spans()
        for scene in self.scenes:
            yield from scene.paragraphs


class SegmentedBook(Value):
    """A book as a tree whose leaves, joined, are its text; a tree that loses a character cannot be made."""

    entry: CatalogueEntry
    source_sha256: str
    text: str
    divisions: tuple[Division, ...]
    needs_review: bool = False
    readings: tuple[Reading, ...] = Field(default=(), description="where it needs review: what disagrees")

    @model_validator(mode="after")
    def _lossless(self) -> Self:
        at = 0
        for span in self.spans():
            if span.start != at or span.end <= span.start:
                raise ValueError(f"book {self.book_id}: leaf {span.start}:{span.end} after character {at}")
            at = span.end
        if at != len(self.text):
            raise ValueError(f"book {self.book_id}: leaves end at {at}, text at {len(self.text)}")
        return self

    @property
    def book_id(self) -> str:
        """The id of the entry."""
        return self.entry.book_id

    def spans(self) -> Iterator[Span]:
        """Yield every leaf of the tree, in order."""
        for division in self.divisions:
            yield from division.spans()

    @property
    def texts(self) -> list[str]:
        """The leaves' texts; joined, they are `text`."""
        return [self.text[start:end] for start, end in self.spans()]

    def chapters(self) -> list[Division]:
        """Return the narrative leaf divisions in reading order."""
        leaves = (leaf for division in self.divisions for leaf in division.leaves())
        return [leaf for leaf in leaves if leaf.kind == "narrative"]


class LookRange(Value):
    """Raw lines that a rule took out, as `look` tells it."""

    rule: str
    first_line: int
    last_line: int


class LookDivision(Value):
    """A heading, as `look` tells it; `body_line` is null where another heading follows at once."""

    level: Level
    kind: Kind
    label: str
    title: str
    line: int
    body_line: int | None


class LookReport(Value):
    """How one raw book is read: its ends, what was removed by which rule, its divisions. Lines are raw lines."""

    book_id: str | None
    title: str | None
    encoding: str
    first_line: int
    last_line: int
    narrative_first_line: int | None
    narrative_last_line: int | None
    removed: tuple[LookRange, ...]
    divisions: tuple[LookDivision, ...]
    needs_review: bool
