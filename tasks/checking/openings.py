"""ReadAnswer + its window -> whether scenes begin where they say, in order, and statements rest on paragraphs shown."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.answers import OutlineAnswer, ReadAnswer
from tasks.chunk import Window
from tasks.planning.scenes import locate_opening


def check_openings(answer: ReadAnswer, window: Window, text: str) -> Iterator[str]:
    """Yield what is wrong with the scenes' first paragraphs: each is quoted, found, and after the one before."""
    first, last = window.pieces[0].paragraph, window.pieces[-1].paragraph
    at = first - 1
    for number, scene in enumerate(answer.scenes, 1):
        place = locate_opening(scene.opening, scene.first_paragraph, window, text, at)
        if number == 1 and place != first:
            yield (
                f"scene 1: it must begin with paragraph {first}, the first of the text, and quote the first 8 to 12 "
                f'words of that paragraph letter for letter ("{scene.opening}" was given)'
            )
            place = first
        elif place is None:
            yield (
                f'scene {number}: no paragraph from {at + 1} to {last} begins with "{scene.opening}"; quote the first '
                "8 to 12 words of its first paragraph letter for letter, and give the scenes in the order of the text"
            )
            continue
        at = place


def check_evidence(answer: ReadAnswer | OutlineAnswer, window: Window) -> Iterator[str]:
    """Yield the statements that rest on paragraphs which the window does not have."""
    shown = {piece.paragraph for piece in window.pieces}
    scenes = answer.scenes if isinstance(answer, ReadAnswer) else ()
    lists = [("bullets", answer.bullets), *((f"scene {n}", scene.bullets) for n, scene in enumerate(scenes, 1))]
    for name, bullets in lists:
        for index, bullet in enumerate(bullets, 1):
            beyond = [str(number) for number in bullet.paragraphs if number not in shown]
            if beyond:
                yield (
                    f"{name}, statement {index}: it rests on paragraph {', '.join(beyond)}, but the paragraphs are "
                    f"{min(shown)} to {max(shown)}"
                )
