"""What answers are made of: bounded strings, numbers and lists, and the class that every answer to a call has."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.value import Value

Line = Annotated[str, Field(min_length=1, max_length=280)]
Phrase = Annotated[str, Field(min_length=1, max_length=65)]
PersonName = Annotated[str, Field(min_length=1, max_length=80)]
Index = Annotated[int, Field(ge=0, le=9999)]
Number = Annotated[int, Field(ge=1, le=9999)]
Rating = Annotated[int, Field(ge=0, le=99)]
RestsOn = Annotated[tuple[Index, ...], Field(min_length=1, max_length=8)]
Aliases = Annotated[tuple[PersonName, ...], Field(min_length=0, max_length=6)]


class LevelAnswer(Value):
    """Base of the answers; `call` names the prompt file and the question."""

    call: ClassVar[str]
    max_tokens: ClassVar[int]
