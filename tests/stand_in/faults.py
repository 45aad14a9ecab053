"""What goes wrong, by hash of the request: on the way (delay, reset, 500, 503) or in the first answer to a question."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.stand_in.question import Question, draw

TRANSPORT = ("delay", "reset", "500", "503")
CUT = ("cut", "blank", "loop", "json")  # what any reader of an answer must notice
WRONG = ("name", "copy", "order")  # what only a check of its facts can notice
TELLING = ("ReadAnswer", "OutlineAnswer")  # answers that tell a text in statements of the whole
INVENTED = "Zorblaxia"
GOOD_TRY = 3  # a third try always succeeds


@dataclass
class Faults:
    """Shares from 0 to 1 of the requests; `kinds` are those of content.

    All windows of a chapter whose draw is below `stubborn` get bad answers for ever. `spoiled` remembers which question has had its
    bad first answer: whatever is asked about the same after that, in other words or with another seed, is no first.
    """

    transport: float = 0.0
    content: float = 0.0
    stubborn: float = 0.0
    kinds: tuple[str, ...] = CUT
    spoiled: dict[str, str] = field(default_factory=dict)

    def on_the_way(self, body: str, attempt: int) -> str | None:
        """Return the transport fault of a try of a request, given as the hash of its body."""
        if attempt >= GOOD_TRY or draw("transport", body, attempt) >= self.transport:
            return None
        return TRANSPORT[int(draw("which", body, attempt) * len(TRANSPORT))]

    def in_the_answer(self, question: Question, body: str) -> str | None:
        """Return the fault of an answer's content."""
        if question.max_tokens <= 1:
            return None
        base = question.base
        kinds = [kind for kind in self.kinds if kind != "order" or question.schema == "ReadAnswer"]
        kinds = [kind for kind in kinds if kind != "copy" or question.schema in TELLING]
        kinds = [kind for kind in kinds if kind != "name" or question.schema not in ("RateAnswer", "ClaimsAnswer")]
        if not kinds:
            return None
        kind = kinds[int(draw("kind", base) * len(kinds))]
        if question.schema in TELLING and draw("stubborn", question.head) < self.stubborn:
            return kind
        if draw("content", base) >= self.content or question.num_turns > 1:
            return None
        return kind if self.spoiled.setdefault(base, body) == body else None


def spoil(kind: str, text: str, question: Question) -> tuple[str, str]:
    """Return what is said instead of an answer, and how it ends."""
    if kind == "cut":
        return text[: len(text) * 2 // 3], "length"
    if kind == "blank":
        return text[: len(text) // 2] + "\n" * 200, "length"
    if kind == "loop":
        return text[: len(text) // 2] + " and then again" * 80, "length"
    if kind == "json":
        return text.replace('":', '";', 1), "stop"
    return json.dumps(_WRONG[kind](json.loads(text), question), ensure_ascii=False), "stop"


def _invent_name(answer: dict[str, Any], question: Question) -> dict[str, Any]:
    """Put a name that no book has into every statement."""
    text = json.dumps(answer, ensure_ascii=False)
    return json.loads(re.sub(r'(?<=[a-z] )([a-z]+)(\.?)"', rf'\1 with {INVENTED}\2"', text))


def _copy_sentence(answer: dict[str, Any], question: Question) -> dict[str, Any]:
    """Make words of the text the first statement of the whole."""
    words = max((text for _, text in question.paragraphs), key=len).split()[:24]
    answer["bullets"][0]["text"] = " ".join(words)[:280]
    return answer


def _disorder(answer: dict[str, Any], question: Question) -> dict[str, Any]:
    """Turn the order of scenes and statements round, and quote an opening that nobody wrote."""
    answer["scenes"].reverse()
    answer["bullets"].reverse()
    answer["scenes"][-1]["opening"] = "On the far side of the moon there was once an entirely different beginning"
    return answer


_WRONG = {"name": _invent_name, "copy": _copy_sentence, "order": _disorder}
