"""Data set -> Audit: every hash, count, offset and grammar check of a snapshot, computed again from its files."""

from __future__ import annotations

import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pyarrow.parquet as pq

from schemas.errors import PipelineError
from schemas.outlines import OUTLINE_TO_TEXT
from schemas.runs import Manifest, ShardInfo, ShardKind
from schemas.scaffold import ChapterScaffold, Scaffold
from schemas.settings import STORY_RECIPES
from schemas.trajectories import Trajectory
from schemas.value import Span, Value
from tasks.buckets import bucket_of
from tasks.checking.pairs import check_pairs
from tasks.composing.text import clean_scaffold
from tasks.counts import count_rows
from tasks.grammar.sequence import check_trajectory, messages
from tasks.protocols import Store, Tokenizer
from tasks.shard import content_digest, total
from tasks.sides_check import check_sides
from tasks.tables import SCHEMAS, Row

PARTIAL_LAYOUTS = {"first-chapter"}  # a part of a book by nature
UNPLANNED_LAYOUTS = {OUTLINE_TO_TEXT, *STORY_RECIPES}  # of works without a scaffold
MAX_PROBLEMS = 100  # a person reads the first ones; the count is exact


class Audit(Value):
    """What `scriptorium verify` found."""

    ok: bool
    checked: dict[str, int]
    num_problems: int
    problems: tuple[str, ...]


def audit_snapshot(manifest: Manifest, store: Store, trainee: Tokenizer) -> Audit:
    """Check a snapshot against its manifest and against the grammar.

    Args:
        manifest: the snapshot.
        store: the data set.
        trainee: the tokenizer that the manifest names; token counts are computed again with it.
    """
    checked: Counter[str] = Counter()
    problems: list[str] = []
    recounted: list[ShardInfo] = []
    buckets: dict[int, list[ShardInfo]] = defaultdict(list)
    for shard in manifest.shards:
        buckets[shard.bucket].append(shard)
    for bucket, shards in sorted(buckets.items()):
        rows: dict[ShardKind, list[Row]] = {"trajectories": [], "books": [], "rejected": []}
        for shard in shards:
            found, read = _check_shard(shard, store)
            problems.extend(found)
            rows[shard.kind].extend(read)
            recounted.append(shard.model_copy(update={"rows": len(read), "counts": count_rows(shard.kind, read)}))
            checked[f"{shard.kind} rows"] += len(read)
        checked["shards"] += len(shards)
        problems.extend(_check_bucket(bucket, rows, manifest.num_buckets))
        problems.extend(_check_trajectories(rows, trainee))
        problems.extend(_check_tiling(rows))
        problems.extend(_check_quarantine(rows))
        problems.extend(_check_outlines(rows))
    problems.extend(check_sides(manifest, store))
    problems.extend(_check_totals(manifest, recounted))
    return Audit(
        ok=not problems, checked=dict(checked), num_problems=len(problems), problems=tuple(problems[:MAX_PROBLEMS])
    )


def _check_shard(shard: ShardInfo, store: Store) -> tuple[list[str], list[Row]]:
    try:
        data = store.get(shard.path)
    except FileNotFoundError:
        return [f"{shard.path}: the shard is missing"], []
    problems = []
    if len(data) != shard.bytes:
        problems.append(f"{shard.path}: {len(data)} bytes, the manifest says {shard.bytes}")
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != shard.sha256 or shard.path.rsplit("/", 1)[-1] != f"{sha256}.parquet":
        problems.append(f"{shard.path}: its sha256 is {sha256}, the manifest says {shard.sha256}")
    try:
        table = pq.read_table(io.BytesIO(data))
    except (OSError, ValueError) as error:
        return [*problems, f"{shard.path}: it cannot be read: {error}"], []
    if any(field not in list(SCHEMAS[shard.kind]) for field in table.schema):  # older snapshots may have fewer columns
        problems.append(f"{shard.path}: its columns are not those of {shard.kind}")
    rows: list[Row] = [{**dict.fromkeys(SCHEMAS[shard.kind].names), **row} for row in table.to_pylist()]
    if len(rows) != shard.rows:
        problems.append(f"{shard.path}: {len(rows)} rows, the manifest says {shard.rows}")
    if shard.kind == "trajectories" and any(row.get("split") != shard.split for row in rows):
        problems.append(f"{shard.path}: rows of another split than {shard.split}")
    counts = count_rows(shard.kind, rows)
    if any(counts.get(group) != said for group, said in shard.counts.items()):
        problems.append(f"{shard.path}: its counts differ from the manifest's")
    return problems, rows


def _check_bucket(bucket: int, rows: dict[ShardKind, list[Row]], num_buckets: int) -> Iterator[str]:
    """Every book once, out or rejected, in its bucket; every trajectory of a book that is out."""
    seen = Counter(row["book_id"] for row in rows["books"])
    seen.update(row["book_id"] for row in rows["rejected"] if row["level"] in ("book", "work"))
    yield from (f"book {book_id}: {number} times in the snapshot" for book_id, number in seen.items() if number > 1)
    rejected = {row["book_id"] for row in rows["rejected"] if row["level"] == "book"}
    both = sorted({row["parent_id"] for row in rows["books"]} & rejected)
    yield from (f"book {book_id}: rejected, but stories of it are out" for book_id in both)
    owners = {row["book_id"]: row["parent_id"] or row["book_id"] for row in (*rows["books"], *rows["rejected"])}
    strays = [book_id for book_id in seen if bucket_of(owners[book_id], num_buckets) != bucket]
    yield from (f"book {book_id}: in bucket {bucket}, not its own" for book_id in strays)
    ids = Counter(row["trajectory_id"] for row in rows["trajectories"])
    yield from (f"trajectory {name}: {number} times" for name, number in ids.items() if number > 1)
    with_rows, out = {row["book_id"] for row in rows["trajectories"]}, {row["book_id"] for row in rows["books"]}
    yield from (f"book {book_id}: out, but without a trajectory" for book_id in sorted(out - with_rows))
    yield from (f"book {book_id}: trajectories of a book that is not out" for book_id in sorted(with_rows - out))


def _check_trajectories(rows: dict[ShardKind, list[Row]], trainee: Tokenizer) -> Iterator[str]:
    books = {row["book_id"]: row for row in rows["books"]}
    for row in rows["trajectories"]:
        book = books.get(row["book_id"])
        if book is None:
            continue  # said already
        name = row["trajectory_id"]
        try:
            trajectory = Trajectory.model_validate({key: value for key, value in row.items() if key != "messages"})
        except ValueError as error:
            yield f"trajectory {name}: {error}"
            continue
        yield from (f"trajectory {name}: {problem}" for problem in check_trajectory(trajectory, book["text"], trainee))
        if messages(trajectory.stages) != row["messages"]:
            yield f"trajectory {name}: its messages differ from its stages"
        if trajectory.split != book["split"] or trajectory.source_sha256 != book["source_sha256"]:
            yield f"trajectory {name}: split or source differ from its book's"


def _check_tiling(rows: dict[ShardKind, list[Row]]) -> Iterator[str]:
    """In a layout that holds whole books, every word of every chapter with a plan is a target once, no other is."""
    spans: dict[tuple[str, str, int], list[Span]] = defaultdict(list)
    for row in rows["trajectories"]:
        if row["layout"] not in (
            *PARTIAL_LAYOUTS,
            *UNPLANNED_LAYOUTS,
        ):  # a pair's one target is held against it already
            told = (stage for stage in row["stages"] if stage["role"] != "previous_text")
            targets = spans[row["book_id"], row["layout"], row["window"]]
            targets.extend(Span(stage["start"], stage["end"]) for stage in told if stage["start"] is not None)
    books = {row["book_id"]: row for row in rows["books"]}
    for (book_id, layout, window), targets in sorted(spans.items()):
        if book_id not in books:
            continue  # said already
        text, planned = books[book_id]["text"], _planned_chapters(books[book_id]["scaffold"])
        targets.sort()
        num_twice = sum(later.start < earlier.end for earlier, later in pairwise(targets))
        found = sum(len(text[start:end].split()) for start, end in targets)
        wanted = sum(len(text[chapter.start : chapter.end].split()) for chapter in planned)
        if num_twice or found != wanted:
            yield (
                f"book {book_id}: {layout} at {window} tokens has {found} words as targets, "
                f"its chapters with a plan have {wanted}, and {num_twice} targets begin before another ends"
            )


def _check_quarantine(rows: dict[ShardKind, list[Row]]) -> Iterator[str]:
    """No quarantined chapter is a target, and every one has its node among what was refused."""
    told = {(row["book_id"], row["node"]) for row in rows["rejected"] if row["level"] == "node"}
    targets: dict[str, set[int]] = defaultdict(set)
    for row in rows["trajectories"]:
        targets[row["book_id"]].update(row["targets"])
    for row in rows["books"]:
        if row["scaffold"] is None:  # of a story, or of outlines
            continue
        scaffold = Scaffold.model_validate_json(row["scaffold"])
        wrong = {chapter.number for chapter in scaffold.chapters if chapter.quarantined} & targets[row["book_id"]]
        yield from (f"book {row['book_id']}: chapter {number} is quarantined, and a target" for number in sorted(wrong))
        untold = {node.node for node in scaffold.quarantined if (row["book_id"], node.node) not in told}
        yield from (f"book {row['book_id']}: {node} is quarantined, and not in rejected" for node in sorted(untold))


def _check_outlines(rows: dict[ShardKind, list[Row]]) -> Iterator[str]:
    """Every passage with an outline is a target once, and no style reference has words of its target."""
    nodes: dict[str, set[str]] = defaultdict(set)
    for row in rows["rejected"]:
        if row["level"] == "node":
            nodes[row["book_id"]].add(row["node"])
    pairs: dict[str, list[Row]] = defaultdict(list)
    for row in rows["trajectories"]:
        pairs[row["book_id"]].append(row)
    for book in rows["books"]:
        if book["outlines"] is not None:
            found = check_pairs(book, pairs[book["book_id"]], nodes[book["book_id"]])
            yield from (f"book {book['book_id']}: {problem}" for problem in found)


def _planned_chapters(scaffold: str) -> list[ChapterScaffold]:
    """Return the chapters of a scaffold that may be a target: not quarantined, and nothing of their plans empty."""
    whole = Scaffold.model_validate_json(scaffold)
    empty = clean_scaffold(whole)[1].chapters
    return [chapter for chapter in whole.chapters if not chapter.quarantined and chapter.number not in empty]


def _check_totals(manifest: Manifest, shards: Sequence[ShardInfo]) -> Iterator[str]:
    accounting, trajectories, tokens = total(shards)
    for name, found, said in (
        ("accounting", accounting, manifest.accounting),
        ("trajectories", trajectories, manifest.trajectories),
        ("tokens", tokens, manifest.tokens),
    ):
        if found != said:
            yield f"manifest {manifest.version}: {name} is {found}, it says {said}"
    for name, tally in (("books", manifest.accounting.books), ("works", manifest.accounting.works)):
        if tally.in_ != tally.out + tally.num_rejected:
            yield f"manifest {manifest.version}: {tally.in_} {name} in, {tally.out} out, {tally.num_rejected} rejected"
    if content_digest(manifest.shards) != manifest.content_sha256:
        yield f"manifest {manifest.version}: its content hash is wrong"


def require_manifest(manifest: Manifest | None, out: str) -> Manifest:
    """Return the manifest; PipelineError with one clear line where there is none."""
    if manifest is None:
        raise PipelineError(f"{out}: no snapshot there; build one first: scriptorium build --out {out}")
    return manifest
