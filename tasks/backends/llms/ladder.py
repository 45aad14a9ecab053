"""Request + what a model said -> an accepted value, or the next thing to ask."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from schemas.value import Value
from tasks.backends.answers import Sampling
from tasks.backends.llms import runaway
from tasks.backends.llms.runaway import runs_away
from tasks.protocols import Request

MAX_REPAIRS, MAX_FALLBACK_REPAIRS = 2, 1
MAX_RESEEDS = 2  # 2: spec of the server, "another seed, at most 2"
SEED_STRIDE = 1_000  # a server counts the seeds of one request's samples up, so leave room for them
HOTTER, HOTTEST = 0.1, 2.0  # each new seed draws a little hotter: seeds may not be sent, and say nothing at 0
MAX_PROBLEMS = 10  # told to the model at once
REPAIR = """Your answer was refused:
{problems}
Answer again, whole, with these errors mended and everything else as it was."""
NOTE = """An earlier answer to this did not come to an end. Keep every text short, repeat nothing, and end the answer as
soon as it is complete."""
RUNAWAY, OVER_WINDOW, REFUSED = "runaway", "over-window", "refused"

Message = dict[str, str]


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

    @property
    def unanswerable(self) -> bool:
        """Whether there was no answer at all: the server does not take what was asked."""
        return self.reason in (OVER_WINDOW, REFUSED)


@dataclass(frozen=True)
class Attempt:
    """One rung of the ladder: how a request is put this time, and what was spent to get there."""

    seed: int
    turns: tuple[Message, ...] = ()  # a refused answer and its errors
    noted: bool = False  # the question says that an answer ran away
    fallback: bool = False  # put to the fallback model
    num_repairs: int = 0  # of this model's answers
    num_reseeds: int = 0

    def messages(self, request: Request) -> list[Message]:
        """Return the request as it is put this time."""
        messages = request.messages
        if self.noted:
            messages[-1] = {**messages[-1], "content": f"{messages[-1]['content']}\n\n{NOTE}"}
        return [*messages, *self.turns]

    def drawn(self, sampling: Sampling) -> Sampling:
        """Return how the answer is drawn: as always, or a little hotter."""
        if not self.num_reseeds:
            return sampling
        hotter = round(sampling.temperature + HOTTER * self.num_reseeds, 3)
        return replace(sampling, temperature=min(hotter, HOTTEST))


def judge(request: Request, text: str, finish_reason: str) -> Accepted | Refused:
    """Accept an answer that ended by itself, validates, and passes the request's own check."""
    if finish_reason == "length":
        return Refused(RUNAWAY, ("the answer did not end within its tokens",))
    if finish_reason != "stop":
        return Refused("cut-off", (f"the answer ended by '{finish_reason}'",))
    try:
        accepted = read_answer(request.schema, text)
    except ValidationError as error:
        return Refused("invalid", describe_errors(error))
    except (ValueError, RecursionError) as error:
        if runs_away(text):
            return Refused(RUNAWAY, ("the answer went round in circles",))
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


def next_attempt(attempt: Attempt, text: str, refused: Refused, has_fallback: bool) -> Attempt | None:
    """Return how to ask next, or None where the ladder is spent.

    The errors are sent back, then the request is put anew with another seed, then to the fallback model. What ran
    away is put with a note, once, and then to the fallback model; what a model does not take goes there at once.
    Every attempt has a seed of its own: no question is put twice, even when two repairs read alike.
    """
    onward = replace(attempt, seed=attempt.seed + SEED_STRIDE, turns=())
    max_repairs = MAX_FALLBACK_REPAIRS if attempt.fallback else MAX_REPAIRS
    if refused.reason == RUNAWAY:
        if not attempt.noted:
            return replace(onward, noted=True)
    elif refused.repairable and attempt.num_repairs < max_repairs:
        return replace(onward, turns=make_repair(text, refused), num_repairs=attempt.num_repairs + 1)
    elif (attempt.turns or not refused.unanswerable) and not attempt.fallback and attempt.num_reseeds < MAX_RESEEDS:
        return replace(onward, num_reseeds=attempt.num_reseeds + 1)
    if has_fallback and not attempt.fallback:
        return replace(onward, fallback=True, num_repairs=0, num_reseeds=0)
    return None


def make_repair(text: str, refused: Refused) -> tuple[Message, ...]:
    """Return the turns that send an answer back with its errors."""
    problems = "\n".join(f"- {problem}" for problem in refused.problems[:MAX_PROBLEMS])
    return {"role": "assistant", "content": text}, {"role": "user", "content": REPAIR.format(problems=problems)}


def hash_rules() -> str:
    """Return a short hash of the code, comments left out, that says what is accepted and what is asked next."""
    paths = (Path(__file__), Path(runaway.__file__))
    source = "\n".join(ast.unparse(ast.parse(path.read_text(encoding="utf-8"))) for path in paths)
    return hashlib.sha256(source.encode()).hexdigest()[:12]
