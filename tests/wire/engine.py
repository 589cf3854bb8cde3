"""Ask a scripted server through a whole engine, and say what became of it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, TypeVar

import anyio
import msgspec

from runner.clock import SystemClock
from runner.config import Config, ProviderConfig
from runner.engine.hold import Hold
from runner.engine.outcome import Recording
from runner.engine.stop import Stop
from runner.events import (
    AttemptStarted,
    DeltaReceived,
    Event,
    JobLeft,
    RetryScheduled,
)
from runner.models import Api, ErrorKind, InterruptionReason, Job, Request, Result, Status
from runner.pace.pace import Pace
from runner.providers.registry import Providers
from runner.providers.transport import Http
from runner.results.encode import decode, encode
from runner.results.journal import NoJournal
from runner.run.session import EngineSettings, Session
from runner.settings import Deadlines
from tests.providers.asking import KEY, QUESTION
from tests.providers.raw_server import RawServer, Reply, raw_server

PATIENCE_S = 10.0
LONG = Request(messages=[{"role": "user", "content": "Hi?"}], max_tokens=30_000)
"""So long that Messages must stream it, though nobody watches."""

E = TypeVar("E", bound=Event)


class Told(NamedTuple):
    """The outcome of one job, as far as the table goes."""

    status: Status
    text: str | None = None
    reason: InterruptionReason | None = None
    kind: ErrorKind | None = None
    retryable: bool | None = None
    requests: int = 1


@dataclass
class Asked:
    """A run that has ended."""

    server: RawServer
    results: list[Result] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def result(self) -> Result:
        """The record of the only job."""
        (result,) = self.results
        return result

    @property
    def told(self) -> Told:
        """What its record says."""
        result = self.result
        return Told(
            result.status,
            result.text,
            result.interruption.reason if result.interruption else None,
            result.error.kind if result.error else None,
            result.error.retryable if result.error else None,
            len(self.server.requests),
        )

    @property
    def message(self) -> str:
        """What its error says."""
        assert self.result.error is not None
        return self.result.error.message

    @property
    def body(self) -> Any:
        """The provider's body, as recorded."""
        assert isinstance(self.result.response, msgspec.Raw)
        return msgspec.json.decode(self.result.response)

    @property
    def shown(self) -> list[str]:
        """The text that somebody who watched has seen."""
        return [one.text for one in self.of(DeltaReceived) if one.kind == "text"]

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


class NoDice(Random):
    """Waits as short as they may be."""

    def random(self) -> float:
        return 0.0


async def ask(
    *replies: Reply,
    api: Api = "openai",
    watched: bool = False,
    http: Http | None = None,
    jobs: int = 1,
    max_attempts: int = 3,
    deadlines: Deadlines | None = None,
    request: Request = QUESTION,
    stop_at_wait: bool = False,
    **settings: Any,
) -> Asked:
    """Ask as `batch` does, or, `watched`, as `tail` does: streamed, not repeated once shown."""
    async with raw_server(*replies) as server:
        asked, stop = Asked(server), Stop()

        def emit(event: Event) -> None:
            asked.events.append(event)
            if stop_at_wait and isinstance(event, RetryScheduled):
                stop.drain()

        config = ProviderConfig(
            name="test", api=api, base_url=server.url, api_key_env="TEST_KEY", **settings
        )
        async with Providers(
            Config(providers={"test": config}),
            concurrency=1,
            http=http or ("httpx2" if watched else "aiohttp"),
            environ={"TEST_KEY": KEY},
        ) as providers:
            session = Session(
                settings=EngineSettings(
                    recording=Recording(run_id="run-1"),
                    deadlines=deadlines or Deadlines(attempt_s=5.0, idle_s=5.0),
                    max_attempts=max_attempts,
                    stream=watched,
                ),
                providers=providers,
                journal=NoJournal(),
                output=None,
                emit=emit,
                stop=stop,
                hold=Hold(stop=stop, emit=emit, patience_s=0.0),
                pace=Pace(now=anyio.current_time(), concurrency=1, draw=lambda: 0.0),
                clock=SystemClock(),
                random=NoDice(),
                on_written=lambda result, _: asked.results.append(result),
                may_retry=lambda _: not asked.shown,
            )
            with anyio.fail_after(PATIENCE_S):
                await session.run(_jobs(jobs, request))
    _check(asked)
    return asked


async def _jobs(number: int, request: Request) -> AsyncGenerator[Job]:
    for line in range(1, number + 1):
        yield Job(
            id=f"job-{line}",
            digest=f"digest-{line}",
            line=line,
            provider="test",
            model="m",
            request=request,
        )


def _check(asked: Asked) -> None:
    """Hold every run to what is true of all records."""
    for result in asked.results:
        line = encode(result)
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert decode(line).text == result.text
        assert KEY.encode() not in line
        assert (result.finish_reason is not None) == (result.status == "succeeded")
    if not asked.of(JobLeft):
        recorded = sum(len(result.attempts) for result in asked.results)
        assert recorded == len(asked.of(AttemptStarted))
