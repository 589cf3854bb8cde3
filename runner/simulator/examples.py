"""Values that fit a JSON schema, and values that nearly do: made of words alone, always the same.

It knows the keywords that structured answers use. A `pattern` it does not follow.
"""

import math
from typing import Any

from runner.simulator.chance import unit
from runner.simulator.prose import compose
from runner.simulator.scenario import Misfit

_DEEPEST = 12
_FORMATS = {
    "date-time": "2026-11-22T02:14:30Z",
    "date": "2026-11-22",
    "time": "02:14:30Z",
    "duration": "P3D",
    "email": "river@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
    "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "uri": "https://example.com/river",
}


def example(schema: Any, *words: object) -> Any:
    """Make a value that fits; which one, the words decide."""
    return _Maker(schema if isinstance(schema, dict) else {}).make(schema, words, 0)


def near_example(schema: Any, misfit: Misfit, *words: object) -> Any:
    """Make a value that does not fit, by its type or for want of a property."""
    value = example(schema, *words)
    if misfit == "missing" and isinstance(value, dict) and value:
        required = schema.get("required") or list(value)
        return {key: inner for key, inner in value.items() if key != required[-1]}
    if isinstance(value, dict) and value:
        last = list(value)[-1]
        return {**value, last: _of_another_type(value[last])}
    return _of_another_type(value)


def _of_another_type(value: Any) -> Any:
    return {"not": "this"} if not isinstance(value, dict) else "not this"


class _Maker:
    """Makes values within one document, to which `$ref` points."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root

    def make(self, schema: Any, words: tuple[object, ...], depth: int) -> Any:
        schema = self._followed(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return _drawn(schema["enum"], "enum", *words)
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self.make(self._shallow(schema[key], depth), words, depth + 1)
        if schema.get("allOf"):
            return self.make(self._merged(schema), words, depth + 1)
        kind = schema.get("type", "string" if schema.keys() & _OF_STRINGS else "object")
        if isinstance(kind, list):
            kind = "null" if depth > _DEEPEST and "null" in kind else kind[0]
        if kind == "object":
            return self._object(schema, words, depth)
        if kind == "array":
            return self._array(schema, words, depth)
        return _scalar(kind, schema, words)

    def _followed(self, schema: Any) -> dict[str, Any]:
        for _ in range(_DEEPEST):
            address = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(address, str) or not address.startswith("#"):
                break
            schema = self._at(address)
        return schema if isinstance(schema, dict) else {}

    def _at(self, address: str) -> Any:
        found: Any = self._root
        for part in address.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def _shallow(self, schemas: list[Any], depth: int) -> Any:
        """Take the first, but where a schema holds itself an end to it."""
        if depth <= _DEEPEST:
            return schemas[0]
        flat = [one for one in schemas if self._followed(one).get("type") not in _NESTED]
        return (flat or schemas)[0]

    def _merged(self, schema: dict[str, Any]) -> dict[str, Any]:
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for one in map(self._followed, schema["allOf"]):
            properties = {**merged.get("properties", {}), **one.get("properties", {})}
            merged = {**merged, **one, **({"properties": properties} if properties else {})}
        return merged

    def _object(self, schema: dict[str, Any], words: tuple[object, ...], depth: int) -> Any:
        properties = schema.get("properties") or {}
        required = schema.get("required") or []
        names = required if depth > _DEEPEST else [*properties, *required]
        return {
            name: self.make(properties.get(name, {}), (name, *words), depth + 1)
            for name in dict.fromkeys(names)
        }

    def _array(self, schema: dict[str, Any], words: tuple[object, ...], depth: int) -> list[Any]:
        least = schema.get("minItems", 0 if depth > _DEEPEST else 1)
        number = max(least, min(1, schema.get("maxItems", 1)) if depth <= _DEEPEST else 0)
        item = schema.get("items", {"type": "string"})
        return [self.make(item, (index, *words), depth + 1) for index in range(number)]


_NESTED = ("object", "array")
_OF_STRINGS = {"minLength", "maxLength", "pattern", "format"}


def _drawn(values: list[Any], *words: object) -> Any:
    return values[int(unit(*words) * len(values))]


def _scalar(kind: Any, schema: dict[str, Any], words: tuple[object, ...]) -> Any:
    if kind == "null":
        return None
    if kind == "boolean":
        return unit("boolean", *words) < 0.5
    if kind in ("integer", "number"):
        return _number(kind, schema, words)
    text = _FORMATS.get(schema.get("format", "")) or "".join(compose(3, *words)).rstrip(".")
    text = text.ljust(schema.get("minLength", 0), "x")
    return text[: schema.get("maxLength", len(text))]


def _number(kind: str, schema: dict[str, Any], words: tuple[object, ...]) -> float | int:
    step = schema.get("multipleOf") or (1 if kind == "integer" else 0.01)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    low, high = _bounds(low, high)
    first = math.ceil(low / step)
    first += first * step <= schema.get("exclusiveMinimum", -math.inf)
    last = math.floor(high / step)
    last -= last * step >= schema.get("exclusiveMaximum", math.inf)
    number = first + int(unit(kind, *words) * (max(last - first, 0) + 1))
    # Not by multiplication: 3 * 0.01 is no multiple of 0.01 any more.
    value = number / 100 if step == 0.01 else number * step
    return int(value) if kind == "integer" else value


def _bounds(low: float | None, high: float | None) -> tuple[float, float]:
    if low is None:
        return (0 if high is None else high - 100), (100 if high is None else high)
    return low, (low + 100 if high is None else high)
