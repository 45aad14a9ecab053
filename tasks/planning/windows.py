"""Chapters -> what is read in each of their windows, and the ratings of their scenes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from schemas.answers import RateAnswer, ReadAnswer
from schemas.books import Division, SegmentedBook
from schemas.questions import Numbered, RateInputs, ReadInputs
from schemas.settings import ChunkSettings
from tasks.chunk import Window, chunk_chapter, halve_window
from tasks.planning.ask import Ask, Node, ask_all, make_request
from tasks.planning.assemble import Place, Rated, collect_ratings
from tasks.planning.scenes import Reading, SceneDraft, overlap, scene_starts_within
from tasks.protocols import LLM, Tokenizer


@dataclass(frozen=True)
class Chapter:
    """A chapter that is being planned; `heading` is what requests call it."""

    book: SegmentedBook
    division: Division
    place: Place
    heading: str


AskWindow = Callable[[Chapter, Window, str], Ask[Window]]


def read_windows(chapters: Sequence[Chapter], llm: LLM, reader: Tokenizer, chunk: ChunkSettings) -> list[list[Reading]]:
    """Return what was read in each window of each chapter; all windows are asked about in one batch."""
    windows = [chunk_chapter(chapter.division, chapter.book.text, chunk, reader) for chapter in chapters]
    answered = _ask_windows(chapters, windows, [_ask_reading] * len(chapters), llm)
    return [
        [Reading(window, cast(ReadAnswer, samples[0])) for window, samples in of_chapter] for of_chapter in answered
    ]


def rate_windows(
    chapters: Sequence[Chapter],
    readings: Sequence[Sequence[Reading]],
    drafts: Sequence[Sequence[SceneDraft]],
    num_samples: int,
    llm: LLM,
) -> list[list[list[Rated]]]:
    """Return the ratings of each scene of each chapter, one entry for every window that holds a part of it."""
    windows = [[reading.window for reading in found] for found in readings]
    askers: list[AskWindow] = [partial(_ask_rating, scenes, num_samples) for scenes in drafts]
    ratings: list[list[list[Rated]]] = [[[] for _ in scenes] for scenes in drafts]
    for index, answered in enumerate(_ask_windows(chapters, windows, askers, llm)):
        for window, samples in answered:
            parts = _parts_within(drafts[index], window, chapters[index].book.text)
            counted = [(part.number, max(1, len(part.text.split()))) for part in parts]
            for number, rated in collect_ratings(counted, cast(Sequence[RateAnswer], samples)).items():
                ratings[index][number].append(rated)
    return ratings


def _ask_windows(
    chapters: Sequence[Chapter], windows: Sequence[Sequence[Window]], askers: Sequence[AskWindow], llm: LLM
) -> list[list[tuple[Window, Sequence[object]]]]:
    """Ask about all windows in one batch; return the samples by chapter, of halves where a window was halved."""
    owners = [index for index, of_chapter in enumerate(windows) for _ in of_chapter]
    asks = [
        askers[index](chapters[index], window, f"window {number}")
        for index, of_chapter in enumerate(windows)
        for number, window in enumerate(of_chapter, 1)
    ]
    answered: list[list[tuple[Window, Sequence[object]]]] = [[] for _ in chapters]
    for owner, pairs in zip(owners, ask_all(llm, asks), strict=True):
        answered[owner] += [(window, answer.samples) for window, answer in pairs]
    return answered


def _ask_reading(chapter: Chapter, window: Window, name: str) -> Ask[Window]:
    starts = scene_starts_within(chapter.division, window)
    inputs = ReadInputs(paragraphs=_number_paragraphs(window, chapter.book.text), scene_starts=starts)
    marked = ", ".join(str(start) for start in starts)
    details = f"The author has marked scenes that begin with paragraphs {marked}." if starts else ""
    node, context = Node(chapter.book.book_id, _place(chapter, name)), _show_window(chapter, window)
    request = make_request("read", node, context, inputs, details=details)
    return Ask(window, request, partial(_halve, _ask_reading, chapter, window, name))


def _ask_rating(
    scenes: Sequence[SceneDraft], num_samples: int, chapter: Chapter, window: Window, name: str
) -> Ask[Window]:
    parts = _parts_within(scenes, window, chapter.book.text)
    listed = [
        f"- scene {part.number}: paragraphs {scenes[part.number].first} to {scenes[part.number].stop - 1}"
        for part in parts
    ]
    details = "\n".join(["The scenes, by their paragraphs in the chapter:", *listed])
    node, context = Node(chapter.book.book_id, _place(chapter, name)), _show_window(chapter, window)
    inputs = RateInputs(scenes=parts)
    request = make_request("rate", node, context, inputs, details=details, num_samples=num_samples)
    return Ask(window, request, partial(_halve, partial(_ask_rating, scenes, num_samples), chapter, window, name))


def _halve(ask: AskWindow, chapter: Chapter, window: Window, name: str) -> list[Ask[Window]]:
    starts = [scene.start for scene in chapter.division.scenes]
    halves = halve_window(window, chapter.book.text, starts)
    return [ask(chapter, half, f"{name}, half {number}") for number, half in enumerate(halves, 1)]


def _place(chapter: Chapter, name: str) -> str:
    return f"chapter {chapter.place.number}, {name}"


def _show_window(chapter: Chapter, window: Window) -> str:
    paragraphs = _number_paragraphs(window, chapter.book.text)
    return "\n\n".join([chapter.heading, *(f"[{number}] {text}" for number, text in paragraphs)])


def _number_paragraphs(window: Window, text: str) -> tuple[Numbered, ...]:
    return tuple(Numbered(number, text[start:end].strip()) for number, start, end in window.pieces)


def _parts_within(scenes: Sequence[SceneDraft], window: Window, text: str) -> tuple[Numbered, ...]:
    shared = ((number, overlap(scene, window)) for number, scene in enumerate(scenes))
    return tuple(Numbered(number, text[span.start : span.end]) for number, span in shared if span is not None)
