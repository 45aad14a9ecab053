"""A short block of text -> the heading that it may be: keyword and number, number alone, named section, title."""

from __future__ import annotations

import re
from typing import NamedTuple

from schemas.books import Kind, Level
from tasks.dividing.numerals import LAST, NUMBER, ORDINAL, ROMAN, WORD_NUMBER, parse_numeral

LEVELS: dict[str, Level] = {
    "volume": "volume", "vol": "volume", "tome": "volume", "band": "volume",
    "part": "part", "epoch": "part", "period": "part", "phase": "part", "partie": "part", "teil": "part",
    "book": "book", "livre": "book", "buch": "book", "narrative": "book",
}  # fmt: skip
CHAPTER_KEYS = (
    "chapter|chapt|chap|letter|stave|canto|section|adventure|episode|story|tale|night|day|evening|sketch|fytte|fit"
    "|instalment|fragment|entry|case|problem|exploit"
    "|chapitre|kapitel|hoofdstuk|capitolo|cap[ií]tulo"
)
LOOSE_KEYS = frozenset(
    {"night", "day", "evening", "story", "tale", "episode", "adventure", "sketch", "case", "problem"}
)  # 'The Last Night' is a title
SEPARATOR = r"[\s.:,;)\]—–_*=-]*"
KEYWORDED = re.compile(
    rf"(?P<label>(?P<key>{'|'.join(LEVELS)}|{CHAPTER_KEYS})\b\.?\s*(?:the\s+|no\.?\s*|number\s+)?"
    rf"(?P<number>{NUMBER})(?![\w’'])\.?)(?P<gap>{SEPARATOR})(?P<title>.*)",
    re.IGNORECASE | re.DOTALL,
)
INVERTED = re.compile(
    rf"(?P<label>(?:the\s+)?(?P<number>{ORDINAL})\s+"
    rf"(?P<key>{'|'.join(LEVELS)}|{CHAPTER_KEYS})\b\.?)(?P<gap>{SEPARATOR})(?P<title>.*)",
    re.IGNORECASE | re.DOTALL,
)
TRAILING_VOLUME = re.compile(
    r".{3,80}[\s.,—–-]((?:volume|vol\.?|book|part)\s+(?:the\s+)?[\w-]+\.?)$", re.IGNORECASE | re.DOTALL
)
BARE = re.compile(rf"(?:§ ?)?(?P<number>[IVXLC]+|\d{{1,3}}|{WORD_NUMBER})\.?", re.IGNORECASE)
TITLED = re.compile(
    rf"(?:§ ?)?(?P<number>[IVXLC]+|\d{{1,3}}|(?i:{WORD_NUMBER})(?=\s?[.:—–-]|\n))"
    r"(?P<gap>[.:)]?[\s—–_-]+|[.:])(?P<title>\S.*)",
    re.DOTALL,
)
ANCHOR = re.compile(r"[\[{(]\w{1,3}[\]})]")  # of a footnote
SPACED = re.compile(r"(?:\S ){3,}\S\.?")
QUOTES = "\"'“‘«"  # speech
EDGES = " _*=[]()#~—–-|+\n"

POSSESSIVE = (
    r"(?:(?:the|an?|some|historical|explanatory|critical|textual|select(?:ed)?|first|second|author|editor|translator|publisher|original|general|prefatory|introductory|short)"
    r"(?:.?s.?)? )*"
)
OF_WHAT = r"(?: (?:to|by|of|for|from|on|about|concerning|added|in)\b.{1,60})?"
NAMES: dict[Kind, str] = {
    "front": (
        "preface|foreword|introduction|dedication|advertisement|note|remarks?|explanatory|explanation|notice|proem"
        "|apology|acknowledge?ments?|to the reader|(?:publisher|editor|author|translator)s? to the reader"
        "|bibliographical note|biographical (?:note|sketch)|dramatis person(?:ae|æ)|persons of the story|etymology"
    ),
    "narrative": "prologue|epilogue|prelude|finale|interlude|intermezzo|conclusion|l.envoi|envoi|postlude|coda"
    "|induction|intermission",
    "back": (
        "appendix|appendices|(?:foot|end)?notes|glossary|index|bibliography|afterword|errata|colophon|corrigenda"
        "|advertisements|vocabulary|chronology|postscript|about the author"
    ),
}
NAMED = {kind: re.compile(rf"{POSSESSIVE}(?:{words}){OF_WHAT}[.:]?", re.IGNORECASE) for kind, words in NAMES.items()}
NAMED_TITLE = re.compile(
    r"(?P<label>(?:(?:the|first|second) )?(?:prologue|epilogue|prelude|finale|conclusion|interlude))"
    r"(?P<gap>[.:]|\s*[—–-]+|\n)\s*(?P<title>\S.*)",
    re.I | re.DOTALL,
)
NAMED_BACK = re.compile(  # 'APPENDIX B: The Fragment'
    r"(?P<label>(?:appendix|appendices|glossary|index|bibliography)\b(?: (?:[A-Z]|\d+|[IVX]+))?)"
    r"(?P<gap>[.:]|\s*[—–-]+|\n)\s*(?P<title>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
TITLED_NAMES: dict[Kind, re.Pattern[str]] = {"narrative": NAMED_TITLE, "back": NAMED_BACK}
CONTENTS = re.compile(
    r"\W*(?:(?:the |table of |list of |detailed )*(?:contents|chapters|illustrations|plates)"
    r"|table des mati[eè]res|inhalt|inhoud)\W*(?:\n|$)",
    re.IGNORECASE,
)
BOOK_END = re.compile(
    r"\W*(?:the end|finis|end of (?:the )?(?:\w+ ){0,2}(?:book|volume|part|story|novel))\b.{0,60}$", re.IGNORECASE
)

MAX_CHARS = 320  # a heading with a summary of its chapter is no longer
MAX_LINES = 5
MAX_TITLE_WORDS = 16  # of a title after a bare number
MAX_SMALL_WORD = 4  # letters: shorter words begin small in titles too


class Heading(NamedTuple):
    """What a block says if it is a heading; `family` tells which blocks are numbered together."""

    family: str
    level: Level
    kind: Kind
    number: int | None
    label: str
    title: str


def parse_heading(text: str, num_lines: int) -> Heading | None:
    """Return the heading that a block's form shows, or None; titles without number or name have no form."""
    if len(text) > MAX_CHARS or num_lines > MAX_LINES:
        return None
    first = text.lstrip(EDGES)[:1]
    if not first or first.islower() or first in QUOTES:  # as most paragraphs begin
        return None
    bare = strip_edges(text)
    if not bare or is_list_of_headings(bare):
        return None
    return parse_keyword(bare) or parse_number(bare, num_lines) or parse_name(bare)


def is_list_of_headings(text: str) -> bool:
    """Return whether a later line of a block has the keyword of the first: a piece of a table of contents."""
    if "\n" not in text:
        return False
    lines = text.split("\n")
    first = KEYWORDED.match(lines[0])
    if first is None:
        return False
    others = (KEYWORDED.match(line.strip()) for line in lines[1:])
    return any(other is not None and other["key"].lower() == first["key"].lower() for other in others)


def strip_edges(text: str) -> str:
    """Return text without emphasis and brackets around it, letters that stood apart joined."""
    bare = text.strip(EDGES)
    if bare[1:2] == " " and SPACED.fullmatch(bare):
        return bare.replace(" ", "")
    for opening, closing in ("()", "[]"):
        if opening in bare and bare.count(opening) > bare.count(closing):
            bare += closing
    return bare.replace("_", "") if bare.count("_") % 2 else bare


def parse_keyword(text: str) -> Heading | None:
    """Return a heading such as 'CHAPTER IV. The Storm', 'Book the First', 'SECOND EPOCH'."""
    found = KEYWORDED.match(text) or INVERTED.match(text)
    if found is None:
        if text.upper() == text and (trailing := TRAILING_VOLUME.match(text)) and not BOOK_END.match(text):
            inner = parse_keyword(trailing[1])
            return inner._replace(label=" ".join(text.split()), title="") if inner else None
        return None
    title, number = " ".join(found["title"].split()), parse_numeral(found["number"])
    if number is None or (title and not is_title_after(found["gap"], title)):
        return None
    key = found["key"].lower()
    if number == LAST and key in LOOSE_KEYS:
        return None
    level = LEVELS.get(key, "chapter")
    title = "" if ANCHOR.fullmatch(title) else strip_edges(title)
    return Heading(level if key in LEVELS else key, level, "narrative", number, found["label"], title)


def is_title_after(gap: str, title: str) -> bool:
    """Return whether words after a number are a title, not a sentence that goes on ('Part I have read')."""
    has_mark = any(mark in gap for mark in ".:—–-\n)]")
    return has_mark or not title.lstrip("\"'“‘_").lstrip()[:1].islower()


def parse_number(text: str, num_lines: int) -> Heading | None:
    """Return a heading such as 'IV', '4.', 'Four', 'IV. The Storm', '4 THE STORM'."""
    if found := BARE.fullmatch(text):
        number = parse_numeral(found["number"])
        if number is None or not (text[0].isupper() or text[0].isdigit()):
            return None
        return Heading(f"{style_of(found['number'])} alone", "chapter", "narrative", number, text, "")
    found = TITLED.match(text)
    if found is None or num_lines > 3:
        return None
    title, number = " ".join(found["title"].split()), parse_numeral(found["number"])
    if number is None or not is_number_title(found["number"], found["gap"], title):
        return None
    label = text[: found.end("number")] + found["gap"].strip(" —–_-\n")
    return Heading(f"{style_of(found['number'])} and title", "chapter", "narrative", number, label, strip_edges(title))


def is_number_title(number: str, gap: str, title: str) -> bool:
    """Return whether words after a bare number read as a title: short, capital first, no sentence."""
    words = title.split()
    is_caps = title.upper() == title and any(letter.isalpha() for letter in title)
    if len(words) > (2 * MAX_TITLE_WORDS if is_caps else MAX_TITLE_WORDS) or title[-1] in ",;":
        return False
    if gap.strip() == "" and len(gap) < 2 and "\n" not in gap and not (is_caps and number != "I"):
        return False
    first = title.lstrip("\"'“‘_([")[:1]
    goes_on = title[-1] == "." and not is_caps and len(words) > MAX_TITLE_WORDS // 2
    return bool(first) and not first.islower() and not goes_on


def style_of(number: str) -> str:
    """Return how a number is written."""
    if number.isdigit():
        return "arabic"
    return "roman" if set(number.upper()) <= set(ROMAN) else "word"


def parse_name(text: str) -> Heading | None:
    """Return a section that has a customary name: 'PREFACE', 'Epilogue', "Translator's Note", 'APPENDIX'."""
    line = " ".join(text.split())
    if len(line) > 90:
        return None
    for kind, pattern in NAMED.items():
        if pattern.fullmatch(line) and not (line[-1] == "." and is_sentence(line)):
            return Heading(f"named {kind}", "chapter", kind, None, line, "")
    for kind, pattern in TITLED_NAMES.items():
        if found := pattern.match(text):
            return Heading(f"named {kind}", "chapter", kind, None, found["label"], " ".join(found["title"].split()))
    return None


def is_sentence(line: str) -> bool:
    """Return whether most of the longer words of a line begin small, as no title's do."""
    words = [word for word in line.split() if len(word) > MAX_SMALL_WORD]
    return sum(word[0].islower() for word in words) * 2 > len(words)


def is_number_heading(line: str) -> bool:
    """Return whether a single line is a keyword and a number and nothing else, such as 'CHAPTER IV'."""
    if len(line) > 80 or (found := KEYWORDED.fullmatch(strip_edges(line))) is None:
        return False
    return not found["title"] and parse_numeral(found["number"]) is not None
