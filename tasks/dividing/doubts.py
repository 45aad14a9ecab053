"""Headings of a book and its table of contents -> whether they disagree, and what each of them reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, takewhile
from statistics import mean, median

from schemas.books import Block, Reading
from tasks.dividing.headings import Heading
from tasks.dividing.numbering import Numbered, count_irregular
from tasks.dividing.numerals import LAST
from tasks.dividing.outline import Outline
from tasks.dividing.placing import Placed

MIN_LISTED = 3  # entries that make a table evidence
MAX_MISSING = 0.1  # share of what a table lists that the text may lack, and one entry in any case
MAX_UNTITLED = 0.34  # share of listed titles that the text may print otherwise, where titles are all there is
MAX_IRREGULAR = 0.25  # share of steps in which a source may count wrongly
LONG_BOOK = 15_000  # words: a shorter text may be one story below a list of others
LONG_CHAPTER = 1.8  # medians: a chapter before a number left out that is longer may hide a heading
MIN_CONFIDENCE = 0.5  # of the chapters on average
HEADINGS, TABLE, NUMBERS = "headings", "table of contents", "numbered lines"


def find_doubts(outline: Outline, confidences: Sequence[float]) -> list[str]:
    """Return the kinds of evidence that disagree with the headings; none for what a book explains by itself.

    A source that counts wrongly, a table that leaves chapters out, and a book without divisions are explained.
    """
    chapters = [one for one in outline.headings if one.level == "chapter" and one.kind == "narrative"]
    doubts = []
    if lacks_listed(outline, chapters):
        doubts.append(TABLE)
    if skips_numbers(outline, chapters):
        doubts.append(TABLE if numbered_entries(outline, chapters) else NUMBERS)
    firsts = {one.first for one in chapters}
    known = [value for one, value in zip(outline.headings, confidences, strict=True) if one.first in firsts]
    if known and mean(known) < MIN_CONFIDENCE:
        doubts.append(NUMBERS)
    return list(dict.fromkeys(doubts))


def lacks_listed(outline: Outline, chapters: Sequence[Placed]) -> bool:
    """Return whether a table lists more chapters than the text has, by number or by title."""
    if entries := numbered_entries(outline, chapters):
        listed, found = Counter(one.number for one in entries), Counter(one.number for one in chapters)
        num_missing = sum((listed - found).values())
        return len(entries) > len(chapters) + 1 and num_missing > max(1.0, MAX_MISSING * len(entries))
    titles = [entry for entry in outline.draft.contents.entries if entry.number is None and entry.level == "chapter"]
    num_titled = sum(one.number is None for one in chapters)
    if len(titles) < MIN_LISTED or 2 * num_titled < len(chapters):
        return False
    num_found = sum(entry.number is None for entry in outline.draft.matched.values())
    if not chapters:
        return outline.draft.words[-1] > LONG_BOOK
    return 0 < num_found < (1 - MAX_UNTITLED) * len(titles) and len(chapters) < (1 - MAX_UNTITLED) * len(titles)


def numbered_entries(outline: Outline, chapters: Sequence[Placed]) -> list[Heading]:
    """Return the table's entries of that style of numbers whose count comes nearest to the chapters'."""
    styles: dict[str, list[Heading]] = {}
    for entry in takewhile(lambda entry: entry.kind != "back", outline.draft.contents.entries):
        if entry.number is not None and entry.level == "chapter":
            styles.setdefault(entry.family.partition(" ")[0], []).append(entry)
    groups = [*styles.values(), [entry for group in styles.values() for entry in group]]
    nearest = min(groups, key=lambda group: abs(len(group) - len(chapters)))
    return nearest if len(nearest) >= MIN_LISTED else []


def skips_numbers(outline: Outline, chapters: Sequence[Placed]) -> bool:
    """Return whether the chapters' numbers leave some out that nothing explains, or seldom count up."""
    chain = outline.chain
    if not chain or not any(one.number is not None for one in chapters):
        return False
    if count_irregular(chain) > max(2.0, MAX_IRREGULAR * len(chain)) or counts_again(chain):
        return True
    listed = {entry.number for entry in numbered_entries(outline, chapters)}
    sizes = [outline.draft.num_words(one.block, after.block) for one, after in pairwise(chain)]
    hidden = 0
    for one, after, size in zip(chain, chain[1:], sizes, strict=False):
        left_out = set(range(one.number + 1, after.number)) if after.number != LAST else set()
        hidden += len(left_out & listed) if listed else len(left_out) * (size > LONG_CHAPTER * median(sizes))
    return hidden > max(1.0, MAX_MISSING * len(chain))


def counts_again(chain: Sequence[Numbered]) -> bool:
    """Return whether numbers fall back and go on from there, below no new part: a text that is there twice."""
    triples = zip(chain, chain[1:], chain[2:], strict=False)
    return any(
        1 < after.number < one.number and then.number == after.number + 1 and one.container == then.container
        for one, after, then in triples
    )


def read_both(outline: Outline, doubts: Sequence[str], blocks: Sequence[Block]) -> tuple[Reading, ...]:
    """Return what the headings read, and what each kind of evidence reads that disagrees with them."""
    draft = outline.draft
    readings = [Reading(evidence=HEADINGS, headings=tuple(tell(one, blocks[one.first]) for one in outline.headings))]
    if TABLE in doubts:
        entries = zip(draft.contents.entries, draft.contents.places, strict=True)
        listed = tuple(tell(entry, blocks[place]) for entry, place in entries)
        readings.append(Reading(evidence=TABLE, headings=listed))
    if NUMBERS in doubts:
        numbers = ((index, heading) for index, heading in draft.headed.items() if heading.number is not None)
        lines = tuple(tell(heading, blocks[index]) for index, heading in numbers)
        readings.append(Reading(evidence=NUMBERS, headings=lines))
    return tuple(readings)


def tell(heading: Placed | Heading, block: Block) -> str:
    """Return a heading as a line: 'raw line: label title'."""
    return f"{block.line}: " + " ".join(part for part in (heading.label, heading.title) if part)
