"""The last flow: a data set on, through the file contract, to a training job."""

from __future__ import annotations

import json
import shutil

import pytest

from flows.finetune import find_training, training_spec
from schemas.errors import ConfigError
from schemas.settings import Settings, TokenSettings, TrainSettings
from tests.integration.conftest import ROOT

SHORT = TrainSettings(allow_untrainable=True, steps=2)


@pytest.fixture(scope="module")
def other_vocabulary(tmp_path_factory):
    """A vocabulary that lacks the last rank of the samples' one."""
    folder = tmp_path_factory.mktemp("vocabulary")
    lines = (ROOT / "samples" / "vocabulary.tiktoken").read_bytes().splitlines()[:-1]
    (folder / "other.tiktoken").write_bytes(b"\n".join(lines) + b"\n")
    shutil.copy(ROOT / "samples" / "vocabulary.json", folder / "other.json")
    return folder / "other.tiktoken"


def profile(tmp_path):
    path = tmp_path / "short.toml"
    path.write_text("[train]\nallow_untrainable = true\nsteps = 2\n")
    return str(path)


def test_a_spec_names_every_file_of_the_training_split(built):
    spec = training_spec(Settings(out=str(built), train=SHORT))
    assert all((built / file).is_file() for file in spec.data.files)
    assert spec.data.manifest == 1
    assert find_training(Settings(out=str(built), train=SHORT.model_copy(update={"seed": 9}))) is None


def test_another_tokenizer_than_the_one_that_counted_is_refused(built, other_vocabulary):
    settings = Settings(out=str(built), train=SHORT, tokens=TokenSettings(trainee=str(other_vocabulary)))
    with pytest.raises(ConfigError, match="were counted with samples"):
        training_spec(settings)


def test_a_data_set_is_trained_on_with_its_own_tokenizer_and_not_twice(cli, other_vocabulary, tmp_path):
    out = tmp_path / "out"
    options = ["--books", "top-water", "--trainee-tokenizer", str(other_vocabulary)]
    assert cli("build", "--out", str(out), *options).returncode == 0
    first = cli("finetune", str(out), "--profile", profile(tmp_path), "--json")
    assert first.returncode == 0, first.stderr
    result = json.loads(first.stdout)
    assert result["min_grad_norm"] > 0
    assert (out / "training" / result["run_id"] / "adapter" / "adapter_config.json").is_file()
    written = (out / "training" / result["run_id"] / "result.json").stat().st_mtime_ns
    second = cli("finetune", str(out), "--profile", profile(tmp_path), "--json")
    assert json.loads(second.stdout) == result
    assert (out / "training" / result["run_id"] / "result.json").stat().st_mtime_ns == written


def test_rows_that_quote_the_prose_are_refused_in_one_line(built, cli, tmp_path):
    shutil.copytree(built, tmp_path / "copy", ignore=shutil.ignore_patterns("work"))
    done = cli("finetune", str(tmp_path / "copy"))
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("scriptorium: training ")
    assert "train.allow_untrainable" in last
    assert "Traceback" not in done.stderr
