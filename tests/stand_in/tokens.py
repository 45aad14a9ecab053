"""Text -> tokens, and the prefixes of prompts that a server still has: whole blocks, as vLLM keeps them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

BLOCK = 32  # tokens
_TOKEN = re.compile(r"\w{1,12}|[^\w\s]{1,4}")


def tokenize(text: str) -> list[int]:
    """Return token ids: pieces of words of at most twelve letters, runs of at most four marks; white space is free."""
    return [zlib.crc32(token.encode()) & 0x7FFF for token in _TOKEN.findall(text)]


def render(messages: Sequence[dict[str, str]]) -> list[int]:
    """Return the tokens of a conversation in a chat template."""
    return [
        token for message in messages for token in (1, *tokenize(message["role"]), *tokenize(message["content"]), 2)
    ]


def cut_tokens(text: str, most: int) -> str:
    """Return the beginning of a text with at most so many tokens."""
    ends = [match.end() for _, match in zip(range(most), _TOKEN.finditer(text), strict=False)]
    return text[: ends[-1]] if ends else ""


class PrefixCache:
    """Blocks of prompts seen so far, each known by the hash of all before it."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def add(self, tokens: Sequence[int]) -> int:
        """Return how many tokens of a prompt are known already, and keep the whole of it."""
        chain, num_known, still = 0, 0, True
        for start in range(0, len(tokens) - BLOCK + 1, BLOCK):
            chain = hash((chain, tuple(tokens[start : start + BLOCK])))
            still = still and chain in self._known
            num_known += BLOCK if still else 0
            self._known.add(chain)
        return min(num_known, len(tokens) - 1)  # the last token is always computed
