"""TrainSettings -> model: a tiny random Llama or a local Hugging Face folder, with LoRA matrices to train."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedModel
from transformers.utils.logging import disable_progress_bar

from schemas.errors import ConfigError
from schemas.settings import TrainSettings
from tasks.backends.tokenizers import TiktokenTokenizer, open_tokenizer
from tasks.training.attention import PACKED, register_packed_attention

RANDOM = "random"


def open_model(settings: TrainSettings, tokenizer: TiktokenTokenizer, base: Path) -> PeftModel:
    """Return the model to be trained, its random parts drawn from the seed; a random base is kept in `base`."""
    register_packed_attention()
    disable_progress_bar()  # what the job says is kept in a file
    torch.manual_seed(settings.seed)
    if settings.model == RANDOM:
        model = make_random_model(tokenizer.num_vocab, settings.max_tokens)
        model.save_pretrained(base)
    else:
        base = Path(settings.model).resolve()
        model = load_local_model(base, tokenizer)
    return add_lora(model, settings, base)


def make_random_model(num_vocab: int, num_positions: int) -> PreTrainedModel:
    """Return a Llama small enough to learn on a CPU for demonstrations."""
    config = LlamaConfig(
        vocab_size=num_vocab,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=num_positions,
        bos_token_id=None,
        eos_token_id=num_vocab - 1,
        initializer_range=0.2,  # ten times the usual: frozen weights must say something for LoRA to correct
        tie_word_embeddings=False,
    )
    model = AutoModelForCausalLM.from_config(config, attn_implementation=PACKED, dtype=_dtype())
    return cast(PreTrainedModel, model)


def load_local_model(folder: Path, tokenizer: TiktokenTokenizer) -> PreTrainedModel:
    """Load a model from a folder, never from a network; ConfigError where it does not fit the tokenizer or the loss."""
    if not (folder / "config.json").is_file():
        raise ConfigError(f"train.model {folder}: no folder of a Hugging Face model (no config.json in it)")
    own = folder / "tokenizer.json"
    if own.is_file() and open_tokenizer(str(own)).sha256 != tokenizer.sha256:
        raise ConfigError(
            f"train.model {folder}: its tokenizer is not {tokenizer.name}, which counted the rows; "
            f"build the data set with tokens.trainee = {own}"
        )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, attn_implementation=PACKED, dtype=_dtype()
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"train.model {folder}: cannot be loaded: {str(error).splitlines()[0]}") from error
    head = model.get_output_embeddings()
    reshaping = [
        name
        for name in ("final_logit_softcapping", "logits_scaling", "logit_scale")
        if getattr(model.config, name, None) not in (None, 1.0)
    ]
    if head is None or getattr(head, "bias", None) is not None or reshaping:
        raise ConfigError(f"train.model {folder}: its head is not one plain matrix, which packed training needs")
    if head.weight.shape[0] < tokenizer.num_vocab:
        model.resize_token_embeddings(tokenizer.num_vocab)
    return model


def add_lora(model: PreTrainedModel, settings: TrainSettings, base: Path) -> PeftModel:
    """Freeze the model and put LoRA matrices beside the layers named in the settings."""
    model.name_or_path = str(base)  # what the adapter will say that it belongs to
    config = LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=sorted(settings.lora_targets),
        task_type="CAUSAL_LM",
    )
    try:
        adapted = get_peft_model(model, config)
    except ValueError as error:
        raise ConfigError(
            f"train.lora_targets {', '.join(settings.lora_targets)}: {str(error).splitlines()[0]}"
        ) from error
    if not isinstance(model.get_output_embeddings(), torch.nn.Linear):
        raise ConfigError("train.lora_targets: the head itself cannot be adapted")
    return adapted


def _dtype() -> torch.dtype:
    """Return the type of frozen weights: flash attention takes none of 32 bits; LoRA matrices have 32 everywhere."""
    return torch.bfloat16 if torch.cuda.is_available() else torch.float32
