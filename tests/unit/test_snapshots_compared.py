"""Manifest + Manifest -> Difference, and what `scriptorium diff` says of it."""

import json

import pytest
from typer.testing import CliRunner

from flows.cli import app
from schemas.errors import ConfigError, PipelineError
from tasks.backends.stores import LocalStore
from tasks.buckets import Withdrawal
from tasks.compare import compare_snapshots
from tasks.line import run_book
from tasks.shard import Changes, find_snapshot
from tasks.snapshot import write_snapshot
from tests.unit.test_shard import bench, facts, rejected, story  # noqa: F401  # the fixture


@pytest.fixture
def twice(bench, tmp_path):  # noqa: F811
    """A data set of two snapshots: a book and a rejected one; then the book's other text, and a book that is new."""
    store = LocalStore(tmp_path / "out")
    first = Changes([run_book("boat", bench), run_book("short", bench), rejected("away", "verse")])
    write_snapshot(first, bench.work, store, facts(bench))
    source = tmp_path / "source"
    (source / "boat.txt").write_text(story().replace("lamps", "lanterns"))
    (source / "short.txt").write_text(story(num_paragraphs=50).replace("Mara", "Maud"))
    settings = bench.settings.model_copy(
        update={"compose": bench.settings.compose.model_copy(update={"plan_loss": 0.5})}
    )
    later = Changes([run_book("boat", bench), run_book("short", bench), rejected("new", "drama")])
    other = facts(bench)
    write_snapshot(later, bench.work, store, type(other)(settings, {**other.models, "reader": "another"}, other.ledger))
    return store


def test_a_difference_tells_what_became_of_every_book(twice):
    found = compare_snapshots(find_snapshot(twice, "1", "out"), find_snapshot(twice, "head", "out"), twice)
    assert found.changed == {"boat": ("facts", "plans", "text", "trajectories")}
    assert found.returned == ("short",)
    assert found.came == ()
    assert found.rejected == {"new": "drama: away"}
    assert found.left == {}
    assert found.settings == {"compose.plan_loss": (1.0, 0.5)}
    assert found.models["reader"][1] == "another"
    assert found.prompts == ()
    assert found.rows["chapter-window"].after > found.rows["chapter-window"].before
    assert found.tokens["total"].after > found.tokens["total"].before
    assert found.shards.new > 0
    assert found.shards.shared + found.shards.gone == len(find_snapshot(twice, "1", "out").shards)


def test_a_difference_backwards_tells_what_left_and_why(twice):
    found = compare_snapshots(find_snapshot(twice, "2", "out"), find_snapshot(twice, "parent", "out"), twice)
    assert list(found.left) == ["short"]
    assert found.left["short"].startswith("too-short: ")


def test_a_book_that_was_taken_down_has_left_with_its_reason(bench, tmp_path):  # noqa: F811
    store = LocalStore(tmp_path / "out")
    write_snapshot(Changes([run_book("boat", bench)]), bench.work, store, facts(bench))
    gone = Withdrawal("boat", rejected("boat", "taken-down").rejection)
    write_snapshot(Changes([], {"boat": gone}), bench.work, store, facts(bench))
    found = compare_snapshots(find_snapshot(store, "parent", "out"), find_snapshot(store, "head", "out"), store)
    assert found.left == {"boat": "taken-down: away"}
    assert found.tokens["total"].after == 0


def test_equal_snapshots_differ_in_nothing_and_no_shard_is_read(twice):
    head = find_snapshot(twice, "head", "out")
    for shard in head.shards:
        twice.delete(shard.path)
    found = compare_snapshots(head, head, twice)
    assert (found.changed, found.came, found.left, found.settings, found.shards.new) == ({}, (), {}, {}, 0)


def test_a_snapshot_that_is_not_there_is_named_with_those_that_are(twice, tmp_path):
    for name in ("7", "-1", "newest", ""):
        with pytest.raises(ConfigError, match=f"no snapshot '{name}'; there are 1, 2, or say head or parent"):
            find_snapshot(twice, name, "out")
    assert find_snapshot(twice, "parent", "out").version == 1
    with pytest.raises(ConfigError, match="no snapshot 'parent'"):
        find_snapshot(twice, "parent", "out", beside=find_snapshot(twice, "1", "out"))
    with pytest.raises(PipelineError, match="no snapshot there"):
        find_snapshot(LocalStore(tmp_path / "empty"), "head", "out")


def test_the_command_says_the_same_to_people_and_to_programs(twice):
    out = str(twice.root)
    told = CliRunner().invoke(app, ["diff", out, "1"]).stdout
    for words in ("1 -> 2", "changed boat", "rejected new", "compose.plan_loss", "returned", "1.0 -> 0.5"):
        assert words in told
    assert json.loads(CliRunner().invoke(app, ["diff", out, "parent", "head", "--json"]).stdout)["changed"].keys() == {
        "boat"
    }
    failed = CliRunner().invoke(app, ["diff", out, "1", "9"])
    assert failed.exit_code == 2
    assert (
        failed.stderr.strip().splitlines()[-1]
        == f"scriptorium: {out}: no snapshot '9'; there are 1, 2, or say head or parent"
    )
