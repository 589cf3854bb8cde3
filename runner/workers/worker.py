"""A worker process: asks what it is given, and ends when the run does."""

import os
import pickle
from contextlib import aclosing
from multiprocessing.connection import Connection

from anyio import CancelScope, Event, create_task_group
from anyio.abc import TaskGroup

from runner.config import ProviderConfig
from runner.errors import ProviderError, internal_error
from runner.looping import run_async
from runner.models import Completion
from runner.providers.assembling import StreamAssembly
from runner.providers.endpoints import Endpoint
from runner.providers.exchange import HttpProvider
from runner.providers.opening import adapter, open_client
from runner.providers.transport import connect
from runner.workers.channel import Channel, join
from runner.workers.messages import (
    Ask,
    Began,
    Cancel,
    Done,
    FromWorker,
    Open,
    Opened,
    answer_of,
    encode,
    failure_of,
    to_worker,
)


def main(connection: Connection, concurrency: int) -> None:
    """Work until the pipe ends. `concurrency` bounds the connections of each provider.

    Signals were blocked when this process was made and stay so: they are the run's business.
    """
    try:
        run_async(_work, connection, concurrency)
    finally:
        os._exit(0)  # whatever is still open ends with the process


async def _work(connection: Connection, concurrency: int) -> None:
    async with create_task_group() as group:
        desk = Desk(group, concurrency)
        desk.channel = await join(connection, desk.take, desk.gone.set)
        await desk.gone.wait()
        group.cancel_scope.cancel()


class Desk:
    """Takes messages in and sees to them."""

    channel: Channel

    def __init__(self, group: TaskGroup, concurrency: int) -> None:
        self.gone = Event()
        """Set when the run has ended."""
        self._group = group
        self._concurrency = concurrency
        self._providers: dict[int, HttpProvider] = {}
        self._scopes: dict[int, CancelScope] = {}

    def take(self, data: bytes) -> None:
        """Take in a message."""
        message = to_worker(data)
        match message:
            case Ask(number):
                self._scopes[number] = CancelScope()
                self._group.start_soon(self._ask, message)
            case Cancel(number):
                if number in self._scopes:
                    self._scopes[number].cancel()
            case Open():
                self._group.start_soon(self._open, message)

    async def _open(self, message: Open) -> None:
        config: ProviderConfig
        place: Endpoint
        config, place = pickle.loads(message.pickled)  # noqa: S301 - by the process that made us
        client = await open_client(place, concurrency=self._concurrency, http="aiohttp")
        self._providers[message.provider] = adapter(config, place, connect(place, client))
        self._say(Opened(message.provider))

    async def _ask(self, ask: Ask) -> None:
        provider = self._providers[ask.provider]
        assembly = None if ask.idle_s is None else provider.assembly()
        try:
            with self._scopes[ask.number] as scope:
                self._say(Done(ask.number, answer_of(await self._answer(ask, provider, assembly))))
            if scope.cancelled_caught:
                came = Completion() if assembly is None else assembly.completion()
                self._say(Done(ask.number, answer_of(came)))
        except ProviderError as error:
            self._say(failure_of(ask.number, error))
        except Exception as bug:  # noqa: BLE001 - one odd answer must not end a worker
            self._say(failure_of(ask.number, internal_error(bug)))
        finally:
            del self._scopes[ask.number]

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
