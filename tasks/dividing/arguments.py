"""Chapters of a book -> whether each opens with an argument, a summary in the present tense that is no story yet."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schemas.books import Division
from schemas.value import Span

PAST = re.compile(r"\b(?:was|were|had|did|said|came|went|could|would|thought|took|made|saw|knew)\b", re.IGNORECASE)
PERSON = re.compile(r"\b(?:I|me|my|we|our|you|your|thou|thy)\b", re.IGNORECASE)
MIN_CHAPTERS, SAMPLE = 3, 40  # chapters that make a custom; so many are looked at
MIN_WORDS, MAX_WORDS = 10, 120  # of an argument
MIN_SHARE = 0.8  # of the chapters that open with a paragraph of an argument's size
MAX_PAST, MIN_PAST = 0.005, 0.02  # share of verbs of the past: in arguments, in the story below them
MAX_PERSON = 0.01  # share of words of the first and second person


def find_story_start(text: str, chapters: Sequence[Division]) -> int:
    """Return where the first chapter's story begins: below its argument where the book's chapters have one.

    Other words of a letter's or an epigraph's kind are the story's own: an argument is prose, speaks of nobody as
    'I' or 'you', and is told in the present while the story is told in the past.
    """
    paragraphs = [chapter.scenes[0].paragraphs for chapter in chapters[:SAMPLE] if chapter.scenes]
    openings = [spans for spans in paragraphs if len(spans) > 1]
    with_argument = [spans for spans in openings if is_argument(text, spans[0])]
    first = chapters[0].body_start
    if len(with_argument) < max(MIN_CHAPTERS, MIN_SHARE * len(paragraphs)) or with_argument[0] != paragraphs[0]:
        return first
    told = " ".join(text[slice(*spans[0])] for spans in with_argument)
    story = " ".join(text[slice(*span)] for spans in with_argument for span in spans[1:4])
    is_summary = share(PAST, told) <= MAX_PAST and share(PERSON, told) <= MAX_PERSON
    return with_argument[0][1].start if is_summary and share(PAST, story) >= MIN_PAST else first


def is_argument(text: str, span: Span) -> bool:
    """Return whether a paragraph has the size and the look of an argument."""
    paragraph = text[slice(*span)].strip()
    num_words = paragraph.count(" ") + 1
    return MIN_WORDS <= num_words <= MAX_WORDS and "\n" not in paragraph and paragraph[0] not in "\"“‘'_"


def share(pattern: re.Pattern[str], text: str) -> float:
    """Return the share of a text's words that a pattern finds."""
    return len(pattern.findall(text)) / (text.count(" ") + 1)
