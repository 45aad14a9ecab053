"""SegmentedBook + evaluation texts -> Overlap: what a work holds of the texts that models are tested with."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.books import Rejection, SegmentedBook
from schemas.corpus_settings import DecontaminateSettings
from schemas.errors import ConfigError
from schemas.overlaps import Overlap, SharedText
from tasks.likeness.evaluation import EvaluationTexts, index_texts

logger = logging.getLogger(__name__)

REASON = "contaminated"
BATCH_ROWS = 1_000  # of Parquet at a time


def find_overlap(work: SegmentedBook, texts: EvaluationTexts) -> Overlap:
    """Return what a work shares with evaluation texts."""
    return measure_overlap(work.book_id, work.text, texts, work.entry.parent_id)


def measure_overlap(work_id: str, text: str, texts: EvaluationTexts, parent_id: str | None) -> Overlap:
    """Return what a text shares with evaluation texts."""
    deciding: list[SharedText] = []
    for one in sorted(texts.find_shared(text), key=lambda one: (one.num_runs, -one.num_shared)):
        if not deciding or one.num_shared > deciding[-1].num_shared:
            deciding.append(one)
    return Overlap(work_id=work_id, parent_id=parent_id, ngram_words=texts.ngram_words, shared=tuple(deciding))


def refuse_contaminated(overlap: Overlap, settings: DecontaminateSettings) -> Rejection | None:
    """Return the rejection of a work that shares too much with an evaluation text, or None."""
    allowed = {one: _allowed_of(one, settings) for one in overlap.shared}
    over = [one for one in overlap.shared if one.num_shared > allowed[one]]
    if not over:
        return None
    found = max(over, key=lambda one: one.num_shared / one.num_runs)
    detail = (
        f"it holds {found.num_shared} of the {found.num_runs} runs of {overlap.ngram_words} words of the evaluation "
        f"text {found.text}, the first at character {found.offset}; at most {allowed[found]} allowed (decontaminate)"
    )
    return Rejection(book_id=overlap.work_id, stage="decontaminate", reason=REASON, detail=detail)


def _allowed_of(text: SharedText, settings: DecontaminateSettings) -> int:
    """Return how many runs of an evaluation text a work may hold: a few, less of a short text, more of a long one."""
    few = max(settings.max_shared, int(settings.max_long_share * text.num_runs))
    return min(few, int(settings.max_share * text.num_runs))


def read_evaluation_texts(settings: DecontaminateSettings) -> EvaluationTexts | None:
    """Return the index of the texts that the settings name, or None where they name none.

    Raises:
        ConfigError: there are none, or a file cannot be read: a build that was to avoid them must not run without.
    """
    if settings.texts is None:
        return None
    root = Path(settings.texts).expanduser()
    files = sorted(path for path in root.rglob("*") if path.suffix in READERS) if root.is_dir() else [root]
    texts = index_texts(_iter_texts(files, root, settings.column), settings.ngram_words)
    if not texts.names:
        raise ConfigError(
            f"{root}: no evaluation text of at least {settings.ngram_words} words in a file of {', '.join(READERS)}"
        )
    if texts.num_short:
        logger.warning(
            "%s: %d evaluation texts are shorter than %d words and are compared with nothing",
            root,
            texts.num_short,
            settings.ngram_words,
        )
    return texts


def _iter_texts(files: list[Path], root: Path, column: str) -> Iterator[tuple[str, str]]:
    for path in files:
        name = path.relative_to(root).as_posix() if path != root else path.name
        reader = READERS.get(path.suffix)
        if reader is None:
            raise ConfigError(f"{path}: evaluation texts are read of {', '.join(READERS)}")
        try:
            for row, text in reader(path, column):
                if not isinstance(text, str):
                    raise ConfigError(f"{path}: row {row} has no text in {column!r} (decontaminate.column)")
                yield (f"{name}:{row}" if row else name), text
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, pa.ArrowException) as error:
            raise ConfigError(f"{path}: the evaluation texts cannot be read: {error}") from error


def _read_plain(path: Path, column: str) -> Iterator[tuple[int, object]]:
    yield 0, path.read_text(encoding="utf-8-sig")


def _read_jsonl(path: Path, column: str) -> Iterator[tuple[int, object]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = json.loads(line)
                yield number, row.get(column) if isinstance(row, dict) else None


def _read_parquet(path: Path, column: str) -> Iterator[tuple[int, object]]:
    with pq.ParquetFile(path) as file:
        if column not in file.schema_arrow.names:
            raise ConfigError(f"{path}: it has no column {column!r} (decontaminate.column)")
        number = 0
        for batch in file.iter_batches(BATCH_ROWS, columns=[column]):
            for text in batch.column(0).to_pylist():
                number += 1
                yield number, text


READERS: dict[str, Callable[[Path, str], Iterator[tuple[int, object]]]] = {
    ".txt": _read_plain,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
