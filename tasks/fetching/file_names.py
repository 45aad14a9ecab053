"""Paths of a mirror or a folder -> which book a file belongs to, and how good it is."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple

# Gutenberg's names: -0 is UTF-8, pg (generated) too, -8 is Latin-1, a bare number ASCII; UTF-8 before Latin-1
# before ASCII, what is packed after what is plain, an EPUB where there is no text, current before old/
RANKS = {"-0": 0, "pg": 2, "-8": 4, "": 6}
PACKED = 1
EPUB = 8
OLD = 10
UNKNOWN = 6  # an old file of a name of its own is ASCII as a rule

_TEXT = r"\.txt(?:\.utf-?8)?(?P<packed>\.gz|\.gzip|\.zip)?"
_NUMBERED = re.compile(
    rf"(?:(?P<pg>pg)(?P<generated>\d+)|(?P<number>\d+)(?P<code>-0|-8)?)(?:{_TEXT}|(?P<zip>\.zip))", re.I
)
_EPUB = re.compile(r"(?:pg)?(?P<number>\d+)(?:-images(?:-3)?)?\.epub", re.I)
_ANY_TEXT = re.compile(rf"(?P<stem>.*?)(?:{_TEXT}|(?P<zip>\.zip))", re.I | re.S)
_PLAIN = re.compile(rf"(?P<stem>.+?)(?:{_TEXT}|(?P<epub>\.epub))", re.I | re.S)
_EDITION = re.compile(r"\d+$")


class Named(NamedTuple):
    """What a file's name tells: its book, its rank (the lowest is the best), whether a mirror's folder says so."""

    book_id: str
    rank: int
    in_mirror: bool


def read_mirror_name(path: str) -> Named | None:
    """Return what Gutenberg's naming says about a path, or None for any other name."""
    pure = PurePosixPath(path)
    parents = pure.parent.parts
    if parents[-1:] == ("old",) and len(parents) > 1 and is_number(parents[-2]):
        rank = _rank_old(pure.name)
        return None if rank is None else Named(parents[-2], rank, True)
    if match := _NUMBERED.fullmatch(pure.name):
        book_id = match["generated"] or match["number"]
        rank = RANKS[(match["pg"] or match["code"] or "").lower()] + (PACKED if match["packed"] or match["zip"] else 0)
        return Named(book_id, rank, parents[-1:] == (book_id,))
    if match := _EPUB.fullmatch(pure.name):
        return Named(match["number"], EPUB + ("images" in pure.name), parents[-1:] == (match["number"],))
    return None


def read_plain_name(path: str) -> Named | None:
    """Return the id that a text's own path gives ('a/story.txt' is a-story), or None where it is no text."""
    match = _PLAIN.fullmatch(PurePosixPath(path).name)
    if match is None:
        return None
    rank = EPUB if match["epub"] else UNKNOWN + (PACKED if match["packed"] else 0)
    return Named("-".join((*PurePosixPath(path).parent.parts, match["stem"])), rank, False)


def file_order(rank: int, path: str) -> tuple[int, int, str]:
    """Return what sorts the files of one book: best rank, then the latest edition of old/ (alice30 before alice29)."""
    edition = _EDITION.search(PurePosixPath(path).name.partition(".")[0]) if rank >= OLD else None
    return rank, -int(edition[0]) if edition and len(edition[0]) < 5 else 0, path


def is_number(text: str) -> bool:
    """Return whether a name is one of Gutenberg's numbers."""
    return text.isascii() and text.isdecimal() and len(text) <= 9


def main_folder(book_id: str) -> str:
    """Return the main collection's folder: 1342 -> 1/3/4/1342, 19 -> 1/19, 7 -> 0/7."""
    digits = "/".join(book_id[:-1]) if len(book_id) > 1 else "0"
    return f"{digits}/{book_id}"


def sort_key(book_id: str) -> tuple[int, int, str]:
    """Numbers in their order, then names in theirs."""
    return (0, int(book_id), "") if is_number(book_id) else (1, 0, book_id)


def _rank_old(name: str) -> int | None:
    """Rank a file of old/: by its code as elsewhere, or by the digit of the nineties (8alic10 has 8 bits)."""
    if match := _NUMBERED.fullmatch(name):
        return OLD + RANKS[(match["pg"] or match["code"] or "").lower()] + bool(match["packed"] or match["zip"])
    match = _ANY_TEXT.fullmatch(name)
    if match and not match["stem"].endswith("-h"):  # a zip of a book's HTML
        code = "-8" if re.match(r"8[a-z]", match["stem"], re.I) else ""
        return OLD + RANKS[code] + bool(match["packed"] or match["zip"])
    return None
