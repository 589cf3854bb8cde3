"""One engine and the writer of its results, wired together and run once in the event loop."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from random import Random

from anyio.streams.memory import MemoryObjectSendStream

from runner.clock import Clock
from runner.engine.attempt import Attempts, InFlight
from runner.engine.hold import Hold
from runner.engine.outcome import Recording
from runner.engine.priming import Priming
from runner.engine.retry import RetryPolicy
from runner.engine.service import Service, always
from runner.engine.shard import Shard, freely, no_attempts, uncounted
from runner.engine.stop import Stop
from runner.engine.window import Window
from runner.errors import LineProblem, ProviderError, UsageError
from runner.events import Event
from runner.models import AttemptRecord, Job, Result
from runner.pace.pace import Pace
from runner.providers.base import Provider
from runner.providers.registry import Opener
from runner.results.output import Output
from runner.results.writer import OnWritten, pass_over
from runner.run.writing import seen_written
from runner.settings import DEFAULT_MAX_ATTEMPTS, Deadlines

RESULTS_AHEAD = 1024
"""Results that may wait for the writer, and never more than may be in flight: what waits here is
asked again after a kill. Beyond that each waits with its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSettings:
    """What a shard is told, besides its jobs."""

    recording: Recording
    deadlines: Deadlines
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    stream: bool = False
    fallback: bool = False
    """Where flex has no capacity, ask at the standard tier."""
    ahead: int | None = None
    """How many jobs may start before the oldest unfinished one ends; None sets no bound."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One engine with all that it needs, ready to be run once."""

    settings: EngineSettings
    providers: Opener
    journal: InFlight
    output: Output | None
    """Where records go; None keeps none."""
    emit: Callable[[Event], None]
    stop: Stop
    hold: Hold
    pace: Pace
    clock: Clock
    random: Random
    on_written: OnWritten = pass_over
    earlier: Callable[[Job], list[AttemptRecord]] = no_attempts
    may_retry: Callable[[Job], bool] = always
    worst_case: Callable[[Job], int] = uncounted
    may_start: Callable[[], bool] = freely
    priming: Priming | None = None

    async def run(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> None:
        """Work the jobs off and see every record written.

        Raises WriteError (or BrokenPipeError for stdout) of the writer before anything else, then
        what `jobs` raised.
        """
        await seen_written(
            lambda send: self._shard(send).run(jobs),
            output=self.output,
            on_written=self.on_written,
            hold=self.hold,
            stop=self.stop,
            ahead=min(RESULTS_AHEAD, self.pace.most_in_flight),
        )

    async def attempt(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> Exception | None:
        """Run, and give a failure back so that there is time to tidy up before it is raised."""
        try:
            await self.run(jobs)
        except Exception as error:  # noqa: BLE001 - the caller raises it
            return error
        return None

    def _shard(self, results: MemoryObjectSendStream[Result]) -> Shard:
        settings = self.settings
        attempts = Attempts(
            clock=self.clock,
            emit=self.emit,
            journal=self.journal,
            deadlines=settings.deadlines,
            recording=settings.recording,
            stream=settings.stream,
        )
        service = Service(
            attempts=attempts,
            open_provider=self._open,
            results=results,
            policy=RetryPolicy(max_attempts=settings.max_attempts),
            random=self.random,
            stop=self.stop,
            hold=self.hold,
            may_retry=self.may_retry,
            fallback=settings.fallback,
            keep_costs=self.pace.budget is not None,
        )
        return Shard(
            service=service,
            pace=self.pace,
            window=Window(settings.ahead),
            earlier=self.earlier,
            worst_case=self.worst_case,
            may_start=self.may_start,
            priming=self.priming,
        )

    async def _open(self, job: Job) -> Provider:
        try:
            return await self.providers.get(job.provider, job.model)
        except UsageError as error:
            # Only a stream can still name a provider that is not ready: a file was checked.
            raise ProviderError("auth", str(error), retryable=False, fatal=True) from error
