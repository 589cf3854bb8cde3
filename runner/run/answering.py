"""One answer of `runner tail`: asked, streamed, shown as it arrives, recorded, summed up."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom

from anyio import current_time

from runner.clock import SystemClock
from runner.config import Config
from runner.engine.hold import Hold
from runner.engine.outcome import Recording
from runner.engine.stop import Stop
from runner.errors import ExitCode, ProviderError, WriteError
from runner.events import Event, JobFinished, ProviderHalted, RetryScheduled, Sink
from runner.models import Job, Result
from runner.pace.pace import Pace
from runner.providers.registry import Providers
from runner.results.journal import NoJournal
from runner.results.lock import hold_lock
from runner.results.output import open_output
from runner.results.owner import refuse_foreign
from runner.results.paths import ResultPaths, paths_for
from runner.results.run_file import new_run_id
from runner.results.scan import repair
from runner.run.ending import STOP_CODES
from runner.run.feed import one_job
from runner.run.judging import judge_of
from runner.run.prices import price_book
from runner.run.session import EngineSettings, Session
from runner.settings import TailSettings
from runner.view.closing import broken_off, closing_line, failure_text, retry_text
from runner.view.console import LiveText
from runner.view.terminal import dims, pen_for, say

STOPPED_CLOSE_S = 0.5
"""How long a stopped answer waits for its reader to take the text that had come."""


def open_providers(config: Config) -> Providers:
    """Give the providers of one person who asks one question at a time; to be entered."""
    return Providers(config, concurrency=1, http="httpx2", environ=os.environ)


@contextmanager
def records_held(output: Path | None) -> Iterator[ResultPaths | None]:
    """Hold the results file to which records are appended; gives None where none is kept.

    Raises RunnerError where it is no results file, or another run holds it.
    """
    if output is None:
        yield None
        return
    paths = paths_for(output)
    refuse_foreign(paths, None)
    with hold_lock(paths):
        repair(paths)
        yield paths


@dataclass(kw_only=True)
class Answering:
    """One answer being watched. `ask` may be called once."""

    settings: TailSettings
    config: Config
    job: Job
    paths: ResultPaths | None
    """Where the record goes; None keeps none."""
    people: bool = False
    """Whether somebody reads stderr and wants to be told more than failures."""
    result: Result | None = None
    """Set when the answer has ended, well or not."""
    halted: ProviderError | None = None
    stdout: OSError | None = None
    """Why stdout takes no more; None while it does."""
    stop: Stop = field(init=False)

    async def ask(self, providers: Providers, stop: Stop) -> Exception | None:
        """Ask, show and record; give a failure back, so that there is time to tidy up.

        Ends soon after `stop` is cancelled, with the connection closed.
        """
        self.stop = stop
        live = LiveText(
            many=False,
            terminal=sys.stdout.isatty(),
            on_failure=self._lose_stdout,
            notes=pen_for(sys.stderr),
        )
        session = await self._session(providers, live)
        live.start()
        failure = await session.attempt(one_job(self.job))
        await _show_all(live, self.stop)
        return failure

    def _lose_stdout(self, failure: OSError) -> None:
        self.stdout = failure
        self.stop.cancel("closed_pipe")

    def _shown(self, live: LiveText) -> list[Sink]:
        """Who shows what arrives, in this order."""
        text: Sink = live
        if self.settings.extract:
            from runner.view.extracting import Extracting

            text = Extracting(live)
        wanted = self.settings.thinking
        if wanted is None:
            wanted = self.people and sys.stdout.isatty()
        if not wanted:
            return [text]
        from runner.view.thinking import Thinking

        return [Thinking(live, dim=dims()), text]

    async def _session(self, providers: Providers, live: LiveText) -> Session:
        chance = Random()  # noqa: S311 - spreads retries in time; nothing secret
        shown = self._shown(live)

        def emit(event: Event) -> None:
            for sink in shown:
                sink.emit(event)
            match event:
                case JobFinished(result):
                    self.result = result
                case ProviderHalted(_, error):
                    self.halted = error
                case RetryScheduled(_, error, delay_s) if self.people:
                    live.note(retry_text(error, delay_s))
                case _:
                    pass

        return Session(
            settings=self._engine_settings(),
            providers=providers,
            journal=NoJournal(),
            output=None if self.paths is None else await open_output(self.paths),
            emit=emit,
            stop=self.stop,
            # One answer that is on the screen is not worth a minute of waiting.
            hold=Hold(stop=self.stop, emit=emit, patience_s=0.0),
            pace=Pace(now=current_time(), concurrency=1, draw=chance.random),
            clock=SystemClock(),
            random=chance,
            may_retry=lambda job: not live.shown(job.id),
        )

    def _engine_settings(self) -> EngineSettings:
        book = price_book(self.config)
        return EngineSettings(
            recording=Recording(
                run_id=new_run_id(SystemClock().now(), SystemRandom().getrandbits),
                price=book.cost_usd,
                worst_case=book.worst_case_usd,
                judge=judge_of(self.settings.ask),
            ),
            deadlines=self.settings.deadlines,
            stream=True,
        )

    def tell_end(self) -> None:
        """Sum up the answer for a person, or say why there is none."""
        text = None
        if self.halted is not None:
            text = f"Error: {failure_text(self.job.provider, self.halted.message)}"
        elif self.result is not None and self.result.status == "failed":
            error = self.result.error
            message = "" if error is None else error.message
            if error is not None and error.kind == "schema":
                message = f"the answer does not fit the schema: {message}"
            text = f"Error: {failure_text(self.job.provider, message)}"
        elif self.result is not None and (self.people or broken_off(self.result)):
            text = closing_line(self.result, max_tokens=self.job.request.max_tokens)
        if text and self.stop.reason != "closed_pipe":
            say(text, dim=self.people and not text.startswith("Error"))

    def code(self) -> ExitCode:
        """Give the exit code. Raises WriteError where stdout took no more text."""
        if self.stdout is not None and not isinstance(self.stdout, BrokenPipeError):
            raise WriteError(f"stdout takes no more text: {self.stdout.strerror}.")
        if self.halted is not None:
            return ExitCode.ACCOUNT
        if self.result is not None and self.result.status == "succeeded":
            return ExitCode.OK
        if self.stop.reason is not None:
            return STOP_CODES[self.stop.reason]
        return ExitCode.SOME_UNANSWERED


async def _show_all(live: LiveText, stop: Stop) -> None:
    """Let a reader take its time over a whole answer, and little over a stopped one."""
    while not stop.draining and not await live.drained(STOPPED_CLOSE_S):
        pass
    await live.close(STOPPED_CLOSE_S)
