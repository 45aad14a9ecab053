"""The work store: a value that exists is not made again."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import zstandard

from schemas.value import Value
from tasks.keys import stage_key, stage_name
from tasks.protocols import Identified, Store

logger = logging.getLogger(__name__)

V = TypeVar("V", bound=Value)

# A zstd skippable frame (RFC 8878, 3.1.2) before the data holds the value's sha256: 40 bytes tell what a value
# is, so a later stage's key needs no decompression. Ordinary zstd tools skip it.
_FRAME = b"\x50\x2a\x4d\x18" + (32).to_bytes(4, "little")
_HEAD = len(_FRAME) + 32


class Work:
    """Values by stage, book and key: `work/<stage>/<book_id>/<key>.json.zst`."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def make(
        self,
        kind: type[V],
        book_id: str,
        stage: Callable[..., Any],
        settings: Value | None,
        *inputs: Value,
        **seams: Value | Identified,
    ) -> tuple[str, V]:
        """Return where a stage's value lies, and the value, from the store or made now.

        Args:
            kind: the value's class.
            book_id: whose value it is.
            stage: called as `stage(*inputs, settings, **seams)` when there is no value yet.
            settings: the stage's own group.
            inputs: the values it reads.
            seams: what else shapes it: objects with an `identity`, or values.
        """
        key = self.key(book_id, stage, settings, tuple(value.digest() for value in inputs), **seams)
        found = self.load(kind, key)
        if found is not None:
            return key, found
        made: V = stage(*inputs, *([settings] if settings is not None else []), **seams)
        self.save(key, made)
        return key, made

    def key(
        self,
        book_id: str,
        stage: Callable[..., Any],
        settings: Value | None,
        inputs: tuple[str, ...],
        **seams: Value | Identified,
    ) -> str:
        """Return where a stage's value of a book lies, given its inputs' hashes."""
        identities = {
            name: seam.digest() if isinstance(seam, Value) else str(seam.identity) for name, seam in seams.items()
        }
        return f"{stage_name(stage)}/{book_id}/{stage_key(stage, settings, inputs, identities)}.json.zst"

    def load(self, kind: type[V], key: str) -> V | None:
        """Return a value, or None where there is none; a damaged one counts as none."""
        try:
            packed = self.store.get(key)
        except FileNotFoundError:
            return None
        try:
            return kind.model_validate_json(zstandard.ZstdDecompressor().decompress(packed[_HEAD:]))
        except (zstandard.ZstdError, ValueError) as error:
            logger.warning("%s is damaged and will be made again: %s", key, str(error).splitlines()[0])
            return None

    def save(self, key: str, value: Value) -> None:
        """Store a value under its key."""
        data = value.to_json()
        packed = zstandard.ZstdCompressor(level=3).compress(data)
        self.store.put(key, _FRAME + hashlib.sha256(data).digest() + packed)

    def digest(self, key: str) -> str | None:
        """Return the sha256 of the value under a key without reading it, or None where there is none."""
        head = self.store.head(key, _HEAD)
        return head[len(_FRAME) :].hex() if head and head.startswith(_FRAME) and len(head) == _HEAD else None
