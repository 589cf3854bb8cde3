"""The event loop's part of a batch: providers, engine, writer, signals, and the file's order."""

import os
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from random import Random
from typing import TYPE_CHECKING

from anyio import current_time

from runner.clock import SystemClock
from runner.engine.outcome import Recording
from runner.engine.priming import Priming
from runner.errors import LineProblem
from runner.models import Job
from runner.pace.pace import MOST_IN_FLIGHT
from runner.pricing.book import PriceBook
from runner.providers.registry import Opener, Providers
from runner.run.carrying import Opened, carry
from runner.run.ending import Outcome
from runner.run.feed import planned_jobs, streamed_jobs
from runner.run.flex import bound_lane, flexless
from runner.run.judging import judge_of
from runner.run.pacing import pace_for
from runner.run.preparing import Prepared
from runner.run.result_files import DEFAULT_AHEAD, earlier_attempts, noted
from runner.run.runtime import Runtime
from runner.run.session import EngineSettings, Session
from runner.run.telling import Teller

if TYPE_CHECKING:
    from runner.workers.remote import RemoteProviders

AHEAD = 4
"""With `--tail` the feeder runs at most so many times the concurrency ahead of the live answer."""


async def work(prepared: Prepared, teller: Teller, runtime: Runtime) -> Outcome:
    """Ask what the plan says. Raises UsageError where a provider cannot be opened."""
    async with _providers(prepared) as providers:
        await _open_all(prepared, providers)

        async def ask(opened: Opened) -> Exception | None:
            session = _session(prepared, teller, providers, opened)
            return await session.attempt(jobs_of(prepared, teller))

        return await carry(prepared, teller, runtime, ask)


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


async def _open_all(prepared: Prepared, providers: Opener) -> None:
    with ThreadPoolExecutor(1) as beside:
        if prepared.settings.processes > 1:
            # Workers import an SDK meanwhile; in one process the two would only take turns.
            # What goes wrong goes wrong again below, where it is heard.
            beside.submit(_load_prices, prepared)
        for provider, model in prepared.plan.models:
            await providers.get(provider, model)
    # Before the first answer: the price list takes a moment to load.
    _load_prices(prepared)


def _load_prices(prepared: Prepared) -> None:
    for provider, model in prepared.plan.models:
        prepared.book.rates(provider, model)


def _session(prepared: Prepared, teller: Teller, providers: Opener, opened: Opened) -> Session:
    settings = prepared.settings
    chance = Random()  # noqa: S311 - spreads requests in time; nothing secret
    pace = pace_for(settings, prepared.config, current_time(), chance.random, prepared.budget)
    teller.follow(lambda: pace.why(current_time()))
    return Session(
        settings=_engine_settings(prepared, prepared.book),
        providers=providers,
        journal=opened.journal,
        output=opened.output,
        emit=teller.emit,
        stop=opened.stop,
        hold=opened.hold,
        pace=pace,
        clock=SystemClock(),
        random=chance,
        on_written=noted(prepared, opened.journal),
        earlier=lambda job: earlier_attempts(prepared, job),
        may_retry=teller.may_retry,
        worst_case=prepared.worst_case,
        may_start=lambda: teller.failures is None or not teller.failures.is_reached,
        priming=_priming(prepared) if settings.prime else None,
    )


def _priming(prepared: Prepared) -> Priming:
    apis = {name: provider.api for name, provider in prepared.config.providers.items()}
    return Priming(apis, total=prepared.plan.to_do if prepared.plan.fed else None)


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
            judge=judge_of(settings.ask),
        ),
        deadlines=settings.deadlines,
        max_attempts=settings.max_attempts,
        stream=settings.tail,
        fallback=settings.fallback,
        ahead=AHEAD * (settings.concurrency or DEFAULT_AHEAD) if settings.tail else None,
    )


async def jobs_of(prepared: Prepared, teller: Teller) -> AsyncGenerator[Job | LineProblem, None]:
    """Give what is to be asked, or recorded as no job, as it is read."""
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
