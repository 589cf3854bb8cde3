"""Jobs, results and a clock for the tests of what a person sees."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from runner.errors import ProviderError
from runner.models import ErrorRecord, Interruption, InterruptionReason, Job, Request, Result, Usage


@dataclass
class FakeClock:
    """Time that stands still until a test moves it."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 2, 14, 30, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def job(name: str, line: int = 1, max_tokens: int | None = None) -> Job:
    """A job for `openai/m`."""
    return Job(
        id=name,
        digest="d",
        line=line,
        provider="openai",
        model="m",
        request=Request(max_tokens=max_tokens),
    )


def answered(name: str, text: str | None = None, **fields: Any) -> Result:
    """A record of an answer with known usage."""
    given = {"usage": Usage(input_tokens=10, output_tokens=5), "finish_reason": "stop", "line": 1}
    return Result(id=name, digest="d", status="succeeded", text=text, **{**given, **fields})


def failed(name: str, error: ErrorRecord | None = None, *, line: int | None = 1) -> Result:
    """A record of a failure, a time-out unless said otherwise."""
    error = error or ErrorRecord(kind="timeout", message="no answer within 600 s", retryable=True)
    return Result(id=name, digest="d", line=line, status="failed", error=error)


def cut(name: str, reason: InterruptionReason, text: str | None = None, **fields: Any) -> Result:
    """A record of an answer that was under way."""
    interruption = Interruption(reason=reason, message="it was cut", at="2026-11-22T02:14:30.000Z")
    return Result(
        id=name,
        digest="d",
        line=1,
        status="interrupted",
        text=text,
        interruption=interruption,
        **fields,
    )


def refusal(kind: Any = "overloaded", status: int | None = 503) -> ProviderError:
    """A failure that is worth another attempt."""
    return ProviderError(kind, "come back later", retryable=True, http_status=status)
