"""Chapter -> passages of at most so many tokens, cut at scene, then paragraph, then sentence borders."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from schemas.books import Division
from tasks.chunk import Window, cut_chapter, halve_window
from tasks.protocols import Tokenizer

MIN_SHARE = 1 / 4  # of the budget: with a shorter last passage the text of the last two is shared evenly


def cut_passages(chapter: Division, text: str, budget: int, trainee: Tokenizer) -> tuple[Window, ...]:
    """Return the passages of a chapter, which tile its paragraphs; each has at most `budget` tokens, trimmed.

    A single word of more tokens than that stays whole.
    """

    def size(window: Window) -> int:
        return trainee.count(text[window.span.start : window.span.end].strip())

    starts = sorted({scene.start for scene in chapter.scenes})
    waiting = _even_out(cut_chapter(chapter, text, budget, trainee), text, starts, budget, size)[::-1]
    passages: list[Window] = []
    while waiting:
        window = waiting.pop()
        halves = halve_window(window, text, starts) if size(window) > budget else ()
        if len(halves) == 2:  # tokens of pieces do not always add up to those of the whole
            waiting += halves[::-1]
        else:
            passages.append(window)
    return tuple(passages)


def _even_out(
    windows: Sequence[Window], text: str, starts: Sequence[int], budget: int, size: Callable[[Window], int]
) -> list[Window]:
    """Give a short rest at the end of a chapter more text: of a few lines no outline can be made."""
    if len(windows) < 2 or size(windows[-1]) >= budget * MIN_SHARE:
        return list(windows)
    joined = Window((*windows[-2].pieces, *windows[-1].pieces))
    halves = halve_window(joined, text, starts)
    if any(size(half) > budget for half in halves):
        return list(windows)
    return [*windows[:-2], *halves]
