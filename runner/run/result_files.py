"""The results of a run and what stands beside them: opened, carried on, put in order at its end."""

from runner.engine.stop import Stop
from runner.errors import WriteError
from runner.models import AttemptRecord, Job, Result
from runner.pricing.rates import usd
from runner.results.compact import Compacted, compact
from runner.results.journal import Journal, NoJournal
from runner.results.output import FileOutput, Output, StdoutOutput, open_output
from runner.results.paths import set_aside
from runner.results.read import attempts_of
from runner.results.reserve import NoReserve, Reserve, reserve_size
from runner.results.run_file import write_run_file
from runner.results.writer import OnWritten, Place
from runner.run.preparing import Prepared, run_file_of

DEFAULT_AHEAD = 32
"""Stands for the concurrency where the run finds its own."""

STOPPED_PATIENCE_S, CUT_PATIENCE_S = 2.0, 0.5
"""With `-o -`: how long a reader who takes nothing is waited for after the first stop, and after
the second. Who takes anything at all is given his time."""


async def opened_output(prepared: Prepared, stop: Stop) -> Output:
    """Open where records go. Raises WriteError."""
    if prepared.paths is None:
        return StdoutOutput(patience=lambda: _patience_s(stop))
    if prepared.settings.fresh:
        set_aside(prepared.paths)
    write_run_file(prepared.paths.run, run_file_of(prepared))
    return await open_output(prepared.paths)


def _patience_s(stop: Stop) -> float | None:
    if not stop.draining:
        return None
    return CUT_PATIENCE_S if stop.cut else STOPPED_PATIENCE_S


def reserve_for(prepared: Prepared) -> Reserve | NoReserve:
    """Keep room on the disk for the answers on their way."""
    if prepared.paths is None:
        return NoReserve()
    return Reserve(
        prepared.paths.reserve, reserve_size(prepared.settings.concurrency or DEFAULT_AHEAD)
    )


def opened_journal(prepared: Prepared, output: Output) -> Journal | NoJournal:
    """Open what says which requests are out."""
    if prepared.paths is None or not isinstance(output, FileOutput):
        return NoJournal()
    # What was out when the run began that --fresh has set aside is set aside with it.
    carried = {} if prepared.settings.fresh else prepared.unresolved
    return Journal(prepared.paths.journal, carried, lambda: output.end)


def noted(prepared: Prepared, journal: Journal | NoJournal) -> OnWritten:
    """Tell everybody who keeps count of a record that is in the file."""

    def on_written(result: Result, place: Place | None) -> None:
        if place is not None and prepared.scan is not None:
            prepared.scan.written(result, *place)
        journal.answered(result.id)
        prepared.tally.written(result)

    return on_written


def earlier_attempts(prepared: Prepared, job: Job) -> list[AttemptRecord]:
    """Carry on the attempts of the same question; another question's stay with its own record."""
    recorded = prepared.plan.recorded(job)
    if prepared.paths is None or recorded is None or not recorded.asks(job.digest):
        return _lost(prepared, job)
    return attempts_of(prepared.paths.results, recorded) + _lost(prepared, job)


def _lost(prepared: Prepared, job: Job) -> list[AttemptRecord]:
    """Where money is counted: the request of a killed run, of which nobody knows what it cost."""
    at = None if prepared.budget is None else prepared.plan.unknown.get(job.id)
    if at is None:
        return []
    return [
        AttemptRecord(
            run=prepared.killed_run,
            started_at=at,
            duration_s=None,
            outcome="unknown",
            at_most_usd=usd(prepared.worst_case(job)),
        )
    ]


def put_in_order(
    prepared: Prepared, journal: Journal | NoJournal, failure: Exception | None
) -> Compacted | None:
    """Leave the file in order. Raises WriteError where the journal cannot be written."""
    journal.close()
    if prepared.paths is None or prepared.scan is None or isinstance(failure, WriteError):
        return None
    return compact(
        prepared.paths,
        prepared.scan,
        unordered=prepared.settings.unordered,
        whole=prepared.plan.whole,
    )
