"""JSON schema -> what a server could not hold a model to, or what would let a model write without end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

Schema = Mapping[str, object]

# what both grammar engines of vLLM 0.32 keep to; uniqueItems, contains, not, if, propertyNames, multipleOf and
# allOf are refused by one of them, or accepted and ignored
UNDERSTOOD = {
    *("$defs", "$ref", "title", "description", "default", "examples", "type", "enum", "const", "anyOf", "oneOf"),
    *("discriminator", "properties", "required", "additionalProperties", "items", "prefixItems"),
    *("minItems", "maxItems", "minLength", "maxLength", "pattern", "format"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
SHORT_FORMATS = {"date", "time", "date-time", "uuid"}


def check_schema(schema: Schema) -> list[str]:
    """Return the problems of a schema, each with the path of its field; none where a server can hold to it."""
    return list(_problems(schema, schema, "answer", ()))


def _problems(schema: Schema, root: Schema, path: str, refs: tuple[str, ...]) -> Iterator[str]:
    yield from (
        f"{path}: '{keyword}' is not held to by every server" for keyword in schema if keyword not in UNDERSTOOD
    )
    if "$ref" in schema:
        yield from _referred(str(schema["$ref"]), root, path, refs)
    elif "enum" in schema or "const" in schema:
        return
    elif choices := _list(schema, "anyOf") + _list(schema, "oneOf"):
        for choice in choices:
            yield from _problems(choice, root, path, refs)
    else:
        yield from _open_ends(schema, path)
        yield from _parts(schema, root, path, refs)


def _referred(ref: str, root: Schema, path: str, refs: tuple[str, ...]) -> Iterator[str]:
    definitions = cast(Mapping[str, Schema], root.get("$defs", {}))
    name = ref.removeprefix("#/$defs/")
    if ref in refs:
        yield f"{path}: {name} holds itself, so an answer may be endless"
    elif name not in definitions:
        yield f"{path}: {ref} is not defined"
    else:
        yield from _problems(definitions[name], root, path, (*refs, ref))


def _parts(schema: Schema, root: Schema, path: str, refs: tuple[str, ...]) -> Iterator[str]:
    """Yield the problems of fields and items."""
    for name, field in cast(Mapping[str, Schema], schema.get("properties", {})).items():
        yield from _problems(field, root, f"{path}.{name}", refs)
    for item in _list(schema, "prefixItems") + [item for item in [schema.get("items")] if isinstance(item, dict)]:
        yield from _problems(item, root, f"{path}[]", refs)


def _open_ends(schema: Schema, path: str) -> Iterator[str]:
    """Yield what has no bound."""
    kind = schema.get("type")
    if kind == "string" and "maxLength" not in schema and schema.get("format") not in SHORT_FORMATS:
        yield f"{path}: a string needs max_length"
    elif kind == "array" and "maxItems" not in schema:
        yield f"{path}: a list needs max_length"
    elif kind == "object" and schema.get("additionalProperties") is not False:
        yield f"{path}: an object needs extra='forbid' and fixed fields"
    elif kind in ("integer", "number") and not _has_both_bounds(schema):
        yield f"{path}: a number needs a lower and an upper bound"
    elif kind not in ("string", "array", "object", "integer", "number", "boolean", "null"):
        yield f"{path}: a type is needed, found {kind!r}"


def _has_both_bounds(schema: Schema) -> bool:
    lower, upper = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}
    return not lower.isdisjoint(schema) and not upper.isdisjoint(schema)


def _list(schema: Schema, keyword: str) -> list[Schema]:
    return cast(list[Schema], schema.get(keyword, []))
