"""CleanBook and raw bytes -> how many offsets of the text do not lead back to their character."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from schemas.books import CleanBook

ONE_BYTE = {"ascii", "iso-8859-1", "latin-1", "cp1252"}


def count_lost(book: CleanBook, data: bytes) -> int | None:
    """Return the offsets whose raw byte does not begin the same character; None where the book tells no raw offsets.

    Every offset is asked for and the bytes there are decoded. White space may have been any white space of the file,
    or the place of something that was removed; a character may be composed of several, or stand in a recorded edit and
    lead to its bytes; the rest must be the same.
    """
    if not hasattr(book, "raw_offset"):
        return None
    places = np.fromiter(map(book.raw_offset, range(len(book.text))), dtype=np.int64, count=len(book.text))
    if len(places) and (places.min() < 0 or places.max() >= len(data)):
        return int(np.count_nonzero((places < 0) | (places >= len(data))))
    characters = decode_each(data, book.encoding)
    text = np.frombuffer(book.text.encode("utf-32-le"), dtype=np.uint32)
    unequal = [int(offset) for offset in np.flatnonzero(characters[places] != text)]
    edits = list(book.iter_edits()) if unequal and hasattr(book, "iter_edits") else []
    starts = [edit.start for edit in edits]
    lost = 0
    for offset in unequal:
        place = int(places[offset])
        edit = edits[bisect_right(starts, offset) - 1] if starts and starts[0] <= offset else None
        is_recorded = edit is not None and edit.start <= offset < edit.end and edit.raw_start <= place <= edit.raw_end
        lost += not (is_recorded or is_rewritten(book, data, offset, place))
    return lost


def decode_each(data: bytes, encoding: str) -> NDArray[np.uint32]:
    """Return for each byte the code point of the character that begins there; 0 within a character."""
    codec = encoding.removesuffix("-sig")
    text = data.decode(codec, errors="replace")
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    if codec in ONE_BYTE:
        return points
    raw = np.frombuffer(data, dtype=np.uint8)
    if codec == "utf-8" and np.count_nonzero((raw & 0xC0) != 0x80) == len(points):
        begins = (raw & 0xC0) != 0x80
    else:  # sizes one by one: rare encodings only
        sizes = [len(char.encode(codec, errors="replace")) for char in text]
        begins = np.zeros(len(data), dtype=bool)
        begins[np.cumsum([0, *sizes[:-1]]).clip(max=len(data) - 1)] = True
    found = np.zeros(len(data), dtype=np.uint32)
    found[begins] = points[: int(np.count_nonzero(begins))]
    return found


def is_rewritten(book: CleanBook, data: bytes, offset: int, place: int) -> bool:
    """Return whether a character that differs from the file's was made of what stands there."""
    char = book.text[offset]
    if char.isspace():
        return True
    raw = data[place : place + 16].decode(book.encoding.removesuffix("-sig"), errors="replace")
    composed = unicodedata.normalize("NFC", raw)
    return composed[:1] == char or unicodedata.normalize("NFKD", char)[:1] == unicodedata.normalize("NFKD", raw)[:1]
