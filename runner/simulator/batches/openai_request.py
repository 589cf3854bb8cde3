"""What is asked of OpenAI's Batches when one is created, and what is refused on the spot."""

from typing import Any, Literal

from msgspec import Struct

from runner.simulator import parameters as known
from runner.simulator.batches.files import check_lifetime
from runner.simulator.errors import ApiError
from runner.simulator.strict import decode_body

_ENDPOINTS: dict[str, Literal["chat", "responses"]] = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
}
_KEYS = ("input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after")
_MOST_PAIRS = 16
_LONGEST_KEY = 64
_LONGEST_VALUE = 512
_THIRTY_DAYS_S = 30 * 24 * 3600


class BatchRequest(Struct, frozen=True, kw_only=True):
    """A batch as its owner wants it."""

    api: Literal["chat", "responses"]
    endpoint: str
    input_file_id: str
    metadata: dict[str, str] | None
    output_lasts_s: int


def read_request(headers: dict[str, str], raw: bytes) -> BatchRequest:
    """Read the body of `POST /v1/batches`.

    Raises:
        ApiError: 400.
    """
    body = decode_body(headers, raw)
    for name in body:
        if name not in _KEYS:
            raise _bad(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    for name in ("input_file_id", "endpoint", "completion_window"):
        if body.get(name) is None:
            message = f"Missing required parameter: '{name}'."
            raise _bad(message, name, "missing_required_parameter")
        _check_type(name, body[name], "string")
    _check_choice("endpoint", body["endpoint"], tuple(_ENDPOINTS))
    _check_choice("completion_window", body["completion_window"], ("24h",))
    metadata = body.get("metadata")
    if metadata is not None:
        _check_metadata(metadata)
    lasts, expiry = _THIRTY_DAYS_S, body.get("output_expires_after")
    if expiry is not None:
        _check_type("output_expires_after", expiry, "object")
        where = "output_expires_after"
        lasts = check_lifetime(expiry.get("anchor"), expiry.get("seconds"), where)
    return BatchRequest(
        api=_ENDPOINTS[body["endpoint"]],
        endpoint=body["endpoint"],
        input_file_id=body["input_file_id"],
        metadata=metadata,
        output_lasts_s=lasts,
    )


def _check_metadata(metadata: Any) -> None:
    _check_type("metadata", metadata, "object")
    if len(metadata) > _MOST_PAIRS:
        message = f"Invalid 'metadata': too many properties, at most {_MOST_PAIRS} are allowed."
        raise _bad(message, "metadata", "object_above_max_properties")
    for key, value in metadata.items():
        if len(key) > _LONGEST_KEY:
            message = f"Invalid 'metadata': a key is longer than {_LONGEST_KEY} characters."
            raise _bad(message, "metadata", "string_above_max_length")
        place = f"metadata.{key}"
        _check_type(place, value, "string")
        if len(value) > _LONGEST_VALUE:
            message = f"Invalid '{place}': longer than {_LONGEST_VALUE} characters."
            raise _bad(message, place, "string_above_max_length")


def _check_type(name: str, value: Any, wanted: str) -> None:
    kind = known.json_type(value)
    if kind != wanted:
        message = f"Invalid type for '{name}': expected {wanted}, but got {kind} instead."
        raise _bad(message, name, "invalid_type")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        supported = ", ".join(map(repr, choices))
        message = f"Invalid value: '{value}'. Supported values are: {supported}."
        raise _bad(message, name, "invalid_value")


def _bad(message: str, param: str, code: str) -> ApiError:
    return ApiError(400, message, param=param, code=code)
