"""The worker processes of a run: kept at their number, and asked in turn."""

import asyncio
import pickle
from itertools import count
from types import TracebackType
from typing import Self

from anyio import CancelScope, Event, create_task_group, move_on_after
from anyio.abc import TaskGroup

from runner.config import ProviderConfig
from runner.errors import ProviderError
from runner.providers.endpoints import Endpoint
from runner.workers.member import Call, Member, Told, hire
from runner.workers.messages import Ask, Cancel, Open

_LAST_WORDS_S = 1.0
"""How long a stream that is cut off is waited for to say what had come."""
_MOST_LOST = 3
"""So many workers for each that is wanted may end by themselves before none is replaced."""


class Crew:
    """As many workers as were asked for. Use it as a context manager."""

    def __init__(self, size: int, concurrency: int) -> None:
        """`concurrency`: most requests in flight, over all workers."""
        self._size = size
        self._concurrency = concurrency
        self._members: list[Member] = []
        self._numbers = count()
        self._providers: list[Open] = []
        self._lost = 0
        self._ending = False
        self._staffed = Event()

    async def __aenter__(self) -> Self:
        self._group: TaskGroup = create_task_group()
        await self._group.__aenter__()
        try:
            for _ in range(self._size):
                await self._hire()
        except BaseException:
            self._group.cancel_scope.cancel()
            await self._group.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending = True
        with CancelScope(shield=True):
            async with create_task_group() as group:
                for member in self._members:
                    group.start_soon(member.aclose)
        self._group.cancel_scope.cancel()
        await self._group.__aexit__(kind, error, trace)

    async def open(self, config: ProviderConfig, place: Endpoint) -> int:
        """Have all workers open a provider; give its number."""
        message = Open(len(self._providers), pickle.dumps((config, place)))
        self._providers.append(message)
        members = list(self._members)
        for member in members:
            _open(member, message)
        for member in members:
            await member.opened[message.provider].wait()
        return message.provider

    async def ask(self, provider: int, content: bytes, timeout_s: float) -> Told:
        """Have a request sent and wait for its answer. Raises ProviderError for a lost worker.

        Cancelled, it has the connection closed.
        """
        number, member, call = await self._begin(provider, content, timeout_s, None)
        try:
            return await call.told
        except asyncio.CancelledError:
            member.calls.pop(number, None)
            member.send(Cancel(number))
            raise

    async def watch(
        self, provider: int, content: bytes, timeout_s: float, idle_s: float
    ) -> "Watched":
        """Have a request sent whose answer is to be streamed, unseen."""
        return Watched(*await self._begin(provider, content, timeout_s, idle_s))

    async def _begin(
        self, provider: int, content: bytes, timeout_s: float, idle_s: float | None
    ) -> tuple[int, Member, Call]:
        member = await self._next()
        number = next(self._numbers)
        loop = asyncio.get_running_loop()
        call = member.calls[number] = Call(loop.create_future(), loop.create_future())
        member.send(Ask(number, provider, content, timeout_s, idle_s))
        return number, member, call

    async def _next(self) -> Member:
        """Find the worker that has least to do."""
        while not self._members:
            if self._lost > _MOST_LOST * self._size:
                words = "the worker processes end again and again; try it with  --processes 1"
                raise ProviderError("internal", words, retryable=True, fatal=True, unsent=True)
            await self._staffed.wait()
        return min(self._members, key=lambda member: len(member.calls))

    async def _hire(self) -> None:
        member = await hire(self._concurrency, self._let_go)
        for message in self._providers:
            _open(member, message)
        for event in list(member.opened.values()):
            await event.wait()
        if not member.gone:
            self._members.append(member)
            self._staffed.set()

    def _let_go(self, member: Member) -> None:
        if member in self._members:
            self._members.remove(member)
        if self._ending:
            return
        self._lost += 1
        if not self._members:
            self._staffed = Event()
        if self._lost <= _MOST_LOST * self._size:
            self._group.start_soon(self._hire)
        else:
            self._staffed.set()


class Watched:
    """A streamed answer that a worker gathers."""

    def __init__(self, number: int, member: Member, call: Call) -> None:
        self._number = number
        self._member = member
        self._call = call

    async def began(self) -> bool:
        """Wait for the first words: True; False at the end where none came."""
        return await asyncio.shield(self._call.began)

    async def told(self) -> Told:
        """Wait for the end. Raises ProviderError for a lost worker."""
        return await asyncio.shield(self._call.told)

    async def cut(self) -> Told | None:
        """Cut it off, and give what had come, if the worker says so soon."""
        self._member.send(Cancel(self._number))
        with CancelScope(shield=True), move_on_after(_LAST_WORDS_S):
            return await self._call.told
        self._member.calls.pop(self._number, None)
        return None


def _open(member: Member, message: Open) -> None:
    member.opened[message.provider] = Event()
    member.send(message)
