"""A provider that works in memory, a clock that is set by hand, and a shard built around them."""

import math
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import anyio
from anyio import create_memory_object_stream, current_time
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from msgspec import Raw

from runner.engine.attempt import Attempts
from runner.engine.hold import Hold
from runner.engine.outcome import Recording
from runner.engine.priming import Priming
from runner.engine.retry import RetryPolicy
from runner.engine.service import Service, always
from runner.engine.shard import Shard, no_attempts, uncounted
from runner.engine.stop import Stop
from runner.engine.window import Window
from runner.errors import LineProblem, ProviderError
from runner.events import Event
from runner.models import Api, AttemptRecord, Completion, Job, Request, Result, Usage
from runner.pace.budget import Budget
from runner.pace.pace import Pace
from runner.providers.base import Assembly, Delta, Provider
from runner.settings import Deadlines

Answer = Callable[[str, int], Completion | ProviderError | float]
"""From a job's prompt and the attempt's number to an answer, a failure, or seconds to hang."""


def whole(text: str) -> Completion:
    """An answer that the provider ended."""
    return Completion(
        text=text,
        finish_reason="stop",
        usage=Usage(input_tokens=3, output_tokens=2, total_tokens=5),
        response_model="fake-1",
        response=Raw(b'{"ok":true}'),
        request_id="req-1",
    )


@dataclass
class FakeClock:
    """Stands still unless moved."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class FakeAssembly:
    """Text so far; ended once `end` is set."""

    text: str = ""
    end: Completion | None = None

    def completion(self) -> Completion:
        return self.end or Completion(
            text=self.text or None, usage=Usage(input_tokens=3, complete=False)
        )


@dataclass
class FakeProvider:
    """Answers from a function, in memory; notes how many requests are open at once."""

    answer: Answer
    name: str = "fake"
    api: Api = "openai"
    long: bool = False
    asked: dict[str, int] = field(default_factory=dict)
    open: int = 0
    peak: int = 0
    started: anyio.Event = field(default_factory=anyio.Event)

    def body(self, model: str, request: Request, *, stream: bool) -> dict[str, Any]:
        body: dict[str, Any] = {"model": model, "messages": request.messages}
        return {**body, "stream": True} if stream else body

    def must_stream(self, body: Mapping[str, Any]) -> bool:
        return self.long

    async def complete(
        self, body: Mapping[str, Any], *, timeout_s: float, within_s: float = math.inf
    ) -> Completion:
        self.open += 1
        self.peak = max(self.peak, self.open)
        try:
            with anyio.fail_after(within_s):
                return await self._reply(body["messages"][0]["content"])
        finally:
            self.open -= 1

    def assembly(self) -> FakeAssembly:
        return FakeAssembly()

    async def stream(
        self, body: Mapping[str, Any], assembly: Assembly, *, timeout_s: float, idle_s: float
    ) -> AsyncGenerator[Delta, None]:
        assert isinstance(assembly, FakeAssembly)
        prompt = body["messages"][0]["content"]
        assembly.text = "so "
        yield Delta("so ")
        assembly.end = await self._reply(prompt)
        yield Delta(assembly.end.text or "")

    async def aclose(self) -> None:
        return None

    async def _reply(self, prompt: str) -> Completion:
        number = self.asked[prompt] = self.asked.get(prompt, 0) + 1
        self.started.set()
        await anyio.lowlevel.checkpoint()
        reply = self.answer(prompt, number)
        if isinstance(reply, ProviderError):
            raise reply
        if isinstance(reply, float):
            await anyio.sleep(reply)
            return whole("late")
        return reply


@dataclass
class FakeJournal:
    """Holds in memory what is in flight."""

    log: list[str] = field(default_factory=list)

    def sent(self, job_id: str, digest: str, at: str) -> None:
        self.log.append(f"sent {job_id}")

    def withdrawn(self, job_id: str) -> None:
        self.log.append(f"withdrawn {job_id}")


def job(prompt: str, line: int | None = None, provider: str = "fake") -> Job:
    """A job whose id is its prompt."""
    messages = [{"role": "user", "content": prompt}]
    return Job(
        id=prompt,
        digest=f"digest of {prompt}",
        line=line,
        provider=provider,
        model="m",
        request=Request(messages=messages),
        metadata=Raw(b'{"row":1}'),
    )


@dataclass
class Bench:
    """A shard, what it was built from, and what came out of it."""

    provider: FakeProvider
    concurrency: int | None = 2
    stream: bool = False
    deadlines: Deadlines = field(default_factory=Deadlines)
    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(base_s=0.0))
    may_retry: Callable[[Job], bool] = always
    fallback: bool = False
    ahead: int | None = None
    buffer: int = 100
    recording: Recording = field(default_factory=lambda: Recording(run_id="run-1"))
    clock: FakeClock = field(default_factory=FakeClock)
    journal: FakeJournal = field(default_factory=FakeJournal)
    stop: Stop = field(default_factory=Stop)
    events: list[Event] = field(default_factory=list)
    pace: Pace = field(init=False)
    results: list[Result] = field(default_factory=list)
    others: dict[str, FakeProvider] = field(default_factory=dict)
    on_event: Callable[[Event], None] = lambda event: None
    earlier: Callable[[Job], list[AttemptRecord]] = no_attempts
    budget: Budget | None = None
    worst_case: Callable[[Job], int] = uncounted
    priming: Priming | None = None

    def __post_init__(self) -> None:
        self.hold = Hold(stop=self.stop, emit=self._emit)

    async def run(self, jobs: list[Job | LineProblem]) -> dict[str, Result]:
        """Work the jobs off and give the results by id."""
        send, receive = create_memory_object_stream[Result](self.buffer)
        async with anyio.create_task_group() as group:
            group.start_soon(self._collect, receive)
            await self._watched(self.shard(send), jobs)
        return {result.id: result for result in self.results}

    async def _watched(self, shard: Shard, jobs: list[Job | LineProblem]) -> None:
        async with anyio.create_task_group() as watch:
            watch.start_soon(self.hold.run)
            await shard.run(each(jobs))
            watch.cancel_scope.cancel()

    def shard(self, send: MemoryObjectSendStream[Result]) -> Shard:
        attempts = Attempts(
            clock=self.clock,
            emit=self._emit,
            journal=self.journal,
            deadlines=self.deadlines,
            recording=self.recording,
            stream=self.stream,
        )
        service = Service(
            attempts=attempts,
            open_provider=self._open,
            results=send,
            policy=self.policy,
            random=Random(1),
            stop=self.stop,
            hold=self.hold,
            may_retry=self.may_retry,
            fallback=self.fallback,
            keep_costs=self.budget is not None,
        )
        self.pace = Pace(
            now=current_time(),
            concurrency=self.concurrency,
            draw=Random(2).random,
            budget=self.budget,
        )
        return Shard(
            service=service,
            pace=self.pace,
            window=Window(self.ahead),
            earlier=self.earlier,
            worst_case=self.worst_case,
            priming=self.priming,
        )

    def of(self, kind: type[Event]) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)

    async def _open(self, job: Job) -> Provider:
        return self.others.get(job.provider, self.provider)

    async def _collect(self, receive: MemoryObjectReceiveStream[Result]) -> None:
        async with receive:
            async for result in receive:
                self.results.append(result)


async def each(jobs: list[Job | LineProblem]) -> AsyncGenerator[Job | LineProblem, None]:
    for item in jobs:
        yield item
