"""`runner batch` from settings to exit code: prepare, work, order the file, say how it was."""

import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from random import SystemRandom

from runner.clock import SystemClock
from runner.config import Config
from runner.errors import ExitCode, RunnerError, WriteError
from runner.input.source import Source, open_source
from runner.looping import run_async
from runner.providers.endpoints import endpoint
from runner.results.compact import Compacted, compact
from runner.results.journal import Journal
from runner.results.lock import hold_lock
from runner.results.paths import ResultPaths
from runner.results.reserve import Reserve
from runner.results.resume import RETRYABLE, RetryKinds
from runner.results.run_file import new_run_id
from runner.run.ending import Outcome, exit_code
from runner.run.open_files import within_system
from runner.run.outstanding import refuse_lane
from runner.run.preparing import Prepared, prepare
from runner.run.results_place import results_place
from runner.run.runtime import Runtime
from runner.run.signals import handlers_restored
from runner.run.telling import Teller
from runner.run.working import work
from runner.settings import BatchSettings
from runner.view.summary_json import summary_figures, write_summary
from runner.view.tally import Tally


def run_batch(settings: BatchSettings, config: Config) -> ExitCode:
    """Ask every job that needs it and give the exit code of the process.

    Raises RunnerError where nothing could be begun, or results could not be written. Signals end
    the process at once until the first request may go out; then they stop the run in two stages.
    """
    runtime = Runtime(settings.max_runtime_s)
    settings = within_system(settings)
    if settings.otel:
        from runner.telemetry.export import refuse_without_sdk

        refuse_without_sdk(os.environ)
    source = open_source(settings.jobs)
    refuse_lane(settings, source)
    paths = results_place(settings, source)
    started, tally = SystemClock().now(), Tally()
    with handlers_restored():
        return _told(settings, config, source, paths, started, tally, runtime)


def _told(
    settings: BatchSettings,
    config: Config,
    source: Source,
    paths: ResultPaths | None,
    started: datetime,
    tally: Tally,
    runtime: Runtime,
) -> ExitCode:
    """Run, and leave the figures however it ends."""
    try:
        code = _run(settings, config, source, paths, started, tally, runtime)
    except Exception as error:
        code = error.exit_code if isinstance(error, RunnerError) else ExitCode.SOME_UNANSWERED
        if code not in (ExitCode.USAGE, ExitCode.LOCKED):
            with suppress(WriteError):  # the first failure is the one to tell
                _write_summary(settings, tally, started, code)
        raise
    _write_summary(settings, tally, started, code)
    return code


def _run(
    settings: BatchSettings,
    config: Config,
    source: Source,
    paths: ResultPaths | None,
    started: datetime,
    tally: Tally,
    runtime: Runtime,
) -> ExitCode:
    wait_s = runtime.within(settings.wait_lock_s)
    run_id = new_run_id(started, SystemRandom().getrandbits)
    with nullcontext() if paths is None else hold_lock(paths, wait_s=wait_s):
        prepared = prepare(settings, config, source, paths, tally, run_id=run_id, started=started)
        code = _carry_out(prepared, runtime)
        return _top_up(prepared, runtime) if _is_left_for_live(prepared, code) else code


def _is_left_for_live(prepared: Prepared, code: ExitCode) -> bool:
    """Whether batches, as far as nobody stopped them, left jobs over that are asked live now."""
    settings = prepared.settings
    wanted = settings.then_live and settings.lane == "batch"
    ended = code in (ExitCode.OK, ExitCode.SOME_UNANSWERED)
    return wanted and ended and bool(prepared.tally.retryable)


def _top_up(batch: Prepared, runtime: Runtime) -> ExitCode:
    """Ask live what the batches left over for the moment."""
    batch.tally.recount()
    live = prepare(
        replace(batch.settings, lane="live", fresh=False),
        batch.config,
        batch.source,
        batch.paths,
        batch.tally,
        run_id=new_run_id(SystemClock().now(), SystemRandom().getrandbits),
        started=batch.started,
        kinds=RetryKinds(frozenset({RETRYABLE})),
    )
    return _carry_out(live, runtime)


def _carry_out(prepared: Prepared, runtime: Runtime) -> ExitCode:
    out = {chunk.provider for chunk in prepared.plan.out.chunks}
    for provider in out | {provider for provider, _ in prepared.plan.models}:
        # A key that is missing is said before anything is sent, and before the slow imports.
        endpoint(prepared.config.providers[provider], os.environ)
    began = ended = time.monotonic()
    teller = _teller(prepared)
    if prepared.nothing_to_do:
        outcome = Outcome(compacted=_order_only(prepared))
        teller.nothing_to_send(outcome.compacted)
    else:
        with _traced(prepared, teller):
            outcome = run_async(_lane(prepared.settings), prepared, teller, runtime)
            ended = time.monotonic()
    code = exit_code(prepared.tally, outcome, prepared.settings.allow_failures)
    if _is_left_for_live(prepared, code):
        teller.top_up()
    elif not prepared.nothing_to_do:
        teller.end(outcome, code, elapsed_s=ended - began)
    if outcome.failure is not None:
        raise outcome.failure
    return code


def _lane(settings: BatchSettings) -> Callable[[Prepared, Teller, Runtime], Awaitable[Outcome]]:
    if settings.lane != "batch":
        return work
    # Only here: other lanes need none of it.
    from runner.run.batch_working import work_in_batches

    return work_in_batches


def _teller(prepared: Prepared) -> Teller:
    if not prepared.settings.log_json:
        return Teller(prepared)
    # Only here: who reads words needs none of it.
    from runner.run.telling_json import JsonTeller

    return JsonTeller(prepared)


def _traced(prepared: Prepared, teller: Teller) -> AbstractContextManager[None]:
    if not prepared.settings.otel:
        return nullcontext()
    # Only here: it is an extra, and takes a moment to import.
    from runner.run.tracing import traced

    return traced(prepared, teller)


def _order_only(prepared: Prepared) -> Compacted | None:
    """Put a log that a killed run left behind in order, though there is nothing to send."""
    if prepared.paths is None or prepared.scan is None:
        return None
    Reserve(prepared.paths.reserve, 0).give_back()
    size = prepared.scan.size
    Journal(prepared.paths.journal, prepared.unresolved, lambda: size).close()
    return compact(prepared.paths, prepared.scan, unordered=prepared.settings.unordered)


def _write_summary(
    settings: BatchSettings, tally: Tally, started: datetime, code: ExitCode
) -> None:
    if settings.summary_json is not None:
        ended = datetime.now(UTC)
        figures = summary_figures(tally, started=started, ended=ended, exit_code=code)
        write_summary(settings.summary_json, figures)
