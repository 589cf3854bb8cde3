"""The part of a run that lives in the event loop: engine, writer, signals and view around it."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from random import Random

from anyio import create_memory_object_stream, create_task_group
from anyio.streams.memory import MemoryObjectReceiveStream

from runner.clock import Clock
from runner.engine.attempt import InFlight
from runner.engine.service import always
from runner.engine.shard import no_attempts
from runner.engine.stop import Stop
from runner.errors import LineProblem, RunnerError
from runner.events import Event
from runner.models import AttemptRecord, Job, Result
from runner.providers.registry import Providers
from runner.results.writer import Output, write_results
from runner.run.engine import EngineSettings, Surroundings, build_shard

RESULTS_AHEAD = 256
"""Results that may wait for the writer; beyond that a worker waits with its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One engine with all that it needs, ready to be run once."""

    settings: EngineSettings
    providers: Providers
    journal: InFlight
    output: Output | None
    """Where records go; None keeps none."""
    emit: Callable[[Event], None]
    stop: Stop
    clock: Clock
    random: Random
    on_written: Callable[[Result], None] = lambda _: None
    earlier: Callable[[Job], list[AttemptRecord]] = no_attempts
    may_retry: Callable[[Job], bool] = always

    async def run(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> None:
        """Work the jobs off and see every record written.

        Raises WriteError (or BrokenPipeError for stdout) of the writer before anything else, then
        what `jobs` raised.
        """
        send, receive = create_memory_object_stream[Result](RESULTS_AHEAD)
        around = Surroundings(
            providers=self.providers,
            journal=self.journal,
            results=send,
            emit=self.emit,
            stop=self.stop,
            clock=self.clock,
            random=self.random,
            earlier=self.earlier,
            may_retry=self.may_retry,
        )
        failures: list[Exception] = []
        async with create_task_group() as group:
            group.start_soon(self._write, receive, failures)
            try:
                await build_shard(self.settings, around).run(jobs)
            except Exception as error:  # noqa: BLE001 - raised below, once the writer has ended
                failures.append(_cause(error))
        if failures:
            raise failures[0]

    async def attempt(self, jobs: AsyncGenerator[Job | LineProblem, None]) -> Exception | None:
        """Run, and give a failure back so that there is time to tidy up before it is raised."""
        try:
            await self.run(jobs)
        except Exception as error:  # noqa: BLE001 - the caller raises it
            return error
        return None

    async def _write(
        self, receive: MemoryObjectReceiveStream[Result], failures: list[Exception]
    ) -> None:
        try:
            if self.output is None:
                async with receive:
                    async for result in receive:
                        self.on_written(result)
            else:
                await write_results(receive, self.output, on_written=self.on_written)
        except Exception as error:  # noqa: BLE001 - raised by `run`, as the one true cause
            failures.insert(0, error)
            # What cannot be recorded must not be paid for.
            self.stop.cancel()


def _cause(error: Exception) -> Exception:
    """Of what several workers raised at once, take one; what is meant for a person comes first."""
    while isinstance(error, ExceptionGroup):
        inner: tuple[Exception, ...] = error.exceptions
        error = next((one for one in inner if isinstance(one, RunnerError)), inner[0])
    return error
