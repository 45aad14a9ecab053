"""What every noun is: a frozen Pydantic model that forbids unknown fields."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value; its JSON form is canonical, so equal values have equal hashes."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    def to_json(self) -> bytes:
        """Return the value as UTF-8 JSON, fields in the order of the class."""
        return self.model_dump_json().encode()

    def digest(self) -> str:
        """Return the hex sha256 of `to_json()`."""
        return hashlib.sha256(self.to_json()).hexdigest()


class Span(NamedTuple):
    """Half-open range of characters in `CleanBook.text`."""

    start: int
    end: int
