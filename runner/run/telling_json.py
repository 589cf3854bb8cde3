"""What a machine is told of a batch (`--log-json`): lines of `runner.view.log_table`."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from anyio import create_task_group

from runner import __version__
from runner.clock import SystemClock, rfc3339_of
from runner.engine.stop import Stop
from runner.errors import ExitCode, WriteError
from runner.events import Event
from runner.results.compact import Compacted
from runner.run.ending import Outcome, exit_code
from runner.run.flex import unpriced_at_flex
from runner.run.preparing import Prepared
from runner.run.starting import start_of
from runner.run.telling import Teller
from runner.view.log import Log
from runner.view.log_progress import LogProgress
from runner.view.log_sink import LogSink
from runner.view.summary_json import summary_figures
from runner.view.texts_batches import Lane, Standing


class JsonTeller(Teller):
    """All that watches one batch, where a machine reads stderr."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__(prepared)
        self._run = prepared
        self.log = self._log = Log(quiet=prepared.settings.quiet)
        self._ticker = LogProgress(self._log, prepared.tally, SystemClock())
        self._entries = LogSink(self._log, prepared.tally)

    def follow(self, pace: Callable[[], str | None]) -> None:
        self._ticker.pace = pace

    def follow_batches(self, standing: Callable[[], Standing]) -> None:
        self._ticker.standing = standing

    def emit(self, event: Event) -> None:
        super().emit(event)
        self._entries.emit(event)

    @asynccontextmanager
    async def watching(self, stop: Stop) -> AsyncGenerator[None]:
        async with super().watching(stop), create_task_group() as group:
            group.start_soon(self._ticker.run_ticker)
            yield
            group.cancel_scope.cancel()

    def untraced(self, problem: str) -> None:
        self._log.write("spans_unsent", message=problem)

    def start(self) -> None:
        start, run = start_of(self._run), self._run
        streamed = start.total is None
        self._log.write(
            "run_started",
            run=run.run_id,
            version=__version__,
            jobs=start.jobs,
            results=start.results,
            lane=run.settings.lane,
            models=start.models,
            selected=start.total,
            done_before=start.earlier.kept,
            to_do=None if streamed else (start.total or 0) - start.earlier.kept,
            max_tokens=start.max_tokens or start.default_max_tokens,
            concurrency=start.at_once,
        )
        self._warn()

    def _warn(self) -> None:
        start, run = start_of(self._run), self._run
        if start.earlier.unknown_again:
            killed_at = max(run.plan.unknown.values(), default=None)
            self._log.write(
                "may_be_charged_twice", jobs=start.earlier.unknown_again, killed_at=killed_at
            )
        if start.own_model:
            self._log.write("jobs_name_own_model", jobs=start.own_model)
        if start.wanted_at_once is not None:
            self._log.write(
                "concurrency_lowered", wanted=start.wanted_at_once, at_once=start.at_once
            )
        if run.settings.lane == "flex":
            models = unpriced_at_flex(run.book, run.plan.models)
            if models:
                self._log.write("flex_price_unknown", models=models)

    def nothing_to_send(self, compacted: Compacted | None) -> None:
        tally = self._run.tally
        self._log.write("nothing_to_send", selected=tally.total, succeeded=tally.succeeded)
        self._odd(compacted)
        allowance = self._run.settings.allow_failures
        self._end(exit_code(tally, Outcome(compacted=compacted), allowance), None, 0.0)

    def lane(self, lane: Lane) -> None:
        self._log.write(
            "batches_prepared",
            jobs=lane.jobs,
            batches=lane.batches,
            out_jobs=lane.out_jobs,
            out_batches=lane.out_batches,
            at_most_usd=lane.at_most_usd,
            cancels=lane.cancel,
        )

    def top_up(self) -> None:
        tally = self._run.tally
        self._log.write("top_up", jobs=tally.retryable, succeeded=tally.succeeded)

    def end(self, outcome: Outcome, code: ExitCode, *, elapsed_s: float) -> None:
        left = outcome.left
        if left is not None and left.chunks:
            self._log.write(
                "batches_left",
                jobs=left.jobs,
                batches=left.batches,
                providers=left.providers,
                expires_at=None if left.deadline is None else rfc3339_of(left.deadline),
            )
        if outcome.input_changed is not None:
            self._log.write("input_changed", message=outcome.input_changed)
        if outcome.other_questions:
            self._log.write("answers_kept", jobs=outcome.other_questions)
        if isinstance(outcome.failure, WriteError) and not outcome.failure.final:
            self._log.write("answers_unwritten", jobs=self._run.tally.taken_back)
        self._odd(outcome.compacted)
        self._end(code, outcome.stopped_by, elapsed_s)

    def _end(self, code: ExitCode, stopped_by: str | None, elapsed_s: float) -> None:
        run, now = self._run, datetime.now(UTC)
        self._log.write(
            "run_ended",
            level="error" if code else None,
            exit_code=int(code),
            elapsed_s=round(elapsed_s, 3),
            stopped_by=stopped_by,
            summary=summary_figures(run.tally, started=run.started, ended=now, exit_code=code),
        )
        self._log.flush()

    def _odd(self, compacted: Compacted | None) -> None:
        if compacted is None:
            return
        results = None if self._run.paths is None else self._run.paths.shown
        if compacted.left_because is not None:
            self._log.write("results_unordered", results=results, message=compacted.left_because)
        if compacted.strangers or compacted.corrupt:
            self._log.write(
                "results_odd_lines",
                results=results,
                strangers=compacted.strangers,
                corrupt=compacted.corrupt,
            )
