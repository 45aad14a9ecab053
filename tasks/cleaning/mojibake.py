"""Letters that somebody read with the wrong codec before the file was stored -> what they were."""

from __future__ import annotations

import re

HINTS = ("Ã", "â€")  # what nearly every letter and quotation mark beyond ASCII turns into
MIN_PLACES = 3  # fewer may be the author's: a capital at the end of a quoted word
MIN_SHARE = 0.8  # of the characters beyond ASCII that must belong to such places


def _read_byte(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_TAIL = "[" + re.escape("".join(_read_byte(byte) + chr(byte) for byte in range(0x80, 0xC0))) + "]"
MISREAD = re.compile(f"[Â-ß]{_TAIL}|[à-ï]{_TAIL}{{2}}|[ð-ô]{_TAIL}{{3}}")  # UTF-8's bytes as windows-1252 shows them
COMMON = re.compile("[\u00a0-\u017f\u2010-\u2044\u20ac\u2122\ufeff]")  # western letters and signs of the trade
BEYOND_ASCII = re.compile("[^\x00-\x7f]")
BYTES = {_read_byte(byte): byte for byte in range(0x80, 0x100)} | {chr(byte): byte for byte in range(0x80, 0x100)}


def is_misread(text: str) -> bool:
    """Return whether most of what is beyond ASCII is UTF-8 that was read as windows-1252 or Latin-1."""
    if not any(hint in text for hint in HINTS):
        return False
    places = [place for place in MISREAD.findall(text) if read_again(place) != place]
    num_beyond = sum(1 for _ in BEYOND_ASCII.finditer(text))
    return len(places) >= MIN_PLACES and sum(map(len, places)) >= MIN_SHARE * num_beyond


def read_again(place: str) -> str:
    """Return the character that these bytes are in UTF-8; the same where they are none, or none that is likely."""
    try:
        char = bytes(BYTES[char] for char in place).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return place
    return char if COMMON.match(char) else place
