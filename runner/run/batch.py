"""`runner batch` from settings to exit code: prepare, work, order the file, say how it was."""

import os
import time
from datetime import UTC, datetime
from random import SystemRandom

import anyio

from runner.clock import SystemClock
from runner.config import Config
from runner.errors import ExitCode
from runner.input.source import open_source
from runner.providers.endpoints import endpoint
from runner.results.compact import Compacted, compact
from runner.results.journal import Journal
from runner.results.lock import hold_lock
from runner.results.owner import refuse_foreign
from runner.results.paths import default_output, paths_for
from runner.results.run_file import new_run_id
from runner.run.ending import Outcome, exit_code
from runner.run.preparing import Prepared, prepare
from runner.run.telling import Teller
from runner.run.working import work
from runner.settings import BatchSettings
from runner.view.summary_json import summary_figures, write_summary


def run_batch(settings: BatchSettings, config: Config) -> ExitCode:
    """Ask every job that needs it and give the exit code of the process.

    Raises RunnerError where nothing could be begun, or results could not be written. Signals end
    the process at once until the first request may go out; then they stop the run in two stages.
    """
    source = open_source(settings.jobs)
    started = SystemClock().now()
    run_id = new_run_id(started, SystemRandom().getrandbits)
    if settings.stdout:
        return _run(prepare(settings, config, source, None, run_id=run_id, started=started))
    paths = paths_for(settings.output or default_output(settings.jobs))
    refuse_foreign(paths, source.path)
    with hold_lock(paths, wait_s=settings.wait_lock_s):
        return _run(prepare(settings, config, source, paths, run_id=run_id, started=started))


def _run(prepared: Prepared) -> ExitCode:
    for provider in {provider for provider, _ in prepared.plan.models}:
        # A key that is missing is said before anything is sent, and before the slow imports.
        endpoint(prepared.config.providers[provider], os.environ)
    began = time.monotonic()
    teller = Teller(prepared)
    if prepared.nothing_to_do:
        outcome = Outcome(compacted=_order_only(prepared))
        teller.nothing_to_send(outcome.compacted)
    else:
        outcome = anyio.run(work, prepared, teller)
    code = exit_code(prepared.tally, outcome, prepared.settings.allow_failures)
    if not prepared.nothing_to_do:
        teller.end(outcome, code, elapsed_s=time.monotonic() - began)
    _write_summary(prepared, code)
    if outcome.failure is not None:
        raise outcome.failure
    return code


def _order_only(prepared: Prepared) -> Compacted | None:
    """Put a log that a killed run left behind in order, though there is nothing to send."""
    if prepared.paths is None or prepared.scan is None:
        return None
    size = prepared.scan.size
    Journal(prepared.paths.journal, prepared.scan.table, lambda: size).close()
    return compact(prepared.paths, prepared.scan, unordered=prepared.settings.unordered)


def _write_summary(prepared: Prepared, code: ExitCode) -> None:
    path = prepared.settings.summary_json
    if path is None:
        return
    figures = summary_figures(
        prepared.tally, started=prepared.started, ended=datetime.now(UTC), exit_code=code
    )
    write_summary(path, figures)
