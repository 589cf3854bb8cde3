"""What a person is told of a batch: which sinks watch it, and the texts before and after."""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import create_task_group

from runner.clock import SystemClock
from runner.engine.stop import Stop
from runner.errors import ExitCode, WriteError
from runner.events import Event, Sink, Stopping, WritesHeld, WritesResumed
from runner.models import Job
from runner.results.compact import Compacted
from runner.run.ending import Outcome
from runner.run.failing import FailureLimit
from runner.run.meant import meant_models
from runner.run.preparing import Prepared
from runner.run.starting import start_of
from runner.view.console import LiveText
from runner.view.layout import wrap
from runner.view.progress import Progress
from runner.view.terminal import flush, pen_for, say
from runner.view.texts_batches import Lane, Standing, lane_text, left_text, top_up_text
from runner.view.texts_end import (
    end_text,
    kept_answers_text,
    nothing_to_send_text,
    order_text,
    so_far_text,
    stopped_text,
    stopping_text,
)
from runner.view.texts_halted import halted_text
from runner.view.texts_hold import held_text, resumed_text, unwritten_text
from runner.view.texts_start import start_text
from runner.view.texts_table import Names
from runner.view.verbose import Verbose

if TYPE_CHECKING:
    from runner.view.log import Log

LIVE_CLOSE_S = 0.5
"""How long a stopped run waits for a slow reader of the live text."""


class Teller:
    """All that watches one batch, as a single sink."""

    log: "Log | None" = None
    """Where lines for machines go, if any do."""

    def __init__(self, prepared: Prepared) -> None:
        settings, clock = prepared.settings, SystemClock()
        self._prepared = prepared
        # With --log-json another hears of it: see `runner.run.telling_json`.
        self._quiet = settings.quiet or settings.log_json
        self._names = Names(
            jobs=prepared.source.label,
            results=None if prepared.paths is None else prepared.paths.shown,
            command=settings.command,
        )
        self._live: LiveText | None = None
        # With --tail the answers are the progress, and so are records that go to a terminal.
        watched = settings.tail or (settings.stdout and sys.stdout.isatty())
        self._progress = Progress(prepared.tally, clock, quiet=self._quiet or watched)
        self._sinks: list[Sink] = [prepared.tally, self._progress]
        self.failures: FailureLimit | None = None
        if settings.max_failures is not None:
            self.failures = FailureLimit(settings.max_failures, lambda: prepared.tally.total)
            self._sinks.append(self.failures)
        if settings.verbose and not settings.log_json:
            self._sinks.append(Verbose(self._write_minor, clock, settings.max_attempts))

    def also(self, sink: Sink) -> None:
        """Let another sink watch."""
        self._sinks.append(sink)

    def untraced(self, problem: str) -> None:
        """Say that traces did not get where they should."""
        if not self._quiet:
            say(wrap(f"Traces: {problem}"))

    def follow(self, pace: Callable[[], str | None]) -> None:
        """Show from now on what holds the pace."""
        self._progress.pace = pace

    def follow_batches(self, standing: Callable[[], Standing]) -> None:
        """Show from now on how batches are."""
        self._progress.standing = standing

    def lane(self, lane: Lane) -> None:
        """Say what goes out in batches, before it does."""
        if not self._quiet and (text := lane_text(lane)):
            self._write(text)

    def emit(self, event: Event) -> None:
        """Pass an event on to everybody who watches; the tally hears of it first."""
        for sink in self._sinks:
            sink.emit(event)
        if not self._quiet and isinstance(event, (Stopping, WritesHeld, WritesResumed)):
            self._tell(event)

    def _tell(self, event: Stopping | WritesHeld | WritesResumed) -> None:
        if isinstance(event, Stopping):
            self._write(stopping_text(event, self._prepared.settings.max_runtime_s))
        else:
            self._write(self._hold_text(event))

    def start(self) -> None:
        """Say what will be asked."""
        if not self._quiet:
            say(start_text(start_of(self._prepared)))

    def nothing_to_send(self, compacted: Compacted | None) -> None:
        """Say that all there is to ask has been asked."""
        if not self._quiet:
            say(nothing_to_send_text(self._prepared.tally, self._names))
            self._tell_order(compacted)

    @asynccontextmanager
    async def watching(self, stop: Stop) -> AsyncGenerator[None]:
        """Show the run while the block works; a reader who goes away stops it."""
        if self._prepared.settings.tail:
            self._live = LiveText(
                many=True,
                terminal=sys.stdout.isatty(),
                on_failure=lambda _: stop.cancel("closed_pipe"),
                notes=None if self._prepared.settings.log_json else pen_for(sys.stderr),
            )
            self._live.start()
            self._sinks.append(self._live)
        async with create_task_group() as group:
            with self._progress:
                group.start_soon(self._progress.run_ticker)
                yield
                group.cancel_scope.cancel()
        if self._live is not None:
            while not stop.draining and not await self._live.drained(LIVE_CLOSE_S):
                pass
            await self._live.close(LIVE_CLOSE_S)

    def may_retry(self, job: Job) -> bool:
        """Whether a job may be asked again by itself: not when its text was shown."""
        return self._live is None or not self._live.shown(job.id)

    async def room(self) -> None:
        """Wait while a slow reader of the live text has too much to catch up on."""
        if self._live is not None:
            await self._live.room()

    @property
    def live_failure(self) -> WriteError | None:
        """Why stdout took no more text, where its reader had not simply gone."""
        failure = None if self._live is None else self._live.failure
        if failure is None or isinstance(failure, BrokenPipeError):
            return None
        return WriteError(f"stdout takes no more text: {failure.strerror}.")

    def top_up(self) -> None:
        """Say that what the batches left over is asked live."""
        if not self._quiet:
            tally = self._prepared.tally
            say(top_up_text(tally.succeeded, tally.finished + tally.undone, tally.retryable))

    def end(self, outcome: Outcome, code: ExitCode, *, elapsed_s: float) -> None:
        """Say how it went; nothing if the reader closed the pipe, or all is well and `-q`."""
        if code is ExitCode.CLOSED_PIPE or (self._quiet and code is ExitCode.OK):
            flush()
            return
        tally = self._prepared.tally
        stopped = code is ExitCode.LIMIT or code >= ExitCode.SIGHUP
        if outcome.stopped_by is not None and stopped:
            say(stopped_text(tally, self._names, outcome.stopped_by))
        elif code is ExitCode.BATCHES_OUT:
            say(so_far_text(tally, self._names))
        else:
            say(end_text(tally, self._names, elapsed_s))
        if outcome.left is not None and (text := left_text(outcome.left, self._names.command)):
            say(text)
        if tally.halted or tally.halted_models:
            say(halted_text(tally, self._names.command, meant_models(tally, self._prepared.config)))
        if outcome.input_changed is not None:
            say(f"Stopped: {outcome.input_changed} The same command reads it anew.")
        if outcome.other_questions:
            say(kept_answers_text(outcome.other_questions))
        if isinstance(outcome.failure, WriteError) and not outcome.failure.final:
            say(unwritten_text(tally.taken_back, kept=self._names.results is not None))
        self._tell_order(outcome.compacted)

    def _hold_text(self, event: WritesHeld | WritesResumed) -> str:
        if isinstance(event, WritesResumed):
            return resumed_text()
        tally = self._prepared.tally
        return held_text(event.error, event.for_s, tally.in_flight + tally.unwritten)

    def _tell_order(self, compacted: Compacted | None) -> None:
        text = None if compacted is None else order_text(compacted, self._names)
        if text:
            say(text)

    def _write(self, line: str, *, minor: bool = False) -> None:
        if self._live is not None:
            self._live.note(line, minor=minor)
        else:
            self._progress.write(line, minor=minor)

    def _write_minor(self, line: str) -> None:
        self._write(line, minor=True)
