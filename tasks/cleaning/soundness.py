"""A text, before and after the rules -> BookError where it is no book's, or where too much of it would go."""

from __future__ import annotations

import codecs
import re

from schemas.corpus_settings import CleanSettings
from schemas.errors import BookError
from tasks.cleaning.decoding import Decoded
from tasks.cleaning.gutenberg_marks import Bounds
from tasks.cleaning.source_text import SourceText

SAMPLE_CHARS, NUM_SAMPLES = 20_000, 5  # spread over the text
FEW_LINES = 20  # a note of the transcriber's above a fragment of a text
TEXT_BYTES = b"\t\n\f\r\x1a" + bytes(byte for byte in range(0x20, 0x100) if byte != 0x7F)
WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")


def check_bytes(book_id: str, data: bytes, settings: CleanSettings) -> None:
    """Raise BookError for a file that is no text in any codec, before much time or memory goes into reading it."""
    if data.startswith(WIDE_MARKS):
        return
    sample = data[:SAMPLE_CHARS]
    share = 1 - len(sample.translate(None, TEXT_BYTES)) / max(1, len(sample))
    if b"\0" in data or share < settings.min_text_share:
        detail = f"no text: {share:.2f} of its first bytes are a text's, at least {settings.min_text_share} needed"
        raise BookError(book_id, "not-text", f"{detail}, and no NUL; is this an archive or an image?")


def check_text(book_id: str, decoded: Decoded, settings: CleanSettings) -> None:
    """Raise BookError for bytes that are no text, or whose letters cannot be told for sure."""
    text, codec = decoded.text, decoded.codec
    if not text or text.isspace():
        raise BookError(book_id, "empty", "the file holds no text: look at what the source delivered")
    share = 0.0 if "\0" in text else 1 - unprintable_share(text)
    if share < settings.min_text_share:
        detail = f"no text: {share:.2f} of its characters can be printed, at least {settings.min_text_share} needed"
        raise BookError(book_id, "not-text", f"{detail}; is this an archive or an image?")
    if has_long_line(text, settings.max_line_chars):
        detail = f"a line of more than {settings.max_line_chars} characters (clean.max_line_chars)"
        raise BookError(book_id, "line-too-long", f"{detail}: is this a book?")
    if text.isascii():
        return
    lost = (text.count("\ufffd") + decoded.num_broken) / len(text)
    if lost > settings.max_unreadable_share:
        detail = f"{lost:.4f} of its characters cannot be read as {codec}, at most {settings.max_unreadable_share}"
        raise BookError(book_id, "unreadable", f"{detail} allowed (clean.max_unreadable_share)")


def has_long_line(text: str, max_chars: int) -> bool:
    """Return whether a text has so many characters without a line end, looking only once in so many."""
    at = 0
    while at + max_chars < len(text):
        end = max(text.rfind("\n", at, at + max_chars + 1), text.rfind("\r", at, at + max_chars + 1))
        if end < 0:
            return True
        at = end + 1
    return False


def unprintable_share(text: str) -> float:
    """Return the share of characters that no text holds, from samples."""
    step = max(1, (len(text) - SAMPLE_CHARS) // NUM_SAMPLES)
    samples = [text[at : at + SAMPLE_CHARS] for at in range(0, len(text), step)][: NUM_SAMPLES + 1]
    return sum(len(UNPRINTABLE.findall(sample)) for sample in samples) / sum(map(len, samples))


def check_rest(book_id: str, source: SourceText, bounds: Bounds, num_printed: int, settings: CleanSettings) -> None:
    """Raise BookError where nothing is left of a book, or more would go than the rules can explain.

    A closed bracket, a mark of Gutenberg's or a label that the text calls explains what goes with it, however much it
    is. A rule that has to guess where its matter ends is believed up to a share of the book, and no header or footer
    is as long as a book.
    """
    if not num_printed:
        detail = "no line of text is left between the file's marks: 0 found, at least 1 needed"
        raise BookError(book_id, "empty", detail)
    share = source.num_guessed / (num_printed + source.num_guessed)
    if share > settings.max_guessed_share and source.num_guessed > FEW_LINES:
        detail = f"rules that guess would take {share:.2f} of the printed lines, at most {settings.max_guessed_share}"
        raise BookError(book_id, "over-stripped", f"{detail} allowed (clean.max_guessed_share)")
    lines = source.raw_lines
    for name, outside in (("start", lines[: bounds.start]), ("end", lines[bounds.end :])):
        num_filled = sum(1 for line in outside if not line.isspace() and line)
        if num_filled > settings.max_outer_lines:
            detail = f"{num_filled} lines beyond the {name} mark, at most {settings.max_outer_lines}"
            raise BookError(book_id, "over-stripped", f"{detail} allowed (clean.max_outer_lines): several books?")
