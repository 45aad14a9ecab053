"""Last blocks of a book -> where its story ends: at 'The End', before advertisements, before a printer's lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tasks.dividing.contents import Item
from tasks.dividing.headings import BOOK_END

IMPRINT = re.compile(
    r"\b(?:press|print(?:ed|ers?|ing)?|electrotyped|publishers?|london|edinburgh|new york|boston)\b", re.I
)
IMPRINT_BLOCKS, IMPRINT_WORDS = 6, 15
OFFER = re.compile(
    r"\$ ?\d|\b(?:4to|8vo|12mo|16mo|cr\. 8vo)\b|\b\d+s\. ?(?:\d+d\.|net)|\bcents\b|\bpost-?paid\b|\bcloth\b", re.I
)
MIN_OFFERS, OFFER_GAP, OFFER_REACH = 4, 3, 8  # such blocks in all; blank lines above the first; blocks to look ahead


def find_story_end(late: Sequence[Item]) -> int | None:
    """Return the block where a book without headings for its back matter passes to it; `late` are its last blocks."""
    ends = [item.at for item in late if item.num_lines <= 2 and BOOK_END.match(item.text)]
    if ends:
        return ends[-1]
    first = first_advertisement(late)
    return first if first is not None else first_imprint(late)


def first_advertisement(late: Sequence[Item]) -> int | None:
    """Return the block after a gap where prices and formats of other books begin."""
    is_offer = [bool(item.text) and OFFER.search(item.text) is not None for item in late]
    if sum(is_offer) < MIN_OFFERS:
        return None
    gaps = (place for place, item in enumerate(late) if item.blank_before >= OFFER_GAP)
    return next((late[place].at for place in gaps if any(is_offer[place : place + OFFER_REACH])), None)


def first_imprint(late: Sequence[Item]) -> int | None:
    """Return the block where a printer's or publisher's lines at the very end begin."""
    first: int | None = None
    for item in reversed(late[-IMPRINT_BLOCKS:]):
        if not item.text or item.num_words > IMPRINT_WORDS or item.text[-1] in '!?”"’':
            break
        first = item.at if IMPRINT.search(item.text) else first
    return first
