"""Manifest -> README.md and what it shows, for every recipe and from counts alone."""

from __future__ import annotations

import json
import re
from typing import get_args
from xml.etree import ElementTree

import pytest
import yaml

from schemas.ledger import Ledger
from schemas.runs import Accounting, LayoutTally, Manifest, ShardInfo, Tally, TokenTally
from schemas.settings import Recipe, Settings
from tasks.card import describe_snapshot, render_card
from tasks.counts import AXES
from tasks.describing.columns import list_columns
from tasks.describing.front import list_files
from tasks.describing.statistics import LEVELS, list_rungs
from tasks.describing.words import WORDS
from tasks.grammar.sequence import ROLES
from tasks.tables import SCHEMAS

RECIPES = get_args(Recipe)
LAYOUTS = {"prompt-to-book": "chapter-window"}
BOOK_COUNTS = {
    "hist:words": {"40000": 2, "100000": 1},
    "hist:chapters": {"10": 1, "30": 2},
    "hist:born": {"1775": 2},
    "hist:died": {"1800": 1},
    **{f"hist:rating:{axis}": {"10": 7, "50": 3} for axis in AXES},
    "hist:copied-run": {"3": 20, "8": 4},
    "told": {
        "words": 3,
        "chapters": 3,
        "born": 2,
        "died": 1,
        "copied-run": 2,
        **{f"rating:{axis}": 2 for axis in AXES},
    },
    "public_domain": {"US": 2, "unknown": 1},
    "checked": {"copied-run": 24, "order": 9},
    "outside": {"copied-run": 0, "order": 3},
}


def row_counts(layout, trainable):
    return {
        "layouts": {layout: 4},
        "trainable": {"yes" if trainable else "no": 4},
        f"rung:{layout}:8192": {"rows": 4, "num_tokens": 3_000, "plan_tokens": 400, "prose_tokens": 2_400},
        f"roles:{layout}:8192": {"prompt": 40, "scene_breakdown": 400, "chapter_text": 2_400},
    }


def shard(kind, place, counts, split=None):
    sha256 = f"{place:064x}"
    path = f"data/{kind}/{sha256}.parquet"
    return ShardInfo(kind=kind, path=path, sha256=sha256, rows=4, bytes=999, bucket=place, split=split, counts=counts)


def manifest_of(recipe="prompt-to-book", *, books=BOOK_COUNTS, rows=None, trainable=True, **told):
    layout = LAYOUTS.get(recipe, recipe)
    rows = row_counts(layout, trainable) if rows is None else rows
    reasons = {"too-short": 2}
    facts = {
        "recipe": recipe,
        "version": 3,
        "shards": (
            shard("books", 1, books),
            shard("rejected", 1, {"book": reasons}),
            shard("trajectories", 1, rows, "train"),
            shard("trajectories", 2, {}, "validation"),
        ),
        "accounting": Accounting(
            books=Tally(in_=5, out=3, rejected=reasons),
            works=Tally(in_=5, out=3, rejected=reasons),
            layouts={layout: LayoutTally(made=8, refused={"over-window": 1})},
            nodes={"length": 2},
        ),
        "trajectories": {layout: {"train": 4, "validation": 4}},
        "tokens": TokenTally(total=3_000, plan=400, prose=2_400),
        "num_buckets": 8,
        "settings": Settings().model_dump(mode="json"),
        "models": {"summarizer": "model@1", "reader": "words", "trainee": "words"},
        "prompts": {"read": "ab" * 32},
        "versions": {"python": "3.11"},
        "content_sha256": "cd" * 32,
        "run_sha256": "ef" * 32,
        "writer": "nobody",
        "created": "2026-05-04T03:02:01+00:00",
        "ledger": Ledger(),
    }
    return Manifest(**{**facts, **told})


def card_of(manifest):
    return render_card(manifest, [])  # plots take half a second


@pytest.fixture(scope="module")
def described():
    return describe_snapshot(manifest_of())


def front_of(card):
    return yaml.safe_load(card.split("\n---\n")[0])


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_card_of_every_recipe_names_its_files_and_says_how_it_was_made(recipe):
    manifest = manifest_of(recipe)
    card = card_of(manifest)
    configs = {one["config_name"]: one for one in front_of(card)["configs"]}
    assert configs["trajectories"]["default"] is True
    listed = [path for config in configs.values() for files in config["data_files"] for path in files["path"]]
    assert sorted(listed) == sorted(one.path for one in manifest.shards)
    assert f"# {WORDS[recipe].title}" in card
    assert all(limit in card for limit in WORDS[recipe].limits)
    assert f"`{recipe}`" in card
    assert "{{" not in card
    assert ("Project Gutenberg" in card) == ("story" not in recipe)


def test_the_yaml_tells_hubs_what_they_ask_for():
    front = front_of(card_of(manifest_of()))
    assert (front["license"], front["license_link"]) == ("other", "LICENSE.md")
    assert front["language"] == ["en"]
    assert front["size_categories"] == ["n<1K"]
    (info,) = [one for one in front["dataset_info"] if one["config_name"] == "trajectories"]
    assert [(one["name"], one["num_examples"]) for one in info["splits"]] == [("train", 4), ("validation", 4)]
    assert [one["name"] for one in info["features"]] == SCHEMAS["trajectories"].names


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_column_and_every_field_within_has_a_meaning_and_none_is_left_over(kind):
    from tasks.describing.columns import MEANINGS

    columns = list_columns(kind)
    assert [one.name for one in columns if "." not in one.name] == SCHEMAS[kind].names
    assert {one.name for one in columns} == set(MEANINGS[kind])
    assert all(one.meaning for one in columns)


def test_every_role_of_the_grammar_belongs_to_one_level():
    roles = {role for order in ROLES.values() for role in re.findall(r"\w+", order)}
    levels = [role for members in LEVELS.values() for role in members]
    assert sorted(levels) == sorted(roles)


def test_the_tables_of_the_card_hold_the_numbers_of_the_manifest():
    card = card_of(manifest_of())
    assert "| `chapter-window` | 8192 | 4 | 3,000 | 400 | 2,400 | 9,216 |" in card
    assert "| `chapter-window` | 4 | 4 |" in card
    assert "| order | 9 | 3 |" in card
    assert "| book | `too-short` | 2 |" in card
    assert "| layout chapter-window | `over-window` | 1 |" in card
    assert "| part of a plan | `length` | 2 |" in card
    assert "| US | 2 |\n| unknown | 1 |" in card


def test_a_shard_from_before_the_counts_leaves_gaps_that_the_card_tells_of():
    described = describe_snapshot(manifest_of(books={}, rows={}))
    card = described["README.md"].decode()
    assert not [path for path in described if path.startswith("plots/")]
    assert "The table tells of 0 of 8 rows" in card
    assert "## Training on it" not in card
    assert "load_dataset" in card
    assert "The table tells of 4 of 8 rows" in card_of(manifest_of())


def test_a_snapshot_without_any_row_has_a_card():
    card = card_of(manifest_of(shards=(shard("rejected", 1, {}),), trajectories={}))
    assert [one["config_name"] for one in front_of(card)["configs"]] == ["rejected"]
    assert "load_dataset" not in card


def test_rows_that_quote_the_prose_are_named_and_the_snippets_leave_them_out_where_there_are_others():
    assert "not meant for training: 4 of 8." in card_of(manifest_of(trainable=False))
    assert 'input_columns="trainable"' not in card_of(manifest_of(trainable=False))
    mixed = row_counts("chapter-window", True) | {"trainable": {"yes": 3, "no": 1}}
    card = card_of(manifest_of(rows=mixed))
    assert "not meant for training: 1 of 8." in card
    assert "not meant for training" not in card_of(manifest_of())
    assert 'input_columns="trainable"' in card
    assert 'polars.col("trainable")' in card


def test_decontamination_is_told_with_its_limits_and_without_the_place_of_its_texts():
    assert "It was not decontaminated" in card_of(manifest_of())
    group = {"texts": "/somewhere/texts", "max_shared": 10, "max_share": 0.5, "ngram_words": 13}
    card = card_of(manifest_of(settings={**Settings().model_dump(mode="json"), "decontaminate": group}))
    assert "more than 10 runs of 13 words" in card
    assert "/somewhere" not in card


def test_the_card_shows_no_place_of_the_machine_that_made_it():
    settings = Settings(out="/secret/out", work="/secret/work").model_dump(mode="json")
    settings["source"]["location"] = "/secret/source"
    assert not any(
        b"/secret" in data for data in describe_snapshot(manifest_of(settings=settings, books={}, rows={})).values()
    )


def test_every_plot_is_in_the_card_with_words_for_those_who_cannot_see_it(described):
    shown = dict(re.findall(r"!\[(.+?)\]\((plots/.+?)\)", described["README.md"].decode()))
    assert sorted(shown.values()) == sorted(path for path in described if path.startswith("plots/"))
    assert len(shown) == 6
    assert any("died" in alt for alt in shown)
    assert all(len(alt) > 40 for alt in shown)


def test_plots_are_small_well_formed_and_equal_for_equal_snapshots(described):
    first, second = described, describe_snapshot(manifest_of(created="2027-01-01T00:00:00+00:00"))
    for path in [path for path in first if path.startswith("plots/")]:
        assert first[path] == second[path]
        assert len(first[path]) < 100_000
        assert ElementTree.fromstring(first[path]).tag == "{http://www.w3.org/2000/svg}svg"
        assert b"<dc:date>" not in first[path]


def test_a_snapshot_of_thousands_of_shards_lists_them_in_yaml_and_croissant_only():
    many = tuple(shard("trajectories", place, {}, "train") for place in range(2_000))
    described = describe_snapshot(manifest_of(shards=many))  # no counts, no plots
    front, body = described["README.md"].decode().split("\n---\n", 1)
    assert front.count(".parquet") == 2_000
    assert body.count("data/trajectories") == 0
    assert described["croissant.json"].count(b'"sha256"') == 2_000


def test_croissant_holds_every_shard_with_its_hash_and_every_column(described):
    manifest, told = manifest_of(), json.loads(described["croissant.json"])
    files = {one["contentUrl"]: one["sha256"] for one in told["distribution"] if one["@type"] == "cr:FileObject"}
    assert files == {one.path: one.sha256 for one in manifest.shards}
    sets = {one["@id"]: one["includes"] for one in told["distribution"] if one["@type"] == "cr:FileSet"}
    assert sets["trajectories-files"] == [one.path for one in manifest.shards if one.kind == "trajectories"]
    for record in told["recordSet"]:
        assert [one["@id"].split("/")[1] for one in record["field"]] == SCHEMAS[record["@id"]].names
    assert (told["version"], told["datePublished"]) == ("3.0.0", manifest.created)
    assert "2605.17064" in told["citeAs"]


def test_the_smallest_rung_of_the_ladder_is_the_one_to_train_on():
    counts = {
        **row_counts("chapter-window", True),
        "rung:chapter-window:32768": {"rows": 1},
        "rung:full-book:262144": {},
    }
    manifest = manifest_of(rows=counts)
    assert [(one.layout, one.window) for one in list_rungs(manifest)] == [
        ("chapter-window", 8_192),
        ("chapter-window", 32_768),
        ("full-book", 262_144),
    ]
    assert "LONGEST = 9216" in card_of(manifest)


def test_a_held_out_snapshot_is_read_from_the_side_it_has():
    only = (shard("trajectories", 1, row_counts("chapter-window", True), "test"),)
    manifest = manifest_of(shards=only, trajectories={"chapter-window": {"test": 4}})
    assert list(list_files(manifest)["trajectories"]) == ["test"]
    assert '"trajectories", split="test")' in card_of(manifest)
