"""From a row of a batch to the one record of its job: the same as of a live request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from msgspec import UNSET, Raw

from runner.clock import rfc3339
from runner.engine.outcome import parsed_of
from runner.errors import ProviderError
from runner.events import AttemptStarted, Event, JobFinished
from runner.lanes.chunk import Chunk
from runner.models import AttemptRecord, Completion, Interruption, Job, Result, Status, Usage
from runner.pricing.attempts import cost_of_attempts, cost_of_failure
from runner.providers.batches.base import Batch, Row

LANE = "batch"
LIVE = "live"
"""How earlier attempts were made whose price may be known by now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """When a batch was asked for and when it ended. RFC 3339, and seconds between."""

    started_at: str
    finished_at: str
    duration_s: float


def times_of(chunk: Chunk, batch: Batch, now: datetime) -> Times:
    """Take the service's word for how long it took, and no moment of its clock."""
    if batch.ended_at is None:
        took_s = max(0.0, now.timestamp() - chunk.asked_at)
    else:
        took_s = max(0.0, batch.ended_at - batch.created_at)
    return Times(
        started_at=chunk.submitted_at,
        finished_at=rfc3339(datetime.fromtimestamp(chunk.asked_at + took_s, UTC)),
        duration_s=took_s,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorder:
    """Makes records of rows and hands them on."""

    price: Callable[[Job, Usage, str], float | None]
    """What an answer cost at a lane's rates, in USD; None where that is unknown."""
    worst_case: Callable[[Job], float | None]
    earlier: Callable[[Job], list[AttemptRecord]]
    """The attempts that a job's record already holds."""
    recorded: Callable[[Job, str], Result | None]
    """The record of a job as a row of this batch, if there is one: a run was killed."""
    line: Callable[[Job], int | None]
    """Where a job stands in the input of this run."""
    counts: Callable[[Job], bool]
    """Whether a job is one of this run's."""
    write: Callable[[Result], Awaitable[None]]
    emit: Callable[[Event], None]
    settle: Callable[[Job, float | None], None]
    """Told what a row cost."""
    passed: Callable[[Result], None]
    """Told of a record that was in the file already."""
    response: bool = True
    body: Callable[[Job], Awaitable[bytes]] | None = None
    """Gives the body that was sent, where it is to be kept."""
    judge: Callable[[Job, Completion], Completion] | None = None
    """Gives an answer with its JSON, or raises ProviderError where it does not fit the schema."""

    async def record(self, chunk: Chunk, times: Times, job: Job, row: Row) -> None:
        """Hand on the record of one row, or pass over one that was recorded."""
        counted = self.counts(job)
        before = self.recorded(job, chunk.batch or "")
        if counted:
            self.emit(AttemptStarted(job, 1))
        if before is not None:
            self.settle(job, before.attempts[-1].cost_usd)
            if counted:
                self.emit(JobFinished(before))
                self.passed(before)
            return
        row = self._judged(job, row)
        attempt = self._attempt(chunk, times, job, row)
        self.settle(job, attempt.cost_usd)
        request = Raw(await self.body(job)) if self.body is not None else UNSET
        result = self._result(times, job, row, [*self.earlier(job), attempt], request)
        if counted:
            self.emit(JobFinished(result))
        await self.write(result)

    def _judged(self, job: Job, row: Row) -> Row:
        if self.judge is None or row.completion is None or job.request.schema is None:
            return row
        try:
            return replace(row, completion=self.judge(job, row.completion))
        except ProviderError as misfit:
            return replace(row, completion=None, error=misfit)

    def _attempt(self, chunk: Chunk, times: Times, job: Job, row: Row) -> AttemptRecord:
        error, completion = row.error, _completion(row)
        cost = self._cost(job, row, completion.usage)
        most = self.worst_case(job) if cost is None else None
        return AttemptRecord(
            run=chunk.run,
            started_at=times.started_at,
            duration_s=times.duration_s,
            outcome="ok" if error is None else error.kind,
            request_id=completion.request_id if error is None else error.request_id,
            usage=completion.usage,
            cost_usd=cost,
            at_most_usd=UNSET if most is None else most,
            lane=LANE,
            batch=chunk.batch or UNSET,
        )

    def _cost(self, job: Job, row: Row, usage: Usage | None) -> float | None:
        if row.error is None:
            return None if usage is None else self.price(job, usage, LANE)
        if row.free:
            return 0.0
        return cost_of_failure(row.error, lambda used: self.price(job, used, LANE))

    def _result(
        self,
        times: Times,
        job: Job,
        row: Row,
        attempts: list[AttemptRecord],
        request: Raw | object,
    ) -> Result:
        error, completion = row.error, _completion(row)
        cut = None if error is None else _interruption(error, times.finished_at)
        status: Status = "interrupted" if cut else "failed" if error else "succeeded"
        return Result(
            id=job.id,
            digest=job.digest,
            line=self.line(job),
            status=status,
            provider=job.provider,
            model=job.model,
            response_model=completion.response_model,
            lane=LANE,
            text=completion.text,
            parsed=parsed_of(job, completion),
            finish_reason=completion.finish_reason,
            usage=completion.usage,
            cost_usd=cost_of_attempts(attempts, lambda usage: self.price(job, usage, LIVE)),
            interruption=cut,
            error=None if error is None else error.record(),
            attempts=attempts,
            started_at=times.started_at,
            finished_at=times.finished_at,
            duration_s=times.duration_s,
            response=completion.response if self.response else UNSET,
            request=request,  # type: ignore[arg-type] # UNSET or a Raw
            metadata=job.metadata,
        )


def _completion(row: Row) -> Completion:
    if row.error is not None:
        return row.error.completion or Completion()
    return row.completion or Completion()


def _interruption(error: ProviderError, at: str) -> Interruption | None:
    if error.interruption is None:
        return None
    return Interruption(reason=error.interruption, message=error.message, at=at)
