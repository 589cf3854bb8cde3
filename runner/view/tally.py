"""Counts over a run, earlier runs on the same results included. Knows neither words nor files."""

from collections import Counter
from dataclasses import dataclass, field

from runner.errors import ProviderError
from runner.events import (
    AttemptStarted,
    BudgetSpent,
    DeltaReceived,
    Event,
    JobFinished,
    JobLeft,
    JobQueued,
    ModelHalted,
    ProviderHalted,
    RetryScheduled,
    Stopping,
)
from runner.models import ErrorKind, ErrorRecord, FinishReason, Job, Result, Status
from runner.view.spending import Spending
from runner.view.tiers import FlexCounts
from runner.view.tokens import Tokens


@dataclass(slots=True)
class Failures:
    """The failed jobs of one kind."""

    count: int = 0
    message: str = ""
    """What the first of them was told."""
    first_line: int | None = None
    """The lowest input line among them; None where no line is known."""
    retryable: int = 0
    """How many of them the same command would ask again."""

    def add(self, error: ErrorRecord, line: int | None) -> None:
        """Count one more."""
        self.message = self.message or error.message
        self.count += 1
        self.retryable += error.retryable
        if line is not None and (self.first_line is None or line < self.first_line):
            self.first_line = line


@dataclass(slots=True)
class Alike:
    """The jobs of one model that all failed in the same lasting way."""

    error: ProviderError
    count: int

    def add(self, error: ErrorRecord) -> None:
        """Count one more that was on its way, if it failed so too."""
        self.count += (error.kind, error.code) == (self.error.kind, self.error.code)


@dataclass(slots=True)
class Tally:
    """A sink that counts everything the end of a run has to say.

    `total` is the number of selected jobs, None while it is not known (stdin). Records of earlier
    runs enter by `add_earlier`; requests, retries and tokens are those of this run alone.
    """

    total: int | None = None
    earlier: int = 0
    """Selected jobs that have a record from an earlier run and are not asked again."""
    succeeded: int = 0
    interrupted: int = 0
    failures: dict[ErrorKind, Failures] = field(default_factory=dict)
    interruptions: Counter[str] = field(default_factory=Counter)
    """Interrupted jobs by reason; `earlier` for those of earlier runs."""
    cut_off: int = 0
    """Answers that ended at their token limit."""
    left: int = 0
    """Jobs handed out in this run that end it without a record."""
    tokens: Tokens = field(default_factory=Tokens)
    requests: int = 0
    retries: int = 0
    """Attempts that failed and were followed by another; refusals for rate are apart."""
    refusals: int = 0
    waited_s: float = 0.0
    """Seconds that jobs were told to wait before their next attempt, summed over jobs."""
    peak_in_flight: int = 0
    taken_back: int = 0
    """Results that could not be written, and are undone again."""
    halted: dict[str, ProviderError] = field(default_factory=dict)
    """Providers that refused the account, with what they said; `internal` where none was asked."""
    halted_models: dict[tuple[str, str], Alike] = field(default_factory=dict)
    """Providers' models that failed every job in the same lasting way."""
    money: Spending = field(default_factory=Spending)
    flex: FlexCounts | None = None
    """At which price answers came; None where flex was not asked for."""
    stopping: Stopping | None = None
    _caps: dict[str, int | None] = field(default_factory=dict)
    """Token limits of the jobs in flight."""
    _cut_caps: set[int | None] = field(default_factory=set)
    _unwritten: dict[int, Result] = field(default_factory=dict)
    """Results on their way to the file, by identity."""

    @property
    def failed(self) -> int:
        """Jobs that ended as failed."""
        return sum(kind.count for kind in self.failures.values())

    @property
    def retryable(self) -> int:
        """Failed jobs that are worth a retry."""
        return sum(kind.retryable for kind in self.failures.values())

    @property
    def finished(self) -> int:
        """Jobs that have a record, of this run or an earlier one."""
        return self.succeeded + self.interrupted + self.failed

    @property
    def undone(self) -> int:
        """Selected jobs without a record."""
        return self.left if self.total is None else max(0, self.total - self.finished)

    @property
    def in_flight(self) -> int:
        """Requests that are out now."""
        return len(self._caps)

    @property
    def attempts(self) -> int:
        """Requests that count against `--max-attempts`.

        All but those refused for rate, and those for which flex had no room and another was sent.
        """
        fell_back = 0 if self.flex is None else self.flex.fell_back
        return self.requests - self.refusals - fell_back

    @property
    def cap(self) -> int | None:
        """The token limit that cut the cut-off answers; None if not known or not one alone."""
        return next(iter(self._cut_caps)) if len(self._cut_caps) == 1 else None

    def add_earlier(
        self,
        status: Status,
        *,
        line: int | None = None,
        error: ErrorRecord | None = None,
        finish_reason: FinishReason | None = None,
        cap: int | None = None,
        reason: str | None = None,
    ) -> None:
        """Count the record of a selected job that this run does not ask again.

        `cap`: the token limit the job was sent with, where the caller knows it. `reason`: why it
        was interrupted.
        """
        self.earlier += 1
        self._count(status, line, error, finish_reason, cap, reason)

    def emit(self, event: Event) -> None:
        if self.flex is not None:
            self.flex.emit(event)
        match event:
            case JobQueued() | DeltaReceived():
                pass  # many of them, and nothing to count
            case AttemptStarted(job):
                self._start(job)
            case RetryScheduled(job, error, delay_s, falls_back):
                self._caps.pop(job.id, None)
                refused = error.kind == "rate_limit" and error.interruption is None
                self.refusals += refused
                self.retries += not (refused or falls_back)
                self.waited_s += delay_s
            case JobFinished(result):
                # A line that is no job may bear the id of one that is in flight.
                cap = self._caps.pop(result.id, None) if result.digest else None
                reason = result.interruption.reason if result.interruption else None
                self._count(
                    result.status, result.line, result.error, result.finish_reason, cap, reason
                )
                self.tokens.add(result.status, result.usage)
                self.money.add(result.attempts)
                self._add_last(result)
                self._unwritten[id(result)] = result
            case JobLeft(job, last, attempts):
                self.money.add(attempts)
                self._caps.pop(job.id, None)
                self.left += 1
                self.refusals += last is not None and last.kind == "rate_limit"
            case _:
                self._hear(event)

    def _hear(self, event: Event) -> None:
        """Take note of what stops a part of the run, or all of it."""
        match event:
            case ProviderHalted(provider, error):
                self.halted.setdefault(provider, error)
            case ModelHalted(provider, model, error, jobs):
                self.halted_models.setdefault((provider, model), Alike(error, jobs))
            case BudgetSpent(next_usd):
                self.money.next_usd = next_usd
            case Stopping():
                self.stopping = event
            case _:
                pass

    def _add_last(self, result: Result) -> None:
        """Count what a job met at its last attempt, where more than its own kind counts it."""
        if result.error is None or result.status != "failed":
            return
        self.refusals += result.error.kind == "rate_limit"
        alike = self.halted_models.get((result.provider or "", result.model or ""))
        if alike is not None:
            alike.add(result.error)

    def recount(self) -> None:
        """Forget how jobs ended: they are about to be counted anew, from what is recorded."""
        self.earlier = self.succeeded = self.interrupted = self.cut_off = self.left = 0
        self.failures.clear()
        self.interruptions.clear()
        self._cut_caps.clear()

    def written(self, result: Result) -> None:
        """Note that a result which was counted is in the file."""
        self._unwritten.pop(id(result), None)

    @property
    def unwritten(self) -> int:
        """Results that were counted and are not in the file yet."""
        return len(self._unwritten)

    def take_back_unwritten(self) -> None:
        """Count as undone what could not be written; its tokens were used all the same."""
        self.taken_back += len(self._unwritten)
        for result in self._unwritten.values():
            self._take_back(result)
        self._unwritten.clear()

    def _take_back(self, result: Result) -> None:
        self.left += 1
        if self.flex is not None:
            self.flex.take_back(result)
        self.cut_off -= result.finish_reason == "length"
        if result.status == "succeeded":
            self.succeeded -= 1
        elif result.status == "interrupted":
            self.interrupted -= 1
            self.interruptions[
                result.interruption.reason if result.interruption else "earlier"
            ] -= 1
        elif result.error is not None:
            failures = self.failures[result.error.kind]
            failures.count -= 1
            failures.retryable -= result.error.retryable
            if not failures.count:
                del self.failures[result.error.kind]

    def _start(self, job: Job) -> None:
        self.requests += 1
        self._caps[job.id] = job.request.max_tokens
        self.peak_in_flight = max(self.peak_in_flight, len(self._caps))

    def _count(
        self,
        status: Status,
        line: int | None,
        error: ErrorRecord | None,
        finish_reason: FinishReason | None,
        cap: int | None,
        reason: str | None,
    ) -> None:
        if status == "succeeded":
            self.succeeded += 1
        elif status == "interrupted":
            self.interrupted += 1
            self.interruptions[reason or "earlier"] += 1
        else:
            error = error or ErrorRecord(kind="internal", message="no reason is recorded")
            self.failures.setdefault(error.kind, Failures()).add(error, line)
        if finish_reason == "length":
            self.cut_off += 1
            self._cut_caps.add(cap)
