"""Real books of the shared corpus: ends, chapters and screening, held against the reference files."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from statistics import mean

import pytest

from schemas.books import CatalogueEntry, RawBook, Rejection
from schemas.corpus_settings import CleanSettings, ScreenSettings, SegmentSettings
from tasks.clean import clean_book
from tasks.look import describe_book
from tasks.screen import screen_book
from tasks.segment import segment_book

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "gutenberg"
REASONS = {
    "drama": "drama",
    "poetry": "verse",
    "non-fiction": "non-fiction",
    "reference (word-list documentation)": "reference",
}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared test corpus is not beside the checkout")


def clean(file, book_id):
    data = (CORPUS / file).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    raw = RawBook(entry=CatalogueEntry(book_id=str(book_id)), file=file, source_sha256=digest, data=data)
    return clean_book(raw, CleanSettings())


def score(found, true):
    """F1 of heading lines, matched one to one within two lines."""
    left = sorted(found)
    hits = 0
    for line in sorted(true):
        near = [other for other in left if abs(other - line) <= 2]
        if near:
            left.remove(min(near, key=lambda other: abs(other - line)))
            hits += 1
    return 2 * hits / (len(found) + len(true))


def test_first_and_last_line_of_the_book_are_exact():
    books = json.loads((CORPUS / "boundaries.json").read_text())["books"]
    found = []
    for book in books:
        text = clean(book["file"], book["id"])
        found.append((text.first_line, text.last_line) == (book["first_line_no"], book["last_line_no"]))
    assert sum(found) / len(found) > 0.95


def test_chapters_and_divisions_are_found():
    chapters, divisions = [], []
    for path in sorted((CORPUS / "chapters").glob("*.json")):
        book = json.loads(path.read_text())
        text = clean(book["txt"], book["id"])
        rows = describe_book(text, segment_book(text, SegmentSettings())).divisions
        divisions.append(score([row.line for row in rows], [true["line"] for true in book["divisions"]]))
        leaves = [row.line for row in rows if row.kind == "narrative" and row.body_line is not None]
        true_leaves = [true["line"] for true in book["divisions"] if true["kind"] == "narrative" and true["leaf"]]
        chapters.append(score(leaves, true_leaves))
    assert mean(chapters) > 0.99
    assert mean(divisions) > 0.985


def test_narrative_works_pass_and_all_others_are_rejected_for_the_right_reason():
    with (CORPUS / "INDEX.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    wrong = []
    for row in rows.values():
        screened = screen_book(clean(row["file"], row["id"]), ScreenSettings())
        reason = screened.reason if isinstance(screened, Rejection) else None
        expected = "wrong-language" if row["language"] != "en" else REASONS.get(row["form"])
        if reason != expected:
            wrong.append((row["id"], row["form"], reason))
    assert not wrong
