"""Chat templates in the forms of the known families, a byte-level tokenizer for them, and rows of every layout."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from schemas.settings import ComposeSettings
from schemas.trajectories import Stage
from tasks.grammar.sequence import messages
from tasks.tables import trajectory_row
from tests.compositions import TWO_CHAPTERS, compose
from tests.scaffolds import SENTENCES, make_book, write_paragraphs


class Family(NamedTuple):
    """What a family of models writes around a user's turn and its own; `{}` is the content."""

    user: tuple[str, str]
    assistant: str
    end: str  # of an assistant's turn: one special token
    after: str = ""  # what stands behind it in any case


FAMILIES = {
    "chatml": Family(("<|im_start|>user\n", "<|im_end|>\n"), "<|im_start|>assistant\n", "<|im_end|>", "\n"),
    "llama": Family(
        ("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|eot_id|>",
    ),
    "mistral": Family(("[INST]", "[/INST]"), "", "</s>"),
    "gemma": Family(("<start_of_turn>user\n", "<end_of_turn>\n"), "<start_of_turn>model\n", "<end_of_turn>", "\n"),
    "phi": Family(("<|user|>\n", "<|end|>\n"), "<|assistant|>\n", "<|end|>", "\n"),
}
SPECIAL = [
    *("<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "[INST]", "[/INST]"),
    *("</s>", "<start_of_turn>", "<end_of_turn>", "<|user|>", "<|assistant|>", "<|end|>"),
]


def write_template(family: Family, marked_end: str = "", said: str = "{{ m['content'] }}", lead: str = "") -> str:
    """Return a template with markers around what an assistant says.

    Args:
        family: its form.
        marked_end: what of the turn's end stands within the markers: '', `end`, or `end + after`.
        said: how the content is written.
        lead: what stands before it, within the markers.
    """
    rest = (family.end + family.after).removeprefix(marked_end)
    user = f"{{{{ {family.user[0]!r} + m['content'] + {family.user[1]!r} }}}}"
    answer = f"{{% generation %}}{{{{ {lead!r} }}}}{said}{{{{ {marked_end!r} }}}}{{% endgeneration %}}"
    assistant = f"{{{{ {family.assistant!r} }}}}{answer}{{{{ {rest!r} }}}}"
    turn = f"{{% if m['role'] == 'assistant' %}}{assistant}{{% else %}}{user}{{% endif %}}"
    return f"{{% for m in messages %}}{turn}{{% endfor %}}"


@cache
def make_tokenizer(*, trims_offsets: bool = False) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE that knows the families' special tokens, learnt from a few invented sentences."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.post_processor = processors.ByteLevel(trim_offsets=trims_offsets)
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        show_progress=False,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    bpe.train_from_iterator(
        [*SENTENCES, "### Chapter 1\n```\n", "**Word Count:** 300", "an island — a café"] * 4, trainer
    )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, extra_special_tokens=SPECIAL, eos_token="<|im_end|>")


def make_pair(layout: str, role: str, prompt: str, text: str, loss: float = 1.0) -> dict[str, Any]:
    """Return what masks need of a row of a layout of pairs."""
    stages = (
        Stage(role="prompt", text=prompt, loss=0.0, num_tokens=0),
        Stage(role=role, text=text, loss=loss, num_tokens=0, start=0, end=len(text)),
    )
    return {
        "trajectory_id": layout,
        "layout": layout,
        "stages": [stage.model_dump() for stage in stages],
        "messages": messages(stages),
    }


@cache
def rows_of_every_layout() -> tuple[dict[str, Any], ...]:
    """Return rows of books, as composed, and of pairs; their weights are not 0 and 1 alone."""
    settings = ComposeSettings(windows=(2_048,), plan_loss=0.1, role_loss={"scene_breakdown": 0.5, "book_plan": 0.0})
    chapters = [*TWO_CHAPTERS, [write_paragraphs(900)], [["Señora Añil — “yes” — went home.\n  Indented, she went."]]]
    rows = [trajectory_row(row) for row in compose(*make_book(chapters), settings).rows]
    text = "She kept the lamp, and café owners blessed her: 燈."
    return (
        *rows,
        make_pair("outline-to-text", "passage", "Write from this outline:\n- A lamp.", f"  {text}"),
        make_pair("outline-to-text", "passage", "[INST] not a marker", f" [/INST] {text}", 0.25),
        make_pair("tagged-story", "story", f"[ WP ] {text}", text),
        make_pair("title-to-story", "story", "The Lamp", f"{text}\n\n{text}"),
    )
