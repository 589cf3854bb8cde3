"""Whether a schema keeps to the rules of OpenAI's strict mode. Pure.

The rules are those of OpenAI's guide to structured outputs; what it does not name is not strict. In
strict mode the API refuses other schemas, and lets a model write nothing that does not fit.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from runner.schemas.places import pointer

_KNOWN = frozenset(
    {"$schema", "$defs", "definitions", "$ref", "type", "enum", "const", "anyOf"}
    | {"title", "description", "properties", "required", "additionalProperties"}
    | {"items", "minItems", "maxItems", "pattern", "format"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)
_SCHEMAS_BY_NAME = ("properties", "$defs", "definitions")
_Path = tuple[str | int, ...]


def loose(document: Mapping[str, Any]) -> str | None:
    """Say what keeps a schema out of strict mode, and where; None where nothing does."""
    if document.get("type") != "object":
        return 'the whole is not of the type "object"'
    found = next(_problems(document, ()), None)
    if found is None:
        return None
    path, problem = found
    return f"{problem} at {pointer(path)}" if path else f"{problem} at the top"


def _problems(schema: object, path: _Path) -> Iterator[tuple[_Path, str]]:
    if not isinstance(schema, dict):
        yield path, "true or false for a schema"
        return
    unknown = next((key for key in schema if key not in _KNOWN), None)
    if unknown is not None:
        yield path, f'"{unknown}"'
    if "$ref" in schema:
        if len(schema.keys() - {"$defs", "definitions"}) > 1:
            yield path, '"$ref" beside something else'
    elif not schema.keys() & {"type", "anyOf"}:
        yield path, 'no "type"'
    if schema.get("format", "date") not in _FORMATS:
        yield path, f'the format "{schema["format"]}"'
    if "properties" in schema or "object" in _types(schema):
        yield from _object_problems(schema, path)
    for where, inner in _inner(schema, path):
        yield from _problems(inner, where)


def _object_problems(schema: Mapping[str, Any], path: _Path) -> Iterator[tuple[_Path, str]]:
    if schema.get("additionalProperties") is not False:
        yield path, '"additionalProperties" is not false'
    required = schema.get("required")
    names = set(required) if isinstance(required, list) else set()
    for name in schema.get("properties", {}):
        if name not in names:
            yield path, f'"{name}" is not required'
            return


def _types(schema: Mapping[str, Any]) -> list[Any]:
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind]


def _inner(schema: Mapping[str, Any], path: _Path) -> Iterator[tuple[_Path, object]]:
    for key in _SCHEMAS_BY_NAME:
        found = schema.get(key)
        if isinstance(found, dict):
            for name, inner in found.items():
                yield (*path, key, name), inner
    if "items" in schema:
        yield (*path, "items"), schema["items"]
    found = schema.get("anyOf")
    for number, inner in enumerate(found if isinstance(found, list) else ()):
        yield (*path, "anyOf", number), inner
