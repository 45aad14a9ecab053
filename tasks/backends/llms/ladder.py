"""Request + what a model said -> an accepted value, or the next thing to ask."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from schemas.value import Value
from tasks.protocols import Request

MAX_REPAIRS = 2
MAX_RESEEDS = 2  # 2: spec of the server, "another seed, at most 2"
SEED_STRIDE = 1_000  # a server counts the seeds of one request's samples up, so leave room for them
MAX_PROBLEMS = 10  # told to the model at once
REPAIR = """Your answer was refused:
{problems}
Answer again, whole, with these errors mended and everything else as it was."""


@dataclass(frozen=True)
class Accepted:
    """An answer that counts; `lenient` when its JSON held raw control characters."""

    value: Value
    lenient: bool


@dataclass(frozen=True)
class Refused:
    """An answer that does not count."""

    reason: str
    problems: tuple[str, ...]

    @property
    def repairable(self) -> bool:
        """Whether telling the model its errors may help."""
        return self.reason in ("invalid", "check")


@dataclass(frozen=True)
class Attempt:
    """One rung of the ladder: what is asked, with which seed, and what was spent to get there."""

    messages: list[dict[str, str]]
    seed: int
    num_repairs: int = 0
    num_reseeds: int = 0


def judge(request: Request, text: str, finish_reason: str) -> Accepted | Refused:
    """Accept an answer that ended by itself, validates, and passes the request's own check."""
    if finish_reason == "length":
        return Refused("runaway", ("the answer did not end within its tokens",))
    if finish_reason != "stop":
        return Refused("cut-off", (f"the answer ended by '{finish_reason}'",))
    try:
        accepted = read_answer(request.schema, text)
    except ValidationError as error:
        return Refused("invalid", describe_errors(error))
    except (ValueError, RecursionError) as error:
        return Refused("invalid", (f"no JSON: {error}",))
    problems = request.check(accepted.value) if request.check else []
    return Refused("check", tuple(problems)) if problems else accepted


def read_answer(schema: type[Value], text: str) -> Accepted:
    """Return the value that a text holds; JSON with raw control characters in its strings is read leniently.

    ValidationError where it is not what the schema asks for, ValueError or RecursionError where it is no JSON.
    """
    try:
        return Accepted(schema.model_validate_json(text), lenient=False)
    except ValidationError as error:
        if any(problem["type"] != "json_invalid" for problem in error.errors(include_url=False)):
            raise
    return Accepted(schema.model_validate_json(json.dumps(json.loads(text, strict=False))), lenient=True)


def describe_errors(error: ValidationError) -> tuple[str, ...]:
    """Return a line an error: where, and what is wrong."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(f"{'.'.join(map(str, problem['loc'])) or 'answer'}: {problem['msg']}" for problem in problems)


def next_attempt(request: Request, attempt: Attempt, text: str, refused: Refused) -> Attempt | None:
    """Return what to ask next: with the errors, then the request anew; None when the ladder is spent.

    Every attempt has a seed of its own: no question is put twice, even when two repairs read alike.
    """
    seed = attempt.seed + SEED_STRIDE
    if refused.repairable and attempt.num_repairs < MAX_REPAIRS:
        problems = "\n".join(f"- {problem}" for problem in refused.problems[:MAX_PROBLEMS])
        turns = [
            {"role": "assistant", "content": text},
            {"role": "user", "content": REPAIR.format(problems=problems)},
        ]
        return replace(attempt, messages=request.messages + turns, seed=seed, num_repairs=attempt.num_repairs + 1)
    if attempt.num_reseeds < MAX_RESEEDS:
        return replace(attempt, messages=request.messages, seed=seed, num_reseeds=attempt.num_reseeds + 1)
    return None


def hash_rules() -> str:
    """Return a short hash of this module, comments left out: what is accepted, and what is asked next."""
    source = ast.unparse(ast.parse(Path(__file__).read_text(encoding="utf-8")))
    return hashlib.sha256(source.encode()).hexdigest()[:12]
