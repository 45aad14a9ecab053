"""What users see of quarantined nodes: rows, accounting, the audit, the report and the card."""

import io
import json
from functools import wraps

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from flows.summaries import print_build, summarize_build
from schemas.scaffold import Scaffold
from tasks import line
from tasks.audit import audit_snapshot
from tasks.backends.stores import LocalStore
from tasks.buckets import Withdrawal, read_rows
from tasks.line import run_book
from tasks.opening import Opened
from tasks.shard import Changes
from tasks.snapshot import write_snapshot
from tasks.summarize import summarize_book
from tasks.tables import SCHEMAS
from tests.compositions import lose, quarantine
from tests.unit.test_shard import bench, facts, rejected  # noqa: F401  # the fixture


@pytest.fixture
def damage(monkeypatch):
    """Give a function that lets every scaffold lose what another function takes from it."""

    def install(change):
        @wraps(summarize_book)
        def summarize(book, settings, **seams):
            return change(summarize_book(book, settings, **seams))

        monkeypatch.setattr(line, "summarize_book", summarize)

    return install


@pytest.fixture
def snapshot(bench, tmp_path):  # noqa: F811
    """Give a function that builds the invented book: its manifest, its rows by kind, the store."""
    store = LocalStore(tmp_path / "out")

    def build():
        outcomes = [run_book("boat", bench)]
        manifest, _ = write_snapshot(Changes(outcomes), bench.work, store, facts(bench))
        return manifest, read_tables(manifest.shards, store), store, outcomes

    return build


def read_tables(shards, store):
    """The rows of all shards, by table."""
    rows = {"trajectories": [], "books": [], "rejected": []}
    for shard in shards:
        rows[shard.kind] += read_rows(shard, store)
    return rows


def rewrite(shard, rows, store):
    """Put other rows where a shard lies."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, SCHEMAS[shard.kind]), sink)
    store.put(shard.path, sink.getvalue())


def problems_after(kind, change, snapshot, bench):  # noqa: F811
    """What an audit says of the snapshot once one of its tables was changed by hand."""
    manifest, _, store, _ = snapshot()
    shard = next(shard for shard in manifest.shards if shard.kind == kind)
    rewrite(shard, change(read_rows(shard, store)), store)
    return "\n".join(audit_snapshot(manifest, store, bench.trainee).problems)


def test_a_quarantined_node_is_a_row_with_what_is_needed_to_look_at_it(bench, damage, snapshot):  # noqa: F811
    damage(lambda scaffold: lose(quarantine(scaffold, 2), "world"))
    manifest, rows, store, _ = snapshot()
    nodes = [row for row in rows["rejected"] if row["level"] == "node"]
    assert [(row["book_id"], row["stage"], row["node"], row["reason"]) for row in nodes] == [
        ("boat", "summarize", "book", "json"),
        ("boat", "summarize", "chapter 2, window 1", "length"),
    ]
    assert json.loads(nodes[0]["evidence"]) == {"chapter": None, "call": "world", "answers": ["ab"], "text": "{"}
    assert json.loads(nodes[1]["evidence"])["chapter"] == 2
    assert manifest.accounting.nodes == {"json": 1, "length": 1}
    assert (manifest.accounting.books.in_, manifest.accounting.books.out) == (1, 1)
    assert {row["reason"] for row in rows["rejected"] if row["level"] == "layout"} == {"quarantined"}
    audit = audit_snapshot(manifest, store, bench.trainee)
    assert audit.ok, audit.problems


def test_a_work_without_a_layout_for_want_of_a_node_is_rejected_and_keeps_its_evidence(bench, damage, snapshot):  # noqa: F811
    damage(lambda scaffold: lose(scaffold, "prompts"))
    only = bench.settings.compose.model_copy(update={"layouts": ("first-chapter",)})
    object.__setattr__(bench, "settings", bench.settings.model_copy(update={"compose": only}))
    manifest, rows, _, (outcome,) = snapshot()
    assert (outcome.rejection.stage, outcome.rejection.reason) == ("compose", "quarantined")
    assert manifest.accounting.books.rejected == {"quarantined": 1}
    assert manifest.accounting.nodes == {}
    assert [(row["level"], row["node"]) for row in rows["rejected"]] == [("book", None), ("node", "book")]


def test_a_whole_book_leaves_no_row_of_a_node_and_no_line_about_it(snapshot):
    manifest, rows, store, _ = snapshot()
    assert manifest.accounting.nodes == {}
    assert not [row for row in rows["rejected"] if row["level"] == "node"]
    assert not [key for key in store.keys("report") if b"Quarantined" in store.get(key)]
    assert b"quarantined" not in store.get("README.md")


def test_nodes_leave_with_their_work(bench, damage, snapshot):  # noqa: F811
    damage(lambda scaffold: quarantine(scaffold, 2))
    _, _, store, _ = snapshot()
    gone = Withdrawal("boat", rejected("boat", "taken-down").rejection)
    manifest, _ = write_snapshot(Changes([], {"boat": gone}), bench.work, store, facts(bench))
    assert manifest.accounting.nodes == {}
    assert [row["level"] for row in read_tables(manifest.shards, store)["rejected"]] == ["book"]


def test_shards_from_before_nodes_stay_readable_and_sound(bench, snapshot):  # noqa: F811
    manifest, rows, store, _ = snapshot()
    shard = next(shard for shard in manifest.shards if shard.kind == "books")
    old = pa.schema([field for field in SCHEMAS["rejected"] if field.name not in ("node", "evidence")])
    sink = io.BytesIO()
    row = {"book_id": "older", "level": "book", "stage": "screen", "reason": "verse", "detail": "verse"}
    pq.write_table(pa.Table.from_pylist([{**dict.fromkeys(old.names), **row}], old), sink)
    store.put("data/rejected/old.parquet", sink.getvalue())
    info = shard.model_copy(update={"kind": "rejected", "path": "data/rejected/old.parquet"})
    (read,) = read_tables([info], store)["rejected"]
    assert (read["book_id"], read["node"], read["evidence"]) == ("older", None, None)
    counted = {name: number for name, number in shard.counts.items() if name == "out"}
    shards = tuple(one.model_copy(update={"counts": counted}) if one == shard else one for one in manifest.shards)
    assert audit_snapshot(manifest.model_copy(update={"shards": shards}), store, bench.trainee).ok
    assert rows["books"]


def test_an_audit_counts_the_nodes_anew(bench, damage, snapshot):  # noqa: F811
    damage(lambda scaffold: quarantine(scaffold, 2))
    manifest, _, store, _ = snapshot()
    accounting = manifest.accounting.model_copy(update={"nodes": {"length": 2}})
    audit = audit_snapshot(manifest.model_copy(update={"accounting": accounting}), store, bench.trainee)
    assert len(audit.problems) == 1
    assert "accounting is" in audit.problems[0]


def test_an_audit_finds_a_node_that_is_nowhere_among_the_refused(bench, damage, snapshot):  # noqa: F811
    damage(lambda scaffold: quarantine(scaffold, 2))
    said = problems_after("rejected", lambda rows: [row for row in rows if row["level"] != "node"], snapshot, bench)
    assert "book boat: chapter 2, window 1 is quarantined, and not in rejected" in said


def test_an_audit_finds_a_quarantined_chapter_among_the_targets(bench, snapshot):  # noqa: F811
    def mark(rows):
        return [
            row | {"scaffold": quarantine(Scaffold.model_validate_json(row["scaffold"]), 3).to_json().decode()}
            for row in rows
        ]

    said = problems_after("books", mark, snapshot, bench)
    assert "book boat: chapter 3 is quarantined, and a target" in said
    assert "words as targets" in said


def test_an_audit_finds_a_placeholder_in_a_row(bench, snapshot):  # noqa: F811
    def spoil(rows):
        stage = next(stage for stage in rows[0]["stages"] if stage["role"] == "story_so_far" or "- " in stage["text"])
        head, _, tail = stage["text"].partition("\n- ")
        stage["text"] = "\n".join([f"{head}\n- (not stated)", *tail.split("\n")[1:]])
        return rows

    assert "holds a line '(not stated)'" in problems_after("trajectories", spoil, snapshot, bench)


def test_the_report_and_the_card_tell_of_nodes_and_of_what_verify_found(bench, damage, snapshot):  # noqa: F811
    damage(lambda scaffold: quarantine(scaffold, 2))
    manifest, rows, store, _ = snapshot()
    found = [finding for row in rows["books"] for finding in json.loads(row["findings"])["findings"]]
    copied = [finding for finding in found if finding["check"] == "copied-run"]
    outside = sum(not finding["passed"] for finding in copied)
    assert copied
    page, card = store.get("report/index.html").decode(), store.get("README.md").decode()
    assert f'<td>copied-run</td><td class="n">{len(copied)}</td><td class="n">{outside}</td>' in page
    assert "length&nbsp;1." in page
    assert '<span class="bad">1 quarantined</span>' in page
    assert "<td>chapter 2, window 1</td>" in store.get("report/refused.html").decode()
    assert "<li>chapter 2, window 1, read: length. cut</li>" in store.get("report/books/boat.html").decode()
    assert f"| copied-run | {len(copied)} | {outside} |" in card
    assert "| parts of plans quarantined, `length` | 1 |" in card
    assert {check for shard in manifest.shards if shard.kind == "books" for check in shard.counts["checked"]} == {
        finding["check"] for finding in found
    }


def test_a_summary_names_what_was_quarantined(bench, damage, snapshot, capsys):  # noqa: F811
    damage(lambda scaffold: quarantine(scaffold, 1, 2))
    manifest, _, store, outcomes = snapshot()
    opened = Opened(bench, store, bench.llm, ("boat",), {}, frozenset())
    summary = summarize_build(outcomes, manifest, opened, is_new=True, seconds=1.0)
    print_build(summary, Console())
    assert "quarantined     2 parts of plans without an accepted answer (2 length)" in capsys.readouterr().out
