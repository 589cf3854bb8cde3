"""`runner tail` from settings to exit code: one job, streamed, shown as it arrives."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random, SystemRandom

import msgspec
from anyio import create_task_group, current_time

from runner.clock import SystemClock
from runner.config import Config
from runner.engine.hold import Hold
from runner.engine.outcome import Recording
from runner.engine.stop import Stop
from runner.errors import ExitCode, InvalidLineError, ProviderError, UsageError, WriteError
from runner.events import Event, JobFinished, ProviderHalted, RetryScheduled
from runner.input.attachments import Attachments
from runner.input.parser import JobParser
from runner.looping import run_async
from runner.models import Job, Result
from runner.pace.pace import Pace
from runner.providers.endpoints import endpoint
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
from runner.run.prices import price_book
from runner.run.session import EngineSettings, Session
from runner.run.signals import SignalWatch, handlers_restored
from runner.settings import MAX_LINE_BYTES, TailSettings
from runner.view.ask_again import ask_again
from runner.view.closing import broken_off, closing_line, failure_text, retry_text
from runner.view.console import LiveText
from runner.view.terminal import pen_for, say

STOPPED_CLOSE_S = 0.5
"""How long a stopped answer waits for its reader to take the text that had come."""


def run_tail(settings: TailSettings, config: Config) -> ExitCode:
    """Ask one question, show the answer as it arrives and give the exit code.

    Raises RunnerError where nothing could be begun or the record could not be written.
    """
    started = SystemClock().now()
    job = question(settings, config, started)
    endpoint(config.providers[job.provider], os.environ)
    people = sys.stderr.isatty() and not settings.quiet
    with _holding(settings) as paths:
        while True:
            tail = Tail(settings=settings, config=config, job=job, paths=paths, people=people)
            with handlers_restored():
                code = run_async(tail.run)
            if not (tail.result and broken_off(tail.result) and ask_again()):
                return code
            job = question(settings, config, SystemClock().now())


def question(settings: TailSettings, config: Config, now: datetime) -> Job:
    """Make the one job. Raises UsageError for options that do not fit."""
    files = Attachments(anywhere=True)
    parser = JobParser(
        settings.ask, config, "tail", max_line_bytes=MAX_LINE_BYTES, attachments=files
    )
    name = f"tail-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    asked = {"id": name, "prompt": settings.prompt, "files": settings.files}
    line = msgspec.json.encode(asked)
    try:
        return msgspec.structs.replace(parser.parse(line, 1), line=None)
    except InvalidLineError as error:
        raise UsageError(error.problem.message) from None


@contextmanager
def _holding(settings: TailSettings) -> Iterator[ResultPaths | None]:
    if settings.output is None:
        yield None
        return
    paths = paths_for(settings.output)
    refuse_foreign(paths, None)
    with hold_lock(paths):
        repair(paths)
        yield paths


@dataclass(kw_only=True)
class Tail:
    """One answer being watched. `run` may be called once."""

    settings: TailSettings
    config: Config
    job: Job
    paths: ResultPaths | None
    """Where the record goes; None keeps none."""
    result: Result | None = None
    """Set when the answer has ended, well or not."""
    halted: ProviderError | None = None
    people: bool = False
    """Whether somebody reads stderr and wants to be told more than failures."""

    async def run(self) -> ExitCode:
        """Ask, show and record. Raises RunnerError."""
        stop = Stop()
        live = LiveText(
            many=False,
            terminal=sys.stdout.isatty(),
            on_failure=lambda _: stop.cancel("closed_pipe"),
            notes=pen_for(sys.stderr),
        )
        async with Providers(
            self.config, concurrency=1, http="httpx2", environ=os.environ
        ) as providers:
            await providers.get(self.job.provider, self.job.model)
            session = await self._session(providers, live, stop)
            watch = SignalWatch(stop=stop, grace_s=0.0, in_flight=lambda: 1, tell=live.emit)
            live.start()
            async with create_task_group() as group:
                group.start_soon(watch.run)
                failure = await session.attempt(one_job(self.job))
                await _show_all(live, stop)
                group.cancel_scope.cancel()
        if failure is not None:
            raise failure
        self._tell_end(stop)
        return self._code(stop, live.failure)

    async def _session(self, providers: Providers, live: LiveText, stop: Stop) -> Session:
        now, book = SystemClock().now(), price_book(self.config)
        chance = Random()  # noqa: S311 - spreads retries in time; nothing secret

        def emit(event: Event) -> None:
            live.emit(event)
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
            settings=EngineSettings(
                recording=Recording(
                    run_id=new_run_id(now, SystemRandom().getrandbits),
                    price=book.cost_usd,
                    worst_case=book.worst_case_usd,
                ),
                deadlines=self.settings.deadlines,
                stream=True,
            ),
            providers=providers,
            journal=NoJournal(),
            output=None if self.paths is None else await open_output(self.paths),
            emit=emit,
            stop=stop,
            # One answer that is on the screen is not worth a minute of waiting.
            hold=Hold(stop=stop, emit=emit, patience_s=0.0),
            pace=Pace(now=current_time(), concurrency=1, draw=chance.random),
            clock=SystemClock(),
            random=chance,
            may_retry=lambda job: not live.shown(job.id),
        )

    def _tell_end(self, stop: Stop) -> None:
        text = None
        if self.halted is not None:
            text = f"Error: {failure_text(self.job.provider, self.halted.message)}"
        elif self.result is not None and self.result.status == "failed":
            message = self.result.error.message if self.result.error else ""
            text = f"Error: {failure_text(self.job.provider, message)}"
        elif self.result is not None and (self.people or broken_off(self.result)):
            text = closing_line(self.result, max_tokens=self.job.request.max_tokens)
        if text and stop.reason != "closed_pipe":
            say(text, dim=self.people and not text.startswith("Error"))

    def _code(self, stop: Stop, stdout: OSError | None) -> ExitCode:
        if stdout is not None and not isinstance(stdout, BrokenPipeError):
            raise WriteError(f"stdout takes no more text: {stdout.strerror}.")
        if self.halted is not None:
            return ExitCode.ACCOUNT
        if self.result is not None and self.result.status == "succeeded":
            return ExitCode.OK
        if stop.reason is not None:
            return STOP_CODES[stop.reason]
        return ExitCode.SOME_UNANSWERED


async def _show_all(live: LiveText, stop: Stop) -> None:
    """Let a reader take its time over a whole answer, and little over a stopped one."""
    while not stop.draining and not await live.drained(STOPPED_CLOSE_S):
        pass
    await live.close(STOPPED_CLOSE_S)
