"""What the card shows is run as it stands, on the data set that it describes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tasks.backends.stores import LocalStore
from tasks.shard import read_head

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = (
    "{% for turn in messages %}<|start_header_id|>{{ turn['role'] }}<|stop_header_id|>\n\n"
    "{% if turn['role'] == 'assistant' %}{% generation %}{{ turn['content'] }}<|eot_id|>{% endgeneration %}"
    "{% else %}{{ turn['content'] }}<|eot_id|>{% endif %}{% endfor %}"
)
MAKE_MODEL = """
import json, pathlib, sys
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed
from transformers.convert_slow_tokenizer import TikTokenConverter

samples, folder, template = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
sidecar = json.loads((samples / "vocabulary.json").read_text())
converter = TikTokenConverter(
    vocab_file=str(samples / "vocabulary.tiktoken"),
    pattern=sidecar["pattern"],
    extra_special_tokens=list(sidecar["special_tokens"]),
)
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=converter.converted(), eos_token="<|eot_id|>", pad_token="<|eot_id|>", chat_template=template
)
tokenizer.save_pretrained(folder)
set_seed(0)
LlamaForCausalLM(
    LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=16_384, eos_token_id=tokenizer.eos_token_id,
    )
).save_pretrained(folder)
"""


@pytest.fixture(scope="module")
def home(built, tmp_path_factory):
    """A copy of the data set: trainers write beside what they read."""
    folder = tmp_path_factory.mktemp("card") / "data"
    shutil.copytree(built, folder, ignore=shutil.ignore_patterns("work"))
    return folder


@pytest.fixture(scope="module")
def snippets(home):
    """The code blocks of the card, by a word that stands in one of them only."""
    blocks = re.findall(r"(?ms)^```(?:python|yaml|json)\n(.*?)\n```$", (home / "README.md").read_text(encoding="utf-8"))

    def find(word):
        (found,) = [block for block in blocks if word in block]
        return found

    return find


@pytest.fixture(scope="module")
def model(home):
    run(MAKE_MODEL, home, str(ROOT / "samples"), str(home / "model"), TEMPLATE)
    return home / "model"


def run(code, folder, *arguments):
    """Run a snippet as a user does, from a file and without a network; what it prints."""
    names = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "DO_NOT_TRACK", "AXOLOTL_DO_NOT_TRACK")
    offline = dict.fromkeys((*names, "DISABLE_VERSION_CHECK"), "1")  # LLaMA-Factory asks for an older transformers
    env = {**os.environ, **offline, "HF_HOME": str(folder / "cache"), "CUDA_VISIBLE_DEVICES": ""}
    (folder / "snippet.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "snippet.py", *arguments]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


def test_datasets_loads_every_table_by_the_card_with_the_rows_of_the_manifest(home):
    code = """
import json, pathlib
from datasets import load_dataset
folder = str(pathlib.Path.cwd())
counts = {}
for name in ("trajectories", "books"):
    for split, rows in load_dataset(folder, name).items():
        counts[f"{name} {split}"] = [len(rows), rows.column_names]
assert load_dataset(folder)["train"].num_rows == counts["trajectories train"][0]
print(json.dumps(counts))
"""
    counts = json.loads(run(code, home).splitlines()[-1])
    manifest = read_head(LocalStore(home))
    rows = {"trajectories train": 0, "books train": 0}
    for shard in manifest.shards:
        rows[f"{shard.kind} {shard.split or 'train'}"] += shard.rows
    assert {name: number for name, (number, _) in counts.items()} == rows
    assert counts["trajectories train"][1][:3] == ["trajectory_id", "book_id", "layout"]


def test_datasets_reads_shards_that_are_older_than_a_column_with_nulls_in_it(home, tmp_path):
    folder = tmp_path / "older"
    shutil.copytree(home, folder, ignore=shutil.ignore_patterns("cache"))
    path = sorted(folder.glob("data/books/*.parquet"))[0]
    pq.write_table(pq.read_table(path).drop_columns(["death_year", "kind"]), path)
    code = """
import pathlib
from datasets import load_dataset
rows = load_dataset(str(pathlib.Path.cwd()), "books", split="train")
print(len(rows), list(rows["kind"]).count(None), list(rows["kind"]).count("book"))
"""
    assert run(code, folder).splitlines()[-1] == "3 1 2"


def test_the_snippets_for_readers_print_what_is_there(home, snippets):
    assert "['user', 'assistant'" in run(snippets('load_dataset(FOLDER, "books"'), home)
    printed = run(snippets("duckdb"), home)
    assert "chapter-window" in printed
    assert "'top-water', 'Top Water'" in printed


def test_trl_trains_on_the_snippet_and_cuts_no_row(home, snippets, model):
    code = snippets("SFTTrainer")
    assert code.count("num_train_epochs=1") == 1
    code = code.replace("num_train_epochs=1", "max_steps=2, use_cpu=True, report_to='none'")
    printed = run(
        f"""{code}
import json
lengths = [len(one["input_ids"]) for one in trainer.train_dataset]
learnt = [sum(label != -100 for label in one["labels"]) for one in trainer.train_dataset]
told = sum(len(tokenizer(turn["content"] + "<|eot_id|>")["input_ids"])
           for turns in rows["messages"] for turn in turns if turn["role"] == "assistant")
print(json.dumps([longest, max(lengths), sum(learnt), told, trainer.state.global_step]))
""",
        home,
    )
    longest, kept, learnt, told, steps = json.loads(printed.splitlines()[-1])
    assert longest == kept > 1_024
    assert learnt == told > 0
    assert steps == 2


LOAD_AXOLOTL = """
import json, sys, yaml
from transformers import AutoTokenizer
from axolotl.utils.data.sft import _load_raw_datasets
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.config import AxolotlInputConfig
from axolotl.utils.schemas.datasets import SFTDataset

if __name__ == "__main__":
    settings = yaml.safe_load(open("axolotl.yaml"))
    assert set(settings) <= set(AxolotlInputConfig.model_fields)
    assert set(settings["datasets"][0]) <= set(SFTDataset.model_fields)
    cfg = DictDefault({**settings, "dataset_num_proc": 1, "seed": 0})
    rows, _ = _load_raw_datasets(cfg, cfg.datasets, AutoTokenizer.from_pretrained(cfg.base_model), "train")
    learnt = [label for labels in rows["labels"] for label in labels if label != -100]
    print(json.dumps([len(rows), max(len(ids) for ids in rows["input_ids"]), len(learnt)]))
"""
LOAD_LLAMAFACTORY = """
import json, yaml
from transformers import AutoTokenizer
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args

settings = yaml.safe_load(open("llamafactory.yaml"))
model, data, training, _, _ = get_train_args({**settings, "use_cpu": True, "bf16": False, "report_to": "none"})
tokenizer = AutoTokenizer.from_pretrained(model.model_name_or_path)
template = get_template_and_fix_tokenizer(tokenizer, data)
rows = get_dataset(template, model, data, training, stage="sft", tokenizer=tokenizer)["train_dataset"]
learnt = [label for labels in rows["labels"] for label in labels if label != -100]
print()
print(json.dumps([len(rows), max(len(ids) for ids in rows["input_ids"]), len(learnt)]))
"""


@pytest.fixture(scope="module")
def rung(home, snippets):
    """The rows that the snippet takes out for trainers that do not filter."""
    run(snippets("write_parquet"), home)
    return home / yaml.safe_load(snippets("base_model"))["datasets"][0]["path"]


def test_the_rung_that_is_taken_out_holds_its_rows_and_no_other(home, rung):
    rows = pq.read_table(rung).to_pylist()
    manifest = read_head(LocalStore(home))
    assert len(rows) == sum(
        shard.counts.get("rung:chapter-window:8192", {}).get("rows", 0) for shard in manifest.shards
    )
    assert all(":chapter-window-8k:" in row["trajectory_id"] for row in rows)
    assert all([turn["role"] for turn in row["messages"]][:2] == ["user", "assistant"] for row in rows)


def test_croissant_is_valid_and_leads_to_the_rows(home):
    code = """
import json
import mlcroissant
found = mlcroissant.Dataset("croissant.json")
assert found.metadata.issues.report() == "", found.metadata.issues.report()
rows = list(found.records("trajectories"))
first = rows[0]["trajectories/messages"][0]
print(json.dumps([len(rows), sum(1 for _ in found.records("books")), sorted(first)]))
"""
    manifest = read_head(LocalStore(home))
    rows = [sum(one.rows for one in manifest.shards if one.kind == kind) for kind in ("trajectories", "books")]
    assert json.loads(run(code, home).splitlines()[-1]) == [
        *rows,
        ["trajectories/messages.content", "trajectories/messages.role"],
    ]


@pytest.fixture(scope="module")
def told(home, rung, model):
    """Rows, and tokens of what the assistant says: what every trainer must come to, but for marks of its template."""
    code = """
import json, pyarrow.parquet as pq, sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("model")
rows = pq.read_table(sys.argv[1]).column("messages").to_pylist()
said = [turn["content"] for turns in rows for turn in turns if turn["role"] == "assistant"]
print(json.dumps([len(rows), sum(len(tokenizer(text)["input_ids"]) for text in said), len(said)]))
"""
    return json.loads(run(code, home, str(rung)).splitlines()[-1])


@pytest.mark.skipif(find_spec("axolotl") is None, reason="axolotl is not installed: its loader is not run")
def test_axolotl_loads_the_rung_by_its_snippet_and_learns_what_the_assistant_says(home, snippets, told):
    (home / "axolotl.yaml").write_text(snippets("base_model"))
    num_rows, longest, learnt = json.loads(run(LOAD_AXOLOTL, home).splitlines()[-1])
    assert num_rows == told[0]
    assert 1_024 < longest <= 9_216
    assert told[1] <= learnt <= told[1] + 2 * told[2]


@pytest.mark.skipif(find_spec("llamafactory") is None, reason="llamafactory is not installed: its loader is not run")
def test_llamafactory_loads_the_rung_by_its_snippet_and_learns_what_the_assistant_says(home, snippets, told):
    (home / "dataset_info.json").write_text(snippets("file_name"))
    (home / "llamafactory.yaml").write_text(snippets("cutoff_len"))
    num_rows, longest, learnt = json.loads(run(LOAD_LLAMAFACTORY, home).splitlines()[-1])
    assert num_rows == told[0]
    assert 1_024 < longest < 9_216
    marks = 20  # <|im_end|> and the like, which are no tokens of the small vocabulary but spelled out
    assert told[1] <= learnt <= told[1] + marks * told[2]


def test_the_settings_for_axolotl_and_llamafactory_name_what_is_there(rung, snippets):
    axolotl, names = yaml.safe_load(snippets("base_model")), json.loads(snippets("file_name"))["scriptorium"]
    settings = yaml.safe_load(snippets("cutoff_len"))
    assert axolotl["datasets"][0]["path"] == names["file_name"] == rung.name
    assert axolotl["sequence_len"] == settings["cutoff_len"] == 9_216
    assert names["formatting"] == "sharegpt"
    assert set(names["tags"]) == {"role_tag", "content_tag", "user_tag", "assistant_tag", "system_tag"}
