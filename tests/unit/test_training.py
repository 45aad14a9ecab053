from __future__ import annotations

from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from schemas.errors import ConfigError, PipelineError
from schemas.runs import Manifest, ShardInfo, TrainingData
from schemas.settings import TrainSettings
from tasks.backends.tokenizers import TiktokenTokenizer, open_tokenizer
from tasks.training.attention import packed_attention
from tasks.training.contract import make_training_spec
from tasks.training.loop import learning_rate
from tasks.training.loss import pack_row
from tasks.training.packing import pack_samples, plan_batch, plan_epoch
from tasks.training.samples import Sample, load_samples, render_sample

SETTINGS = TrainSettings(allow_untrainable=True)


@pytest.fixture(scope="module")
def tokenizer() -> TiktokenTokenizer:
    return open_tokenizer("samples")


def make_row(tokenizer: TiktokenTokenizer, **changes: Any) -> dict[str, Any]:
    stages = [
        {"role": "prompt", "text": "Write of the lamp.", "loss": 0.0, "start": None, "end": None},
        {"role": "book_plan", "text": "- The lamp is lit.", "loss": 0.5, "start": None, "end": None},
        {"role": "chapter_text", "text": "```\nShe lit it.\n```", "loss": 1.0, "start": 3, "end": 14},
    ]
    stages = changes.pop("stages", stages)
    num_tokens = sum(3 + tokenizer.count(stage["role"]) + tokenizer.count("\n\n" + stage["text"]) for stage in stages)
    row = {"trajectory_id": "1-a", "layout": "chapter-window", "trainable": True, "num_tokens": num_tokens}
    return row | {"stages": [stage | {"num_tokens": tokenizer.count(stage["text"])} for stage in stages]} | changes


def write_rows(rows: list[dict[str, Any]], path: str) -> None:
    with fsspec.open(path, "wb") as file:
        pq.write_table(pa.Table.from_pylist(rows), file)


def data_of(root: str, **changes: Any) -> TrainingData:
    values = {"manifest": 1, "files": ("a.parquet",), "trainable_only": True, "tokenizer": "samples"}
    return TrainingData(root=root, tokenizer_sha256="", **(values | changes))


# packing and plan


def test_every_sample_is_in_one_pack_and_no_pack_is_overfull() -> None:
    lengths = [7, 3, 9, 1, 4, 4, 2, 8, 5, 5]
    packs = pack_samples(lengths, 10)
    assert sorted(sample for pack in packs for sample in pack) == list(range(10))
    assert max(sum(lengths[sample] for sample in pack) for pack in packs) <= 10
    assert len(packs) == 5  # 48 tokens: no packing has fewer


def test_a_sample_longer_than_the_pack_has_one_of_its_own() -> None:
    assert pack_samples([4, 25, 4], 10) == [(1,), (0, 2)]


def test_packs_of_uneven_lengths_are_almost_full() -> None:
    lengths = [50 + (37 * number) % 700 for number in range(300)]
    assert sum(lengths) / (len(pack_samples(lengths, 2048)) * 2048) > 0.97


def test_the_plan_of_a_step_depends_on_lengths_seed_and_step_alone() -> None:
    lengths = [50 + (37 * number) % 700 for number in range(40)]
    plan = [plan_batch(lengths, 1000, 3, step) for step in range(30)]
    assert [plan_batch(lengths, 1000, 3, step) for step in reversed(range(30))] == plan[::-1]
    assert [plan_batch(lengths, 1000, 4, step) for step in range(30)] != plan


def test_an_epoch_has_every_sample_once_and_another_order_than_the_next() -> None:
    lengths = [50 + (37 * number) % 700 for number in range(40)]
    first, second = plan_epoch(lengths, 1000, 0, 0), plan_epoch(lengths, 1000, 0, 1)
    assert sorted(sample for pack in second for sample in pack) == list(range(40))
    assert first != second
    assert len(first) == len(second)
    assert plan_batch(lengths, 1000, 0, len(first)) == second[0]


def test_the_learning_rate_warms_up_and_ends_at_a_tenth() -> None:
    settings = TrainSettings(learning_rate=1.0, warmup_steps=2, steps=10)
    rates = [learning_rate(settings, step) for step in range(11)]
    assert rates[:3] == [0.5, 1.0, 1.0]
    assert rates[10] == pytest.approx(0.1)
    assert rates[2:] == sorted(rates[2:], reverse=True)


# samples and masks


def test_a_row_is_rendered_as_the_grammar_says(tokenizer: TiktokenTokenizer) -> None:
    stage = {"role": "prompt", "text": "Write.", "loss": 1.0, "start": None, "end": None}
    sample = render_sample(make_row(tokenizer, stages=[stage]), tokenizer)
    start, stop, end = tokenizer.control_ids.values()
    expected = [start, *tokenizer.encode("prompt"), stop, *tokenizer.encode("\n\nWrite."), end]
    assert sample.ids_T.tolist() == expected


def test_headers_are_context_and_text_and_end_have_their_stage_s_weight(tokenizer: TiktokenTokenizer) -> None:
    row = make_row(tokenizer)
    sample = render_sample(row, tokenizer)
    expected: list[float] = []
    for stage in row["stages"]:
        expected += [0.0] * (2 + tokenizer.count(stage["role"]))
        expected += [stage["loss"]] * (1 + tokenizer.count("\n\n" + stage["text"]))
    assert sample.weights_T.tolist() == expected
    assert sample.prose_T.sum() == 3 + tokenizer.count("chapter_text") + tokenizer.count("\n\n```\nShe lit it.\n```")


def test_no_loss_crosses_the_border_of_two_packed_samples() -> None:
    first = Sample(np.array([1, 2, 3]), np.array([1, 0, 2], np.float32), np.array([False, False, True]))
    second = Sample(np.array([4, 5]), np.array([9, 1], np.float32), np.array([True, True]))
    pack = pack_row([first, second], torch.device("cpu"))
    assert pack.ids_T.tolist() == [1, 2, 3, 4, 5]
    assert pack.positions_T.tolist() == [0, 1, 2, 0, 1]
    assert pack.document_ends.tolist() == [0, 3, 5]
    assert pack.weights_T.tolist() == [0, 2, 0, 1, 0]
    assert pack.prose_T.tolist() == [False, True, False, True, False]


def test_rows_of_other_layouts_and_longer_rows_are_left_out(tokenizer: TiktokenTokenizer, tmp_path: Path) -> None:
    long = {"role": "book_plan", "text": "lamp " * 200, "loss": 1.0, "start": None, "end": None}
    context = {"role": "prompt", "text": "lamp", "loss": 0.0, "start": None, "end": None}
    rows = [
        make_row(tokenizer),
        make_row(tokenizer, layout="full-book"),
        make_row(tokenizer, stages=[long]),
        make_row(tokenizer, stages=[context]),
    ]
    write_rows(rows, str(tmp_path / "a.parquet"))
    selection = load_samples(data_of(str(tmp_path)), SETTINGS.model_copy(update={"max_tokens": 128}), tokenizer)
    assert len(selection.samples) == 1
    assert (selection.num_too_long, selection.num_unlabelled) == (1, 1)


def test_rows_are_read_from_a_url_as_from_a_folder(tokenizer: TiktokenTokenizer) -> None:
    write_rows([make_row(tokenizer)], "memory://set/data/a.parquet")
    selection = load_samples(data_of("memory://set/", files=("data/a.parquet",)), SETTINGS, tokenizer)
    assert len(selection.samples) == 1


def test_untrainable_rows_are_refused_unless_they_are_allowed(tokenizer: TiktokenTokenizer, tmp_path: Path) -> None:
    write_rows([make_row(tokenizer, trainable=False)], str(tmp_path / "a.parquet"))
    with pytest.raises(ConfigError, match=r"1-a is marked trainable=false .* train\.allow_untrainable"):
        load_samples(data_of(str(tmp_path)), SETTINGS, tokenizer)
    assert len(load_samples(data_of(str(tmp_path), trainable_only=False), SETTINGS, tokenizer).samples) == 1


def test_a_row_of_another_tokenizer_is_refused(tokenizer: TiktokenTokenizer, tmp_path: Path) -> None:
    write_rows([make_row(tokenizer, num_tokens=7)], str(tmp_path / "a.parquet"))
    with pytest.raises(ConfigError, match="its row says 7: it was counted with another tokenizer than samples"):
        load_samples(data_of(str(tmp_path)), SETTINGS, tokenizer)


def test_a_data_set_without_a_row_to_train_on_is_refused(tokenizer: TiktokenTokenizer, tmp_path: Path) -> None:
    write_rows([make_row(tokenizer, layout="full-book")], str(tmp_path / "a.parquet"))
    with pytest.raises(ConfigError, match="no row to train on"):
        load_samples(data_of(str(tmp_path)), SETTINGS, tokenizer)


def test_a_missing_or_foreign_file_is_one_clear_line(tokenizer: TiktokenTokenizer, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"a\.parquet: no such file"):
        load_samples(data_of(str(tmp_path)), SETTINGS, tokenizer)
    (tmp_path / "a.parquet").write_text("lamp", encoding="utf-8")
    with pytest.raises(PipelineError, match=r"a\.parquet: not a Parquet file of trajectories"):
        load_samples(data_of(str(tmp_path)), SETTINGS, tokenizer)
    write_rows([{"text": "lamp"}], str(tmp_path / "a.parquet"))
    with pytest.raises(PipelineError, match=r"a\.parquet: not a Parquet file of trajectories"):
        load_samples(data_of(str(tmp_path)), SETTINGS, tokenizer)


# attention


def test_attention_that_packing_cannot_do_is_refused() -> None:
    part, ends = torch.zeros(1, 1, 2, 4), torch.tensor([0, 2])
    with pytest.raises(ConfigError, match="sliding_window"):
        packed_attention(
            torch.nn.Identity(), part, part, part, None, document_ends=ends, longest_document=2, sliding_window=8
        )


# contract


def make_manifest(*shards: ShardInfo) -> Manifest:
    read: dict[str, Any] = {"version": 3, "shards": shards}
    return Manifest.model_construct(**read)


def make_shard(kind: Any, name: str, split: str | None = None) -> ShardInfo:
    return ShardInfo(kind=kind, path=f"data/{name}", sha256=name, rows=1, bytes=1, bucket=0, split=split)


TRAIN = make_shard("trajectories", "b", "train")


def test_a_spec_names_the_training_shards_one_by_one(tokenizer: TiktokenTokenizer, tmp_path: Path) -> None:
    other = make_shard("trajectories", "c", "test"), make_shard("books", "d"), make_shard("trajectories", "a", "train")
    spec = make_training_spec(make_manifest(TRAIN, *other), "s3://set", SETTINGS, tokenizer, str(tmp_path))
    assert spec.data.files == ("data/a", "data/b")
    assert spec.data.root == "s3://set"
    assert spec.data.trainable_only is False
    assert spec.out == str(tmp_path.resolve() / spec.run_id)


def test_a_run_s_id_follows_from_data_settings_and_tokenizer(tokenizer: TiktokenTokenizer, tmp_path: Path) -> None:
    def run_id(shard: ShardInfo, **changes: Any) -> str:
        settings = SETTINGS.model_copy(update=changes)
        return make_training_spec(make_manifest(shard), str(tmp_path), settings, tokenizer, "runs").run_id

    assert run_id(TRAIN) == run_id(TRAIN, timeout_s=5.0, python="python3", checkpoint_steps=1)
    others = run_id(TRAIN, steps=21), run_id(make_shard("trajectories", "z", "train"))
    assert len({run_id(TRAIN), *others}) == 3


def test_a_snapshot_without_training_shards_is_refused(tokenizer: TiktokenTokenizer) -> None:
    with pytest.raises(ConfigError, match="snapshot 3 of s3://set has no trajectories of split train"):
        make_training_spec(make_manifest(make_shard("books", "d")), "s3://set", SETTINGS, tokenizer, "runs")
