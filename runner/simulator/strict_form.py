"""Refuses what the real APIs refuse of a form for the answer: of its shape, and of its schema."""

import re
from typing import Any

import msgspec

from runner.simulator import parameters as known
from runner.simulator.ask import Api, form_of
from runner.simulator.errors import ApiError
from runner.simulator.strict_schema import anthropic_problem, openai_problem

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_LONGEST_NAME = 64
_TYPES = ("text", "json_object", "json_schema")
_KEYS = {
    "chat": ("name", "description", "schema", "strict"),
    "responses": ("type", "name", "description", "schema", "strict"),
    "messages": ("type", "schema"),
}
_PLACES = {
    "chat": "response_format",
    "responses": "text.format",
    "messages": "output_config.format",
}


def check_form(api: Api, body: dict[str, Any]) -> None:
    """Check the form in which a body wants its answer, if it names one.

    Raises:
        ApiError: 400.
    """
    place, form = _PLACES[api], form_of(api, body)
    if form is None:
        return
    if not isinstance(form, dict):
        raise _bad(api, place, f"expected an object, but got {known.json_type(form)} instead")
    kinds = ("json_schema",) if api == "messages" else _TYPES
    kind = form.get("type")
    if kind is None:
        raise _missing(api, f"{place}.type")
    if kind not in kinds:
        supported = ", ".join(map(repr, kinds))
        raise _bad(api, f"{place}.type", f"{kind!r}; supported values are: {supported}")
    if kind == "json_schema":
        _check_schema_form(api, place, form)
    elif kind == "json_object":
        _check_word(api, body)


def _check_word(api: Api, body: dict[str, Any]) -> None:
    """Refuse to give just any JSON where nothing that is said speaks of it."""
    said = [body.get(name) for name in ("messages", "input", "instructions")]
    if b"json" in msgspec.json.encode(said).lower():
        return
    if api == "chat":
        message = (
            "'messages' must contain the word 'json' in some form, to use 'response_format' of"
            " type 'json_object'."
        )
        raise ApiError(400, message, param="messages")
    message = (
        "Response input messages must contain the word 'json' in some form to use 'text.format'"
        " of type 'json_object'."
    )
    raise ApiError(400, message, param="input")


def _check_schema_form(api: Api, place: str, form: dict[str, Any]) -> None:
    inner = form
    if api == "chat":
        _check_keys(api, place, form, ("type", "json_schema"))
        place = f"{place}.json_schema"
        if "json_schema" not in form:
            raise _missing(api, place)
        inner = form["json_schema"]
        if not isinstance(inner, dict):
            raise _bad(api, place, f"expected an object, but got {known.json_type(inner)} instead")
    _check_keys(api, place, inner, _KEYS[api])
    if api != "messages":
        _check_name(api, f"{place}.name", inner)
        _check_type(api, f"{place}.strict", inner.get("strict"), "boolean")
        _check_type(api, f"{place}.description", inner.get("description"), "string")
    schema = inner.get("schema")
    if schema is None and api != "chat":
        raise _missing(api, f"{place}.schema")
    _check_type(api, f"{place}.schema", schema, "object")
    if schema is None:
        return
    try:
        _check_schema(api, schema, inner)
    except (AttributeError, TypeError):  # a keyword that holds what it cannot
        message = f"Invalid schema for {place}: it is not valid JSON Schema."
        raise ApiError(400, message, param=place) from None


def _check_schema(api: Api, schema: dict[str, Any], inner: dict[str, Any]) -> None:
    if api == "messages":
        problem = anthropic_problem(schema)
        if problem is not None:
            raise ApiError(400, f"output_config.format.schema: {problem}")
        return
    problem = openai_problem(schema, strict=bool(inner.get("strict")))
    if problem is not None:
        message = f"Invalid schema for response_format '{inner['name']}': {problem}"
        if api == "chat":
            raise ApiError(400, message, param="response_format")
        raise ApiError(400, message, code="invalid_json_schema", param="text.format.schema")


def _check_name(api: Api, place: str, inner: dict[str, Any]) -> None:
    name = inner.get("name")
    if name is None:
        raise _missing(api, place)
    _check_type(api, place, name, "string")
    if len(name) > _LONGEST_NAME:
        problem = (
            f"Invalid '{place}': string too long. Expected a string with maximum length "
            f"{_LONGEST_NAME}, but got a string with length {len(name)} instead."
        )
        raise ApiError(400, problem, code="string_above_max_length", param=place)
    if not _NAME.fullmatch(name):
        problem = (
            f"Invalid '{place}': string does not match pattern. Expected a string that matches"
            " the pattern '^[a-zA-Z0-9_-]+$'."
        )
        raise ApiError(400, problem, code="invalid_value", param=place)


def _check_keys(api: Api, place: str, value: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in value:
        if key not in keys:
            if api == "messages":
                raise ApiError(400, f"{place}.{key}: Extra inputs are not permitted")
            message = f"Unknown parameter: '{place}.{key}'."
            raise ApiError(400, message, code="unknown_parameter", param=f"{place}.{key}")


def _check_type(api: Api, place: str, value: Any, wanted: str) -> None:
    kind = known.json_type(value)
    if value is not None and kind != wanted:
        article = "an" if wanted == "object" else "a"
        raise _bad(api, place, f"expected {article} {wanted}, but got {kind} instead")


def _missing(api: Api, place: str) -> ApiError:
    if api == "messages":
        return ApiError(400, f"{place}: Field required")
    message = f"Missing required parameter: '{place}'."
    return ApiError(400, message, code="missing_required_parameter", param=place)


def _bad(api: Api, place: str, problem: str) -> ApiError:
    if api == "messages":
        return ApiError(400, f"{place}: {problem}")
    code = "invalid_type" if problem.startswith("expected") else "invalid_value"
    return ApiError(400, f"Invalid value for '{place}': {problem}.", code=code, param=place)
