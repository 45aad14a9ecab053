"""'Surname, Given (Full), Title, 1842-1914? [Role]' -> Author: how Gutenberg's catalogue writes a name."""

from __future__ import annotations

import re

from schemas.catalogue import Author

NOBODY = {"anonymous", "various", "unknown"}  # names that stand for no one person

_ROLE = re.compile(r"\s*\[([^\]]*)\]\s*$")
_PARENTHESIS = re.compile(r"\s*\(([^)]*)\)")
_YEAR = r"(?:approximately |approx\. |ca?\. |about )?\d{1,4}(?:/\d{1,4})?\??(?: B\.?C\.?E?\.?| A\.?D\.?| C\.?E\.?)?"
_CENTURY = r"\d{1,2}(?:st|nd|rd|th) cent(?:ury|\.)(?: B\.?C\.?E?\.?)?"
_LIFE = re.compile(rf"(?P<born>{_YEAR})?\s*-\s*(?P<died>{_YEAR})?")
_BORN = re.compile(rf"(?:b\.|born) (?P<born>{_YEAR})")
_DIED = re.compile(rf"(?:d\.|died) (?P<died>{_YEAR})")
_ACTIVE = re.compile(
    rf"(?:active|fl\.|flourished) (?P<first>{_CENTURY}|{_YEAR})(?:\s*-\s*(?P<last>{_CENTURY}|{_YEAR}))?", re.IGNORECASE
)
_DOUBT = re.compile(r"\?|approx|\bca?\. ?\d|about|cent|/", re.IGNORECASE)


def split_list(text: str) -> list[str]:
    """Return the parts of a field that holds several, such as 'de; en'."""
    return [part.strip() for part in text.split("; ") if part.strip()]


def parse_author(text: str) -> Author:
    """Take a catalogued name apart; a name in no known form is a surname as it stands."""
    role = _ROLE.search(text)
    name = text[: role.start()] if role else text
    full = _PARENTHESIS.search(name)
    parts = [part.strip() for part in _PARENTHESIS.sub("", name).split(",") if part.strip()]
    dates = [part for part in parts if _read_dates(part) is not None]
    born, died, active = (_read_dates(dates[-1]) if dates else None) or (None, None, None)
    words = [part for part in parts if part not in dates] or [name.strip() or "unknown"]
    return Author(
        surname=words[0],
        given=words[1] if len(words) > 1 else None,
        full_given=full[1] if full else None,
        titles=tuple(words[2:]),
        born=born,
        died=died,
        active=active,
        approximate=any(_DOUBT.search(date) for date in dates),
        role=role[1] if role else None,
    )


def _read_dates(text: str) -> tuple[int | None, int | None, tuple[int, int] | None] | None:
    """Return year of birth, of death, and first and last active year; None where the text is no date."""
    if active := _ACTIVE.fullmatch(text):
        last = active["last"] or active["first"]
        sign_of_first = active["first"] if _before_christ(active["first"]) else active["first"] + _era(last)
        return None, None, (_read_years(sign_of_first)[0], _read_years(last)[1])
    life = _LIFE.fullmatch(text) or _BORN.fullmatch(text) or _DIED.fullmatch(text)
    if life is None or not any(life.groupdict().values()):
        return None
    born, died = life.groupdict().get("born"), life.groupdict().get("died")
    return _read_years(born)[0] if born else None, _read_years(died)[1] if died else None, None


def _read_years(text: str) -> tuple[int, int]:
    """Return the first and the last year of a year or a century."""
    number = int(re.findall(r"\d+", text)[0])
    before = _before_christ(text)
    if "cent" not in text:
        return (-number, -number) if before else (number, number)
    return (-100 * number, -100 * number + 99) if before else (100 * number - 99, 100 * number)


def _before_christ(text: str) -> bool:
    return re.search(r"B\.?C", text) is not None


def _era(text: str) -> str:
    return " BCE" if _before_christ(text) else ""
