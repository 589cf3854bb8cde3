"""One worker process, as the run sees it."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from anyio import Event, to_thread

from runner.errors import ProviderError
from runner.workers.channel import Channel, join
from runner.workers.messages import (
    Began,
    Done,
    Failed,
    Opened,
    ToWorker,
    encode,
    from_worker,
)
from runner.workers.worker import main

_END_S = 2.0
"""How long a worker has to end by itself."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Told = Done | Failed


@dataclass(slots=True, eq=False)
class Call:
    """A request that a worker has."""

    told: "asyncio.Future[Told]"
    began: "asyncio.Future[bool]"
    """Done when the first words of a stream have come: True; or when all is over: False."""

    def end(self, told: Told) -> None:
        """Hand on how it ended."""
        if not self.told.done():
            self.told.set_result(told)
        self._begin(words=False)

    def fail(self, error: ProviderError) -> None:
        """Hand on that nobody knows how it ended."""
        if not self.told.done():
            self.told.set_exception(error)
        self._begin(words=False)

    def begin(self) -> None:
        """Hand on that words have come."""
        self._begin(words=True)

    def _begin(self, *, words: bool) -> None:
        if not self.began.done():
            self.began.set_result(words)


@dataclass(slots=True, eq=False)
class Member:
    """A process, the pipe to it, and what it is asked."""

    process: BaseProcess
    on_end: Callable[["Member"], None]
    """Told once, when the process has gone."""
    calls: dict[int, Call] = field(default_factory=dict)
    opened: dict[int, Event] = field(default_factory=dict)
    """Providers by number, and whether it has opened them."""
    gone: bool = False
    channel: Channel = field(init=False)

    def send(self, message: ToWorker) -> None:
        """Say something to it."""
        self.channel.send(encode(message))

    def take(self, data: bytes) -> None:
        """Hear something from it."""
        message = from_worker(data)
        match message:
            case Done(number) | Failed(number):
                if (call := self.calls.pop(number, None)) is not None:
                    call.end(message)
            case Began(number):
                if (call := self.calls.get(number)) is not None:
                    call.begin()
            case Opened(provider):
                self.opened[provider].set()

    def ended(self) -> None:
        """Note that it has gone: what it was asked may have been answered, and nobody knows."""
        self.gone = True
        calls, self.calls = self.calls, {}
        for call in calls.values():
            call.fail(_lost())
        for event in self.opened.values():
            event.set()
        self.on_end(self)

    async def aclose(self) -> None:
        """End it, by force if it does not end by itself."""
        self.channel.close()
        await to_thread.run_sync(self.process.join, _END_S)
        if self.process.is_alive():
            self.process.kill()
            await to_thread.run_sync(self.process.join, _END_S)


async def hire(concurrency: int, on_end: Callable[[Member], None]) -> Member:
    """Start a worker. It ends with this process, however that ends, and hears no signal itself."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=main, args=(there, concurrency), daemon=True)
    with there, _unheard():
        process.start()
    member = Member(process, on_end)
    member.channel = await join(here, member.take, member.ended)
    return member


def _lost() -> ProviderError:
    words = "a worker process ended before the answer came; it may have been given all the same"
    return ProviderError("internal", words, retryable=True)


@contextmanager
def _unheard() -> Iterator[None]:
    """Have a process made deaf to what the terminal or a service manager sends to the whole group.

    A mask, unlike a handler, holds from its very first moment.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
