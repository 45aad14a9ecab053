"""A piece of a raw file -> the same with parts rewritten, each with its rule and its way back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

COPY = ""  # the rule of what stands as it stood
LAYOUT = frozenset({"space", "unwrap", "line-end", "margin"})  # rules that yield to what was rewritten before


class Segment(NamedTuple):
    """Characters `start:end` of the raw piece read `text` now, by a rule."""

    start: int
    end: int
    text: str
    rule: str


class Traced:
    """A text that remembers what it was: its segments tile both the raw piece and the text."""

    def __init__(self, raw: str, rewrites: Iterable[Segment] = ()) -> None:
        self.raw = raw
        self.segments: list[Segment] = []
        at = 0
        for rewrite in rewrites:
            if at < rewrite.start:
                self.segments.append(Segment(at, rewrite.start, raw[at : rewrite.start], COPY))
            self.segments.append(rewrite)
            at = rewrite.end
        if at < len(raw):
            self.segments.append(Segment(at, len(raw), raw[at:], COPY))
        self.text = "".join(segment.text for segment in self.segments)

    def shifted(self, num_chars: int) -> list[Segment]:
        """Return the rewritten segments, as they stand in a raw piece that begins so many characters earlier."""
        return [
            Segment(start + num_chars, end + num_chars, text, rule)
            for start, end, text, rule in self.segments
            if rule != COPY
        ]

    def main_rule(self) -> str:
        """Return the rule that rewrote the longest segment."""
        return max(self.segments, key=lambda segment: segment.end - segment.start).rule

    def sub(
        self, pattern: re.Pattern[str], new: str | Callable[[re.Match[str]], str], rule: str, group: int = 0
    ) -> None:
        """Rewrite every match of a pattern in `text`, or a group of it, unless that changes nothing."""
        spans = []
        for found in pattern.finditer(self.text):
            text = new(found) if callable(new) else new
            if text != found[group]:
                spans.append(Segment(*found.span(group), text, rule))
        if spans:
            self.replace(spans)

    def replace(self, spans: Iterable[Segment]) -> None:
        """Rewrite ranges of `text`, in order and apart; what was rewritten within them before goes with them."""
        rest = self.segments[::-1]
        done: list[Segment] = []
        at = 0
        for start, end, text, rule in spans:
            done += _take(rest, start - at)
            gone = _take(rest, end - start)
            if rule in LAYOUT:
                rule = next((segment.rule for segment in gone if segment.rule not in {COPY, *LAYOUT}), rule)
            raw_at = gone[0].start if gone else done[-1].end if done else 0
            done.append(Segment(raw_at, gone[-1].end if gone else raw_at, text, rule))
            at = end
        self.segments = done + rest[::-1]
        self.text = "".join(segment.text for segment in self.segments)


def _take(rest: list[Segment], num_chars: int) -> list[Segment]:
    """Take segments of so many characters from the end of `rest`, which stands in reverse; the last one may be cut."""
    taken = []
    while num_chars > 0:
        segment = rest.pop()
        if len(segment.text) > num_chars:
            middle = segment.start + num_chars if segment.rule == COPY else segment.end
            rest.append(Segment(middle, segment.end, segment.text[num_chars:], segment.rule))
            segment = Segment(segment.start, middle, segment.text[:num_chars], segment.rule)
        taken.append(segment)
        num_chars -= len(segment.text)
    return taken
