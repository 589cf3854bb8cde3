"""The event loop's part of a batch: providers, engine, writer, signals, and the file's order."""

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from random import Random
from typing import TYPE_CHECKING

from anyio import create_task_group, current_time, to_thread

from runner.clock import SystemClock
from runner.engine.hold import Hold
from runner.engine.outcome import Recording
from runner.engine.stop import Stop
from runner.errors import LineProblem, RunnerError, WriteError
from runner.input.reader import InputChangedError
from runner.models import AttemptRecord, Job, Result
from runner.pace.pace import MOST_IN_FLIGHT
from runner.pricing.book import PriceBook
from runner.pricing.rates import usd
from runner.providers.registry import Opener, Providers
from runner.results.compact import Compacted, compact
from runner.results.journal import Journal, NoJournal
from runner.results.output import FileOutput, Output, StdoutOutput, open_output
from runner.results.paths import set_aside
from runner.results.read import attempts_of
from runner.results.reserve import NoReserve, Reserve, reserve_size
from runner.results.run_file import write_run_file
from runner.results.writer import Place
from runner.run.ending import Outcome
from runner.run.feed import planned_jobs, streamed_jobs
from runner.run.flex import bound_lane, flexless
from runner.run.pacing import pace_for
from runner.run.preparing import Prepared, run_file_of
from runner.run.runtime import Runtime
from runner.run.session import EngineSettings, Session
from runner.run.signals import SignalWatch
from runner.run.telling import Teller

if TYPE_CHECKING:
    from runner.workers.remote import RemoteProviders

DEFAULT_AHEAD = 32
"""Stands for the concurrency where the run finds its own."""
AHEAD = 4
"""With `--tail` the feeder runs at most so many times the concurrency ahead of the live answer."""

STOPPED_PATIENCE_S, CUT_PATIENCE_S = 2.0, 0.5
"""With `-o -`: how long a reader who takes nothing is waited for after the first stop, and after
the second. Who takes anything at all is given his time."""


async def work(prepared: Prepared, teller: Teller, runtime: Runtime) -> Outcome:
    """Ask what the plan says. Raises UsageError where a provider cannot be opened."""
    stop, book = Stop(), prepared.book
    async with _providers(prepared) as providers:
        await _open_all(prepared, providers, book)
        teller.start()
        output = await _open_output(prepared, stop)
        journal = _open_journal(prepared, output)
        watch = _watch(prepared, teller, runtime, stop)
        if runtime.over:
            stop.drain("deadline")
        async with create_task_group() as group:
            group.start_soon(watch.run)
            async with teller.watching(stop):
                with _reserve(prepared) as room:
                    session = _session(
                        prepared, teller, providers, journal, output, stop, room, book
                    )
                    failure = await session.attempt(_jobs(prepared, teller))
            failure = failure or teller.live_failure
            if prepared.budget is not None:
                prepared.tally.money.counted = prepared.budget.spent
            prepared.tally.take_back_unwritten()
            # Signals are still heard, and have nothing left to stop: order takes no money.
            try:
                compacted = await to_thread.run_sync(_put_in_order, prepared, journal, failure)
            except RunnerError as error:
                compacted, failure = None, failure or error
            group.cancel_scope.cancel()
    return _outcome(prepared, stop, failure, compacted)


def _providers(prepared: Prepared) -> "Providers | RemoteProviders":
    settings, config = prepared.settings, prepared.config
    at_once = settings.concurrency or settings.most_in_flight or MOST_IN_FLIGHT
    if settings.processes == 1:
        return Providers(config, concurrency=at_once, http="aiohttp", environ=os.environ)
    # Only here: one process needs none of it.
    from runner.workers.remote import RemoteProviders

    return RemoteProviders(
        config, processes=settings.processes, concurrency=at_once, environ=os.environ
    )


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


async def _open_all(prepared: Prepared, providers: Opener, book: PriceBook) -> None:
    for provider, model in prepared.plan.models:
        await providers.get(provider, model)
        # Before the first answer: the price list takes a moment to load.
        book.rates(provider, model)


async def _open_output(prepared: Prepared, stop: Stop) -> Output:
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


def _reserve(prepared: Prepared) -> Reserve | NoReserve:
    if prepared.paths is None:
        return NoReserve()
    return Reserve(
        prepared.paths.reserve, reserve_size(prepared.settings.concurrency or DEFAULT_AHEAD)
    )


def _open_journal(prepared: Prepared, output: Output) -> Journal | NoJournal:
    if prepared.paths is None or prepared.scan is None or not isinstance(output, FileOutput):
        return NoJournal()
    return Journal(prepared.paths.journal, prepared.scan.table, lambda: output.end)


def _session(
    prepared: Prepared,
    teller: Teller,
    providers: Opener,
    journal: Journal | NoJournal,
    output: Output,
    stop: Stop,
    room: Reserve | NoReserve,
    book: PriceBook,
) -> Session:
    settings = prepared.settings
    chance = Random()  # noqa: S311 - spreads requests in time; nothing secret

    def on_written(result: Result, place: Place | None) -> None:
        if place is not None and prepared.scan is not None:
            prepared.scan.written(result, *place)
        journal.answered(result.id)
        prepared.tally.written(result)

    pace = pace_for(settings, prepared.config, current_time(), chance.random, prepared.budget)
    teller.follow(lambda: pace.why(current_time()))
    return Session(
        settings=_engine_settings(prepared, book),
        providers=providers,
        journal=journal,
        output=output,
        emit=teller.emit,
        stop=stop,
        hold=Hold(stop=stop, emit=teller.emit, room=room, mend=journal.mend),
        pace=pace,
        clock=SystemClock(),
        random=chance,
        on_written=on_written,
        earlier=lambda job: _earlier(prepared, job),
        may_retry=teller.may_retry,
        worst_case=prepared.worst_case,
        may_start=lambda: teller.failures is None or not teller.failures.is_reached,
    )


def _engine_settings(prepared: Prepared, book: PriceBook) -> EngineSettings:
    settings = prepared.settings
    return EngineSettings(
        recording=Recording(
            run_id=prepared.run_id,
            response=not settings.no_response,
            request=settings.keep_request,
            lane="flex" if settings.lane == "flex" else "live",
            price=book.cost_usd,
            worst_case=lambda job: book.worst_case_usd(job, bound_lane(settings)),
        ),
        deadlines=settings.deadlines,
        max_attempts=settings.max_attempts,
        stream=settings.tail,
        fallback=settings.fallback,
        ahead=AHEAD * (settings.concurrency or DEFAULT_AHEAD) if settings.tail else None,
    )


async def _jobs(prepared: Prepared, teller: Teller) -> AsyncGenerator[Job | LineProblem, None]:
    source, parser, plan = prepared.source, prepared.parser, prepared.plan
    checks_flex = prepared.checked is None and prepared.settings.lane == "flex"
    if prepared.checked is None:
        jobs = streamed_jobs(source, parser, plan, prepared.settings.limit)
    else:
        jobs = planned_jobs(source, parser, prepared.checked, plan)
    async with aclosing(jobs):
        async for item in jobs:
            await teller.room()
            found = None
            if checks_flex and isinstance(item, Job):
                found = flexless(item, prepared.config, source.label, os.environ)
            yield found or item


def _earlier(prepared: Prepared, job: Job) -> list[AttemptRecord]:
    """Carry on the attempts of the same question; another question's stay with its own record."""
    recorded = prepared.plan.table.get(job.id)
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


def _put_in_order(
    prepared: Prepared, journal: Journal | NoJournal, failure: Exception | None
) -> Compacted | None:
    journal.close()
    if prepared.paths is None or prepared.scan is None or isinstance(failure, WriteError):
        return None
    return compact(
        prepared.paths,
        prepared.scan,
        unordered=prepared.settings.unordered,
        whole=prepared.plan.whole,
    )
