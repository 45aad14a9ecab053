"""Packed attention: documents in one row that do not see each other, for every model of transformers.

B rows (always 1), H heads, T tokens, D dimensions of a head.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch.nn.attention.varlen import varlen_attn
from transformers import AttentionInterface, AttentionMaskInterface

from schemas.errors import ConfigError

PACKED = "packed"
# what some models ask of attention and this one does not do: windows, capped logits, sinks
_UNSUPPORTED = ("sliding_window", "softcap", "s_aux")


def packed_attention(  # noqa: PLR0913 (the signature is transformers')
    module: torch.nn.Module,
    query_BHTD: torch.Tensor,
    key_BHTD: torch.Tensor,
    value_BHTD: torch.Tensor,
    attention_mask: None,
    scaling: float | None = None,
    dropout: float = 0.0,
    *,
    document_ends: torch.Tensor,
    longest_document: int,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Attend causally within each document of a packed row; return [B, T, H, D] and no weights.

    Args:
        module: the layer; unused.
        query_BHTD: queries.
        key_BHTD: keys, of as many heads or fewer.
        value_BHTD: values, like the keys.
        attention_mask: always None, see `no_mask`.
        scaling: of the logits.
        dropout: of the weights; 0 in every model that is fine-tuned here.
        document_ends: int32 [num_documents + 1], borders in tokens, 0 first.
        longest_document: its tokens.
        options: others of transformers.

    """
    asked = [name for name in _UNSUPPORTED if options.get(name) is not None]
    if asked or dropout:
        found = ", ".join(asked) or "dropout"
        raise ConfigError(f"train.model: its attention uses {found}, which packed training cannot do")
    attend = _attend_varlen if query_BHTD.is_cuda else _attend_one_by_one
    return attend(query_BHTD, key_BHTD, value_BHTD, scaling, document_ends, longest_document), None


def _attend_varlen(
    query_BHTD: torch.Tensor,
    key_BHTD: torch.Tensor,
    value_BHTD: torch.Tensor,
    scaling: float | None,
    document_ends: torch.Tensor,
    longest_document: int,
) -> torch.Tensor:
    """Attend with the kernel for rows of several documents."""
    query_THD, key_THD, value_THD = (part[0].transpose(0, 1) for part in (query_BHTD, key_BHTD, value_BHTD))
    borders = (document_ends, document_ends, longest_document, longest_document)
    shared_heads = key_BHTD.shape[1] != query_BHTD.shape[1]
    causal = (-1, 0)
    attended_THD = varlen_attn(
        query_THD, key_THD, value_THD, *borders, scale=scaling, window_size=causal, enable_gqa=shared_heads
    )
    return cast(torch.Tensor, attended_THD)[None]


def _attend_one_by_one(
    query_BHTD: torch.Tensor,
    key_BHTD: torch.Tensor,
    value_BHTD: torch.Tensor,
    scaling: float | None,
    document_ends: torch.Tensor,
    longest_document: int,
) -> torch.Tensor:
    """Attend within one document after the other; `longest_document` is not needed."""
    lengths = document_ends.diff().tolist()
    shared_heads = key_BHTD.shape[1] != query_BHTD.shape[1]
    parts = zip(*(part.split(lengths, 2) for part in (query_BHTD, key_BHTD, value_BHTD)), strict=True)
    attended = [
        F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=shared_heads)
        for query, key, value in parts
    ]
    return torch.cat(attended, dim=2).transpose(1, 2).contiguous()


def no_mask(*_: object, **__: object) -> None:
    """Make no mask: a dense one of a packed row would be T x T."""


def register_packed_attention() -> None:
    """Make `attn_implementation="packed"` known to transformers."""
    AttentionInterface.register(PACKED, packed_attention)
    AttentionMaskInterface.register(PACKED, no_mask)
