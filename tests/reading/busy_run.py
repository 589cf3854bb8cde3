"""Records as a busy run leaves them: two models, refusals, failures of many causes, a pause."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from runner.clock import rfc3339
from runner.models import (
    AttemptRecord,
    ErrorKind,
    ErrorRecord,
    Interruption,
    Result,
    Usage,
)
from runner.results.encode import encode

START = datetime.fromisoformat("2026-11-22T02:14:30.123Z")
_FAILURES: tuple[tuple[ErrorKind, int | None, str, bool], ...] = (
    ("invalid_request", 400, "prompt is too long: {} tokens > 200000 maximum", False),
    ("timeout", None, "no answer within 600 seconds", True),
    ("provider", 502, "<html><body>Bad gateway req_{}</body></html>", True),
    ("overloaded", 529, "Overloaded", True),
)
_MODELS = (("openai", "gpt-5-mini", 0.4, 300), ("anthropic", "claude-haiku-4-5", 1.1, 500))


def busy_records(number: int, seed: int = 1, span_s: float = 300.0) -> Iterator[Result]:
    """Give records in the order of their lines, spread over a time with a pause in its middle."""
    chance = random.Random(seed)
    for line in range(1, number + 1):
        began_s = span_s * line / number * chance.uniform(0.8, 1.0)
        if began_s > span_s / 2:
            began_s += 6 * 3600.0
        yield _record(chance, line, START + timedelta(seconds=began_s))


def write_busy_run(path: Path, number: int, seed: int = 1, span_s: float = 300.0) -> Path:
    """Write such records into a results file."""
    with path.open("wb") as file:
        file.writelines(encode(result) for result in busy_records(number, seed, span_s))
    return path


def _record(chance: random.Random, line: int, began: datetime) -> Result:
    provider, model, mean_s, price = _MODELS[chance.random() < 0.3]
    seconds = chance.lognormvariate(0, 0.6) * mean_s
    attempts = list(_refused(chance, began))
    last = began + timedelta(seconds=2.0 * len(attempts))
    ended = last + timedelta(seconds=seconds)
    kind, error, interruption = _end(chance, line, ended)
    usage = None
    if kind is None:
        given = chance.randint(50, 2_000)
        usage = Usage(
            input_tokens=given,
            output_tokens=chance.randint(5, 500),
            cached_input_tokens=given // 3,
        )
    cost = None if usage is None else round(price * (usage.output_tokens or 0) * 1e-8, 9)
    attempts.append(_attempt(last, seconds, kind or "ok", usage, cost))
    first = seconds * chance.uniform(0.1, 0.5) if provider == "anthropic" and not kind else None
    cut = kind is None and chance.random() < 0.02
    return Result(
        id=f"job-{line:05d}",
        digest=f"{line:064x}",
        line=line,
        status="interrupted" if interruption else "failed" if error else "succeeded",
        provider=provider,
        model=model,
        lane="live",
        text=None if kind else f"The answer to question {line}: " + "so it is, " * 20,
        finish_reason=None if kind else "length" if cut else "stop",
        usage=usage,
        cost_usd=0.0 if kind in ("invalid_request", "overloaded") else cost,
        interruption=interruption,
        error=error,
        attempts=attempts,
        started_at=rfc3339(began),
        finished_at=rfc3339(ended),
        duration_s=round((ended - began).total_seconds(), 6),
        time_to_first_token_s=first,
        streamed=first is not None,
    )


def _refused(chance: random.Random, began: datetime) -> Iterator[AttemptRecord]:
    while chance.random() < 0.04:
        yield _attempt(began, 0.05, "rate_limit", None, 0.0)


def _end(
    chance: random.Random, line: int, ended: datetime
) -> tuple[str | None, ErrorRecord | None, Interruption | None]:
    dice = chance.random()
    if dice < 0.01:
        cut = Interruption(reason="idle", message="nothing more came", at=rfc3339(ended))
        return "interrupted", None, cut
    if dice < 0.04:
        kind, status, message, retryable = chance.choice(_FAILURES)
        told = message.format(200_000 + line)
        error = ErrorRecord(kind=kind, message=told, http_status=status, retryable=retryable)
        return kind, error, None
    return None, None, None


def _attempt(
    began: datetime, seconds: float, outcome: str, usage: Usage | None, cost: float | None
) -> AttemptRecord:
    return AttemptRecord(
        run="20261122T021430Z-000001",
        started_at=rfc3339(began),
        duration_s=round(seconds, 6),
        outcome=outcome,
        usage=usage,
        cost_usd=cost,
    )
