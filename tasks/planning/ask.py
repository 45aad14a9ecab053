"""A call's inputs -> a request: what all calls share, the context, and the call's own question last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, cast

from schemas.answer_parts import LevelAnswer
from schemas.answers import LEVELS
from schemas.scaffold import Quarantine
from schemas.value import Value
from tasks.protocols import LLM, Answer, Failure, Request, Tokenizer

PROMPTS = Path(__file__).resolve().parents[1] / "prompts"
SHARED_FORMS = ("read", "rate", "claims")  # asked of every window, so told once, in the message that a server keeps


class Node(NamedTuple):
    """What a request is about: the book, and the place in it that findings and logs name."""

    book_id: str
    place: str


@cache
def load_prompt(name: str) -> str:
    """Return the text of `prompts/NAME.md`."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


@cache
def write_instructions() -> str:
    """Return the system message of every request of a run: how to plan, and the forms of the windows' answers."""
    forms = (f"Form {call}:\n{describe_answer(LEVELS[call])}" for call in SHARED_FORMS)
    return "\n\n".join((load_prompt("instructions"), *forms))


def make_request(call: str, node: Node, context: str, inputs: Value, details: str = "") -> Request:
    """Build the request of a call; `details` are facts of this question alone, such as a list of scenes."""
    schema = LEVELS[call]
    return Request(
        call=call,
        book_id=node.book_id,
        node=node.place,
        instructions=write_instructions(),
        context=context,
        question="\n\n".join(filter(None, (load_prompt(call), details, _show_form(call)))),
        inputs=inputs,
        schema=schema,
        max_tokens=schema.max_tokens,
    )


def ask_alone(call: str, node: Node, context: str, inputs: Value) -> Request:
    """Build the request of a call whose prompt file is its whole instruction: no other call is asked of its texts."""
    schema = LEVELS[call]
    return Request(
        call=call,
        book_id=node.book_id,
        node=node.place,
        instructions=load_prompt(call),
        context=context,
        question=f"Read the text above. {_show_form(call)}",
        inputs=inputs,
        schema=schema,
        max_tokens=schema.max_tokens,
    )


def count_beside_text(reader: Tokenizer, answer_share: float) -> int:
    """Return the most tokens that any call takes beside its text: instructions, question, a share of the answer."""
    return max(
        reader.count("\n\n".join((write_instructions(), load_prompt(call), _show_form(call))))
        + int(schema.max_tokens * answer_share)
        for call, schema in LEVELS.items()
    )


def ask_together(llm: LLM, groups: Sequence[Sequence[Request]]) -> list[list[Answer | Failure]]:
    """Ask groups of requests, each group about one context: its first request alone, the others right after it.

    By then a server has the prefix. Where the first has no accepted answer, the next one takes its place.
    """
    replies: list[list[Answer | Failure]] = [[] for _ in groups]
    while waiting := [place for place, group in enumerate(groups) if len(replies[place]) < len(group)]:
        asked = []
        for place in waiting:
            first, *others = groups[place][len(replies[place]) :]
            asked.append(replace(first, then=partial(_give_back, others)))
        for place, reply in zip(waiting, llm.answer(asked), strict=True):
            replies[place] += [reply, *reply.following] if isinstance(reply, Answer) else [reply]
    return replies


def _give_back(requests: Sequence[Request], answer: Answer) -> Sequence[Request]:
    """Return what follows an answer, whatever it is."""
    return requests


def quarantine(request: Request, failure: Failure, chapter: int | None) -> Quarantine:
    """Return what is kept of a request whose answers were all refused."""
    return Quarantine(
        node=request.node,
        chapter=chapter,
        call=request.call,
        reason=failure.reason,
        detail=failure.detail,
        answers=failure.answers,
        text=failure.text,
    )


def _show_form(call: str) -> str:
    """Return the form of an answer, or its name where every request shows it."""
    if call in SHARED_FORMS:
        return f"Answer by the form {call}."
    return f"Answer by this form:\n{describe_answer(LEVELS[call])}"


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
        low, high = field.get("minItems", 0), field.get("maxItems")
        bounds = f"list of {low}" if low == high else f"list of {low} to {high}"
        return bounds if items == "object" else f"{bounds}, each {items}"
    if "enum" in field:
        return " or ".join(map(str, cast(Sequence[object], field["enum"])))
    if field.get("type") == "integer":
        return f"{field.get('minimum')} to {field.get('maximum')}"
    if field.get("type") == "boolean":
        return "true or false"
    return f"at most {field['maxLength']} characters" if "maxLength" in field else "object"
