"""Results files for the tests of reading, made of true records."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Raw

from runner.models import (
    AttemptRecord,
    ErrorKind,
    ErrorRecord,
    Interruption,
    InterruptionReason,
    Result,
    Usage,
)
from runner.results.encode import encode

AT = "2026-11-22T02:14:30.123Z"

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1.0,
    "model": "m",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 2},
}


def raw(value: Any) -> Raw:
    """A value as a piece of JSON."""
    return Raw(json.dumps(value).encode())


def answer(name: str, line: int | None = 1, *, body: Any = CHAT, **fields: Any) -> Result:
    """A succeeded record with a body."""
    given: dict[str, Any] = {
        "status": "succeeded",
        "provider": "sim",
        "model": "steady",
        "text": f"Answer {name}",
        "finish_reason": "stop",
        "usage": Usage(input_tokens=9, output_tokens=2),
        "response": raw(body),
        "attempts": [attempt(request_id="req_9")],
    }
    return Result(id=name, digest=f"d-{name}", line=line, **{**given, **fields})


def attempt(outcome: str = "ok", request_id: str | None = None) -> AttemptRecord:
    """One request that was sent."""
    return AttemptRecord(
        run="r", started_at=AT, duration_s=1.0, outcome=outcome, request_id=request_id
    )


def failure(
    name: str,
    line: int | None = 1,
    *,
    kind: ErrorKind = "invalid_request",
    status: int | None = 400,
    code: str | None = None,
    request_id: str | None = "req_1",
) -> Result:
    """A failed record."""
    error = ErrorRecord(
        kind=kind,
        message="prompt is too long",
        http_status=status,
        code=code,
        request_id=request_id,
    )
    return Result(
        id=name,
        digest=f"d-{name}",
        line=line,
        status="failed",
        provider="sim",
        model="steady",
        error=error,
    )


def broken(name: str, line: int | None, reason: InterruptionReason, **fields: Any) -> Result:
    """An interrupted record."""
    interruption = Interruption(reason=reason, message=f"because of {reason}", at=AT)
    return Result(
        id=name,
        digest=f"d-{name}",
        line=line,
        status="interrupted",
        text="Answ",
        interruption=interruption,
        **fields,
    )


def results_file(folder: Path, results: Sequence[Result], name: str = "jobs.results.jsonl") -> Path:
    """Write records into a results file."""
    path = folder / name
    path.write_bytes(b"".join(encode(result) for result in results))
    return path
