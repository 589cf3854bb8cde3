"""A worker process: asks what it is given, and ends when the run does."""

import asyncio
import os
import pickle
import socket
from collections.abc import Callable
from contextlib import aclosing
from functools import partial

from anyio import CancelScope, create_task_group, sleep_forever
from anyio.abc import TaskGroup

from runner.config import ProviderConfig
from runner.errors import ProviderError, UsageError, internal_error
from runner.looping import run_async
from runner.models import Completion
from runner.providers.assembling import StreamAssembly
from runner.providers.endpoints import Endpoint
from runner.providers.exchange import HttpProvider
from runner.providers.opening import adapter, close_all, open_client
from runner.providers.transport import connect
from runner.providers.wording import for_people
from runner.workers.channel import Channel, join
from runner.workers.messages import (
    Ask,
    Began,
    Cancel,
    Done,
    Failed,
    FromWorker,
    Open,
    Opened,
    answer_of,
    encode,
    failure_of,
    to_worker,
)

_END_S = 2.0
"""How long what is cut off has to end, where the process does not end with it."""


def main(pipe: int, concurrency: int) -> None:
    """Work until the pipe ends, whose number is given.

    `concurrency` bounds the connections of each provider. Signals were blocked when this process
    was made and stay so: they are the run's business.
    """
    # At the end at once: whatever is still open ends with the process.
    run_async(work, socket.socket(fileno=pipe), concurrency, partial(os._exit, 0))


async def work(pipe: socket.socket, concurrency: int, leave: Callable[[], object]) -> None:
    """Work until cancelled, then close all connections; `leave` is called when the run ends."""
    async with create_task_group() as group:
        desk = Desk(group, concurrency)
        desk.channel = await join(pipe, desk.take, leave)
        try:
            await sleep_forever()
        finally:
            with CancelScope(shield=True):
                await desk.end()


class Desk:
    """Takes messages in and sees to them."""

    channel: Channel

    def __init__(self, group: TaskGroup, concurrency: int) -> None:
        self._group = group
        self._concurrency = concurrency
        self.providers: dict[int, HttpProvider] = {}
        # Tasks of asyncio's own, each cancelled by itself: a group and a scope for each were 8 % of
        # what a worker did.
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._cut: set[int] = set()
        self._loop = asyncio.get_running_loop()

    def take(self, data: bytes) -> None:
        """Take in a message."""
        message = to_worker(data)
        match message:
            case Ask(number):
                task = self._tasks[number] = self._loop.create_task(self._ask(message))
                task.add_done_callback(partial(self._over, number))
            case Cancel(number):
                self._cut_off(number)
            case Open():
                self._group.start_soon(self._open, message)

    async def end(self) -> None:
        """Cut all off and close all connections, within a few seconds."""
        for number in self._tasks:
            self._cut_off(number)
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=_END_S)
        await close_all(self.providers.values())

    def _cut_off(self, number: int) -> None:
        # Once: a second time would disturb how the first is seen to.
        if number in self._tasks and number not in self._cut:
            self._cut.add(number)
            self._tasks[number].cancel()

    async def _open(self, message: Open) -> None:
        config: ProviderConfig
        place: Endpoint
        config, place = pickle.loads(message.pickled)  # noqa: S301 - by the process that made us
        try:
            client = await open_client(place, concurrency=self._concurrency, http="aiohttp")
            self.providers[message.provider] = adapter(config, place, connect(place, client))
        except UsageError as error:
            self._say(Opened(message.provider, str(error)))
        except Exception as bug:  # noqa: BLE001 - such as a package that is damaged
            words = for_people(f"{type(bug).__name__}: {bug}", place.secrets)
            self._say(Opened(message.provider, f"a worker process could not open it: {words}"))
        else:
            self._say(Opened(message.provider, None))

    async def _ask(self, ask: Ask) -> None:
        try:
            self._say(await self._told(ask))
        except Exception as bug:  # noqa: BLE001 - one odd answer must not end a worker
            self._say(failure_of(ask.number, internal_error(bug)))

    def _over(self, number: int, task: "asyncio.Task[None]") -> None:
        """See to it that whoever waits hears of the end, whatever it was."""
        del self._tasks[number]
        cut = number in self._cut
        self._cut.discard(number)
        if task.cancelled() and cut:  # before it had begun
            self._say(Done(number, answer_of(Completion())))
        elif task.cancelled():
            self._say(failure_of(number, internal_error(RuntimeError("it was cancelled"))))
        elif isinstance(bug := task.exception(), Exception):
            self._say(failure_of(number, internal_error(bug)))

    async def _told(self, ask: Ask) -> Done | Failed:
        provider = self.providers[ask.provider]
        assembly = None if ask.idle_s is None else provider.assembly()
        try:
            answer = await self._answer(ask, provider, assembly)
        except ProviderError as error:
            return failure_of(ask.number, error)
        except asyncio.CancelledError:
            if ask.number not in self._cut:
                raise
            answer = Completion() if assembly is None else assembly.completion()
        return Done(ask.number, answer_of(answer))

    async def _answer(
        self, ask: Ask, provider: HttpProvider, assembly: StreamAssembly | None
    ) -> Completion:
        if assembly is None or ask.idle_s is None:
            return await provider.complete(ask.content, timeout_s=ask.timeout_s)
        began = False
        events = provider.stream(ask.content, assembly, timeout_s=ask.timeout_s, idle_s=ask.idle_s)
        async with aclosing(events) as deltas:
            async for _ in deltas:
                if not began:
                    began = True
                    self._say(Began(ask.number))
        return assembly.completion()

    def _say(self, message: FromWorker) -> None:
        self.channel.send(encode(message))
