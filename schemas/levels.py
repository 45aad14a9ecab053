"""What every answer is, and the bounded strings that answers are made of."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.value import Value

Line = Annotated[str, Field(min_length=1, max_length=280)]
Phrase = Annotated[str, Field(min_length=1, max_length=65)]
PersonName = Annotated[str, Field(min_length=1, max_length=80)]


class LevelAnswer(Value):
    """Base of the answers; `call` names the prompt file and the question."""

    call: ClassVar[str]
    max_tokens: ClassVar[int]
