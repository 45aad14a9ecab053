"""Vocabulary file -> Vocabulary: tiktoken's own files, and Mistral's tekken.json, which is made for tiktoken."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from schemas.errors import ConfigError

NormalForm = Literal["NFC", "NFD", "NFKC", "NFKD"]

_R50K = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CL100K_SPECIAL = {
    "<|endoftext|>": 100257,
    "<|fim_prefix|>": 100258,
    "<|fim_middle|>": 100259,
    "<|fim_suffix|>": 100260,
    "<|endofprompt|>": 100276,
}
# pattern and special tokens of the public files; source: tiktoken_ext/openai_public.py
KNOWN_FILES: dict[str, tuple[str, dict[str, int]]] = {
    "r50k_base.tiktoken": (_R50K, {"<|endoftext|>": 50256}),
    "p50k_base.tiktoken": (_R50K, {"<|endoftext|>": 50256}),
    "cl100k_base.tiktoken": (_CL100K, _CL100K_SPECIAL),
    "o200k_base.tiktoken": (_O200K, {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}),
}


@dataclass(frozen=True)
class Vocabulary:
    """What tiktoken needs, and what it does not know: the original ids by rank, special tokens, the normal form."""

    pattern: str
    ranks: dict[bytes, int]
    special_tokens: dict[str, int]
    sha256: str
    ids: tuple[int, ...] | None = None  # by rank; None: ranks are the ids
    normal_form: NormalForm | None = None

    @property
    def highest_id(self) -> int:
        """The highest id of a token, ordinary or special."""
        ordinary = max(self.ids) if self.ids is not None else max(self.ranks.values())
        return max(ordinary, *self.special_tokens.values(), 0)


def read_tiktoken(path: Path, data: bytes) -> Vocabulary:
    """Read a `.tiktoken` file's bytes; its pattern comes with a known file name, or from `<stem>.json` beside it."""
    ranks: dict[bytes, int] = {}
    for line in data.splitlines():
        if line.strip():
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
    check_bytes(ranks)
    sidecar = path.with_suffix(".json")
    digest = hashlib.sha256(data)
    if sidecar.is_file():
        text = sidecar.read_bytes()
        digest.update(text)
        pattern, special = _read_sidecar(sidecar, text)
    elif path.name in KNOWN_FILES:
        pattern, special = KNOWN_FILES[path.name]
    else:
        known = ", ".join(sorted(KNOWN_FILES))
        raise ConfigError(
            f"its pattern is not known: write {sidecar.name} with pattern and special_tokens beside it, "
            f"or name it as one of {known}"
        )
    return Vocabulary(pattern, ranks, special, digest.hexdigest())


def _read_sidecar(path: Path, text: bytes) -> tuple[str, dict[str, int]]:
    content = json.loads(text)
    pattern, special = content.get("pattern"), content.get("special_tokens", {})
    if not isinstance(pattern, str) or not isinstance(special, dict):
        raise ConfigError(f"{path.name} must be an object with pattern (text) and special_tokens (text to id)")
    return pattern, {str(token): int(number) for token, number in special.items()}


def convert_tekken(content: dict[str, Any], sha256: str) -> Vocabulary:
    """Convert Mistral's tekken.json: special tokens take the first ids, a token's id is its rank after them.

    Source: mistral_common's Tekkenizer, which hands the same ranks and pattern to tiktoken.
    """
    config = content["config"]
    num_special = int(config["default_num_special_tokens"])
    num_ordinary = int(config["default_vocab_size"]) - num_special
    ranks = {
        base64.b64decode(row["token_bytes"], validate=True): int(row["rank"]) for row in content["vocab"][:num_ordinary]
    }
    if sorted(ranks.values()) != list(range(num_ordinary)):
        raise ConfigError(f"its {len(ranks)} tokens do not hold each of the ranks 0 to {num_ordinary - 1} once")
    check_bytes(ranks)
    special = {str(row["token_str"]): int(row["rank"]) for row in content.get("special_tokens") or ()}
    special.setdefault(f"<SPECIAL_{num_special - 1}>", num_special - 1)
    return Vocabulary(
        config["pattern"], ranks, special, sha256, ids=tuple(range(num_special, num_special + num_ordinary))
    )


def check_bytes(tokens: dict[bytes, int]) -> None:
    """Refuse a vocabulary that cannot spell every text, or that gives two tokens one id."""
    missing = sum(bytes([byte]) not in tokens for byte in range(256))
    if missing:
        raise ConfigError(f"{missing} of the 256 single bytes are no tokens: not a byte-level vocabulary")
    if len(set(tokens.values())) != len(tokens):
        raise ConfigError("two of its tokens have the same number")
