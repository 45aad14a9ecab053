"""CatalogueEntry -> Rights: where a work's copyright has ended, as far as its catalogue tells."""

from __future__ import annotations

from typing import NamedTuple

from schemas.books import CatalogueEntry
from tasks.cataloguing.authors import NOBODY, parse_author

US = "US"
TERMS = (50, 70)  # years after an author's death; most countries have one of them
AS_OF = (
    2_026  # a term counts as over if it was on 1 January of this year: a constant, so that equal books make equal rows
)
DOUBT = 25  # years by which a death may be later than a catalogue says that is not sure of an author's years
_FREE_IN_US = "public domain in the usa"  # Gutenberg's words
_NOT_IN_THE_TEXT = {"illustrator", "photographer", "engraver"}  # whose work a plain text does not hold


class Rights(NamedTuple):
    """`public_domain` holds 'US', 'life+50', 'life+70' or nothing; what is not in it is not known, not denied."""

    public_domain: tuple[str, ...]
    death_year: int | None  # of the last to die of those who wrote the text; None unless it is known of all of them


def find_rights(entry: CatalogueEntry) -> Rights:
    """Return what a catalogue's entry tells of a work's copyright.

    A term after an author's death is over for all that the author wrote, so it needs the year alone; authors,
    translators and editors all count. In the USA the year of publication decides, which no catalogue of Gutenberg
    holds: there, its own clearance is taken. A term once over stays over, so no later year makes a row wrong.
    """
    free = [US] if _FREE_IN_US in (entry.rights or "").casefold() else []
    people = [parse_author(name) for name in entry.authors]
    people = [one for one in people if (one.role or "").casefold() not in _NOT_IN_THE_TEXT]
    died = [one.died for one in people if one.died is not None]
    if not people or len(died) < len(people) or any(one.surname.casefold() in NOBODY for one in people):
        return Rights(tuple(free), None)
    last = max(one.died + DOUBT * one.approximate for one in people if one.died is not None)
    free += [f"life+{years}" for years in TERMS if last + years < AS_OF]
    return Rights(tuple(free), max(died))
