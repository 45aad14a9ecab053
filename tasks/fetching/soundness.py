"""Bytes -> are they a text at all? And the refusal of those that are not."""

from __future__ import annotations

import re

SAMPLE_BYTES = 65_536  # enough to tell a text from anything else
HEAD_BYTES = 2_048  # a page of HTML says so well within
MAX_CONTROLS = 0.05  # share of control characters: a text has hardly any, compressed data 10 % (26 of 256 values)
CONTROLS = bytes(code for code in range(1, 32) if code not in b"\t\n\v\f\r\x1a")  # \x1a ended files under CP/M
NO_TEXT = b"\x00\xef\xbb\xbf\xff\xfe \t\n\v\f\r\x1a"  # blanks, byte order marks and padding

_HTML = re.compile(
    rb"[\s\xef\xbb\xbf]*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head)\b", re.I | re.S
)


class RefusedError(Exception):
    """A file that is no book: the reason as it is counted, and a detail that names the limit and the value found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def check_text(data: bytes) -> None:
    """Pass over bytes that may be a text.

    Raises:
        RefusedError: `empty-file`, `html-answer` (a page where a text was asked for) or `binary`.
    """
    sample = data[:SAMPLE_BYTES]
    if not sample.strip(NO_TEXT) and not data.strip(NO_TEXT):
        raise RefusedError("empty-file", f"it holds {len(data)} bytes and no text")
    if is_html(data):
        raise RefusedError("html-answer", "it is a page of HTML, not a plain text; is the source a mirror?")
    num_controls = len(sample) - len(sample.translate(None, CONTROLS))
    share = num_controls / max(1, len(sample) - sample.count(0))  # UTF-16 has a zero in every other byte
    if share > MAX_CONTROLS:
        detail = f"it is no text: {share:.0%} of its bytes are control characters, {MAX_CONTROLS:.0%} allowed"
        raise RefusedError("binary", detail)


def is_html(data: bytes) -> bool:
    """Return whether bytes begin as a page of HTML."""
    return _HTML.match(data[:HEAD_BYTES]) is not None


def check_size(num_bytes: int, max_bytes: int, what: str = "it") -> None:
    """Raise RefusedError `too-large` beyond the limit."""
    if num_bytes > max_bytes:
        raise RefusedError("too-large", f"{what} holds {num_bytes} bytes, {max_bytes} allowed (fetch.max_bytes)")
