"""A chapter's prose and the words that each of its scenes has -> where the scenes begin.

LongPage tells no offsets. A scene begins at the border nearest to the sum of the counts before it, scaled to the words
that the chapter really has; borders are those of paragraphs, or of sentences, or of words, whichever are enough.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise

from schemas.value import Span

Scenes = tuple[tuple[Span, ...], ...]  # the pieces of each scene; all of them tile the chapter

_BLANK_LINES, _LINE = re.compile(r"\n{2,}"), re.compile(r"\n+")
_SENTENCE = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+")
_WORD = re.compile(r"\s+")


def locate_scenes(text: str, counts: Sequence[int]) -> Scenes | None:
    """Return the pieces of every scene of a chapter, or None where it has fewer words than scenes.

    Args:
        text: the chapter; no line of it ends in white space.
        counts: of words, one a scene, exact or rounded; only their shares count.
    """
    paragraph = _BLANK_LINES if _BLANK_LINES.search(text.strip("\n")) else _LINE
    for border in (paragraph, _SENTENCE, _WORD):
        pieces = split_at(text, border)
        if len(pieces) >= len(counts):
            return _deal(pieces, [len(text[start:end].split()) for start, end in pieces], counts)
    return None


def split_at(text: str, border: re.Pattern[str]) -> list[Span]:
    """Return the ranges between borders, each with the border after it."""
    borders = [match.end() for match in border.finditer(text) if match.end() < len(text)]
    return [Span(start, end) for start, end in pairwise((0, *borders, len(text)))]


def _deal(pieces: Sequence[Span], words: Sequence[int], counts: Sequence[int]) -> Scenes:
    shares = [max(count, 1) for count in counts]
    ends = list(accumulate(words))
    scale = ends[-1] / sum(shares)
    borders = [0]
    for place, wanted in enumerate(list(accumulate(shares))[:-1], 1):
        least, most = borders[-1] + 1, len(pieces) - (len(counts) - place)
        near = bisect_left(ends, wanted * scale)
        best = min((near, near + 1), key=lambda at: (abs(ends[min(at, len(ends)) - 1] - wanted * scale), at))
        borders.append(min(max(best, least), most))
    return tuple(tuple(pieces[start:end]) for start, end in pairwise((*borders, len(pieces))))
