"""What every lane's part in the event loop stands in: files opened, signals heard, file ordered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from anyio import create_task_group, to_thread

from runner.engine.hold import Hold
from runner.engine.stop import Stop
from runner.errors import RunnerError
from runner.input.reader import InputChangedError
from runner.results.compact import Compacted
from runner.results.journal import Journal, NoJournal
from runner.results.output import Output
from runner.run.ending import Outcome
from runner.run.preparing import Prepared
from runner.run.result_files import opened_journal, opened_output, put_in_order, reserve_for
from runner.run.runtime import Runtime
from runner.run.signals import SignalWatch
from runner.run.telling import Teller


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """What is there while a run works."""

    stop: Stop
    output: Output
    journal: Journal | NoJournal
    hold: Hold


Ask = Callable[[Opened], Awaitable[Exception | None]]
"""Asks all there is to ask, and gives back what kept it from that."""


async def carry(prepared: Prepared, teller: Teller, runtime: Runtime, ask: Ask) -> Outcome:
    """Have everything asked with all around it, and say how it ended."""
    stop = Stop()
    teller.start()
    output = await opened_output(prepared, stop)
    journal = opened_journal(prepared, output)
    watch = _watch(prepared, teller, runtime, stop)
    if runtime.over:
        stop.drain("deadline")
    async with create_task_group() as group:
        group.start_soon(watch.run)
        async with teller.watching(stop):
            with reserve_for(prepared) as room:
                hold = Hold(stop=stop, emit=teller.emit, room=room, mend=journal.mend)
                opened = Opened(stop=stop, output=output, journal=journal, hold=hold)
                failure = await ask(opened)
        failure = failure or teller.live_failure
        if prepared.budget is not None:
            prepared.tally.money.counted = prepared.budget.spent + prepared.budget.held
        prepared.tally.take_back_unwritten()
        # Signals are still heard, and have nothing left to stop: order takes no money.
        try:
            compacted = await to_thread.run_sync(put_in_order, prepared, journal, failure)
        except RunnerError as error:
            compacted, failure = None, failure or error
        group.cancel_scope.cancel()
    return _outcome(prepared, stop, failure, compacted)


def _watch(prepared: Prepared, teller: Teller, runtime: Runtime, stop: Stop) -> SignalWatch:
    return SignalWatch(
        stop=stop,
        grace_s=prepared.settings.grace_s,
        in_flight=lambda: prepared.tally.in_flight,
        tell=teller.emit,
        time_left_s=runtime.left(),
        failures=teller.failures,
    )


def _outcome(
    prepared: Prepared, stop: Stop, failure: Exception | None, compacted: Compacted | None
) -> Outcome:
    changed = str(failure) if isinstance(failure, InputChangedError) else None
    closed = isinstance(failure, BrokenPipeError)
    return Outcome(
        # Whoever stopped the run before its reader had gone, or was found stuck, is told of.
        stopped_by=stop.reason or ("closed_pipe" if closed else None),
        unread=not prepared.plan.fed,
        other_questions=prepared.plan.changed,
        input_changed=changed,
        failure=None if changed is not None or closed else failure,
        compacted=compacted,
    )
