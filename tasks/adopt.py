"""A row of a table in LongPage's columns -> Prepared: a book that comes with its scaffold, or why it cannot be had."""

from __future__ import annotations

import hashlib
import json
import logging

from pydantic import ValidationError

from schemas.books import CatalogueEntry, Rejection, SegmentedBook
from schemas.duplicates import Signature
from schemas.errors import BookError
from schemas.longpage import ImportSettings, LongPageBook
from schemas.outcomes import Prepared, PreparedWork
from schemas.repetition import Repetition
from schemas.scaffold import Scaffold
from tasks.bench import Bench
from tasks.composing.splits import name_sides
from tasks.importing.segment import name_book, segment_row
from tasks.importing.sign import sign_row
from tasks.importing.summarize import scaffold_row
from tasks.importing.table import Raw
from tasks.repetition import measure_repetition, refuse_repetitive

logger = logging.getLogger(__name__)

STAGE = "import"


def adopt_row(raw: Raw, settings: ImportSettings, bench: Bench) -> Prepared:
    """Return a row as a prepared book; its values are stored. A row that is none is rejected under a hash of itself."""
    try:
        row = LongPageBook.model_validate(raw)
    except ValidationError as error:
        return _refuse_malformed(raw, error)
    book_id = name_book(row)
    entry = CatalogueEntry(book_id=book_id, title=row.book_title)
    make = bench.work.make
    try:
        segmented_key, segmented = make(SegmentedBook, book_id, segment_row, None, row)
        scaffold_key, _ = make(Scaffold, book_id, scaffold_row, settings, row, segmented)
    except BookError as error:
        rejection = Rejection(book_id=book_id, stage=STAGE, reason=error.reason, detail=error.detail)
        return Prepared(book_id=book_id, entry=entry, source_sha256=row.digest(), rejection=rejection)
    signature_key, _ = make(Signature, book_id, sign_row, bench.settings.sign, segmented)
    logger.info("book %s: row of %d chapters, %r", book_id, len(row.book_chapters), row.book_title)
    repetition_key, repetition = make(Repetition, book_id, measure_repetition, None, segmented)
    work = PreparedWork(
        work_id=book_id,
        segmented=segmented_key,
        signature=signature_key,
        repetition=repetition_key,
        side_names=name_sides(segmented.entry),
        scaffold=scaffold_key,
        rejection=refuse_repetitive(book_id, repetition, bench.settings.screen),
    )
    values = {"segment": segmented_key, "summarize": scaffold_key}
    return Prepared(
        book_id=book_id, entry=segmented.entry, source_sha256=segmented.source_sha256, values=values, works=(work,)
    )


def _refuse_malformed(raw: Raw, error: ValidationError) -> Prepared:
    """Return the rejection of a row that cannot be read, with the first thing that is wrong in it."""
    sha256 = hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()
    book_id = f"lp-{sha256[:12]}"
    problem = error.errors(include_url=False)[0]
    place = " > ".join(map(str, problem["loc"]))
    ratings = "embedding_space" in problem["loc"]
    reason = "missing-column" if problem["type"] == "missing" else "broken-ratings" if ratings else "wrong-type"
    detail = f"{place}: {problem['msg']} (found {str(problem['input'])[:80]!r}); {error.error_count()} such places"
    title = raw.get("book_title")
    entry = CatalogueEntry(book_id=book_id, title=title if isinstance(title, str) else None)
    rejection = Rejection(book_id=book_id, stage=STAGE, reason=reason, detail=detail)
    return Prepared(book_id=book_id, entry=entry, source_sha256=sha256, rejection=rejection)
