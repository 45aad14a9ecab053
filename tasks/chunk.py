"""Chapter -> windows under a token budget: cut at scene, then paragraph, then sentence borders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.books import Division
from schemas.settings import ChunkSettings
from schemas.value import Span
from tasks.protocols import Tokenizer

_SENTENCE_END = re.compile(r"(?<=[.!?;:])[\"'”’)\]]*\s+")


class Piece(NamedTuple):
    """A paragraph of a chapter (from 0), or a part of an overlong one; offsets into the book's text."""

    paragraph: int
    start: int
    end: int


class Window(NamedTuple):
    """Consecutive pieces of one chapter, to be read in one request."""

    pieces: tuple[Piece, ...]

    @property
    def span(self) -> Span:
        """From the first piece to the last."""
        return Span(self.pieces[0].start, self.pieces[-1].end)


def chunk_chapter(chapter: Division, text: str, settings: ChunkSettings, reader: Tokenizer) -> tuple[Window, ...]:
    """Cut a chapter into windows of at most `settings.window_tokens`, each piece counted with the blank lines after it.

    The windows tile the chapter's paragraphs. A chapter that fits costs one call of the counter; paragraphs are
    counted only where it does not. A single word over the budget stays whole.
    """
    return cut_chapter(chapter, text, settings.window_tokens, reader)


def cut_chapter(chapter: Division, text: str, budget: int, tokenizer: Tokenizer) -> tuple[Window, ...]:
    """Cut a chapter into windows of at most `budget` tokens of any tokenizer, as `chunk_chapter` does."""
    pieces = list_pieces(chapter)
    if not pieces or tokenizer.count(text[pieces[0].start : pieces[-1].end]) <= budget:
        return (Window(pieces),) if pieces else ()
    counted = [part for piece in pieces for part in _fit_piece(piece, text, budget, tokenizer)]
    return tuple(_fill_windows(counted, budget, {scene.start for scene in chapter.scenes}))


def list_pieces(chapter: Division) -> tuple[Piece, ...]:
    """Return the paragraphs of a leaf division, all scenes together, numbered from 0."""
    paragraphs = (span for scene in chapter.scenes for span in scene.paragraphs)
    return tuple(Piece(number, start, end) for number, (start, end) in enumerate(paragraphs))


def halve_window(window: Window, text: str, scene_starts: Sequence[int] = ()) -> tuple[Window, ...]:
    """Cut a window in two, at a scene start of its middle half or nearest its middle; itself where it is one word."""
    pieces = window.pieces
    if len(pieces) == 1:
        halves = _split_piece(pieces[0], text)
        return tuple(Window((half,)) for half in halves)
    start, end = window.span
    middle, quarter = (start + end) / 2, (end - start) / 4
    starts = set(scene_starts)

    def distance(index: int) -> float:
        away = abs(pieces[index].start - middle)
        return away - (end - start) if pieces[index].start in starts and away <= quarter else away

    cut = min(range(1, len(pieces)), key=distance)
    return Window(pieces[:cut]), Window(pieces[cut:])


def _fit_piece(piece: Piece, text: str, budget: int, reader: Tokenizer) -> Iterator[tuple[Piece, int]]:
    """Yield the piece with its tokens, halved at sentence borders until each part fits."""
    num_tokens = reader.count(text[piece.start : piece.end])
    parts = _split_piece(piece, text) if num_tokens > budget else (piece,)
    if len(parts) == 1:
        yield piece, num_tokens
    else:
        for part in parts:
            yield from _fit_piece(part, text, budget, reader)


def _split_piece(piece: Piece, text: str) -> tuple[Piece, ...]:
    """Cut a piece at the sentence border nearest its middle, else at a word's; one piece if it is one word."""
    content = text[piece.start : piece.end]
    inner = len(content.rstrip())
    for pattern in (_SENTENCE_END, re.compile(r"\s+")):
        borders = [match.end() for match in pattern.finditer(content) if match.end() < inner]
        if borders:
            cut = piece.start + min(borders, key=lambda border: abs(border - inner / 2))
            return Piece(piece.paragraph, piece.start, cut), Piece(piece.paragraph, cut, piece.end)
    return (piece,)


def _fill_windows(counted: Sequence[tuple[Piece, int]], budget: int, scene_starts: set[int]) -> Iterator[Window]:
    """Yield windows as full as they may be; one ends at its last scene border if that leaves it half full."""
    first = 0
    while first < len(counted):
        total, last, border = 0, first, None
        while last < len(counted) and (last == first or total + counted[last][1] <= budget):
            if counted[last][0].start in scene_starts and total >= budget / 2:
                border = last
            total += counted[last][1]
            last += 1
        if last < len(counted) and counted[last][0].start in scene_starts:
            border = last
        end = border if border is not None and last < len(counted) else last
        yield Window(tuple(piece for piece, _ in counted[first:end]))
        first = end
