"""Texts -> a folder with a tiny language model of random weights, for a real server on a CPU.

Run by the server's interpreter: `python tiny_model.py OUT TEXT...`. A Qwen3 of two layers, half a million
parameters but for its vocabulary, with a byte-level BPE trained on the texts. Equal texts give equal models.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

VOCABULARY = 4_096
HIDDEN = 128
HEAD_DIM = 64  # the smallest that vLLM's attention on a CPU takes
MAX_POSITION = 32_768
END_BIAS = 3.5  # logit bonus of what ends a string, a list or an answer: a string then has about ten tokens
LOGIT_SPREAD = 1.5
NEVER = -30.0
CHAT_TEMPLATE = (
    "{%- for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}"
)


def train_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE with a chat template."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        model_max_length=MAX_POSITION,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def bias_of(token: int, tokenizer: PreTrainedTokenizerFast) -> float:
    """Return the logit bonus of a token: none that breaks JSON or UTF-8, more of what ends things."""
    text = tokenizer.decode([token]) if token < len(tokenizer) else "\x00"
    if token == tokenizer.eos_token_id or '"' in text or text in ("]", "}"):
        return END_BIAS
    broken = "\ufffd" in text or any(ord(char) < 32 for char in text)
    return NEVER if broken or token in tokenizer.all_special_ids else 0.0


def make_model(tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    """Return a model with random weights whose first hidden unit is constant.

    No layer writes to that unit, so the first column of `lm_head` is a bias of each token.
    """
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        intermediate_size=3 * HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=HEAD_DIM,
        max_position_embeddings=MAX_POSITION,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen3ForCausalLM(config)
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 0] = 2.0
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight[0].zero_()
            layer.mlp.down_proj.weight[0].zero_()
        constant = model.model(torch.arange(1_000)[None]).last_hidden_state[..., 0].mean()
        model.lm_head.weight.normal_(0, LOGIT_SPREAD / HIDDEN**0.5)
        biases = [bias_of(token, tokenizer) for token in range(VOCABULARY)]
        model.lm_head.weight[:, 0] = torch.tensor(biases) / constant
    return model.to(torch.bfloat16)


def main() -> None:
    """Write model, tokenizer and generation settings to the folder."""
    out, *texts = (Path(argument) for argument in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer([text.read_text(encoding="utf-8-sig") for text in texts])
    tokenizer.save_pretrained(out)
    make_model(tokenizer).save_pretrained(out)
    GenerationConfig(eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id).save_pretrained(out)


if __name__ == "__main__":
    main()
