"""The damages of which a check of plans must see every one, done to any scaffold by rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations

from schemas.books import SegmentedBook
from schemas.scaffold import Bullet, ChapterScaffold, Scaffold

INVENTED = ("Brandreth", "Quillfeather", "Ottoline", "Mrs. Zabrowski", "Ignatz Pemberley")
VAGUE = (
    "The characters find themselves in a difficult situation and must decide what to do.",
    "Several things happen that will become important later.",
    "There is a conversation in which feelings are shown and questions are left open.",
    "Someone learns something new, and it changes how they see the others.",
    "Tension rises as events take an unexpected turn.",
    "A choice is made whose results are not yet known.",
    "The mood grows darker, and everybody senses that a change is near.",
    "In the end the matter is settled for now, but doubts remain.",
)
SENTENCE = re.compile(r"[A-Z“\"][^.!?]{60,260}[.!?]")
NAME = re.compile(r"(?<![^\W_])[A-Z][a-zà-ÿ]{2,}")

Damage = Callable[[SegmentedBook, Scaffold, ChapterScaffold], Iterator[ChapterScaffold]]


def set_summary(chapter: ChapterScaffold, lines: list[str]) -> ChapterScaffold:
    """Return a chapter with other statements about the whole of it."""
    return chapter.model_copy(update={"bullets": tuple(Bullet(text=line[:300]) for line in lines)})


def set_scene(chapter: ChapterScaffold, index: int, lines: list[str]) -> ChapterScaffold:
    """Return a chapter with other statements about one scene."""
    scene = chapter.scenes[index].model_copy(update={"bullets": tuple(Bullet(text=line[:300]) for line in lines)})
    return chapter.model_copy(update={"scenes": (*chapter.scenes[:index], scene, *chapter.scenes[index + 1 :])})


def put_chapter(scaffold: Scaffold, chapter: ChapterScaffold) -> Scaffold:
    """Return a scaffold with one chapter's plan in place of its own."""
    chapters = tuple(chapter if one.number == chapter.number else one for one in scaffold.chapters)
    return scaffold.model_copy(update={"chapters": chapters})


def damage_with_an_invented_name(book, scaffold, chapter):
    """Put an invented person in the place of each name within a sentence, and into a statement of each list."""
    known = set(NAME.findall(book.text))
    for lines, put in list_lists(chapter):
        for index, line in enumerate(lines):
            for number, match in enumerate(NAME.finditer(line)):
                if match.start() and match.group() in known and line[match.start() - 1] == " ":
                    changed = line[: match.start()] + INVENTED[number % len(INVENTED)] + line[match.end() :]
                    yield put([*lines[:index], changed, *lines[index + 1 :]])
        yield put([*lines, f"At last the news is brought to {INVENTED[len(lines) % len(INVENTED)]}, who says nothing."])
        yield put([*lines, f"{INVENTED[len(lines) % len(INVENTED)]} brings the news and says nothing."])


def damage_with_a_wrong_chapter(book, scaffold, chapter):
    """Give the chapter the summary of each other one, and its scenes' statements, too."""
    for other in scaffold.chapters:
        if other.number != chapter.number:
            swapped = chapter.model_copy(update={"bullets": other.bullets})
            yield swapped
            scenes = (
                scene.model_copy(update={"bullets": other.scenes[min(index, len(other.scenes) - 1)].bullets})
                for index, scene in enumerate(chapter.scenes)
            )
            yield swapped.model_copy(update={"scenes": tuple(scenes)})


def damage_by_truncating(book, scaffold, chapter):
    """Keep the first quarter of the statements."""
    lines = [bullet.text for bullet in chapter.bullets]
    yield set_summary(chapter, lines[: -(-len(lines) // 4)])


def damage_by_vagueness(book, scaffold, chapter):
    """Say nothing of anybody, in as many statements, beginning with each of the vague ones in turn."""
    for start in range(len(VAGUE)):
        turned = (VAGUE[start:] + VAGUE[:start]) * 2
        yield set_summary(chapter, list(turned[: min(len(VAGUE), len(chapter.bullets))]))


def damage_by_extracting(book, scaffold, chapter):
    """Let sentences of the text, evenly spread, stand for the summary."""
    found = SENTENCE.findall(" ".join(book.text[chapter.start : chapter.end].split()))
    step = max(1, len(found) // len(chapter.bullets))
    yield set_summary(chapter, found[::step][: len(chapter.bullets)])


def damage_by_reversing(book, scaffold, chapter):
    """Tell the end first."""
    yield set_summary(chapter, [bullet.text for bullet in reversed(chapter.bullets)])


def damage_with_a_leaked_sentence(book, scaffold, chapter):
    """Put a sentence of the text in the place of each statement of the chapter and of its scenes."""
    found = SENTENCE.findall(" ".join(book.text[chapter.start : chapter.end].split()))
    for lines, put in list_lists(chapter):
        for index in range(len(lines)):
            leaked = found[(7 * index + len(lines)) % len(found)]
            yield put([*lines[:index], leaked, *lines[index + 1 :]])


def damage_by_repeating(book, scaffold, chapter):
    """Say each statement of the chapter and of its scenes a second time."""
    for lines, put in list_lists(chapter):
        for line in lines:
            yield put([*lines, line])


def damage_by_swapping_roles(book, scaffold, chapter):
    """Exchange two people in each statement that names two; the text says otherwise, all other values stay."""
    for lines, put in list_lists(chapter):
        for index, line in enumerate(lines):
            changed = swap_names(line, scaffold)
            if changed:
                yield put([*lines[:index], changed, *lines[index + 1 :]])


def swap_names(line: str, scaffold: Scaffold) -> str:
    """Return a statement with the first two of the book's people that it names exchanged; empty where there are none."""
    people = {
        word for person in scaffold.main_characters + scaffold.side_characters for word in NAME.findall(person.name)
    }
    named = [word for word in dict.fromkeys(NAME.findall(line)) if word in people]
    for one, other in combinations(named, 2):
        if f"{one} {other}" not in line and f"{other} {one}" not in line:
            turned = {one: other, other: one}
            return re.sub(rf"\b({one}|{other})\b", lambda match, turned=turned: turned[match.group()], line)
    return ""


def list_lists(chapter: ChapterScaffold):
    """Return the lists of a chapter's statements, each with how to put another in its place."""

    def put_scene(index: int):
        return lambda lines: set_scene(chapter, index, lines)

    yield [bullet.text for bullet in chapter.bullets], lambda lines: set_summary(chapter, lines)
    for index, scene in enumerate(chapter.scenes):
        yield [bullet.text for bullet in scene.bullets], put_scene(index)


DAMAGES: dict[str, Damage] = {
    "invented name": damage_with_an_invented_name,
    "wrong chapter": damage_with_a_wrong_chapter,
    "truncated": damage_by_truncating,
    "vague": damage_by_vagueness,
    "extractive": damage_by_extracting,
    "reversed": damage_by_reversing,
    "leaked sentence": damage_with_a_leaked_sentence,
    "duplicated statement": damage_by_repeating,
}
