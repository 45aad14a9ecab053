"""Manifest -> problems: sides, near-duplicates across them and repetition, computed again from the books table."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.books import CatalogueEntry
from schemas.corpus_settings import DuplicateSettings
from schemas.duplicates import Signature
from schemas.errors import PipelineError
from schemas.repetition import Repetition
from schemas.runs import Manifest, ShardInfo
from schemas.settings import ComposeSettings
from tasks.buckets import iter_rows
from tasks.composing.splits import name_sides, place_side
from tasks.likeness.sides import find_across_sides
from tasks.protocols import Store
from tasks.repetition import join_narrative
from tasks.screening.repetition import measure_text
from tasks.tables import Row

SIDED = ("prompt-to-book", "outline-to-text")  # of books, whose author decides; stories are divided by their recipe
COLUMNS = ("book_id", "title", "authors", "split", "signature", "repetition", "text", "divisions")
ZLIB_TOLERANCE = 0.05  # builds of zlib compress a little differently


def check_sides(manifest: Manifest, store: Store) -> Iterator[str]:
    """Yield what is wrong with the splits of a snapshot, and with the repetition told of its works.

    Snapshots of before these were judged (schema 1) are as they are; so are works that such a snapshot left behind
    without a signature or without repetition.
    """
    if manifest.schema_version < 2:
        return
    share = _setting(manifest, "compose", "held_out_share", ComposeSettings().held_out_share)
    signatures: list[Signature] = []
    splits: dict[str, str] = {}
    for shard in manifest.shards:
        if shard.kind != "books":
            continue
        for row in _read_sound(shard, store):
            yield from _check_repetition(row)
            if row.get("signature") and manifest.recipe in SIDED:
                signature = Signature.model_validate_json(row["signature"])
                yield from _check_authors(row, share)
                if signature.book_id != row["book_id"]:
                    yield f"book {row['book_id']}: its signature is that of {signature.book_id}"
                    continue
                signatures.append(signature)
                splits[row["book_id"]] = row["split"]
    least = _setting(manifest, "duplicates", "min_across_sides", DuplicateSettings().min_across_sides)
    for near in find_across_sides(signatures, splits, least).values():
        yield f"book {near.book_id}: {near.detail}"


def _read_sound(shard: ShardInfo, store: Store) -> Iterator[Row]:
    """Yield the rows of a shard, as far as it can be read: what is missing or damaged was said already."""
    try:
        yield from iter_rows(shard, store, COLUMNS)
    except (OSError, ValueError, PipelineError):
        return


def _check_authors(row: Row, held_out_share: float) -> Iterator[str]:
    entry = CatalogueEntry(book_id=row["book_id"], title=row["title"], authors=tuple(row["authors"] or ()))
    for name in name_sides(entry):
        side = place_side(name, held_out_share)
        if side != row["split"]:
            yield f"book {row['book_id']}: it is in {row['split']}, and {name!r} belongs to {side}"


def _check_repetition(row: Row) -> Iterator[str]:
    if not row.get("repetition"):
        return
    said, found = Repetition.model_validate_json(row["repetition"]), measure_text(_narrative(row))
    near = abs(said.zlib_ratio - found.zlib_ratio) <= ZLIB_TOLERANCE
    if not near or said.model_copy(update={"zlib_ratio": found.zlib_ratio}) != found:
        yield f"book {row['book_id']}: its repetition is {found.model_dump_json()}, it says {row['repetition']}"


def _narrative(row: Row) -> str:
    """Return the bodies of the narrative leaves: divisions that no deeper one follows."""
    divisions = row["divisions"]
    depths = [division["depth"] for division in divisions[1:]] + [0]
    leaves = [one for one, next_depth in zip(divisions, depths, strict=True) if next_depth <= one["depth"]]
    return join_narrative([row["text"][one["body_start"] : one["end"]] for one in leaves if one["kind"] == "narrative"])


def _setting(manifest: Manifest, group: str, name: str, default: float) -> float:
    found = manifest.settings.get(group)
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, int | float) else default
