"""Blocks of a book -> its tables of contents: which blocks they are, and the titles that they list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from tasks.dividing.headings import CONTENTS, Heading, parse_heading

LEADERS = re.compile(r"(?:[\s.·_-]{2,}|\s)[\divxlc]{1,4}\.?$")
PICTURES = re.compile("illustrations|plates", re.IGNORECASE)
NOT_WORD = re.compile(r"[\W_]+")
STEP_BACK = 4  # blocks: part, chapter and title may stand above the first paragraph
LIST_LINES = 3  # numbered lines that make a block a list of chapters
PROSE_WORDS = 25
LONG_WORDS = 60
SEARCH_SHARE = 0.35  # of the blocks: later tables are not of this book's contents
DENSE_WORDS, DENSE_RUN = 30, 6  # so many headings in a row with so few words between them are a list
TITLE_LINES, TITLE_WORDS = 4, 20
PREFIX_CHARS = 25  # a listed title of this length may go on in the text
JOINED = 0.6  # share of numbers with a line of text below
MAX_COMPARISONS = 20_000  # of titles that are not found letter for letter: some seconds at most
SAME = 0.85  # ratio of common characters at which two titles are one


class Item(NamedTuple):
    """A block as segmentation sees it: number `at` of the book; `text` is empty where it is too long for a heading."""

    at: int
    text: str
    num_lines: int
    num_words: int
    blank_before: int
    unwrapped: bool
    heading: Heading | None


class Contents(NamedTuple):
    """Blocks that belong to tables of contents, and what these list, in order."""

    blocks: frozenset[int]
    entries: tuple[Heading, ...]


def normalize_title(text: str) -> str:
    """Return a title in small letters, words only: two forms of it are then equal."""
    return NOT_WORD.sub(" ", text).strip().lower()


def find_contents(items: Sequence[Item]) -> Contents:
    """Return the tables of contents: under a heading, as a list in one block, or as a dense run of headings."""
    blocks: set[int] = set()
    entries: list[Heading] = []
    for item in items[: int(len(items) * SEARCH_SHARE) + 1]:
        if item.at in blocks:
            continue
        if CONTENTS.match(item.text) or is_list(item):
            zone = items[item.at : zone_end(items, item.at)]
            blocks.update(one.at for one in zone)
            entries += zone_entries(zone)
    dense = find_dense_runs([item for item in items if item.heading and item.at not in blocks], items)
    entries += [entry for index in sorted(dense) for entry in iter_entries(items[index])]
    return Contents(frozenset(blocks | dense), tuple(entries))


def zone_entries(zone: Sequence[Item]) -> list[Heading]:
    """Return what a table lists, but for lists of pictures."""
    entries: list[Heading] = []
    of_chapters = True
    for item in zone:
        if CONTENTS.match(item.text):
            of_chapters = PICTURES.search(item.text.split("\n")[0]) is None
        if of_chapters:
            entries += iter_entries(item)
    return join_titles(entries)


def join_titles(entries: Sequence[Heading]) -> list[Heading]:
    """Return the entries, a title on the line below its chapter's number joined to it where that is the custom."""
    bare = [
        place for place, entry in enumerate(entries) if entry.level == "chapter" and entry.number and not entry.title
    ]
    titled = {place + 1 for place in bare if place + 1 < len(entries) and entries[place + 1].family == "title"}
    if len(titled) <= len(bare) * JOINED:
        return list(entries)
    joined = {place - 1: entries[place - 1]._replace(title=entries[place].title) for place in titled}
    return [joined.get(place, entry) for place, entry in enumerate(entries) if place not in titled]


def is_list(item: Item) -> bool:
    """Return whether a block of several lines lists numbered headings."""
    lines = item.text.split("\n")
    return len(lines) >= LIST_LINES and sum(parse_heading(line, 1) is not None for line in lines) * 2 > len(lines)


def zone_end(items: Sequence[Item], first: int) -> int:
    """Return the block after a table of contents: where its first entries come again, or prose begins."""
    seen: set[tuple[str, ...]] = set()
    path: dict[str, str] = {}
    number: tuple[str, ...] = ()
    for at in range(first, len(items)):
        item = items[at]
        if is_prose_item(item):
            return step_back(items, first, at - 1, at)
        keys = []
        for entry in iter_entries(item):
            if entry.level != "chapter":
                path = enter_container(path, entry)
            own = () if entry.level != "chapter" else entry_key(entry)
            above = () if entry.number is not None else number  # one title may stand below several numbers
            number = own if entry.number is not None else number
            keys.append((*path, *path.values(), *above, *own))
        if item.num_lines < LIST_LINES and any(key in seen for key in keys):
            return step_back(items, first, at, at)
        seen.update(keys)
    return len(items)


def enter_container(path: dict[str, str], entry: Heading) -> dict[str, str]:
    """Return the volume, part and book that a container's heading leads into; of equal level, it replaces the last."""
    levels = list(path)
    kept = levels[: levels.index(entry.level)] if entry.level in levels else levels
    return {**{level: path[level] for level in kept}, entry.level: str(entry.number)}


def entry_key(entry: Heading) -> tuple[str, ...]:
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
    usual = max(1, gaps.most_common(1)[0][0] if gaps else 1)
    start, lowest = stop, first + (items[first].num_lines < LIST_LINES)
    for index in range(last, max(lowest, last - STEP_BACK), -1):
        if is_list(items[index]):
            break
        if items[index].blank_before > usual:
            start = index
    return start if start < stop or last == stop or last <= lowest else last


def iter_entries(item: Item) -> Iterator[Heading]:
    """Yield what the lines of a block list: headings, or bare titles."""
    text = item.text[found.end() :] if (found := CONTENTS.match(item.text)) else item.text
    lines = [text] if item.heading and item.num_lines < LIST_LINES else text.split("\n")
    for line in lines:
        bare = LEADERS.sub("", line.strip()).strip()
        entry = parse_heading(bare, 1) or parse_heading(line.strip(), 1)
        if entry is None and any(map(str.isalpha, bare)):
            entry = Heading("title", "chapter", "narrative", None, "", bare)
        if entry is not None:
            yield entry


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
        again = [key for key in keys if counts[key] > keys.count(key)]
        if len(run) > DENSE_RUN and len(again) * 2 > len(keys):
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


def match_titles(items: Sequence[Item], contents: Contents) -> dict[int, Heading]:
    """Return the blocks after the first table whose words are a listed title, in the order of the list."""
    titles = [entry for entry in contents.entries if entry.title or entry.number is None]
    keys = [normalize_title(entry.title or entry.label) for entry in titles]
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    long_keys = tuple(f"{key} " for key in places if len(key) >= PREFIX_CHARS)
    found: list[tuple[int, int]] = []
    loose: list[tuple[int, str]] = []
    for item in items[min(contents.blocks, default=len(items)) :]:
        if not item.text or item.at in contents.blocks or item.num_lines > TITLE_LINES:
            continue
        key = normalize_title(item.heading.title if item.heading and item.heading.title else item.text)
        if key.startswith(long_keys):
            key = next(one.strip() for one in long_keys if key.startswith(one))
        found += [(item.at, place) for place in reversed(places.get(key, []))]
        if item.blank_before > 1 and item.num_words <= TITLE_WORDS and key not in places and item.text[0].isupper():
            loose.append((item.at, key))
    kept = longest_increasing(found)
    return {at: titles[place] for at, place in [*kept, *match_nearly(kept, keys, loose)]}


def match_nearly(
    kept: Sequence[tuple[int, int]], keys: Sequence[str], loose: Sequence[tuple[int, str]]
) -> list[tuple[int, int]]:
    """Return blocks that are nearly a title that was not found, between the places of its neighbours in the list."""
    found = []
    for (low, before), (high, after) in pairwise([(-1, -1), *kept, (10**9, len(keys))]):
        between = [(at, key) for at, key in loose if low < at < high]
        if len(between) * (after - before - 1) > MAX_COMPARISONS:
            continue
        for place in range(before + 1, after):
            near = [at for at, key in between if at > low and is_same_title(key, keys[place])]
            if near:
                found.append((near[0], place))
                low = near[0]
    return found


def is_same_title(one: str, other: str) -> bool:
    """Return whether two normalized titles differ by a misprint or so."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.real_quick_ratio() >= SAME and matcher.quick_ratio() >= SAME and matcher.ratio() >= SAME


def longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of pairs whose second parts increase."""
    lengths: list[int] = []
    before: list[int] = []
    for index, (_, place) in enumerate(pairs):
        best, best_before = 1, -1
        for other in range(max(0, index - 200), index):
            if pairs[other][1] < place and lengths[other] >= best:
                best, best_before = lengths[other] + 1, other
        lengths.append(best)
        before.append(best_before)
    if not lengths:
        return []
    index = max(range(len(lengths)), key=lengths.__getitem__)
    kept = []
    while index >= 0:
        kept.append(pairs[index])
        index = before[index]
    return kept[::-1]
