"""Numbers as headings print them -> their values: digits, roman numbers, number words of three languages."""

from __future__ import annotations

import re
from functools import lru_cache

UNITS = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = [
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
]  # fmt: skip
ORDINALS = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
]  # fmt: skip
TENTHS = [
    "twentieth", "thirtieth", "fortieth", "fiftieth", "sixtieth", "seventieth", "eightieth", "ninetieth",
]  # fmt: skip
FRENCH = [
    "premi(?:er|ère)", "deuxième", "troisième", "quatrième", "cinquième", "sixième", "septième", "huitième",
    "neuvième", "dixième", "onzième", "douzième", "treizième", "quatorzième", "quinzième",
]  # fmt: skip
GERMAN = [
    "erste[sr]?", "zweite[sr]?", "dritte[sr]?", "vierte[sr]?", "fünfte[sr]?", "sechste[sr]?", "sieb(?:en)?te[sr]?",
    "achte[sr]?", "neunte[sr]?", "zehnte[sr]?", "elfte[sr]?", "zwölfte[sr]?",
]  # fmt: skip
LAST = 9_999  # 'the last': whatever number comes next

WORD_NUMBERS: dict[str, int] = {
    **{word: number for number, word in enumerate(UNITS, 1)},
    **{word: number for number, word in enumerate(ORDINALS, 1)},
    **{word: number for number, word in zip(range(20, 100, 10), TENS, strict=True)},
    **{word: number for number, word in zip(range(20, 100, 10), TENTHS, strict=True)},
    "last": LAST,
}
FOREIGN = [(re.compile(word), number) for words in (FRENCH, GERMAN) for number, word in enumerate(words, 1)]
ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}

WORD = "(?:" + "|".join(sorted(WORD_NUMBERS, key=len, reverse=True)) + ")"
WORD_NUMBER = rf"(?:{'|'.join(TENS)})[- ]{WORD}|{WORD}"
FOREIGN_NUMBER = "|".join([*FRENCH, *GERMAN])
NUMBER = rf"(?:\d{{1,3}}\.)?(?:\d{{1,3}}|[ivxlcdm]+|{WORD_NUMBER}|{FOREIGN_NUMBER})"
ORDINAL = rf"(?:(?:{'|'.join(TENS)})[- ])?(?:{'|'.join(ORDINALS + TENTHS)}|last)|{FOREIGN_NUMBER}"


@lru_cache(maxsize=4096)
def parse_numeral(text: str) -> int | None:
    """Return the value of '12', 'XII', 'twelfth', 'twenty-one', of '2.XII' its last part; None where it is none."""
    tail = text.rpartition(".")[2].lower()
    if tail.isdecimal():
        return int(tail)
    if tail in WORD_NUMBERS:
        return WORD_NUMBERS[tail]
    parts = re.split(r"[- ]", tail)
    if len(parts) == 2 and parts[0] in TENS and parts[1] in WORD_NUMBERS:
        return WORD_NUMBERS[parts[0]] + WORD_NUMBERS[parts[1]]
    value = parse_roman(tail.upper())
    return value or next((number for pattern, number in FOREIGN if pattern.fullmatch(tail)), None)


def parse_roman(text: str) -> int | None:
    """Return the value of a roman number; misprints such as 'XVLIII' or 'IIII' are read as they add up."""
    if not text or not set(text) <= set(ROMAN):
        return None
    values = [ROMAN[letter] for letter in text]
    total = 0
    for value, after in zip(values, [*values[1:], 0], strict=True):
        total += -value if value < after else value
    return total if 0 < total < 400 else None
