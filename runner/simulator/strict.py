"""Refuses what the real APIs refuse: keys, parameters, their types and how they go together.

What stands inside the messages is checked by `strict_messages`.
"""

import re
from typing import Any

import msgspec

from runner.simulator import errors
from runner.simulator import parameters as known
from runner.simulator.ask import Api
from runner.simulator.errors import ApiError
from runner.simulator.scenario import Scenario
from runner.simulator.strict_form import check_form
from runner.simulator.strict_messages import check_messages

_VERSION = re.compile(r"\d{4}-\d\d-\d\d")
_TABLES = {"chat": known.CHAT, "responses": known.RESPONSES, "messages": known.MESSAGES}
_REQUIRED = {
    "chat": ("model", "messages"),
    "responses": ("model", "input"),
    "messages": ("model", "max_tokens", "messages"),
}


def check_key(api: Api, headers: dict[str, str]) -> None:
    """Refuse a missing key, one that begins with `bad`, and one that begins with `broke`.

    Raises:
        ApiError: 401, or the refusal of an account without credit.
    """
    scheme, _, key = headers.get("authorization", "").partition(" ")
    key = key.strip() if scheme.lower() == "bearer" else ""
    if api == "messages":
        key = headers.get("x-api-key", "") or key
    if not key:
        raise errors.missing_key(api)
    if key.startswith("bad"):
        raise errors.wrong_key(api, key)
    if key.startswith("broke"):
        raise errors.quota(api)


def read_body(api: Api, headers: dict[str, str], raw: bytes) -> dict[str, Any]:
    """Decode a request's body and check all of it.

    Raises:
        ApiError: 400, or 413 for a body that is too large.
    """
    if api == "messages" and len(raw) > known.MESSAGES_LARGEST_BODY:
        raise ApiError(413, "Request exceeds the maximum size")
    body = decode_body(headers, raw)
    if api == "messages":
        check_version(headers)
    check_body(api, headers, body)
    return body


def decode_body(headers: dict[str, str], raw: bytes) -> dict[str, Any]:
    """Decode a body that must be a JSON object.

    Raises:
        ApiError: 400.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(400, "Content-Type must be application/json", kind="invalid_request_error")
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(
            400, "We could not parse the JSON body of your request. It is not valid JSON."
        ) from None
    if not isinstance(body, dict):
        raise ApiError(400, "The body of the request must be a JSON object.")
    return body


def check_body(api: Api, headers: dict[str, str], body: dict[str, Any]) -> None:
    """Check all of a decoded body; Anthropic's version in the headers must have been checked.

    Raises:
        ApiError: 400.
    """
    if api == "messages":
        _check_removed(headers, body)
    _check_parameters(api, headers, body)
    check_form(api, body)
    check_messages(api, body, current=_current(headers))


def check_version(headers: dict[str, str]) -> None:
    """Refuse a request that does not name Anthropic's API version.

    Raises:
        ApiError: 400.
    """
    version = headers.get("anthropic-version")
    if version is None:
        raise ApiError(400, "anthropic-version: header is required")
    if not _VERSION.fullmatch(version):
        raise ApiError(400, f"anthropic-version: {version!r} is not a valid version")


def check_model(api: Api, scenario: Scenario, model: str) -> None:
    """Refuse a model that the scenario does not have.

    Raises:
        ApiError: 404.
    """
    absent = model.startswith("unknown") or model in scenario.unknown_models
    if absent or (scenario.models is not None and model not in scenario.models):
        raise errors.no_model(api, model)


def _current(headers: dict[str, str]) -> bool:
    return headers.get("anthropic-version", "") >= known.SAMPLING_REMOVED


def _check_removed(headers: dict[str, str], body: dict[str, Any]) -> None:
    if not _current(headers):
        return
    for name in known.SAMPLING:
        if name in body:
            message = f"{name}: no longer supported since version {known.SAMPLING_REMOVED}"
            raise ApiError(400, message)


def _check_parameters(api: Api, headers: dict[str, str], body: dict[str, Any]) -> None:
    table = _TABLES[api]
    if api == "messages" and not _current(headers):
        table = {**table, **known.SAMPLING}
    for name in _REQUIRED[api]:
        if name not in body and not (name == "input" and "prompt" in body):
            raise _missing(api, name)
    for name, value in body.items():
        if name not in table:
            raise _unknown(api, name)
        _check_value(api, name, value, table[name])
    if api == "chat" and None not in (body.get("max_tokens"), body.get("max_completion_tokens")):
        raise ApiError(
            400,
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            code="invalid_parameter_combination",
            param="max_tokens",
        )
    if api != "messages":
        _check_stream_options(api, body)


def _check_value(api: Api, name: str, value: Any, parameter: known.Parameter) -> None:
    kind = known.json_type(value)
    if not known.fits(value, parameter):
        wanted = " or ".join(parameter.types)
        raise _bad(api, name, f"expected {wanted}, but got {kind} instead", "invalid_type")
    if kind in {"integer", "number"}:
        if parameter.low is not None and value < parameter.low:
            problem = f"expected a value >= {parameter.low:g}, but got {value:g} instead"
            raise _bad(api, name, problem, f"{_decimal(parameter)}_below_min_value")
        if parameter.high is not None and value > parameter.high:
            problem = f"expected a value <= {parameter.high:g}, but got {value:g} instead"
            raise _bad(api, name, problem, f"{_decimal(parameter)}_above_max_value")
    if kind == "string" and parameter.choices and value not in parameter.choices:
        supported = ", ".join(repr(choice) for choice in parameter.choices)
        raise _bad(api, name, f"supported values are: {supported}", "invalid_value")


def _check_stream_options(api: Api, body: dict[str, Any]) -> None:
    options = body.get("stream_options")
    if options is None:
        return
    if not body.get("stream"):
        raise ApiError(
            400,
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    for name, value in options.items():
        if name not in known.STREAM_OPTIONS[api]:
            raise _unknown(api, f"stream_options.{name}")
        _check_value(api, f"stream_options.{name}", value, known.Parameter(("boolean",)))


def _decimal(parameter: known.Parameter) -> str:
    return "decimal" if "number" in parameter.types else "integer"


def _missing(api: Api, name: str) -> ApiError:
    if api == "messages":
        return ApiError(400, f"{name}: Field required")
    message = f"Missing required parameter: '{name}'."
    return ApiError(400, message, code="missing_required_parameter", param=name)


def _unknown(api: Api, name: str) -> ApiError:
    if api == "messages":
        return ApiError(400, f"{name}: Extra inputs are not permitted")
    return ApiError(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


def _bad(api: Api, name: str, problem: str, code: str) -> ApiError:
    if api == "messages":
        return ApiError(400, f"{name}: {problem}")
    return ApiError(400, f"Invalid value for '{name}': {problem}.", code=code, param=name)
