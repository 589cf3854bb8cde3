"""Wires one shard: providers, attempts, retries and the stream of results."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from anyio.streams.memory import MemoryObjectSendStream

from runner.clock import Clock
from runner.engine.attempt import Attempts, InFlight
from runner.engine.outcome import Recording
from runner.engine.retry import RetryPolicy
from runner.engine.service import Service, always
from runner.engine.shard import Shard, no_attempts
from runner.engine.stop import Stop
from runner.engine.window import Window
from runner.errors import ProviderError, UsageError
from runner.events import Event
from runner.models import AttemptRecord, Job, Result
from runner.providers.base import Provider
from runner.providers.registry import Providers
from runner.settings import DEFAULT_MAX_ATTEMPTS, Deadlines


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSettings:
    """What a shard is told, besides its jobs."""

    recording: Recording
    deadlines: Deadlines
    concurrency: int = 1
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    stream: bool = False
    ahead: int | None = None
    """How many jobs may start before the oldest unfinished one ends; None sets no bound."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What a shard works with."""

    providers: Providers
    journal: InFlight
    results: MemoryObjectSendStream[Result]
    emit: Callable[[Event], None]
    stop: Stop
    clock: Clock
    random: Random
    earlier: Callable[[Job], list[AttemptRecord]] = no_attempts
    may_retry: Callable[[Job], bool] = always


class NoJournal:
    """Notes nothing: for runs that keep no results file."""

    def sent(self, job_id: str, digest: str, at: str) -> None:
        """Pass it over."""

    def withdrawn(self, job_id: str) -> None:
        """Pass it over."""


def build_shard(settings: EngineSettings, around: Surroundings) -> Shard:
    """Put one engine together."""

    async def open_provider(job: Job) -> Provider:
        try:
            return await around.providers.get(job.provider, job.model)
        except UsageError as error:
            # Only a stream can still name a provider that is not ready: a file was checked.
            raise ProviderError("auth", str(error), retryable=False, fatal=True) from error

    attempts = Attempts(
        clock=around.clock,
        emit=around.emit,
        journal=around.journal,
        deadlines=settings.deadlines,
        recording=settings.recording,
        stream=settings.stream,
    )
    service = Service(
        attempts=attempts,
        open_provider=open_provider,
        results=around.results,
        policy=RetryPolicy(max_attempts=settings.max_attempts),
        random=around.random,
        stop=around.stop,
        may_retry=around.may_retry,
    )
    return Shard(
        service=service,
        concurrency=settings.concurrency,
        window=Window(settings.ahead),
        earlier=around.earlier,
    )
