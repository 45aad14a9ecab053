"""Files of stories -> pairs with ids that name file and line; wrong files are told before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import ConfigError
from schemas.settings import Settings
from tasks.backends.sources.stories import PromptFiles, StoryTables, open_stories
from tasks.gather import block_of, iter_blocks

ROOT = Path(__file__).resolve().parents[2]
ROWS = [{"title": "The Lamp", "story": "It burned."}, {"title": "The Well", "story": "It was dry."}]


def write_pair(folder, name="train", prompts="[ WP ] One .\n[ WP ] Two .\n", stories="A .\nB .\n"):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.wp_source").write_bytes(prompts.encode())
    (folder / f"{name}.wp_target").write_bytes(stories.encode())
    return folder


def test_line_i_is_the_prompt_of_line_i_and_the_id_names_both(tmp_path):
    write_pair(tmp_path / "Wp Set", "valid")
    stories = list(PromptFiles(write_pair(tmp_path / "Wp Set")).iter_stories())
    assert [story.story_id for story in stories] == [
        "wp-set-train-000001", "wp-set-train-000002", "wp-set-valid-000001", "wp-set-valid-000002",
    ]  # fmt: skip
    assert stories[1] == ("wp-set-train-000002", "train", "[ WP ] Two .", "B .")
    assert stories[2].side == "validation"


def test_files_of_other_names_tell_no_side(tmp_path):
    assert next(PromptFiles(write_pair(tmp_path / "set", "mine")).iter_stories()).side is None


def test_one_pair_may_be_named_by_its_file(tmp_path):
    folder = write_pair(write_pair(tmp_path / "set"), "mine")
    stories = list(PromptFiles(folder / "mine.wp_source").iter_stories())
    assert [story.story_id for story in stories] == ["mine-000001", "mine-000002"]


def test_a_last_line_without_its_end_counts(tmp_path):
    assert len(list(PromptFiles(write_pair(tmp_path / "set", stories="A .\nB .")).iter_stories())) == 2


def test_unequal_counts_name_both_files_and_both_counts(tmp_path):
    folder = write_pair(tmp_path / "set", stories="A .\n")
    with pytest.raises(ConfigError, match=r"train\.wp_source has 2 lines, .*train\.wp_target has 1: line i of one"):
        PromptFiles(folder)


@pytest.mark.parametrize("missing", ["train.wp_target", "train.wp_source"])
def test_a_file_without_its_counterpart_is_named(tmp_path, missing):
    folder = write_pair(write_pair(tmp_path / "set"), "other")
    write_pair(folder, "test")
    (folder / missing).unlink()
    with pytest.raises(ConfigError, match=rf"{missing}: no such file"):
        PromptFiles(folder)


def test_a_folder_without_pairs_says_what_is_wanted(tmp_path):
    with pytest.raises(ConfigError, match=r"no NAME\.wp_source there with its NAME\.wp_target"):
        PromptFiles(tmp_path)


def write_table(path, rows):
    if path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".csv":
        names = list(rows[0])
        lines = [",".join(names), *(",".join(f'"{row[name]}"' for name in names) for row in rows)]
        path.write_text("\n".join(lines), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".parquet"])
def test_every_kind_of_table_gives_the_same_stories(tmp_path, suffix):
    source = StoryTables(write_table(tmp_path / f"tiny{suffix}", ROWS))
    assert [tuple(story) for story in source.iter_stories()] == [
        ("tiny-000001", None, "The Lamp", "It burned."),
        ("tiny-000002", None, "The Well", "It was dry."),
    ]


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".parquet"])
def test_a_table_without_stories_is_told_with_the_columns_that_were_found(tmp_path, suffix):
    path = write_table(tmp_path / f"tiny{suffix}", [{"Title": "The Lamp", "words": "It burned."}])
    with pytest.raises(ConfigError, match=r"has the columns Title, words; a column 'title' and one of 'body', 'story'"):
        StoryTables(path)


@pytest.mark.parametrize("name", ["body", "Story", "TEXT"])
def test_the_column_of_stories_may_have_three_names_in_any_case(tmp_path, name):
    source = StoryTables(write_table(tmp_path / "tiny.csv", [{"Title": "A", name: "Words."}]))
    assert [story.text for story in source.iter_stories()] == ["Words."]


def test_what_is_null_is_empty_and_keeps_its_number(tmp_path):
    source = StoryTables(
        write_table(tmp_path / "tiny.jsonl", [{"title": None, "text": "A."}, {"title": "B", "text": None}])
    )
    assert [(story.prompt, story.text) for story in source.iter_stories()] == [("", "A."), ("B", "")]


def test_a_table_that_is_none_says_where_it_breaks(tmp_path):
    (tmp_path / "tiny.json").write_text('[{"title": "A", "story": "B"}, 3]')
    with pytest.raises(
        ConfigError, match="cannot be read after row 1: an object with title and story expected, int found"
    ):
        list(StoryTables(tmp_path / "tiny.json").iter_stories())


def test_two_files_of_one_name_are_refused_for_their_stories_would_share_ids(tmp_path):
    for suffix in (".csv", ".json"):
        write_table(tmp_path / f"tiny{suffix}", ROWS)
    with pytest.raises(ConfigError, match="stories of both would be called 'tiny'; rename one"):
        StoryTables(tmp_path)


def test_without_a_source_the_samples_are_read():
    sources = [open_stories(Settings(recipe=recipe), ROOT) for recipe in ("tagged-story", "title-to-story")]
    assert [len(list(source.iter_stories())) for source in sources] == [10, 10]
    assert open_stories(Settings(), ROOT) is None


def test_equal_prompts_share_a_block_and_growth_moves_no_story(tmp_path):
    folder = write_pair(
        tmp_path / "set", prompts="".join(f"[ WP ] Case {n} .\n" for n in range(30)), stories="A .\n" * 30
    )
    before = {story.story_id: block.block_id for block in iter_blocks(PromptFiles(folder)) for story in block.stories}
    write_pair(folder, "test", prompts="[ EU ] case 7 ?\n", stories="C .\n")
    after = {story.story_id: block.block_id for block in iter_blocks(PromptFiles(folder)) for story in block.stories}
    assert after["set-test-000001"] == after["set-train-000008"] == block_of("set", "Case 7", "plain")
    assert {name: after[name] for name in before} == before
    assert len(set(before.values())) > 20
