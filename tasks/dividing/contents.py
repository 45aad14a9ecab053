"""Blocks of a book -> its tables of contents: which blocks they are, and the titles that they list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from tasks.dividing.headings import CONTENTS, Heading, parse_heading

LEADERS = re.compile(r"(?:[\s.·_-]{2,}|\s)[\divxlc]{1,4}\.?$")
PICTURES = re.compile("illustrations|plates", re.IGNORECASE)
NOT_WORD = re.compile(r"[\W_]+")
STEP_BACK = 4  # blocks: part, chapter and title may stand above the first paragraph
LIST_NUMBER = re.compile(r"\s*(?:[IVXLC]+|\d+)[.:)]?\s+(?=\S)")
LIST_LINES = 3  # numbered lines that make a block a list of chapters
PROSE_WORDS = 25
LONG_WORDS = 60
SEARCH_SHARE = 0.35  # of the blocks: later tables are not of this book's contents
LATE_SHARE = 0.92  # of the blocks: after it stand the tables of French books
DENSE_WORDS, DENSE_RUN = 30, 6  # so many headings in a row with so few words between them are a list
JOINED = 0.6  # share of numbers with a line of text below


Key = tuple[str, ...]


class Item(NamedTuple):
    """A block as segmentation sees it: number `at` of the book; `text` is empty where it is too long for a heading.

    `ends`: its first and its last character.
    """

    at: int
    text: str
    num_lines: int
    num_words: int
    blank_before: int
    unwrapped: bool
    heading: Heading | None
    ends: str = ""


class Contents(NamedTuple):
    """Blocks that belong to tables of contents, and what these list, in order; `places`: the block of each entry."""

    blocks: frozenset[int]
    entries: tuple[Heading, ...]
    places: tuple[int, ...] = ()


def normalize_title(text: str) -> str:
    """Return a title in small letters, words only: two forms of it are then equal."""
    return NOT_WORD.sub(" ", text).strip().lower()


def find_contents(items: Sequence[Item]) -> Contents:
    """Return the tables of contents: under a heading, as a list in one block, or as a dense run of headings."""
    blocks: set[int] = set()
    entries: list[tuple[int, Heading]] = []
    late = int(len(items) * LATE_SHARE)
    for item in [*items[: int(len(items) * SEARCH_SHARE) + 1], *items[late:]]:
        if item.at in blocks:
            continue
        if CONTENTS.match(item.text) or (item.at < late and is_list(item)):
            zone = items[item.at : zone_end(items, item.at)]
            blocks.update(one.at for one in zone)
            entries += zone_entries(zone)
    dense = find_dense_runs([item for item in items if item.heading and item.at not in blocks], items)
    entries += [(index, entry) for index in sorted(dense) for entry in iter_entries(items[index])]
    listed, places = tuple(entry for _, entry in entries), tuple(place for place, _ in entries)
    return Contents(frozenset(blocks | dense), listed, places)


def zone_entries(zone: Sequence[Item]) -> list[tuple[int, Heading]]:
    """Return what a table lists, each with its block; lists of pictures are left out."""
    entries: list[tuple[int, Heading]] = []
    of_chapters = True
    for item in zone:
        if CONTENTS.match(item.text):
            of_chapters = PICTURES.search(item.text.split("\n")[0]) is None
        if of_chapters:
            entries += [(item.at, entry) for entry in iter_entries(item)]
    return join_titles(entries)


def join_titles(listed: Sequence[tuple[int, Heading]]) -> list[tuple[int, Heading]]:
    """Return the entries, a title on the line below its chapter's number joined to it where that is the custom."""
    entries = [entry for _, entry in listed]
    bare = [
        place for place, entry in enumerate(entries) if entry.level == "chapter" and entry.number and not entry.title
    ]
    titled = {place + 1 for place in bare if place + 1 < len(entries) and entries[place + 1].family == "title"}
    if len(titled) <= len(bare) * JOINED:
        return list(listed)
    joined = {place - 1: entries[place - 1]._replace(title=entries[place].title) for place in titled}
    return [(at, joined.get(place, entry)) for place, (at, entry) in enumerate(listed) if place not in titled]


def is_list(item: Item) -> bool:
    """Return whether a block of several lines lists headings that count up."""
    lines = item.text.split("\n")
    if len(lines) < LIST_LINES:
        return False
    found = [heading.number for line in lines if (heading := parse_heading(line, 1)) and heading.number]
    steps = sum(after - one == 1 for one, after in pairwise(found))
    return len(found) * 2 > len(lines) and steps * 2 >= len(found)


def zone_end(items: Sequence[Item], first: int) -> int:
    """Return the block after a table of contents: where its first entries come again, or prose begins."""
    seen: set[Key] = set()
    place = Place()
    for at in range(first, len(items)):
        item = items[at]
        if is_prose_item(item):
            return step_back(items, first, at - 1, at)
        keys = [place.enter(entry) for entry in iter_entries(item)]
        if item.num_lines < LIST_LINES and any(key in seen for key in keys):
            return step_back(items, first, at, at)
        seen.update(keys)
    return len(items)


class Place:
    """Where in a table its reader is: below which volume, part, book, story and number.

    Entries of one place have one key. Chapters may number anew below each container, and below each title too if
    the table's own first number stands below a title.
    """

    def __init__(self) -> None:
        self.path: dict[str, str] = {}
        self.number: Key = ()
        self.title, self.story = "", ""
        self.has_stories: bool | None = None

    def enter(self, entry: Heading) -> Key:
        """Return the key of the next entry."""
        if entry.level != "chapter":
            self.path = enter_container(self.path, entry)
        own = () if entry.level != "chapter" else entry_key(entry)
        if entry.number == 1 and entry.level == "chapter":
            self.has_stories = bool(self.title) if self.has_stories is None else self.has_stories
            self.story = self.title if self.has_stories and self.title else self.story
        above = () if entry.number is not None else self.number  # one title may stand below several numbers
        self.number = own if entry.number is not None else self.number
        self.title = "" if entry.number is not None else own[-1] if own else ""
        in_story = (self.story,) if entry.number is not None and self.story else ()
        return (*self.path, *self.path.values(), *in_story, *above, *own)


def enter_container(path: dict[str, str], entry: Heading) -> dict[str, str]:
    """Return the volume, part and book that a container's heading leads into; of equal level, it replaces the last."""
    levels = list(path)
    kept = levels[: levels.index(entry.level)] if entry.level in levels else levels
    return {**{level: path[level] for level in kept}, entry.level: str(entry.number)}


def entry_key(entry: Heading) -> Key:
    """Return what tells an entry from the others: its number, or its title."""
    if entry.number is None:
        return (normalize_title(entry.title or entry.label),)
    return (entry.family.partition(" ")[0], str(entry.number))


def is_prose_item(item: Item) -> bool:
    """Return whether a block is a paragraph of running text."""
    if item.heading is not None or not item.unwrapped:
        return False
    ends = bool(item.text) and item.text[-1] in '.!?"”’'
    return item.num_words >= (PROSE_WORDS if ends else LONG_WORDS)


def step_back(items: Sequence[Item], first: int, last: int, stop: int) -> int:
    """Return where the headings above block `stop` begin; `last` is the lowest block that may be one of them."""
    gaps = Counter(item.blank_before for item in items[first + 2 : last - STEP_BACK])
    often = max(gaps.values(), default=0)
    usual = max(1, min((gap for gap, num in gaps.items() if num == often), default=1))
    start, lowest = stop, first + (items[first].num_lines < LIST_LINES)
    for index in range(last, max(lowest, last - STEP_BACK), -1):
        if is_list(items[index]):
            break
        if items[index].blank_before > usual:
            start = index
    return start if start < stop or last == stop or last <= lowest else last


def iter_entries(item: Item) -> Iterator[Heading]:
    """Yield what the lines of a block list: headings, or bare titles; an indented line goes on with the one above."""
    text = item.text[found.end() :] if (found := CONTENTS.match(item.text)) else item.text
    text = text.replace("_", "")
    lines = [text] if item.heading and item.num_lines < LIST_LINES else join_lines(text.split("\n"))
    for line in lines:
        bare = LEADERS.sub("", line.strip()).strip()
        entry = parse_heading(bare, 1) or parse_heading(line.strip(), 1)
        if entry is None and any(map(str.isalpha, bare)):
            entry = Heading("title", "chapter", "narrative", None, "", bare)
        if entry is not None:
            yield entry


def join_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines of a list; one that is set in further than a number above it goes on with that line."""
    joined: list[str] = []
    column = 0  # where the text of the last numbered line begins
    for line in lines:
        number = LIST_NUMBER.match(line)
        indent = len(line) - len(line.lstrip())
        if joined and column and number is None and indent >= column:
            joined[-1] = f"{joined[-1]} {line.strip()}"
            continue
        column = number.end() if number else 0
        joined.append(line)
    return joined


def find_dense_runs(headed: Sequence[Item], items: Sequence[Item]) -> set[int]:
    """Return headings in runs with next to nothing between them that come again elsewhere."""
    counts = Counter(entry_key(item.heading) for item in headed if item.heading)
    dense: set[int] = set()
    run: list[Item] = []
    for item, after in zip(headed, [*headed[1:], None], strict=False):
        run.append(item)
        stop = after.at if after else len(items)
        if sum(items[index].num_words for index in range(item.at + 1, stop)) < DENSE_WORDS and after:
            continue
        keys = [entry_key(one.heading) for one in run if one.heading]
        here = Counter(keys)
        again = {key for key in here if counts[key] > here[key]}
        if len(run) > DENSE_RUN and sum(here[key] for key in again) * 2 > len(keys):
            dense.update(one.at for one in drop_real_headings(run, keys[-1] in again))
        run = []
    return dense


def drop_real_headings(run: Sequence[Item], is_listed: bool) -> Sequence[Item]:
    """Return a dense run without the headings of the text below it, which a wider gap sets off."""
    usual = Counter(item.blank_before for item in run[1:-STEP_BACK]).most_common(1)[0][0]
    apart = [place for place in range(len(run) - STEP_BACK, len(run)) if run[place].blank_before > max(1, usual)]
    if apart:
        return run[: apart[0]]
    return run if is_listed else run[:-1]
