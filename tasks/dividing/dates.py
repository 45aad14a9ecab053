"""A short line -> whether it is the date above an entry of a journal or a letter."""

from __future__ import annotations

import re

from tasks.dividing.headings import EDGES, QUOTES

DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.)"
)
NUMBER = r"\d{1,2}(?:st|nd|rd|th)?"
WHEN = r"(?:early |late )?(?:morning|forenoon|noon|afternoon|evening|night|midnight)"
DATED = re.compile(
    rf"(?:on )?(?:{DAY}(?:$|[,.;:—–-]| {WHEN}\b| the \w+| {NUMBER}\b| {MONTH})"
    rf"|(?:the )?{NUMBER},? (?:of )?{MONTH}(?!\w)|{MONTH} (?:the )?{NUMBER}(?!\w)).*",
    re.IGNORECASE | re.DOTALL,
)
MAX_DATE_WORDS = 12


def is_dated(text: str) -> bool:
    """Return whether a line is a date, such as 'Monday, the fifth day' or 'May 4.'."""
    bare = text.strip(EDGES)
    return bare[:1] not in QUOTES and len(bare.split()) <= MAX_DATE_WORDS and DATED.fullmatch(bare) is not None
