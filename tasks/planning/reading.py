"""Chapters -> what was read, rated and judged in each of their windows, halved where no answer was accepted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from schemas.answers import RateAnswer, RatingAnswer, ReadAnswer
from schemas.scaffold import Doubt, Quarantine, Vector
from tasks.chunk import Window, halve_window
from tasks.planning.ask import quarantine
from tasks.planning.chapters import Chapter, list_windows
from tasks.planning.scenes import Divided, Rated, divide_window
from tasks.planning.windows import (
    Desk,
    Task,
    ask_claims_of,
    ask_rating,
    ask_reading,
    judge_replies,
    list_statements,
    parts_within,
)
from tasks.protocols import LLM, Answer, Failure, Request

MAX_TEXT = 2_000  # characters of a refused answer that a quarantined node shows


@dataclass
class Reading:
    """What is known of one window; `answer` is None where none was accepted."""

    task: Task
    answer: ReadAnswer | None
    divided: Divided
    rated: list[list[Rated]]  # by scene
    num_claims: int = 0
    doubts: tuple[Doubt, ...] = ()
    quarantined: list[Quarantine] = field(default_factory=list)
    unrated: Failure | None = None


def read_chapters(
    chapters: Sequence[Chapter], windows: Sequence[Sequence[Window]], desk: Desk, llm: LLM
) -> list[list[Reading]]:
    """Return what was read in each window of each chapter, in order.

    All windows are asked about in one batch, each with its ratings and claims right after it. A window without an
    accepted answer is halved once; so is the text of a rating. What still fails is quarantined.
    """
    tasks = [
        Task(chapter, window, name)
        for chapter, of_chapter in zip(chapters, windows, strict=True)
        for name, window in list_windows(of_chapter)
    ]
    readings: list[Reading] = []
    while tasks:
        replies = llm.answer([ask_reading(task, desk) for task in tasks])
        settled = [_settle(task, reply, desk) for task, reply in zip(tasks, replies, strict=True)]
        readings += [found for found in settled if isinstance(found, Reading)]
        tasks = [task for found in settled if isinstance(found, list) for task in found]
    _rate_by_halves([reading for reading in readings if reading.unrated], desk, llm)
    numbered: dict[int, list[Reading]] = {chapter.place.number: [] for chapter in chapters}
    for reading in sorted(readings, key=lambda reading: reading.task.window.span.start):
        numbered[reading.task.chapter.place.number].append(reading)
    return list(numbered.values())


def _settle(task: Task, reply: Answer | Failure, desk: Desk) -> Reading | list[Task]:
    """Return what a window's answer gives, or what is to be asked in its place."""
    if isinstance(reply, Failure):
        return _halve(task) or _give_up(task, reply, desk)
    answer = cast(ReadAnswer, reply.samples[0])
    divided = divide_window(task.chapter.division, task.window, answer, task.chapter.book.text)
    reading = Reading(task, answer, divided, [[] for _ in divided.stretches])
    rating, *judged = reply.following
    _note_claims(reading, judged, desk)
    wrong = tuple(doubt for doubt in reading.doubts if doubt.verdict == "contradicted" and doubt.located)
    if wrong and desk.checks is not None:
        if not task.wrong and not task.half:
            return [task._replace(wrong=wrong)]
        detail = "; ".join(f"{doubt.statement} (against it: {doubt.evidence})" for doubt in wrong)
        failure = Failure("contradicted", detail, text=answer.model_dump_json()[:MAX_TEXT])
        return _halve(task) or _give_up(task, failure, desk)
    if isinstance(rating, Answer):
        _note_ratings(reading, task.window, rating)
    else:
        reading.unrated = rating
    return reading


def _halve(task: Task) -> list[Task]:
    """Return the halves of a window; none of a half, and none of a single word."""
    if task.half:
        return []
    starts = [scene.start for scene in task.chapter.division.scenes]
    halves = halve_window(task.window, task.chapter.book.text, starts)
    if len(halves) < 2:
        return []
    return [Task(task.chapter, half, f"{task.name}, half {number}", True) for number, half in enumerate(halves, 1)]


def _give_up(task: Task, failure: Failure, desk: Desk) -> Reading:
    divided = divide_window(task.chapter.division, task.window, None, task.chapter.book.text)
    kept = quarantine(ask_reading(task, desk), failure, task.chapter.place.number)
    return Reading(task, None, divided, [[] for _ in divided.stretches], quarantined=[kept])


def _note_claims(reading: Reading, judged: Sequence[Answer | Failure], desk: Desk) -> None:
    """Keep the verdicts on a window's statements; where answers are enforced, one that is missing is quarantined."""
    task, statements = reading.task, list_statements(cast(ReadAnswer, reading.answer), reading.divided.stretches)
    reading.num_claims, reading.doubts = judge_replies(task, statements, judged)
    if desk.checks is not None:
        requests = ask_claims_of(task, statements) if judged else []
        pairs = zip(requests, judged, strict=True)
        failed = [(request, reply) for request, reply in pairs if isinstance(reply, Failure)]
        reading.quarantined += [quarantine(*pair, task.chapter.place.number) for pair in failed]


def _note_ratings(reading: Reading, window: Window, answer: Answer) -> None:
    parts = parts_within(reading.divided.stretches, window, reading.task.chapter.book.text)
    scenes = [(part.number, max(1, len(part.text.split()))) for part in parts]
    for number, rated in collect_ratings(scenes, cast(Sequence[RateAnswer], answer.samples)).items():
        reading.rated[number].append(rated)


def collect_ratings(scenes: Sequence[tuple[int, int]], answers: Sequence[RateAnswer]) -> dict[int, Rated]:
    """Return the ratings of a window's scenes, given as (number, words); one without its number takes its place's."""
    return {
        number: Rated(num_words, tuple(_find_rating(answer.ratings, number, index) for answer in answers))
        for index, (number, num_words) in enumerate(scenes)
    }


def _find_rating(ratings: Sequence[RatingAnswer], number: int, index: int) -> Vector:
    by_number = {rating.scene: rating for rating in reversed(ratings)}
    rating = by_number.get(number, ratings[min(index, len(ratings) - 1)])
    return Vector(**rating.model_dump(exclude={"scene"}))


def _rate_by_halves(readings: Sequence[Reading], desk: Desk, llm: LLM) -> None:
    """Ask for the ratings that failed by halves of their windows, in one batch; quarantine what has none even so."""
    asked = [triple for reading in readings for triple in _ask_halves(reading, desk)]
    replies = llm.answer([request for _, _, request in asked]) if asked else []
    for (reading, window, request), reply in zip(asked, replies, strict=True):
        if isinstance(reply, Answer):
            _note_ratings(reading, window, reply)
        else:
            reading.quarantined.append(quarantine(request, reply, reading.task.chapter.place.number))


def _ask_halves(reading: Reading, desk: Desk) -> Iterator[tuple[Reading, Window, Request]]:
    task, halves = reading.task, _halve(reading.task)
    if not halves:
        request = ask_rating(task, task.window, reading.divided.stretches, desk)
        failure = cast(Failure, reading.unrated)
        reading.quarantined.append(quarantine(request, failure, task.chapter.place.number))
    for half in halves:
        yield reading, half.window, ask_rating(half, half.window, reading.divided.stretches, desk)
