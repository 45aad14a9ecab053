"""Samples -> loss: pack rows, ask the model, and let only labelled tokens meet the vocabulary.

T tokens of a packed row, L labelled ones, C channels, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch.nn import LinearCrossEntropyOptions
from transformers import PreTrainedModel

from tasks.training.samples import Sample

_HEAD_ROWS = 1024  # rows of the head at once: V floats each


@dataclass(frozen=True)
class Pack:
    """One packed row; weights are those of the token that follows."""

    ids_T: torch.Tensor
    positions_T: torch.Tensor
    document_ends: torch.Tensor
    longest_document: int
    weights_T: torch.Tensor
    prose_T: torch.Tensor


@dataclass(frozen=True)
class Losses:
    """Weighted mean over all labelled tokens (with gradient), and plain means over plan and prose tokens."""

    loss: torch.Tensor
    plan: float | None
    prose: float | None
    num_labelled: int


def pack_row(samples: Sequence[Sample], device: torch.device) -> Pack:
    """Join samples end to end; the last token of each has weight 0, so no loss crosses a border."""
    lengths = [len(sample.ids_T) for sample in samples]
    weights_T = np.concatenate([np.append(sample.weights_T[1:], np.float32(0)) for sample in samples])
    prose_T = np.concatenate([np.append(sample.prose_T[1:], False) for sample in samples])
    return Pack(
        ids_T=torch.from_numpy(np.concatenate([sample.ids_T for sample in samples])).to(device),
        positions_T=torch.cat([torch.arange(length) for length in lengths]).to(device),
        document_ends=torch.tensor([0, *np.cumsum(lengths)], dtype=torch.int32, device=device),
        longest_document=max(lengths),
        weights_T=torch.from_numpy(weights_T).to(device),
        prose_T=torch.from_numpy(prose_T).to(device),
    )


def compute_losses(model: PreTrainedModel, pack: Pack) -> Losses:
    """Run a causal model over a packed row.

    Source: masked and chunked head, spec of fine-tuning: the logits of all T tokens would take T x V floats.
    """
    hidden_TC = model.base_model(
        input_ids=pack.ids_T[None],
        position_ids=pack.positions_T[None],
        document_ends=pack.document_ends,
        longest_document=pack.longest_document,
        use_cache=False,
    ).last_hidden_state[0]
    labelled = pack.weights_T.nonzero()[:, 0]
    losses_L = F.linear_cross_entropy(
        hidden_TC[labelled],
        model.get_output_embeddings().weight,
        pack.ids_T[labelled + 1],
        reduction="none",
        options=LinearCrossEntropyOptions(batch_chunk_size=_HEAD_ROWS, chunking_method=None),
    )
    weights_L, prose_L = pack.weights_T[labelled], pack.prose_T[labelled]
    loss = (losses_L * weights_L).sum() / weights_L.sum()
    values_L = losses_L.detach()
    return Losses(loss, _mean(values_L[~prose_L]), _mean(values_L[prose_L]), len(labelled))


def _mean(values_L: torch.Tensor) -> float | None:
    return float(values_L.mean()) if len(values_L) else None
