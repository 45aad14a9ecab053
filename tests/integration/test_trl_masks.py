"""What TRL's own trainer would learn from our rows: the tokens that the stages say, and no other."""

from __future__ import annotations

from copy import deepcopy

import pytest
from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM
from trl import SFTConfig, SFTTrainer

from tasks.training.masks import compare_masks, weigh_tokens
from tests.chats import FAMILIES, make_tokenizer, rows_of_every_layout, write_template

pytestmark = pytest.mark.filterwarnings(  # of the libraries to each other
    "ignore:`gradient_checkpointing` is deprecated:FutureWarning"
)


def prepare(tmp_path, template):
    """The rows as TRL's trainer has tokenised them."""
    tokenizer = deepcopy(make_tokenizer())
    tokenizer.chat_template = template
    tokenizer.pad_token = "</s>"
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16_384,
    )
    options = SFTConfig(
        output_dir=str(tmp_path), assistant_only_loss=True, max_length=None, report_to="none", use_cpu=True, bf16=False
    )
    rows = Dataset.from_list([{"messages": row["messages"]} for row in rows_of_every_layout()])
    trainer = SFTTrainer(LlamaForCausalLM(config), options, train_dataset=rows, processing_class=tokenizer)
    return tokenizer, trainer


@pytest.mark.parametrize("end", ["", "<|im_end|>"])
def test_trl_labels_the_tokens_that_the_stages_say(tmp_path, end):
    template = write_template(FAMILIES["chatml"], end)
    tokenizer, trainer = prepare(tmp_path, template)
    taught = list(trainer.train_dataset)
    assert len(taught) == len(rows_of_every_layout())
    for row, theirs in zip(rows_of_every_layout(), taught, strict=True):
        ids, weights = weigh_tokens(row, tokenizer)
        assert compare_masks(row, tokenizer).agrees
        assert theirs["input_ids"] == ids
        marked = [token for token, label in enumerate(theirs["labels"]) if label != -100]
        own = [token for token, weight in enumerate(weights) if weight]
        ends = [token + 1 for token in own if end and not weights[token + 1]]
        assert marked == sorted([*own, *ends])
        assert {ids[token] for token in ends} <= {tokenizer.convert_tokens_to_ids("<|im_end|>")}
        collated = trainer.data_collator([theirs])["labels"][0].tolist()
        assert [token for token, label in enumerate(collated) if label != -100] == marked
