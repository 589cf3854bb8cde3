"""Records as lines of an Anthropic message batch's results file."""

from typing import Any

import msgspec

from runner.models import ErrorKind, Result
from runner.results.encode import decode

_TYPES: dict[ErrorKind, str] = {
    "invalid_job": "invalid_request_error",
    "invalid_request": "invalid_request_error",
    "auth": "authentication_error",
    "quota": "billing_error",
    "not_found": "not_found_error",
    "rate_limit": "rate_limit_error",
    "overloaded": "overloaded_error",
    "timeout": "timeout_error",
}
_STOPPED = {"sigint", "sigterm", "sighup", "closed_pipe"}
_OUT_OF_TIME = {"deadline", "idle"}


def anthropic_line(line: bytes) -> bytes:
    """Put a record into the documented shape.

    An answer that we stopped is `canceled`, one that ran out of time `expired`; one that was broken
    off otherwise is `errored`, as are failures.
    """
    result = decode(line)
    whole = {"custom_id": result.id, "result": _outcome(result)}
    return msgspec.json.encode(whole) + b"\n"


def _outcome(result: Result) -> dict[str, Any]:
    if result.status == "succeeded":
        return {"type": "succeeded", "message": result.response}
    if result.interruption is not None:
        if result.interruption.reason in _STOPPED:
            return {"type": "canceled"}
        if result.interruption.reason in _OUT_OF_TIME:
            return {"type": "expired"}
    return {"type": "errored", "error": _error(result)}


def _error(result: Result) -> dict[str, Any]:
    kind, message, request_id = "api_error", "no reason is recorded", None
    if result.error is not None:
        kind = _TYPES.get(result.error.kind, "api_error")
        if result.error.http_status == 403:
            kind = "permission_error"
        message, request_id = result.error.message, result.error.request_id
    elif result.interruption is not None:
        message = result.interruption.message
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": request_id,
    }
