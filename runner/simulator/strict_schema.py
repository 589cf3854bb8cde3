"""What the APIs refuse of a JSON Schema for the answer, in their own words as far as known.

OpenAI: the root is an object; in strict mode every object closes itself and requires all that it
names, and only some keywords are taken. Anthropic is always strict, without asking that all be
required. References are followed by neither here: what they point to is checked where it stands.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

_OPENAI_REFUSED = (
    *("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"),
    *("patternProperties", "unevaluatedProperties", "propertyNames", "minProperties"),
    *("maxProperties", "unevaluatedItems", "prefixItems", "contains", "minContains"),
    *("maxContains", "uniqueItems", "minLength", "maxLength", "default"),
)
_ANTHROPIC_REFUSED: dict[str, tuple[str, ...]] = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems", "contains"),
    "object": ("minProperties", "maxProperties", "patternProperties", "propertyNames"),
}
_TYPED = ("type", "anyOf", "$ref")
_ANTHROPIC_TYPED = (*_TYPED, "enum", "const", "allOf", "oneOf")


class _Place(NamedTuple):
    path: tuple[str, ...]
    schema: dict[str, Any]


def openai_problem(schema: dict[str, Any], *, strict: bool) -> str | None:
    """Say why OpenAI refuses a schema; None where it does not."""
    kind = schema.get("type")
    if kind != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
    if not strict:
        return None
    return next(filter(None, map(_strict_problem, _schemas(schema, ()))), None)


def anthropic_problem(schema: dict[str, Any]) -> str | None:
    """Say why Anthropic refuses a schema; None where it does not."""
    return next(filter(None, map(_anthropic_problem, _schemas(schema, ()))), None)


def _strict_problem(place: _Place) -> str | None:
    schema, context = place.schema, f"In context={place.path!r}"
    for name in _OPENAI_REFUSED:
        if name in schema:
            return f"{context}, '{name}' is not permitted."
    if not any(name in schema for name in _TYPED):
        return f"{context}, schema must have a 'type' key."
    if "object" not in _types(schema):
        return None
    if schema.get("additionalProperties") is not False:
        return f"{context}, 'additionalProperties' is required to be supplied and to be false."
    required = schema.get("required", [])
    for name in schema.get("properties", {}):
        if name not in required:
            return (
                f"{context}, 'required' is required to be supplied and to be an array including"
                f" every key in properties. Missing '{name}'."
            )
    return None


def _anthropic_problem(place: _Place) -> str | None:
    schema = place.schema
    if not any(name in schema for name in _ANTHROPIC_TYPED):
        return "Schema type is required"
    for kind in _types(schema):
        found = [name for name in _ANTHROPIC_REFUSED.get(str(kind), ()) if name in schema]
        if found:
            return f"For '{kind}' type, properties {', '.join(found)} are not supported"
        if kind == "array" and schema.get("minItems", 0) not in (0, 1):
            return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
        if kind == "object" and schema.get("additionalProperties") is not False:
            return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    return None


def _types(schema: dict[str, Any]) -> list[Any]:
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind]


def _schemas(schema: Any, path: tuple[str, ...]) -> Iterator[_Place]:
    if not isinstance(schema, dict):
        return
    yield _Place(path, schema)
    for key in ("properties", "$defs", "definitions"):
        for name, inner in (schema.get(key) or {}).items():
            yield from _schemas(inner, (*path, key, name))
    yield from _schemas(schema.get("items"), (*path, "items"))
    for number, inner in enumerate(schema.get("anyOf") or []):
        yield from _schemas(inner, (*path, "anyOf", str(number)))
