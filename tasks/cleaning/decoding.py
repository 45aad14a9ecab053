"""Bytes of a plain-text book -> text: which codec reads them."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
HEAD_BYTES = 20_000  # a header that declares its encoding lies well within
GUESS_BYTES = 200_000  # enough for a guess, and a bound on its cost
DECLARED = re.compile(rb"character set encoding:[ \t]*([\w .:()-]*)", re.IGNORECASE)
WESTERN = "cp1252"
MARGIN = 0.03  # of charset-normalizer's measure of chaos, 0 to 1: a few accents in English decide nothing
C1_CONTROLS = re.compile("[\x80-\x9f]")  # no text has them: the bytes are windows-1252


def decode_text(data: bytes) -> tuple[str, str]:
    """Return the text and the codec that read it: mark, declared encoding, strict UTF-8, guess, then Latin-1."""
    for mark, codec in BYTE_ORDER_MARKS:
        if data.startswith(mark) and (text := try_codec(data, codec)) is not None:
            return text, codec
    for name in (declared_codec(data), "utf-8"):
        if name and (text := try_codec(data, name)) is not None:
            return prefer_windows(data, text, name)
    guess = guess_codec(data[:GUESS_BYTES])
    if guess and (text := try_codec(data, guess)) is not None:
        return text, guess
    return prefer_windows(data, data.decode("latin-1"), "latin-1")


def guess_codec(sample: bytes) -> str | None:
    """Return the likeliest codec; None for western Europe's, Gutenberg's usual, unless another is clearly better."""
    matches = from_bytes(sample)
    best = matches.best()
    if best is None:
        return None
    western = [match for match in matches if WESTERN in match.could_be_from_charset]
    return None if any(match.chaos <= best.chaos + MARGIN for match in western) else best.encoding


def declared_codec(data: bytes) -> str | None:
    """Return Python's name of the codec that a Gutenberg header declares, if it is one that Python knows."""
    found = DECLARED.search(data[:HEAD_BYTES])
    if found is None:
        return None
    words = re.findall(r"[\w-]+", found[1].decode("ascii", "replace"))
    for name in ("-".join(words), *words):
        try:
            return codecs.lookup(name).name
        except (LookupError, UnicodeError):
            continue
    return None


def try_codec(data: bytes, codec: str) -> str | None:
    """Return the text, or None where the bytes are not of that encoding."""
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError):
        return None


def prefer_windows(data: bytes, text: str, codec: str) -> tuple[str, str]:
    """Read what was declared as Latin-1 but holds windows-1252's quotation marks as the latter."""
    if codec in {"iso8859-1", "latin-1", "latin_1"}:
        if C1_CONTROLS.search(text) and (windows := try_codec(data, "cp1252")) is not None:
            return windows, "cp1252"
        return text, "iso-8859-1"
    return text, codec
