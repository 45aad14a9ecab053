"""A peer for chapters: the algorithm that JonathanReeve/chapterize publishes, written anew from its description.

Four forms of a heading, tried at the start of each line: 'chapter' and a number in figures, Roman or words; a Roman
number, a point or a blank, and a word; a Roman number, a point, and capitals; a number alone. Headings less than four
lines apart are held for a table of contents and dropped, both of a pair. Fewer than three headings: it gives up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

MIN_HEADINGS = 3
MIN_LINES = 4  # between two headings, or both are of a table of contents
ROMAN = r"(?=[MDCLXVI])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
UNITS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
)
ORDINALS = "first|second|third|fifth|eighth|ninth|twelfth|last|twentieth|thirtieth|fortieth|fiftieth"
WORDS = rf"(?:{UNITS})(?:th)?|{ORDINALS}"
NAMED = re.compile(rf"chapter (?:\d+|{ROMAN}|(?:the )?(?:{WORDS}))", re.IGNORECASE)
NUMBERED = re.compile(rf"{ROMAN}(?:\. | )[A-Z][a-z]|{ROMAN}\. [A-Z][A-Z]|\d+\.?$|{ROMAN}\.?$")
END = re.compile(
    r"End of the Project Gutenberg EBook|End of Project Gutenberg's|\*\*\*END OF THE PROJECT GUTENBERG EBOOK"
    r"|\*\*\* END OF THIS PROJECT GUTENBERG EBOOK",
    re.IGNORECASE,
)


def find_headings(lines: Sequence[str]) -> list[int]:
    """Return the lines (1-based) of the headings that chapterize divides a book at; none where it gives up."""
    found = [number for number, line in enumerate(lines, 1) if NAMED.match(line) or NUMBERED.match(line)]
    if len(found) < MIN_HEADINGS:
        return []
    end = next((number for number, line in enumerate(lines, 1) if END.match(line)), len(lines))
    places = [*found, end]
    crowded = {place for pair in pairwise(places) if pair[1] - pair[0] < MIN_LINES for place in pair}
    return [place for place in found if place not in crowded]
