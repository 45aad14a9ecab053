"""What a server does to a build, against the stand-in: faults on the way, bad answers, finished builds, real plans."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tasks.backends.stores import LocalStore
from tasks.buckets import read_rows
from tests.integration.conftest import ROOT
from tests.integration.stand_in_builds import build, fingerprint, prepare, read_manifest, read_scaffolds
from tests.stand_in.faults import CUT, INVENTED, TRANSPORT, WRONG
from tests.stand_in.gold import SHARED, load_golds
from tests.stand_in.process import StandIn

ENFORCE = {"mode": "enforce"}
MIRROR = SHARED / "gutenberg" / "mirror"
GOLD_BOOKS = ("43", "1952")


@pytest.fixture(scope="module")
def api(prefect_env):
    return prefect_env["PREFECT_API_URL"]


@pytest.fixture(scope="module")
def calm(api, tmp_path_factory):
    """A build of the samples without any fault, in enforce mode; tests only read it."""
    folder = tmp_path_factory.mktemp("calm")
    with StandIn(folder / "log.jsonl") as stand_in:
        build(folder / "out", stand_in.url, api, verify=ENFORCE)
        yield folder / "out"


def said_by(out: Path) -> str:
    """Everything that a data set's plans and trajectories say; the evidence of what was refused is no plan."""
    store = LocalStore(out)
    shards = [shard for shard in read_manifest(out).shards if shard.kind == "trajectories"]
    rows = [str(row) for shard in shards for row in read_rows(shard, store)]
    plans = (scaffold.model_copy(update={"quarantined": ()}) for scaffold in read_scaffolds(out).values())
    return "\n".join([*rows, *(plan.model_dump_json() for plan in plans)])


def failed_findings(out: Path) -> list[str]:
    """The findings of verify that are outside their limits."""
    store = LocalStore(out)
    shards = [shard for shard in read_manifest(out).shards if shard.kind == "books"]
    findings = [row["findings"] for shard in shards for row in read_rows(shard, store)]
    return [found for text in findings for found in re.findall(r"\{[^{}]*\"passed\":false[^{}]*\}", str(text))]


def test_no_answer_made_by_rule_fails_a_check(calm):
    assert failed_findings(calm) == []
    assert read_manifest(calm).accounting.books.out == 3


def test_faults_on_the_way_leave_no_trace_in_the_shards(calm, api, tmp_path):
    out = prepare(tmp_path / "out", calm)
    with StandIn(tmp_path / "log.jsonl", faults="transport=0.3") as stand_in:
        build(out, stand_in.url, api, verify=ENFORCE)
        received = stand_in.asked()
    faults = Counter(entry["fault"] for entry in received)
    assert all(faults[kind] for kind in TRANSPORT)
    assert 0.1 < 1 - faults[None] / len(received) < 0.4
    assert fingerprint(out) == fingerprint(calm)


def test_bad_first_answers_are_repaired_and_none_is_accepted(calm, api, tmp_path):
    out = prepare(tmp_path / "out", calm)
    with StandIn(tmp_path / "log.jsonl", faults="content=0.3", kinds=",".join((*CUT, *WRONG))) as stand_in:
        build(out, stand_in.url, api, verify=ENFORCE)
        answered = [entry for entry in stand_in.entries() if entry["event"] == "answered"]
    faults = Counter(entry["fault"] for entry in answered)
    assert all(faults[kind] for kind in (*CUT, *WRONG))
    manifest = read_manifest(out)
    assert manifest.accounting.books.out == 3
    assert manifest.accounting.nodes == {}
    assert manifest.ledger.refused >= sum(faults.values()) - faults[None]
    assert INVENTED not in said_by(out)
    assert failed_findings(out) == []
    assert read_scaffolds(out) == read_scaffolds(calm)


def test_answers_that_stay_bad_quarantine_their_chapter_and_no_book(calm, api, tmp_path):
    out = prepare(tmp_path / "out", calm)
    kinds = ",".join((*CUT, *WRONG))
    with StandIn(tmp_path / "log.jsonl", faults="content=0.3,stubborn=0.15", kinds=kinds) as stand_in:
        build(out, stand_in.url, api, verify=ENFORCE)
    manifest = read_manifest(out)
    assert manifest.accounting.books.out == 3
    assert sum(manifest.accounting.nodes.values()) > 0
    assert INVENTED not in said_by(out)
    scaffolds, faultless = read_scaffolds(out), read_scaffolds(calm)
    num_quarantined = 0
    for book_id, scaffold in scaffolds.items():
        listed = {node.chapter for node in scaffold.quarantined}
        for chapter, good in zip(scaffold.chapters, faultless[book_id].chapters, strict=True):
            assert chapter.quarantined == (chapter.number in listed)
            assert chapter.quarantined or chapter == good
        assert all(node.answers and node.reason for node in scaffold.quarantined)
        num_quarantined += len(listed)
    assert num_quarantined > 0


def test_a_finished_build_asks_nothing(calm, api, tmp_path):
    with StandIn(tmp_path / "log.jsonl") as stand_in:
        out = prepare(tmp_path / "out", calm)
        build(out, stand_in.url, api)
        first = len(stand_in.every_entry())
        started = time.monotonic()
        again = build(out, stand_in.url, api)
        seconds = time.monotonic() - started
        assert first > 0
        assert len(stand_in.every_entry()) == first
    assert not again.is_new
    sys.stdout.write(f"a finished build again: {seconds:.2f} s\n")


def test_an_edited_prompt_asks_its_calls_again_and_what_follows_from_them(calm, prefect_env, tmp_path):
    code = tmp_path / "code"
    for name in ("schemas", "tasks", "flows", "samples", "deploy"):
        shutil.copytree(ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    out = prepare(tmp_path / "out", calm)
    with StandIn(tmp_path / "log.jsonl") as stand_in:
        command = [sys.executable, "-m", "flows.cli", "build", "--out", str(out), "--llm", stand_in.url]
        env = {**prefect_env, "PYTHONPATH": str(code)}
        for edited in (None, "rate.md", "style.md"):
            before = len(stand_in.entries())
            if edited is not None:
                prompt = code / "tasks" / "prompts" / edited
                prompt.write_text(prompt.read_text("utf-8") + "\nTake your time.\n", encoding="utf-8")
            done = subprocess.run(command, env=env, cwd=code, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            asked = Counter(entry["schema"] for entry in stand_in.asked(before))
            if edited is None:
                whole = asked
            elif edited == "rate.md":  # the same ratings came back, so what is told of the book is the same
                assert asked == {"RateAnswer": whole["RateAnswer"]}
            else:
                assert asked == {"StyleAnswer": 3}


@pytest.mark.skipif(not MIRROR.is_dir(), reason="the shared corpus is not beside the repository")
def test_a_real_book_becomes_what_its_reference_says(api, tmp_path):
    out = tmp_path / "out"
    with StandIn(tmp_path / "log.jsonl") as stand_in:
        source = {"location": str(MIRROR), "books": ",".join(GOLD_BOOKS)}
        summary = build(out, stand_in.url, api, source=source, screen={"min_words": 2_000}, verify=ENFORCE)
    assert (summary.books.in_, summary.books.out) == (2, 2)
    assert read_manifest(out).accounting.nodes == {}
    scaffolds = read_scaffolds(out)
    golds = {str(gold["book_id"]): gold for gold in load_golds().values()}
    for book_id in GOLD_BOOKS:
        scaffold, gold = scaffolds[book_id], golds[book_id]
        assert [
            ([bullet.text for bullet in chapter.bullets], [[b.text for b in scene.bullets] for scene in chapter.scenes])
            for chapter in scaffold.chapters
        ] == [(chapter["summary"], [scene["summary"] for scene in chapter["scenes"]]) for chapter in gold["chapters"]]
        assert [scene.vector.model_dump() for chapter in scaffold.chapters for scene in chapter.scenes] == [
            scene["vector"] for chapter in gold["chapters"] for scene in chapter["scenes"]
        ]
        assert [list(arc.long) for arc in scaffold.arcs] == [arc["long"] for arc in gold["arcs"]]
        assert list(scaffold.world_rules) == gold["world_rules"]
        assert list(scaffold.writing_style) == gold["writing_style"]
        assert [person.name for person in scaffold.main_characters] == [
            person["name"] for person in gold["characters"]["main"]
        ]
        assert scaffold.preview.highlight == gold["preview"]["highlight"]
    assert failed_findings(out) == []
