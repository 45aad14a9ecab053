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
    document_ends: torch.Tensor | None = None,
    longest_document: int = 0,
    **options: object,
) -> tuple[torch.Tensor, None]:
    """Attend causally within each document of a packed row.

    Args:
        module: the layer; unused.
        query_BHTD: queries.
        key_BHTD: keys, of as many heads or fewer.
        value_BHTD: values, like the keys.
        attention_mask: always None, see `no_mask`.
        scaling: of the logits.
        dropout: of the weights; 0 in every model that is fine-tuned here.
        document_ends: int32 [num_documents + 1], borders in tokens, 0 first; None for one document.
        longest_document: its tokens.
        options: others of transformers.

    Returns:
        [B, T, H, D] and no weights.

    """
    asked = [name for name in _UNSUPPORTED if options.get(name) is not None]
    if asked or dropout:
        raise ConfigError(
            f"train.model: its attention uses {', '.join(asked) or 'dropout'}, which packed training cannot do"
        )
    shared_heads = key_BHTD.shape[1] != query_BHTD.shape[1]
    if document_ends is not None and query_BHTD.is_cuda:
        query_THD, key_THD, value_THD = (part[0].transpose(0, 1) for part in (query_BHTD, key_BHTD, value_BHTD))
        ends, longest = document_ends, longest_document
        attended_THD = varlen_attn(
            query_THD,
            key_THD,
            value_THD,
            ends,
            ends,
            longest,
            longest,
            scale=scaling,
            window_size=(-1, 0),
            enable_gqa=shared_heads,
        )
        return cast(torch.Tensor, attended_THD)[None], None
    lengths = [query_BHTD.shape[2]] if document_ends is None else document_ends.diff().tolist()
    parts = zip(*(part.split(lengths, 2) for part in (query_BHTD, key_BHTD, value_BHTD)), strict=True)
    attended_BHTD = torch.cat(
        [
            F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=shared_heads)
            for query, key, value in parts
        ],
        dim=2,
    )
    return attended_BHTD.transpose(1, 2).contiguous(), None


def no_mask(*_: object, **__: object) -> None:
    """Make no mask: a dense one of a packed row would be T x T."""


def register_packed_attention() -> None:
    """Make `attn_implementation="packed"` known to transformers."""
    AttentionInterface.register(PACKED, packed_attention)
    AttentionMaskInterface.register(PACKED, no_mask)
