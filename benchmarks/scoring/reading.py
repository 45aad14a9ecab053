"""One raw file through the corpus stages: what each makes of it, and what it took."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from schemas.books import CleanBook, LookReport, RawBook, Rejection, SegmentedBook
from schemas.settings import Settings
from tasks.catalogue import read_header
from tasks.clean import clean_book
from tasks.cleaning.decoding import decode_text
from tasks.fetching.file_names import read_mirror_name
from tasks.look import describe_book
from tasks.screen import screen_book
from tasks.segment import segment_book


@dataclass(frozen=True)
class Reading:
    """A file's values and the seconds of this process's CPU that each stage took."""

    raw: RawBook
    clean: CleanBook
    segmented: SegmentedBook
    report: LookReport  # as `scriptorium look FILE --json` prints it: a test holds them equal
    rejection: Rejection | None
    clean_s: float
    segment_s: float
    screen_s: float


def read_file(file: Path, settings: Settings) -> Reading:
    """Return what the stages make of one raw file."""
    data = file.read_bytes()
    known = read_mirror_name(file.absolute().as_posix())
    entry = read_header(decode_text(data)[0], known.book_id if known else None)
    raw = RawBook(entry=entry, file=file.name, source_sha256=hashlib.sha256(data).hexdigest(), data=data)
    started = time.process_time()
    clean = clean_book(raw, settings.clean)
    cleaned = time.process_time()
    segmented = segment_book(clean, settings.segment)
    divided = time.process_time()
    screened = screen_book(clean, settings.screen)
    done = time.process_time()
    return Reading(
        raw=raw,
        clean=clean,
        segmented=segmented,
        report=describe_book(clean, segmented),
        rejection=screened if isinstance(screened, Rejection) else None,
        clean_s=cleaned - started,
        segment_s=divided - cleaned,
        screen_s=done - divided,
    )
