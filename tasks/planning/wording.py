"""Words of a model or a title page -> lines of a scaffold: one line each, within bounds, never empty."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TypeVar

from tasks.extraction.lexicons import SMALL_WORDS

T = TypeVar("T")
_MARKS = " -*•#"  # of lists and headings: a plan's lines get theirs when they are written
_ROMAN = re.compile(r"[IVXLCDM]+\.?")
_NO_NUMERALS = frozenset(("I", "MIX", "DID", "MILD", "CIVIL", "VIVID", "LID", "DIM", "ILL"))
_INITIAL = re.compile(r"(?:^|-)\W*\w|(?<=^[odl]['’])\w")


def clean_line(text: str, max_chars: int) -> str:
    """Return a text on one line in NFC, without control characters or list marks, cut at a word; may be empty."""
    visible = "".join(
        char if unicodedata.category(char)[0] != "C" else " " for char in unicodedata.normalize("NFC", text)
    )
    line = " ".join(visible.split()).lstrip(_MARKS)
    if len(line) <= max_chars:
        return line
    return line[: max_chars + 1].rsplit(" ", 1)[0][:max_chars].rstrip()


def clean_lines(texts: Iterable[str], max_chars: int, max_items: int, otherwise: str) -> tuple[str, ...]:
    """Return the lines that say something, each once; `otherwise` where none does."""
    lines = dict.fromkeys(line for text in texts if (line := clean_line(text, max_chars)))
    return tuple(lines)[:max_items] or (otherwise,)


def clean_focuses(texts: Iterable[str], otherwise: str, max_items: int = 7) -> tuple[str, ...]:
    """Return focuses: short lines without semicolons, for these join them."""
    return clean_lines((text.replace(";", ",").strip(" ,") for text in texts), 65, max_items, otherwise)


def cut_sentences(text: str, max_words: int) -> str:
    """Return the beginning of a text, at most `max_words`, ended at a sentence where one ends in its second half."""
    words = text.split()
    if len(words) <= max_words:
        return " ".join(words)
    kept = words[:max_words]
    ends = [index for index, word in enumerate(kept, 1) if word[-1] in ".!?" and index * 2 >= max_words]
    return " ".join(kept[: ends[-1]] if ends else kept)


def spread(items: Sequence[T], num_items: int) -> list[T]:
    """Return `num_items` items at even distances, the first and the last among them where there are two or more."""
    if len(items) <= num_items:
        return list(items)
    if num_items < 2:
        return list(items[:num_items])
    return [items[round(index * (len(items) - 1) / (num_items - 1))] for index in range(num_items)]


def tidy_heading(heading: str) -> str:
    """Return a label or title in a reader's form: one line, no emphasis marks or closing full stop, not in capitals.

    "CHAPTER IV." becomes "Chapter IV", "THE DEPARTURE OF MR. REED." becomes "The Departure of Mr. Reed".
    """
    line = clean_line(heading.replace("_", " "), 120)
    if line.endswith(".") and not line.endswith(".."):
        line = line[:-1].rstrip()
    if line != line.upper():
        return line
    words = line.split()
    return " ".join(
        _lower_word(word, first=not index or words[index - 1][-1] in ".:—") for index, word in enumerate(words)
    )


def name_chapter(title: str, label: str, model_title: str, number: int) -> str:
    """Return the author's title, else the label, else the model's title, else the number."""
    for heading in (tidy_heading(title), tidy_heading(label)):
        if heading:
            return f"Chapter {heading}" if _ROMAN.fullmatch(heading) or heading.isdigit() else heading
    return clean_line(model_title, 80) or f"Chapter {number}"


def _lower_word(word: str, *, first: bool) -> str:
    """Lower a word in capitals but for what begins it; numerals stay, O'BRIEN and TEA-PARTY keep inner capitals."""
    if _ROMAN.fullmatch(word.strip(",:;")) and word not in _NO_NUMERALS:
        return word
    if word.lower() in SMALL_WORDS and not first:
        return word.lower()
    return _INITIAL.sub(lambda initial: initial.group().upper(), word.lower())
