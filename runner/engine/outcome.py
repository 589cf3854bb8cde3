"""From the state of a job and what ended it to the one record of its result."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import UNSET, Raw, UnsetType

from runner.clock import Clock, rfc3339
from runner.engine.turn import Turn
from runner.errors import LineProblem, ProviderError
from runner.models import (
    Completion,
    ErrorRecord,
    Interruption,
    InterruptionReason,
    Job,
    Result,
    Status,
    Usage,
)
from runner.pricing.attempts import cost_of_attempts


def unpriced(_job: Job, _usage: Usage, _lane: str, _told: str | None) -> float | None:
    """Know no prices."""
    return None


def unbounded(_: Job) -> float | None:
    """Know no bounds."""
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """What goes into every result of a run, and what is left out."""

    run_id: str
    lane: str = "live"
    """In which jobs are asked, where neither they nor the responses say otherwise."""
    response: bool = True
    request: bool = False
    price: Callable[[Job, Usage, str, str | None], float | None] = unpriced
    """What an answer to a job cost, in USD, by the lane in which it was asked and the tier that the
    response names, if any; None where that is unknown."""
    worst_case: Callable[[Job], float | None] = unbounded
    """The most that one attempt at a job can cost, in USD; None where nobody can say."""
    judge: Callable[[Job, Completion], Completion] | None = None
    """Gives an answer with its JSON, or raises ProviderError where it does not fit the job's
    schema; None where no job has one."""


def answered(turn: Turn, completion: Completion, clock: Clock, recording: Recording) -> Result:
    """Record an answer that the provider ended."""
    return _result(turn, completion, clock, recording, None, None)


def failed(turn: Turn, error: ProviderError, clock: Clock, recording: Recording) -> Result:
    """Record the last attempt's failure: `interrupted` where the answer had begun and was cut."""
    interruption = None
    if error.interruption is not None:
        interruption = Interruption(
            reason=error.interruption, message=error.message, at=rfc3339(clock.now())
        )
    return _result(
        turn, error.completion or Completion(), clock, recording, error.record(), interruption
    )


def stopped(
    turn: Turn, reason: InterruptionReason, message: str, clock: Clock, recording: Recording
) -> Result:
    """Record an answer that we cut off ourselves, with what had come of it."""
    completion = Completion() if turn.assembly is None else turn.assembly.completion()
    interruption = Interruption(reason=reason, message=message, at=rfc3339(clock.now()))
    return _result(turn, completion, clock, recording, None, interruption)


def refused(problem: LineProblem, clock: Clock) -> Result:
    """Record a line of the input that is not a job."""
    now = rfc3339(clock.now())
    return Result(
        id=problem.id or f"line-{problem.line}",
        digest=None,
        line=problem.line,
        status="failed",
        cost_usd=0.0,
        error=ErrorRecord(kind="invalid_job", message=str(problem)),
        started_at=now,
        finished_at=now,
        duration_s=0.0,
    )


def parsed_of(job: Job, completion: Completion) -> Raw | UnsetType | None:
    """Give what a record says of the answer's JSON: null where a schema asked for it in vain."""
    if job.request.schema is not None and completion.parsed is UNSET:
        return None
    return completion.parsed


def _result(
    turn: Turn,
    completion: Completion,
    clock: Clock,
    recording: Recording,
    error: ErrorRecord | None,
    interruption: Interruption | None,
) -> Result:
    job = turn.job
    status: Status = "interrupted" if interruption else "failed" if error else "succeeded"
    return Result(
        id=job.id,
        digest=job.digest,
        line=job.line,
        status=status,
        provider=job.provider,
        model=job.model,
        response_model=completion.response_model,
        lane=turn.served or recording.lane,
        text=completion.text,
        parsed=parsed_of(job, completion),
        finish_reason=completion.finish_reason,
        usage=completion.usage,
        cost_usd=cost_of_attempts(
            turn.attempts, lambda usage: recording.price(job, usage, "live", None)
        ),
        interruption=interruption,
        error=error,
        attempts=turn.attempts,
        started_at=turn.started_at,
        finished_at=rfc3339(clock.now()),
        duration_s=None if turn.started_at is None else clock.monotonic() - turn.started,
        time_to_first_token_s=turn.first_token_s,
        streamed=turn.streamed,
        response=completion.response if recording.response else UNSET,
        request=turn.request,
        metadata=job.metadata,
    )
