"""A call's inputs -> a request: shared instructions, context, and the call's own question last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar, cast

from schemas.answers import LEVELS, LevelAnswer
from schemas.errors import BookError
from schemas.value import Value
from tasks.protocols import LLM, Answer, Failure, Request, Tokenizer

PROMPTS = Path(__file__).resolve().parents[1] / "prompts"
S = TypeVar("S")


class Node(NamedTuple):
    """What a request is about: the book, and the place in it that findings and logs name."""

    book_id: str
    place: str


@dataclass(frozen=True)
class Ask(Generic[S]):
    """A request, what it is about, and how to ask about less at once when all its answers are refused."""

    subject: S
    request: Request
    halve: Callable[[], Sequence[Ask[S]]]


def ask_all(llm: LLM, asks: Sequence[Ask[S]]) -> list[list[tuple[S, Answer]]]:
    """Ask in one batch, then the halves of what failed in another; several answers stand where an ask was halved.

    Raises:
        BookError: `no-answer`, naming the node that has no answer even so.
    """
    replies = llm.answer([ask.request for ask in asks])
    halves = [ask.halve() if isinstance(reply, Failure) else () for ask, reply in zip(asks, replies, strict=True)]
    again = [half for group in halves for half in group]
    retried = iter(zip(again, llm.answer([half.request for half in again]) if again else [], strict=True))
    answered = []
    for ask, reply, group in zip(asks, replies, halves, strict=True):
        pairs = [next(retried) for _ in group] or [(ask, reply)]
        answered.append([(half.subject, _expect_answer(half.request, reply)) for half, reply in pairs])
    return answered


def _expect_answer(request: Request, reply: Answer | Failure) -> Answer:
    if isinstance(reply, Failure):
        detail = f"{request.node}, {request.call}: no answer was accepted ({reply.reason}: {reply.detail})"
        raise BookError(request.book_id, "no-answer", detail)
    return reply


@cache
def load_prompt(name: str) -> str:
    """Return the text of `prompts/NAME.md`."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def make_request(
    call: str, node: Node, context: str, inputs: Value, *, details: str = "", num_samples: int = 1
) -> Request:
    """Build the request of a call; `details` are facts of this question alone, such as a list of scenes."""
    schema = LEVELS[call]
    question = (load_prompt(call), details, "Answer with one JSON object:", describe_answer(schema))
    return Request(
        call=call,
        book_id=node.book_id,
        node=node.place,
        instructions=load_prompt("instructions"),
        context=context,
        question="\n\n".join(filter(None, question)),
        inputs=inputs,
        schema=schema,
        max_tokens=schema.max_tokens,
        num_samples=num_samples,
    )


def count_beside_text(reader: Tokenizer, answer_share: float) -> int:
    """Return the most tokens that any call takes beside its text: instructions, question, a share of the answer."""
    return max(
        reader.count("\n\n".join((load_prompt("instructions"), load_prompt(call), describe_answer(schema))))
        + int(schema.max_tokens * answer_share)
        for call, schema in LEVELS.items()
    )


@cache
def describe_answer(schema: type[LevelAnswer]) -> str:
    """Return the fields of an answer as an indented list: a server holds to the schema but does not show it."""
    definition = cast(Mapping[str, object], schema.model_json_schema())
    return "\n".join(_describe_fields(definition, cast(Mapping[str, object], definition.get("$defs", {})), 0))


def _describe_fields(definition: Mapping[str, object], parts: Mapping[str, object], depth: int) -> Iterator[str]:
    fields = cast(Mapping[str, Mapping[str, object]], definition.get("properties", {}))
    for name, field in fields.items():
        items = cast(Mapping[str, object], field.get("items", {}))
        yield f"{'  ' * depth}- {name} ({_describe_type(field)}): {field.get('description', '')}".rstrip(": ")
        for holder in (field, items):
            if "$ref" in holder:
                part = parts[str(holder["$ref"]).rsplit("/", 1)[-1]]
                yield from _describe_fields(cast(Mapping[str, object], part), parts, depth + 1)


def _describe_type(field: Mapping[str, object]) -> str:
    if field.get("type") == "array":
        items = _describe_type(cast(Mapping[str, object], field["items"]))
        bounds = f"list of {field.get('minItems', 0)} to {field.get('maxItems')}"
        return bounds if items == "object" else f"{bounds}, each {items}"
    if field.get("type") == "integer":
        return f"whole number, {field.get('minimum')} to {field.get('maximum')}"
    if field.get("type") == "boolean":
        return "true or false"
    return f"text, at most {field['maxLength']} characters" if "maxLength" in field else "object"
