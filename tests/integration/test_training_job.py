from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from peft import AutoPeftModelForCausalLM, LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    MistralConfig,
    PhiConfig,
    PretrainedConfig,
    PreTrainedModel,
    Qwen3Config,
)
from transformers.utils.logging import disable_progress_bar

from schemas.errors import PipelineError
from schemas.runs import TrainingData, TrainingResult, TrainingSpec
from schemas.settings import TrainSettings
from tasks.backends.tokenizers import open_tokenizer
from tasks.backends.trainers import SubprocessTrainer
from tasks.training.attention import PACKED, register_packed_attention
from tasks.training.job import main, run_job
from tasks.training.loss import compute_losses, pack_row
from tasks.training.packing import pack_samples
from tasks.training.samples import Sample, render_sample

ROOT = Path(__file__).resolve().parents[2]
TOKENIZER = open_tokenizer("samples")
WORDS = ("the", "lamp", "was", "lit", "and", "she", "went", "down", "to", "water", "where", "boats", "lay", "still")
pytestmark = [
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),  # of transformers, called by peft
]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)


def make_row(number: int, num_words: int, *, trainable: bool = True) -> dict[str, Any]:
    chance = random.Random(number)
    texts = [" ".join(chance.choices(WORDS, k=length)) for length in (5, 20, num_words)]
    roles = (("prompt", 0.0, None), ("book_plan", 1.0, None), ("chapter_text", 1.0, 0))
    stages: list[dict[str, Any]] = [
        {"role": role, "text": text, "loss": loss, "num_tokens": TOKENIZER.count(text), "start": start, "end": start}
        for text, (role, loss, start) in zip(texts, roles, strict=True)
    ]
    num_tokens = sum(3 + TOKENIZER.count(part["role"]) + TOKENIZER.count("\n\n" + part["text"]) for part in stages)
    names = {"trajectory_id": f"{number}-a", "book_id": str(number), "layout": "chapter-window"}
    return names | {"trainable": trainable, "num_tokens": num_tokens, "stages": stages}


def make_spec(folder: Path, run: str = "run", *, trainable: bool = True, **changes: Any) -> TrainingSpec:
    """A run over a tiny data set that is written beside it."""
    rows = [make_row(number, 40 + 30 * (number % 5), trainable=trainable) for number in range(12)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    defaults = {"learning_rate": 0.02, "batch_tokens": 512, "max_tokens": 512, "checkpoint_steps": 4}
    data = TrainingData(
        root=str(folder),
        manifest=1,
        files=("a.parquet",),
        trainable_only=True,
        tokenizer="samples",
        tokenizer_sha256=TOKENIZER.sha256,
    )
    settings = TrainSettings.model_validate(defaults | changes)
    return TrainingSpec(run_id="r1", data=data, settings=settings, out=str(folder / run))


def start(spec: TrainingSpec) -> subprocess.Popen[bytes]:
    Path(spec.out).mkdir()
    (Path(spec.out) / "run.json").write_bytes(spec.to_json())
    return subprocess.Popen([sys.executable, "-m", "tasks.training.job", spec.out], cwd=ROOT)


def read_log(spec: TrainingSpec) -> list[dict[str, Any]]:
    """Lines of the log, without the seconds."""
    lines = (Path(spec.out) / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingSpec, TrainingResult]:
    spec = make_spec(tmp_path_factory.mktemp("finished"))
    return spec, SubprocessTrainer().train(spec)


# a whole run


def test_a_run_lowers_the_loss_and_every_step_has_a_gradient(finished: tuple[TrainingSpec, TrainingResult]) -> None:
    spec, result = finished
    log = read_log(spec)
    losses = [line["loss"] for line in log]
    assert len(losses) == result.steps == 20
    assert sum(losses[-5:]) < sum(losses[:5]) - 0.5
    assert result.last_loss < result.first_loss
    assert result.min_grad_norm == min(line["grad_norm"] for line in log) > 0
    assert result.num_tokens == sum(line["labelled"] for line in log)
    assert None not in (result.plan_loss, result.prose_loss)


def test_a_finished_run_is_returned_and_not_made_again(finished: tuple[TrainingSpec, TrainingResult]) -> None:
    spec, result = finished
    no_python = spec.settings.model_copy(update={"python": "/no/such/interpreter"})
    assert SubprocessTrainer().train(spec.model_copy(update={"settings": no_python})) == result
    assert main([spec.out]) == 0
    assert len(read_log(spec)) == 20


def test_the_adapter_of_a_random_model_can_be_loaded_again(finished: tuple[TrainingSpec, TrainingResult]) -> None:
    _, result = finished
    assert sorted(path.name for path in Path(result.adapter).glob("adapter_*")) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    model = AutoPeftModelForCausalLM.from_pretrained(result.adapter, local_files_only=True)
    sample = render_sample(make_row(0, 40), TOKENIZER)
    ids = torch.from_numpy(sample.ids_T)[None]
    with torch.no_grad():
        learnt = model(input_ids=ids, labels=ids).loss
        with model.disable_adapter():
            before = model(input_ids=ids, labels=ids).loss
    assert learnt < before


# stop and go


def test_a_run_killed_in_the_middle_goes_on_and_ends_bit_equal(tmp_path: Path) -> None:
    whole, killed = make_spec(tmp_path, "whole", steps=40), make_spec(tmp_path, "killed", steps=40)
    SubprocessTrainer().train(whole)
    process = start(killed)
    while process.poll() is None and not _has_steps(killed, 10):
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (Path(killed.out) / "result.json").exists()
    result = SubprocessTrainer().train(killed)
    assert result.steps == 40
    assert read_log(killed) == read_log(whole)
    adapter = "adapter/adapter_model.safetensors"
    assert (Path(killed.out) / adapter).read_bytes() == (Path(whole.out) / adapter).read_bytes()


def _has_steps(spec: TrainingSpec, num_steps: int) -> bool:
    log = Path(spec.out) / "log.jsonl"
    return log.is_file() and log.read_bytes().count(b"\n") >= num_steps


def test_a_checkpoint_of_another_run_is_not_gone_on_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = make_spec(tmp_path, steps=2)
    for run_id in ("r1", "r2"):
        other = spec.model_copy(update={"run_id": run_id})
        Path(spec.out).mkdir(exist_ok=True)
        (Path(spec.out) / "run.json").write_bytes(other.to_json())
        assert main([spec.out]) == 0
        assert [line["step"] for line in read_log(spec)] == [1, 2]
    assert capsys.readouterr().err == ""


# packed equals unpacked

SHAPE: dict[str, Any] = {
    "vocab_size": TOKENIZER.num_vocab,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "initializer_range": 0.2,
}
ARCHITECTURES: dict[str, Callable[[], PretrainedConfig]] = {
    "llama": lambda: LlamaConfig(**SHAPE),
    "mistral": lambda: MistralConfig(sliding_window=None, **SHAPE),
    "qwen3": lambda: Qwen3Config(**SHAPE),
}


def make_adapted(config: PretrainedConfig, attention: str) -> PeftModel:
    """A model with LoRA matrices that are none of them zero."""
    torch.manual_seed(5)
    model = AutoModelForCausalLM.from_config(config, attn_implementation=attention, dtype=torch.float32)
    return get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))


def base_of(model: PeftModel) -> PreTrainedModel:
    base = model.get_base_model()
    assert isinstance(base, PreTrainedModel)
    return base


def gradients(model: PeftModel) -> dict[str, torch.Tensor]:
    return {name: part.grad for name, part in model.named_parameters() if part.grad is not None}


def unpacked_loss(model: PeftModel, samples: list[Sample]) -> torch.Tensor:
    """Weighted mean over the tokens of samples that are seen one at a time, with whole logits."""
    total, weight = torch.zeros(()), 0.0
    for sample in samples:
        ids = torch.from_numpy(sample.ids_T)
        weights = torch.from_numpy(sample.weights_T)[1:]
        logits = model(input_ids=ids[None], use_cache=False).logits[0, :-1]
        total = total + (F.cross_entropy(logits, ids[1:], reduction="none") * weights).sum()
        weight += float(weights.sum())
    return total / weight


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_packed_equals_unpacked_in_loss_and_gradient(architecture: str) -> None:
    register_packed_attention()
    samples = [render_sample(make_row(number, 30 + 20 * number), TOKENIZER) for number in range(4)]
    packed = make_adapted(ARCHITECTURES[architecture](), PACKED)
    one_by_one = make_adapted(ARCHITECTURES[architecture](), "eager")
    losses = compute_losses(base_of(packed), pack_row(samples, torch.device("cpu")))
    expected = unpacked_loss(one_by_one, samples)
    losses.loss.backward()
    expected.backward()
    assert losses.loss.item() == pytest.approx(expected.item(), abs=1e-5)
    theirs = gradients(one_by_one)
    assert len(theirs) == 8
    for name, gradient in gradients(packed).items():
        assert gradient.abs().max() > 0
        torch.testing.assert_close(gradient, theirs[name], atol=1e-5, rtol=0)


def test_losses_of_plan_and_prose_tokens_are_told_apart() -> None:
    register_packed_attention()
    sample = render_sample(make_row(1, 50), TOKENIZER)
    model = make_adapted(LlamaConfig(**SHAPE), PACKED)
    losses = compute_losses(base_of(model), pack_row([sample], torch.device("cpu")))
    num_prose = int((sample.prose_T & (sample.weights_T > 0)).sum())
    num_plan = losses.num_labelled - num_prose
    assert losses.plan is not None
    assert losses.prose is not None
    mean = (losses.plan * num_plan + losses.prose * num_prose) / losses.num_labelled
    assert mean == pytest.approx(losses.loss.item(), abs=1e-5)


def test_the_test_data_set_packs_several_rows_into_a_step() -> None:
    lengths = [make_row(number, 40 + 30 * (number % 5))["num_tokens"] for number in range(12)]
    assert len(pack_samples(lengths, 512)) < 6


# a local model


def write_local_model(folder: Path, config: PretrainedConfig) -> str:
    disable_progress_bar()
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    return str(folder)


def run_here(spec: TrainingSpec) -> TrainingResult:
    Path(spec.out).mkdir(exist_ok=True)
    (Path(spec.out) / "run.json").write_bytes(spec.to_json())
    return run_job(Path(spec.out))


@pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`:UserWarning")  # what this test wants of peft
def test_a_local_model_is_trained_and_grows_where_control_tokens_are_missing(tmp_path: Path) -> None:
    num_vocab = TOKENIZER.num_vocab - 3
    model = write_local_model(tmp_path / "base", Qwen3Config(**(SHAPE | {"vocab_size": num_vocab})))
    result = run_here(make_spec(tmp_path, model=model, steps=2))
    config = json.loads((Path(result.adapter) / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == model
    weights = load_file(Path(result.adapter) / "adapter_model.safetensors")
    assert [len(part) for name, part in weights.items() if "embed_tokens" in name] == [TOKENIZER.num_vocab]


def test_a_run_that_lost_its_result_is_ended_from_its_last_checkpoint(tmp_path: Path) -> None:
    spec = make_spec(tmp_path, steps=3)
    first, log = run_here(spec), read_log(spec)
    (Path(spec.out) / "result.json").unlink()
    assert run_here(spec) == first
    assert read_log(spec) == log


# bad input: one line each, exit code 1, no result


def fail(spec: TrainingSpec, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a job that must fail, and return the one line it said."""
    Path(spec.out).mkdir()
    (Path(spec.out) / "run.json").write_bytes(spec.to_json())
    capsys.readouterr()
    assert main([spec.out]) == 1
    assert not (Path(spec.out) / "result.json").exists()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


BAD_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "no row is short enough": ({"max_tokens": 64}, "no row to train on"),
    "no such layer": ({"lora_targets": ("nowhere",)}, "train.lora_targets nowhere"),
    "the head": ({"lora_targets": ("lm_head",)}, "the head itself cannot be adapted"),
    "no such model": ({"model": "/no/such/model"}, "train.model /no/such/model: no folder of a Hugging Face model"),
    "a rate that explodes": (
        {"learning_rate": 1e30, "warmup_steps": 0},
        "step 2: the gradient norm is nan; lower train.learning_rate",
    ),
    "all dropped": ({"lora_dropout": 0.999999999}, "step 1: the gradient norm is 0; nothing can be learnt"),
}


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_a_bad_setting_is_one_clear_line(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes, message = BAD_SETTINGS[case]
    assert message in fail(make_spec(tmp_path, **changes), capsys)


def test_untrainable_rows_are_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "marked trainable=false" in fail(make_spec(tmp_path, trainable=False), capsys)


def test_a_tokenizer_that_changed_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = make_spec(tmp_path)
    changed = spec.data.model_copy(update={"tokenizer_sha256": "0" * 64})
    assert "tokenizer samples: its sha256 is" in fail(spec.model_copy(update={"data": changed}), capsys)


def test_a_model_with_another_tokenizer_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = write_local_model(tmp_path / "base", Qwen3Config(**SHAPE))
    alphabet = {char: place for place, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    own = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    own.save(f"{model}/tokenizer.json")
    assert "its tokenizer is not samples, which counted the rows" in fail(make_spec(tmp_path, model=model), capsys)


def test_a_folder_that_is_no_whole_model_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    assert "cannot be loaded" in fail(make_spec(tmp_path, model=str(tmp_path / "base")), capsys)


REFUSED_MODELS: dict[str, tuple[Callable[[], PretrainedConfig], str]] = {
    "a head with bias": (
        lambda: PhiConfig(**{name: value for name, value in SHAPE.items() if name != "head_dim"}),
        "its head is not one plain matrix",
    ),
    "a window": (lambda: MistralConfig(sliding_window=8, **SHAPE), "its attention uses sliding_window"),
}


@pytest.mark.parametrize("case", REFUSED_MODELS)
def test_a_model_that_packed_training_cannot_train_is_one_clear_line(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, message = REFUSED_MODELS[case]
    model = write_local_model(tmp_path / "base", config())
    assert message in fail(make_spec(tmp_path, model=model), capsys)


def test_a_job_without_a_folder_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert capsys.readouterr().err == "give the folder of one run: python -m tasks.training.job RUN_DIR\n"


@pytest.mark.parametrize(("content", "message"), [(None, "no run.json in it"), ('{"run_id": 1}', "run.json: run_id: ")])
def test_a_bad_run_file_is_one_clear_line(
    content: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    assert message in capsys.readouterr().err


# the trainer


def test_a_failed_job_is_an_error_with_the_last_line_it_said(tmp_path: Path) -> None:
    with pytest.raises(
        PipelineError, match=r"training r1 failed \(exit code 1\): trajectory 0-a is marked trainable=false"
    ):
        SubprocessTrainer().train(make_spec(tmp_path, trainable=False))


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"ended after 0\.2 s \(train\.timeout_s\)"):
        SubprocessTrainer().train(make_spec(tmp_path, timeout_s=0.2))


def test_a_missing_interpreter_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="/no/such/python: No such file"):
        SubprocessTrainer().train(make_spec(tmp_path, python="/no/such/python"))


def test_a_broken_result_is_one_clear_line(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    Path(spec.out).mkdir()
    (Path(spec.out) / "result.json").write_text("{}", encoding="utf-8")
    with pytest.raises(PipelineError, match=r"result\.json: not a training result"):
        SubprocessTrainer().train(spec)
