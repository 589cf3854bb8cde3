"""Records as lines of an OpenAI batch's output file."""

import hashlib
from typing import Any

import msgspec

from runner.models import ErrorKind, Result
from runner.results.encode import decode

_TYPES: dict[ErrorKind, str] = {
    "invalid_job": "invalid_request_error",
    "invalid_request": "invalid_request_error",
    "auth": "authentication_error",
    "quota": "insufficient_quota",
    "not_found": "invalid_request_error",
    "rate_limit": "rate_limit_error",
}
_CODES = {
    "sigint": "batch_cancelled",
    "sigterm": "batch_cancelled",
    "sighup": "batch_cancelled",
    "closed_pipe": "batch_cancelled",
    "deadline": "request_timeout",
    "idle": "request_timeout",
}
"""Interruptions for which the batch API has a code of its own."""


def openai_line(line: bytes) -> bytes:
    """Put a record into the documented shape.

    An answer has its body unchanged; a failure with an HTTP status has that and an error body; any
    other, an interrupted answer among them, has no response but an error with a code.
    """
    result = decode(line)
    response, error = None, None
    if result.status == "succeeded":
        response = _response(result, 200, result.response)
    elif result.error is not None and (result.error.http_status or 0) >= 400:
        response = _response(result, result.error.http_status, {"error": _error_body(result)})
    else:
        error = _error(result)
    name = hashlib.sha256(f"{result.id}\0{result.digest}".encode()).hexdigest()[:32]
    whole = {
        "id": f"batch_req_{name}",
        "custom_id": result.id,
        "response": response,
        "error": error,
    }
    return msgspec.json.encode(whole) + b"\n"


def _response(result: Result, status: int | None, body: object) -> dict[str, Any]:
    return {"status_code": status, "request_id": _request_id(result), "body": body}


def _request_id(result: Result) -> str | None:
    if result.error is not None and result.error.request_id is not None:
        return result.error.request_id
    return result.attempts[-1].request_id if result.attempts else None


def _error_body(result: Result) -> dict[str, Any] | None:
    error = result.error
    if error is None:
        return None
    return {
        "message": error.message,
        "type": _TYPES.get(error.kind, "server_error"),
        "param": None,
        "code": error.code,
    }


def _error(result: Result) -> dict[str, str]:
    if result.interruption is not None:
        reason = result.interruption.reason
        return {"code": _CODES.get(reason, reason), "message": result.interruption.message}
    if result.error is None:
        return {"code": "unknown", "message": "no reason is recorded"}
    return {"code": result.error.code or result.error.kind, "message": result.error.message}
