"""What happens in a run, as frozen records. Sinks (progress, console, log, summary) listen."""

from typing import Literal, Protocol

from msgspec import Struct

from runner.errors import ProviderError, WriteError
from runner.models import AttemptRecord, Job, Result


class JobQueued(Struct, frozen=True):
    """A job was read and waits for a worker. Comes in input order."""

    job: Job


class AttemptStarted(Struct, frozen=True):
    """A request goes out now. `number` counts from 1 within this run."""

    job: Job
    number: int


class DeltaReceived(Struct, frozen=True):
    """A piece of streamed text arrived."""

    job: Job
    text: str
    kind: Literal["text", "reasoning"] = "text"


class RetryScheduled(Struct, frozen=True):
    """An attempt failed and the job will be asked again in `delay_s` seconds."""

    job: Job
    error: ProviderError
    delay_s: float
    falls_back: bool = False
    """It is asked at the standard price then, because there was no room at flex price."""


class JobFinished(Struct, frozen=True):
    """A job has its result for this run; the record is on its way to the file."""

    result: Result


class JobLeft(Struct, frozen=True):
    """A job ends this run without a record: stopped in the queue, or its provider was halted."""

    job: Job
    error: ProviderError | None = None
    """What its last attempt met just before; None where it was waiting."""
    attempts: tuple[AttemptRecord, ...] = ()
    """All requests that were sent for it."""


class ProviderHalted(Struct, frozen=True):
    """The account was refused; nothing new goes to this provider."""

    provider: str
    error: ProviderError


class ModelHalted(Struct, frozen=True):
    """So many jobs failed alike and for good, and none was answered; nothing new goes there."""

    provider: str
    model: str
    error: ProviderError
    jobs: int


class BudgetSpent(Struct, frozen=True):
    """What is left of `--max-cost` does not pay for the next request; nothing new is sent."""

    next_usd: float
    """The most that it can cost."""


class Stopping(Struct, frozen=True):
    """A stop was asked for; answers on their way are waited for up to `grace_s` seconds."""

    signal: str
    in_flight: int
    grace_s: float
    because: str = ""
    """What a person is told of it, where the signal alone does not say it."""


class WritesHeld(Struct, frozen=True):
    """Results cannot be written: nothing new is sent, and it is tried again up to `for_s`."""

    error: WriteError
    for_s: float


class WritesResumed(Struct, frozen=True):
    """Results can be written again."""


Event = (
    JobQueued
    | AttemptStarted
    | DeltaReceived
    | RetryScheduled
    | JobFinished
    | JobLeft
    | ProviderHalted
    | ModelHalted
    | BudgetSpent
    | Stopping
    | WritesHeld
    | WritesResumed
)


class Sink(Protocol):
    """Somebody who watches a run. `emit` must not block and must not raise."""

    def emit(self, event: Event) -> None:
        """Take note of one event, in the order in which they happen."""
