"""Chapter windows -> requests: read, and what is asked on the same text after it, rate and claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

from schemas.answers import ClaimsAnswer, ReadAnswer
from schemas.questions import ClaimInputs, Numbered, RateInputs, ReadInputs
from schemas.scaffold import Doubt
from tasks.checking.answers import BookChecks
from tasks.checking.claims import count_judged, judge_claims
from tasks.chunk import Window
from tasks.planning.ask import Node, make_request
from tasks.planning.chapters import Chapter, number_paragraphs, show_window
from tasks.planning.scenes import Stretch, divide_window, overlap, scene_starts_within
from tasks.planning.wording import clean_line
from tasks.protocols import Answer, Failure, Request

MAX_RATED = 40  # scenes of one request, as many as its answer holds; any others get the rating of the last
MAX_CLAIMS = 40  # statements of one request: each is answered with up to 25 words of evidence


class Task(NamedTuple):
    """A window to be read; `wrong` are statements of an earlier answer that the text contradicts."""

    chapter: Chapter
    window: Window
    name: str
    half: bool = False
    wrong: tuple[Doubt, ...] = ()

    @property
    def node(self) -> Node:
        """The book and the window's place in it."""
        return Node(self.chapter.book.book_id, f"chapter {self.chapter.place.number}, {self.name}")


@dataclass(frozen=True)
class Desk:
    """What the requests of a book's windows share: samples of a rating, the claim check, the checks of answers."""

    num_ratings: int
    claims: bool = False
    checks: BookChecks | None = None


def ask_reading(task: Task, desk: Desk) -> Request:
    """Return the request that reads a window; its scenes are rated, and its statements judged, right after it."""
    chapter, window = task.chapter, task.window
    starts = scene_starts_within(chapter.division, window)
    marked = ", ".join(str(start) for start in starts)
    details = [f"The author has marked scenes that begin with paragraphs {marked}."] if starts else []
    if task.wrong:
        details.append("An earlier answer had these statements, which the text contradicts; do not make them again:")
        details += [f"- {doubt.statement} (against it: {doubt.evidence})" for doubt in task.wrong]

    def follow(answer: Answer) -> list[Request]:
        found = cast(ReadAnswer, answer.samples[0])
        divided = divide_window(chapter.division, window, found, chapter.book.text)
        judged = ask_claims_of(task, list_statements(found, divided.stretches)) if desk.claims else []
        return [ask_rating(task, window, divided.stretches, desk), *judged]

    inputs = ReadInputs(paragraphs=number_paragraphs(chapter, window), scene_starts=starts)
    request = make_request("read", task.node, show_window(chapter, window), inputs, "\n".join(details))
    check = desk.checks.for_read(window) if desk.checks else None
    return replace(request, check=check, then=follow)


def ask_rating(task: Task, window: Window, stretches: Sequence[Stretch], desk: Desk) -> Request:
    """Return the request that rates the scenes of a window, numbered from 0; of a half, those that it shows."""
    chapter = task.chapter
    parts = parts_within(stretches, window, chapter.book.text)[:MAX_RATED]
    listed = (
        f"{part.number}: {stretches[part.number].first} to {stretches[part.number].stop - 1}"
        if stretches[part.number].stop - stretches[part.number].first > 1
        else f"{part.number}: {stretches[part.number].first}"
        for part in parts
    )
    request = make_request("rate", task.node, show_window(chapter, window), RateInputs(scenes=parts), "\n".join(listed))
    check = desk.checks.for_rate([part.number for part in parts]) if desk.checks else None
    return replace(request, num_samples=desk.num_ratings, check=check)


def ask_claims_of(task: Task, statements: Sequence[str]) -> list[Request]:
    """Return the requests that hold statements against a window, each numbered from 0."""
    paragraphs, context = number_paragraphs(task.chapter, task.window), show_window(task.chapter, task.window)
    return [
        make_request(
            "claims",
            task.node,
            context,
            ClaimInputs(statements=batch, paragraphs=paragraphs),
            "\n".join(f"{number}: {statement}" for number, statement in batch),
        )
        for batch in batch_claims(statements)
    ]


def judge_replies(
    task: Task, statements: Sequence[str], replies: Sequence[Answer | Failure]
) -> tuple[int, tuple[Doubt, ...]]:
    """Return how many of a window's statements were judged, and those that its text does not bear out."""
    num_claims, doubts = 0, list[Doubt]()
    for batch, reply in zip(batch_claims(statements), replies, strict=False):
        if isinstance(reply, Answer):
            lines = [statement for _, statement in batch]
            answer = cast(ClaimsAnswer, reply.samples[0])
            num_claims += count_judged(answer, lines)
            doubts += judge_claims(answer, lines, number_paragraphs(task.chapter, task.window))
    return num_claims, tuple(doubts)


def batch_claims(statements: Sequence[str]) -> Iterator[tuple[Numbered, ...]]:
    """Yield statements as they are put into one request each."""
    for start in range(0, len(statements), MAX_CLAIMS):
        yield tuple(Numbered(number, text) for number, text in enumerate(statements[start : start + MAX_CLAIMS]))


def list_statements(answer: ReadAnswer, stretches: Sequence[Stretch]) -> list[str]:
    """Return the statements of a reading that will stand in the plan, each once: of the whole, then of its scenes."""
    of_scenes = (bullet for stretch in stretches if stretch.plan for bullet in stretch.plan.bullets)
    lines = (clean_line(bullet.text, 300) for bullet in (*answer.bullets, *of_scenes))
    return list(dict.fromkeys(line for line in lines if line))


def parts_within(stretches: Sequence[Stretch], window: Window, text: str) -> tuple[Numbered, ...]:
    """Return what a window shows of each scene, under the scene's number."""
    shared = ((number, overlap(stretch, window)) for number, stretch in enumerate(stretches))
    return tuple(Numbered(number, text[span.start : span.end]) for number, span in shared if span is not None)
