"""All files of the shared corpus: the way back to the raw bytes, and nothing of the producers' left."""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

import pytest

from schemas.books import CatalogueEntry, RawBook
from schemas.corpus_settings import CleanSettings
from schemas.edits import MOVED, Edit
from tasks.clean import clean_book

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "gutenberg"
BOILERPLATE = re.compile(
    r"project gutenberg|projekt gutenberg|gutenberg\.org|\be-?texts?\b|\bebooks?\b|distributed proofread|internet archive"
    r"|\[ ?(?:illustration|transcriber)|transcriber.s note|^\W*(?:e-text )?(?:produced|prepared|transcribed|scanned) by\b"
    r"|https?://|www\.|\[pg \d|</?[a-z]+[ >/]|&[a-z]+;|\(return\)",
    re.IGNORECASE | re.MULTILINE,
)

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared test corpus is not beside the checkout")


def files():
    if not CORPUS.is_dir():
        return []
    with (CORPUS / "INDEX.csv").open(encoding="utf-8", newline="") as file:
        return sorted({row["file"] for row in csv.DictReader(file)})


@pytest.mark.parametrize("file", files())
def test_every_copy_is_the_raw_bytes_and_nothing_of_the_producers_is_left(file):
    data = (CORPUS / file).read_bytes()
    entry = CatalogueEntry(book_id=Path(file).stem)
    raw = RawBook(entry=entry, file=file, source_sha256=hashlib.sha256(data).hexdigest(), data=data)
    book = clean_book(raw, CleanSettings())
    assert BOILERPLATE.findall(book.text) == []
    codec = book.encoding.removesuffix("-sig")
    at = raw_at = 0
    for edit in (*book.iter_edits(), Edit("end", len(book.text), len(book.text), len(data), len(data))):
        copy = book.text[at : edit.start].encode(codec)
        assert data[raw_at : raw_at + len(copy)] == copy
        assert edit.rule == MOVED or edit.raw_start == raw_at + len(copy)
        at, raw_at = edit.end, edit.raw_end
    for offset in range(0, len(book.text), 997):
        start, end = book.raw_span(offset, offset + 1)
        assert data[start:end].decode(codec) == book.text[offset] or book.text[offset] in " \n" or end - start > 1
