"""Where something stands in a JSON value, and which references leave a document. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef", "$schema")
_KNOWN = "://json-schema.org/"
"""Where the drafts stand, which a `$schema` may name: they come with the validator."""
_MOST_LEVELS = 64


def pointer(path: Sequence[str | int]) -> str:
    """Write a path as a JSON pointer (RFC 6901); empty for the whole."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def foreign_reference(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """Find the first reference that is not to a place in the same document: where, and to what."""
    own = {value["$id"] for _, value in _objects(document, ()) if isinstance(value.get("$id"), str)}
    for path, value in _objects(document, ()):
        for name in _REFERENCES:
            address = value.get(name)
            if not isinstance(address, str) or (name == "$schema" and _KNOWN in address):
                continue
            if address.partition("#")[0] not in {"", *own}:
                return pointer((*path, name)), address
    return None


def _objects(
    value: object, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    if len(path) > _MOST_LEVELS:
        return
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from _objects(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _objects(inner, (*path, number))
