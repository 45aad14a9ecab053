"""Blocks of a book -> its tables of contents: which blocks they are, and the titles that they list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tasks.headings import CONTENTS, Heading, parse_heading

LEADERS = re.compile(r"(?:[\s.·_-]{2,}|\s)[\divxlc]{1,4}\.?$")
PICTURES = re.compile("illustrations|plates", re.IGNORECASE)
NOT_WORD = re.compile(r"[\W_]+")
STEP_BACK = 4  # blocks: part, chapter and title may stand above the first paragraph
LIST_LINES = 3  # numbered lines that make a block a list of chapters
PROSE_WORDS = 25
LONG_WORDS = 60
SEARCH_SHARE = 0.35  # of the blocks: later tables are not of this book's contents
DENSE_WORDS, DENSE_RUN = 30, 4  # so many headings in a row with so few words between them are a list
TITLE_LINES, TITLE_WORDS = 4, 20
PREFIX_CHARS = 25  # a listed title of this length may go on in the text
SAME_WORDS = 0.7  # share of common words at which two titles are one


class Item(NamedTuple):
    """A block as segmentation sees it; `text` is empty where it is too long for a heading."""

    index: int
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
        if item.index in blocks:
            continue
        if CONTENTS.match(item.text) or is_list(item):
            zone = items[item.index : zone_end(items, item.index)]
            blocks.update(one.index for one in zone)
            entries += zone_entries(zone)
    dense = find_dense_runs([item for item in items if item.heading and item.index not in blocks], items)
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
    return entries


def is_list(item: Item) -> bool:
    """Return whether a block of several lines lists numbered headings."""
    lines = item.text.split("\n")
    return len(lines) >= LIST_LINES and sum(parse_heading(line, 1) is not None for line in lines) * 2 > len(lines)


def zone_end(items: Sequence[Item], first: int) -> int:
    """Return the block after a table of contents: where its first entries come again, or prose begins."""
    seen: set[tuple[str, ...]] = set()
    context: tuple[str, ...] = ()
    for index in range(first, len(items)):
        item = items[index]
        if is_prose_item(item):
            return step_back(items, first, index - 1, index)
        keys = []
        for entry in iter_entries(item):
            if entry.level != "chapter":
                context = (entry.level, str(entry.number)) if entry.level == "volume" else (*context[:2], str(entry.number))
            keys.append((*context, *entry_key(entry)))
        if item.num_lines < LIST_LINES and any(key in seen for key in keys):
            return step_back(items, first, index, index)
        seen.update(keys)
    return len(items)


def entry_key(entry: Heading) -> tuple[str, ...]:
    """Return what tells an entry from the others: its number, or its title."""
    if entry.number is None:
        return (normalize_title(entry.title or entry.label),)
    return (entry.family.partition(" ")[0], str(entry.number))


def is_prose_item(item: Item) -> bool:
    """Return whether a block is a paragraph of running text."""
    if item.heading is not None or not item.unwrapped:
        return False
    ends = bool(item.text) and item.text[-1] in ".!?\"”’"
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
        stop = after.index if after else len(items)
        if sum(items[index].num_words for index in range(item.index + 1, stop)) < DENSE_WORDS and after:
            continue
        keys = [entry_key(one.heading) for one in run if one.heading]
        again = [key for key in keys if counts[key] > keys.count(key)]
        if len(run) > DENSE_RUN and len(again) * 2 > len(keys):
            last = run if keys[-1] in again else run[:-1]
            dense.update(one.index for one in last)
        run = []
    return dense


def match_titles(items: Sequence[Item], contents: Contents) -> dict[int, Heading]:
    """Return the blocks after the first table whose words are a listed title, in the order of the list."""
    titles = [entry for entry in contents.entries if entry.title or entry.number is None]
    places: dict[str, list[int]] = {}
    for place, entry in enumerate(titles):
        places.setdefault(normalize_title(entry.title or entry.label), []).append(place)
    words = [(set(title.split()), own) for title, own in places.items()]
    found: list[tuple[int, int]] = []
    for item in items[min(contents.blocks, default=len(items)) :]:
        if item.text and item.index not in contents.blocks and item.num_lines <= TITLE_LINES:
            found += [(item.index, place) for place in reversed(find_places(item, places, words))]
    return {index: titles[place] for index, place in longest_increasing(found)}


def find_places(item: Item, places: dict[str, list[int]], words: Sequence[tuple[set[str], list[int]]]) -> list[int]:
    """Return where a block's words are listed, letter for letter or nearly so."""
    key = normalize_title(item.heading.title if item.heading and item.heading.title else item.text)
    if key in places:
        return places[key]
    own = set(key.split())
    if item.blank_before < 2 or not 3 <= len(own) <= TITLE_WORDS or not item.text[0].isupper():
        return []
    shares = ((len(own & title) / len(own | title), at) for title, at in words)
    best, at = max(shares, default=(0.0, []))
    if best < SAME_WORDS:
        longer = [at for title, at in places.items() if len(title) >= PREFIX_CHARS and key.startswith(f"{title} ")]
        return longer[0] if longer else []
    return at


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
