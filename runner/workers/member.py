"""One worker, as the run sees it: the pipe to it, and what it is asked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from anyio import to_thread

from runner.errors import ProviderError
from runner.workers.channel import Channel, join
from runner.workers.messages import (
    Ask,
    Began,
    Cancel,
    Done,
    Failed,
    Opened,
    ToWorker,
    encode,
    failure_of,
    from_worker,
)
from runner.workers.process import WorkerProcess

STUCK_S = 10.0
"""A worker that says nothing for so long when a request is cut off does nothing any more."""
_LOST = "a worker process ended before the answer came; it may have been given all the same"

Told = Done | Failed


@dataclass(slots=True, eq=False)
class Call:
    """A request that a worker has."""

    told: "asyncio.Future[Told]"
    began: "asyncio.Future[bool] | None"
    """Done when the first words of a stream have come: True; or when all is over: False. None for
    what is not streamed."""

    def end(self, told: Told) -> None:
        """Hand on how it ended."""
        if not self.told.done():
            self.told.set_result(told)
        self.begin(words=False)

    def fail(self, error: Exception) -> None:
        """Give up, unless it has ended."""
        if not self.told.done():
            self.told.set_exception(error)

    def begin(self, *, words: bool) -> None:
        """Hand on that words have come, or that none will."""
        if self.began is not None and not self.began.done():
            self.began.set_result(words)


@dataclass(slots=True, eq=False)
class Member:
    """A process, the pipe to it, and what it is asked."""

    process: WorkerProcess
    heard: Callable[["Member", Opened], None]
    """Told of each provider that it has opened, or could not."""
    ended: Callable[["Member"], None]
    """Told once, when it has gone."""
    calls: dict[int, Call] = field(default_factory=dict)
    opened: set[int] = field(default_factory=set)
    """The providers it can be asked for."""
    answered: bool = False
    """Whether it was ever of use."""
    channel: Channel = field(init=False)
    _cut: set[int] = field(default_factory=set)
    """What it was told to cut off, and has not said so."""
    _gone: bool = False

    @property
    def load(self) -> tuple[bool, int]:
        """How much it has to do; one that owes a word may be stuck, and is asked last."""
        return bool(self._cut), len(self.calls)

    def send(self, message: ToWorker) -> None:
        """Say something to it."""
        self.channel.send(encode(message))

    def ask(self, message: Ask) -> Call:
        """Have it send a request."""
        loop = asyncio.get_running_loop()
        began = None if message.idle_s is None else loop.create_future()
        call = self.calls[message.number] = Call(loop.create_future(), began)
        self.send(message)
        return call

    def cut(self, number: int) -> None:
        """Have it cut a request off. It is killed if it does not say soon that it did."""
        if number not in self.calls or self._gone:
            return
        self._cut.add(number)
        self.send(Cancel(number))
        asyncio.get_running_loop().call_later(STUCK_S, self._end_if_stuck, number)

    def forget(self, number: int) -> None:
        """Wait for no answer to this any more."""
        self.calls.pop(number, None)

    def take(self, data: bytes) -> None:
        """Hear something from it."""
        message = from_worker(data)
        match message:
            case Done(number) | Failed(number):
                self.answered = True
                self._cut.discard(number)
                if (call := self.calls.pop(number, None)) is not None:
                    call.end(message)
            case Began(number):
                if (call := self.calls.get(number)) is not None:
                    call.begin(words=True)
            case Opened():
                self.heard(self, message)

    def lose(self) -> None:
        """Note that it has gone: what it was asked may have been answered, and nobody knows."""
        self._gone = True
        calls, self.calls = self.calls, {}
        self._cut.clear()
        lost = ProviderError("internal", _LOST, retryable=True)
        for number, call in calls.items():
            call.end(failure_of(number, lost))
        self.ended(self)

    async def aclose(self) -> str:
        """End it, by force if it does not end by itself, and say how it ended. Call it once."""
        self.channel.close()
        return await to_thread.run_sync(self.process.wait)

    def _end_if_stuck(self, number: int) -> None:
        if number in self._cut:
            self.process.kill()


async def hire(
    concurrency: int,
    heard: Callable[[Member, Opened], None],
    ended: Callable[[Member], None],
) -> Member:
    """Start a worker. Raises OSError where the system allows no more."""
    member = Member(WorkerProcess(concurrency), heard, ended)
    member.channel = await join(member.process.pipe, member.take, member.lose)
    return member
