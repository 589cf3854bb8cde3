"""What happens in a run, as lines of `--log-json`."""

from runner.events import (
    AttemptStarted,
    BudgetSpent,
    Event,
    JobFinished,
    JobLeft,
    ModelHalted,
    ProviderHalted,
    RetryScheduled,
    Stopping,
    WritesHeld,
    WritesResumed,
)
from runner.models import Result
from runner.view.log import Log, cause_of
from runner.view.tally import Tally


class LogSink:
    """A sink that writes a line for all that is not simply an answer; the tally hears first."""

    def __init__(self, log: Log, tally: Tally) -> None:
        self._log = log
        self._tally = tally
        self._requests: dict[str, int] = {}
        """Requests sent so far for jobs that are asked again."""

    def emit(self, event: Event) -> None:
        match event:
            case AttemptStarted(job, number) if number > 1:
                self._requests[job.id] = number
            case RetryScheduled():
                self._retry(event)
            case JobFinished(result):
                self._requests.pop(result.id, None)
                if result.status != "succeeded":
                    self._unanswered(result)
            case JobLeft(job):
                self._requests.pop(job.id, None)
            case ProviderHalted() | ModelHalted() | BudgetSpent() | Stopping():
                self._stopped(event)
            case WritesHeld(error, for_s):
                answers = self._tally.in_flight + self._tally.unwritten
                message = error.problem or str(error)
                self._log.write("writes_held", message=message, for_s=for_s, answers=answers)
            case WritesResumed():
                self._log.write("writes_resumed")
            case _:
                pass

    def _retry(self, event: RetryScheduled) -> None:
        job, error = event.job, event.error
        self._log.write(
            "retry_scheduled",
            minor=True,
            job=job.id,
            line=job.line,
            provider=job.provider,
            model=job.model,
            request=self._requests.get(job.id, 1),
            delay_s=round(event.delay_s, 3),
            **cause_of(error),
            retry_after_s=error.retry_after_s,
            falls_back=event.falls_back,
        )

    def _unanswered(self, result: Result) -> None:
        error, cut = result.error, result.interruption
        self._log.write(
            "job_unanswered",
            minor=True,
            job=result.id,
            line=result.line,
            provider=result.provider,
            model=result.model,
            status=result.status,
            **cause_of(error or cut),
            reason=None if cut is None else cut.reason,
            retryable=result.status == "interrupted" or (error is not None and error.retryable),
            requests=len(result.attempts),
        )

    def _stopped(self, event: ProviderHalted | ModelHalted | BudgetSpent | Stopping) -> None:
        match event:
            case ProviderHalted(provider, error):
                self._log.write(
                    "provider_halted",
                    provider=provider,
                    **cause_of(error),
                )
            case ModelHalted(provider, model, error, jobs):
                self._log.write(
                    "model_halted",
                    provider=provider,
                    model=model,
                    jobs=jobs,
                    **cause_of(error),
                )
            case BudgetSpent(next_usd):
                limit = self._tally.money.limit_usd
                self._log.write("budget_spent", next_usd=next_usd, max_cost_usd=limit)
            case Stopping(signal, in_flight, grace_s, because):
                self._log.write(
                    "stopping",
                    reason=signal,
                    in_flight=in_flight,
                    grace_s=grace_s,
                    message=because or None,
                )
