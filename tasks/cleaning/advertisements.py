"""Last pages of a book -> which of them offer other books for sale."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tasks.cleaning.runs import iter_runs, join_run
from tasks.cleaning.source_text import SourceText

OFFER = re.compile(
    r"[$£] ?\d|\b(?:folio|4to|8vo|12mo|16mo|18mo|24mo)\b|\b\d+s\. ?(?:\d+d|net|each)|\b\d+/\d+ net|\bcents\b"
    r"|\bpost-?paid\b|\bcloth\b|\bgilt\b|\bpaper covers?\b|\bpublishers?\b|\bbooks are sold\b|\bbooksellers?\b"
    r"|& \w+(?:.s)? (?:list|book|edition)|\bnew edition\b|\b(?:complete|descriptive) (?:catalogue|catalog|list)\b"
    r"|\bprice,? (?:\d|one|two|three)",
    re.IGNORECASE,
)
HEADING = re.compile(
    r"\W*(?:advertisements?|announcements?|by the same author|also by .{3,40}"
    r"|(?:other |more )?(?:books|works|novels|stories) by (?:the same|this) author"
    r"|.{0,40}\b(?:popular|new|recent|standard) (?:novels|fiction|books|publications))\W*$",
    re.IGNORECASE,
)
BOOK_END = re.compile(r"\W*(?:the end|finis|end of (?:the )?\w+(?: \w+)?)\W*$", re.IGNORECASE)
RULED = re.compile(r"\W*(?:[=_+*#~-] *){5,}\W*$")
SPEECH = '"“‘«'

TAIL_SHARE = 0.25  # of the lines: a longer list of books is a book
PAGE_GAP = 2  # blank lines above the title of a page of offers, which is set in capitals or towards the middle
NEAR, MAX_BEFORE = 60, 3  # paragraphs above it, and how many of them may offer something: cookery books have prices
LONG_LINES = 8  # a longer paragraph is a story's
LAST_LINES = 60  # of a book that ends with offers: some of them stand there
MIN_OFFERS = 4  # paragraphs that offer something; fewer are an imprint
REACH_AFTER = 3  # paragraphs after 'The End' within which an offer stands
REACH = 6  # paragraphs from the top of a page within which an offer stands
MIN_SHARE = 0.2  # of all paragraphs from there to the end
MIN_OFFERS_AFTER = 2  # after 'The End', where no story is left to be cut
MAX_GAP = 20  # paragraphs from one offer to the next
MAX_SPEECH_AFTER = 0.25  # share of paragraphs that begin with speech, or a reviewer's words
MAX_SPEECH = 0.1  # share of paragraphs that begin with speech: a story's own end has more


class Evidence(NamedTuple):
    """A paragraph of the tail as evidence."""

    start: int
    is_top: bool
    is_offer: bool
    is_speech: bool


def remove_advertisements(source: SourceText, start: int, end: int) -> None:
    """Empty the publisher's advertisements at the end of `start:end`."""
    first = end - int((end - start) * TAIL_SHARE)
    if not any(run.is_offer for run in read_runs(source.lines, max(first, end - LAST_LINES), end)):
        return
    runs = read_runs(source.lines, first, end)
    ends = [run.start for run in runs if BOOK_END.match(source.lines[run.start])]
    for place, run in enumerate(runs):
        num_before = sum(before.is_offer for before in runs[max(0, place - NEAR) : place])
        is_after = bool(ends) and run.start > ends[-1]
        if is_after >= bool(ends) and num_before <= MAX_BEFORE and is_first_page(runs[place:], is_after):
            source.empty("advertisement", run.start, end, is_guess=True)
            return


def read_runs(lines: Sequence[str], start: int, end: int) -> list[Evidence]:
    """Return the paragraphs of lines `start:end`, each with what it tells of offers."""
    runs, last = [], start
    for run in iter_runs(lines, start, end):
        low, text = run.start, join_run(lines, run).replace("_", " ")
        is_heading = HEADING.match(text) is not None
        is_title = low - last >= PAGE_GAP and (lines[low][0] == " " or lines[low].upper() == lines[low])
        is_top = is_heading or is_title or RULED.match(lines[low]) is not None
        is_offer = is_heading or (run.end - low <= LONG_LINES and OFFER.search(text) is not None)
        is_speech = lines[low].lstrip()[0] in SPEECH
        runs.append(Evidence(low, is_top, is_offer, is_speech))
        last = run.end
    return runs


def is_first_page(runs: Sequence[Evidence], is_after: bool) -> bool:
    """Return whether all that is left of a book offers other books, from the top of a page on."""
    reach = REACH if runs[0].is_top else REACH_AFTER if is_after else 0
    if not any(run.is_offer for run in runs[:reach]):
        return False
    offers = [place for place, run in enumerate(runs) if run.is_offer]
    if any(after - before > MAX_GAP for before, after in pairwise((*offers, len(runs)))):
        return False
    num_speech = sum(run.is_speech for run in runs)
    if is_after:
        return len(offers) >= MIN_OFFERS_AFTER and num_speech <= MAX_SPEECH_AFTER * len(runs)
    return len(offers) >= max(MIN_OFFERS, MIN_SHARE * len(runs)) and num_speech <= MAX_SPEECH * len(runs)
