"""Bytes of a plain-text book -> text: which codec reads them."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from charset_normalizer import from_bytes

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
HEAD_BYTES = 20_000  # a header that declares its encoding lies well within
GUESS_BYTES = 200_000  # enough for a guess, and a bound on its cost
DECLARED = re.compile(rb"character set encoding:[ \t]*([\w .:()-]*)", re.IGNORECASE)
STATEFUL = re.compile(r"iso2022|hz|utf.?7|escape|punycode|idna")  # their characters cannot be told apart byte by byte
LATIN = frozenset({"iso8859-1", "latin-1", "latin_1"})
WESTERN = "cp1252"
OLD_CODECS = (WESTERN, "mac_roman", "cp437")  # of the machines that texts were typed on before 2000
ASCII = bytes(range(0x80))
FEW_BYTES = 10  # beyond ASCII: fewer tell nothing
MIN_FOREIGN = 0.02  # share of bytes beyond ASCII in a language that has more than accents there
MARGIN = 0.03  # of charset-normalizer's measure of chaos, 0 to 1: a few accents in English decide nothing
C1_CONTROLS = re.compile("[\x80-\x9f]")  # no text has them: the bytes are windows-1252
BEYOND_ASCII = re.compile("[^\x00-\x7f]")
BROKEN = re.compile("[\ud800-\udfff]")
SAMPLE_CHARS = 2_000  # beyond ASCII: so many tell whether the codec is right
WORD_MARKS = frozenset("’‘´'‐‑–—·…\u00a0\u00ad")  # may stand between two letters
MAX_ODD = 0.1  # share of characters beyond ASCII in places where none stands in a well-read text
HOPELESS = 0.01  # share of all characters that are odd
MANY_BROKEN = 1_000  # in a sample: no text in UTF-8 is spoilt like that
MAX_BROKEN = 0.02  # share of characters beyond ASCII that are no UTF-8 in a file that is UTF-8 all the same


class Decoded(NamedTuple):
    """A text, the codec that read it, and the byte where it begins: after the byte order mark."""

    text: str
    codec: str
    first_byte: int = 0
    num_broken: int = 0  # bytes that the codec does not know, each a lone surrogate


def decode_text(data: bytes) -> Decoded:
    """Return the text, read by: its byte order mark, strict UTF-8, the declared codec, a guess, then Latin-1.

    Bytes that a text in UTF-8 holds by accident become lone surrogates. UTF-8 goes before what is declared, since no
    text of another codec is valid UTF-8 by chance.
    """
    for mark, codec in BYTE_ORDER_MARKS:
        if data.startswith(mark) and (found := decode_marked(data[len(mark) :], codec)) is not None:
            return found._replace(codec=codec, first_byte=len(mark))
    if data.isascii():
        return Decoded(data.decode("ascii"), "ascii")
    return decode_utf8(data) or decode_legacy(data)


def decode_marked(data: bytes, codec: str) -> Decoded | None:
    """Return the text after a byte order mark; a character that is cut at the end is left out."""
    if codec == "utf-8-sig":
        return decode_utf8(data)
    width = int(codec[4:6]) // 8
    text = try_codec(data[: len(data) // width * width], codec)
    return None if text is None else Decoded(text, codec)


def decode_utf8(data: bytes) -> Decoded | None:
    """Return the text if the bytes are UTF-8 but for a few, or but for a cut at the end."""
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        is_cut = error.end == len(data) and error.reason == "unexpected end of data"
        num_cut = error.end - error.start
    sample = data[:GUESS_BYTES].decode("utf-8", "surrogateescape")
    if len(BROKEN.findall(sample)) > MANY_BROKEN:
        return None
    text = data.decode("utf-8", "surrogateescape")
    num_broken, num_beyond = len(BROKEN.findall(text)), len(BEYOND_ASCII.findall(text))
    is_cut = is_cut and (num_cut > 1 or num_beyond > num_broken)
    return Decoded(text, "utf-8", num_broken=num_broken) if is_cut or num_broken <= MAX_BROKEN * num_beyond else None


def decode_legacy(data: bytes) -> Decoded:
    """Return the text of a file that is not UTF-8: the first codec that leaves few odd places."""
    declared = declared_codec(data)
    if declared and (text := try_codec(data, declared)) is not None:
        text, declared = prefer_windows(data, text, declared)
        if odd_share(text) <= MAX_ODD:
            return Decoded(text, declared)
    guess = guess_codec(data[:GUESS_BYTES])
    for codec in (guess, *OLD_CODECS):
        if codec and (text := try_codec(data, codec)) is not None and odd_share(text) <= MAX_ODD:
            return Decoded(text, codec) if codec != WESTERN else Decoded(*plain_latin(data, text))
    return mark_odd(data, *prefer_windows(data, data.decode("latin-1"), "latin-1"))


def mark_odd(data: bytes, text: str, codec: str) -> Decoded:
    """Return a text that no codec reads well, with a lone surrogate for each byte that cannot be told.

    Where they are many, the text is lost, and they are only counted.
    """
    num_odd = int(odd_share(text) * len(data.translate(None, ASCII)))
    if num_odd > HOPELESS * len(text):
        return Decoded(text, codec, num_broken=num_odd)
    chars = list(text)
    odd = [found.start() for found in BEYOND_ASCII.finditer(text) if is_odd(text, found.start())]
    for at in odd:
        chars[at] = chr(0xDC00 + text[at].encode(codec)[0])
    return Decoded("".join(chars), codec, num_broken=len(odd))


def odd_share(text: str) -> float:
    """Return the share of characters beyond ASCII that stand where a codec that is wrong puts them.

    These are controls, capitals after a small letter, and signs within a word. A few samples are enough.
    """
    places = [found.start() for _, found in zip(range(SAMPLE_CHARS), BEYOND_ASCII.finditer(text), strict=False)]
    return sum(is_odd(text, at) for at in places) / max(1, len(places))


def is_odd(text: str, at: int) -> bool:
    """Return whether no well-read text has this character in this place."""
    char, before, after = text[at], text[max(0, at - 1) : at], text[at + 1 : at + 2]
    if char.isalpha():
        return char.isupper() and before.islower()
    return "\x80" <= char <= "\x9f" or (char not in WORD_MARKS and before.isalpha() and after.isalpha())


def guess_codec(sample: bytes) -> str | None:
    """Return the likeliest codec; None for western Europe's, Gutenberg's usual, unless another is clearly better."""
    if len(sample.translate(None, ASCII)) < max(FEW_BYTES, MIN_FOREIGN * len(sample)):
        return None
    matches = from_bytes(sample)
    best = matches.best()
    if best is None or STATEFUL.search(best.encoding):
        return None
    western = [match for match in matches if WESTERN in match.could_be_from_charset]
    is_western = any(match.chaos <= best.chaos + MARGIN for match in western)
    return None if is_western else codecs.lookup(best.encoding).name


def declared_codec(data: bytes) -> str | None:
    """Return Python's name of the codec that a Gutenberg header declares, if it is one that Python knows."""
    found = DECLARED.search(data[:HEAD_BYTES])
    if found is None:
        return None
    words = re.findall(r"[\w-]+", found[1].decode("ascii", "replace"))
    for name in ("-".join(words), *words):
        try:
            codec = codecs.lookup(name).name
        except (LookupError, UnicodeError):
            continue
        is_own = try_codec(found[0], codec) == found[0].decode("ascii")  # the declaration itself is in that codec
        return codec if is_own and not STATEFUL.search(codec) else None
    return None


def try_codec(data: bytes, codec: str) -> str | None:
    """Return the text, or None where the bytes are not of that encoding, or would not come back from it."""
    try:
        text = data.decode(codec)
        return text if len(text) == len(data) or len(text.encode(codec)) == len(data) else None
    except (UnicodeError, LookupError):
        return None


def prefer_windows(data: bytes, text: str, codec: str) -> tuple[str, str]:
    """Read what was declared as Latin-1 but holds windows-1252's quotation marks as the latter."""
    if codec not in LATIN:
        return text, codec
    if C1_CONTROLS.search(text) and (windows := try_codec(data, WESTERN)) is not None:
        return windows, WESTERN
    return text, "iso-8859-1"


def plain_latin(data: bytes, text: str) -> tuple[str, str]:
    """Call a text Latin-1 where it has nothing of what windows-1252 adds."""
    return (text, WESTERN) if any(0x80 <= byte < 0xA0 for byte in data) else (text, "iso-8859-1")
