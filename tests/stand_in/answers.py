"""Question -> answer: from a reference scaffold where there is one, else by rule; the same for every sample and seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tests.stand_in import whole, windows
from tests.stand_in.gold import answer_from_gold
from tests.stand_in.question import WINDOW_CALLS, Question

BY_RULE: dict[str, Callable[[Question], dict[str, Any]]] = {
    "ReadAnswer": windows.answer_read,
    "RateAnswer": windows.answer_rate,
    "ClaimsAnswer": windows.answer_claims,
    "PeopleAnswer": whole.answer_people,
    "PartAnswer": whole.answer_part,
    "ArcsAnswer": whole.answer_arcs,
    "WorldAnswer": whole.answer_world,
    "StyleAnswer": whole.answer_style,
    "PreviewAnswer": whole.answer_preview,
    "PromptsAnswer": whole.answer_prompts,
    "OutlineAnswer": windows.answer_outline,
    "TagsAnswer": whole.answer_tags,
}


@lru_cache(4_096)
def answer(question: Question) -> str:
    """Return the JSON of an answer; for what the project does not send, an empty object."""
    write = BY_RULE.get(question.schema)
    if write is None or (question.schema in WINDOW_CALLS and not question.paragraphs):
        return "{}"
    return json.dumps(answer_from_gold(question) or write(question), ensure_ascii=False)
