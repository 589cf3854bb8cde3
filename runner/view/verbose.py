"""One line for every retry (`-v`)."""

from collections.abc import Callable

from runner.clock import Clock
from runner.events import AttemptStarted, Event, JobFinished, JobLeft, RetryScheduled
from runner.view.layout import WIDTH, shorten
from runner.words import duration, printable

_CAUSES = {
    "connection": "connection to {} failed",
    "timeout": "timeout at {}",
    "overloaded": "{} is overloaded",
    "bad_response": "unusable answer from {}",
    "provider": "failure at {}",
}
"""What to say of a failure without an HTTP error; its message would not fit."""


class Verbose:
    """A sink that tells of every retry and wait, through `write`, a line at a time."""

    def __init__(self, write: Callable[[str], None], clock: Clock, max_attempts: int) -> None:
        self._write = write
        self._clock = clock
        self._max_attempts = max_attempts
        self._refusals: dict[str, int] = {}
        """Refusals for rate so far of jobs in hand, which do not count as attempts."""
        self._numbers: dict[str, int] = {}

    def emit(self, event: Event) -> None:
        match event:
            case AttemptStarted(job, number):
                self._numbers[job.id] = number
            case RetryScheduled():
                at = self._clock.now().strftime("%H:%M:%SZ")
                self._write(f"{at} {self._retry(event)}")
            case JobFinished(result):
                self._forget(result.id)
            case JobLeft(job):
                self._forget(job.id)
            case _:
                pass

    def _retry(self, event: RetryScheduled) -> str:
        job, error = event.job, event.error
        provider = printable(job.provider)
        again = f", again in {duration(event.delay_s)}"
        if event.falls_back:
            again = ", asked at the standard price"
        if error.kind == "rate_limit" or event.falls_back:
            self._refusals[job.id] = self._refusals.get(job.id, 0) + 1
        else:
            following = self._numbers.get(job.id, 1) - self._refusals.get(job.id, 0) + 1
            again += f" (attempt {following} of {self._max_attempts})"
        status = error.http_status or 0
        cause = _CAUSES.get(error.kind, f"{error.kind} at {{}}").format(provider)
        if error.no_capacity:
            cause = f"no room at {provider}"
        elif status >= 400:
            cause = f"{status} from {provider}"
        room = WIDTH - len(f"HH:MM:SSZ : {cause}{again}")
        return f"{shorten(printable(job.id), max(room, 8))}: {cause}{again}"

    def _forget(self, name: str) -> None:
        self._numbers.pop(name, None)
        self._refusals.pop(name, None)
